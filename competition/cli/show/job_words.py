"""How far a job is, in words."""

from typing import Any

from competition.cli.show import output
from competition.lifecycle import JobState
from competition.store.queue.jobs import Job


def in_words(job: Job) -> str:
    """How far a job is, or how it ended."""
    progress = job.progress or {}
    if job.state is JobState.SUCCEEDED:
        return "succeeded" if job.score is None else f"succeeded, score {output.percent(job.score)}"
    if not (job.state.is_live and progress):
        return f"{job.state}{f' ({job.reason})' if job.reason else ''}"
    memory = f", {progress['memory_mib']} MiB" if progress.get("memory_mib") else ""
    if progress["loss"] is None:
        return f"{progress['phase']} {progress['batch']}/{progress['batches']}{memory}"
    return (
        f"epoch {at(job)}, loss {progress['loss']:.3f}, score {output.percent(progress.get('score'))}, "
        f"lr {number(progress.get('lr'), '.1e')}, {progress['images_per_s']:.1f} images/s{memory}, "
        f"ETA {output.duration(progress.get('eta_s'))}"
    )


def at(job: Job) -> str:
    """How far a running job is; the state of any other."""
    if job.state is not JobState.RUNNING or not job.progress:
        return job.state.value
    return stage_of(job.progress)


def stage_of(progress: dict[str, Any]) -> str:
    """The epoch, `3/20`, or what the job does before the first."""
    return f"{progress['epoch']}/{progress['epochs']}" if progress["loss"] is not None else str(progress["phase"])


def number(value: float | None, form: str) -> str:
    """Formatted, or a sign that there is none."""
    return output.NOTHING if value is None else format(value, form)
