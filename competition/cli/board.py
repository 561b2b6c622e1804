"""The live table of running jobs, on stderr: redrawn on a terminal, a line per news elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.live import Live
from rich.table import Table

from competition.cli import output
from competition.lifecycle import JobState
from competition.store import jobs
from competition.store.engine import Store
from competition.store.jobs import Job

REDRAW_S = 0.5


class Board(Protocol):
    """Something that can be told to look again."""

    def refresh(self) -> None:
        """Show what has changed."""


@contextmanager
def board(store: Store, experiment: str | None = None) -> Iterator[Board]:
    """A board of one experiment's jobs, or of all that are running or queued."""
    console = output.talk()
    if not console.is_terminal:
        lines = _Lines(store, experiment)
        yield lines
        lines.look()
        return
    with Live(console=console, auto_refresh=False) as live:
        shown = _Table(store, experiment, live)
        yield shown
        shown.draw()


class _Table:
    """One table, redrawn in place."""

    def __init__(self, store: Store, experiment: str | None, live: Live) -> None:
        self._store, self._experiment, self._live = store, experiment, live
        self._drawn_at = 0.0

    def refresh(self) -> None:
        if time.monotonic() - self._drawn_at >= REDRAW_S:
            self.draw()

    def draw(self) -> None:
        self._drawn_at = time.monotonic()
        self._live.update(_render(_shown(self._store, self._experiment)), refresh=True)


class _Lines:
    """A line whenever a job changes its state or ends an epoch."""

    def __init__(self, store: Store, experiment: str | None) -> None:
        self._store, self._experiment = store, experiment
        self._last: dict[int, tuple[object, ...]] = {}
        self._looked_at = 0.0

    def refresh(self) -> None:
        if time.monotonic() - self._looked_at >= REDRAW_S:
            self.look()

    def look(self) -> None:
        self._looked_at = time.monotonic()
        for job in _shown(self._store, self._experiment):
            progress = job.progress or {}
            news = (job.state, _stage(progress) if progress else None, job.reason if job.state.is_finished else None)
            if self._last.get(job.id) != news and job.state is not JobState.WAITING:
                self._last[job.id] = news
                output.say(f"{job.experiment} {job.label}: {_in_words(job)}")


def _shown(store: Store, experiment: str | None) -> list[Job]:
    if experiment is not None:
        return jobs.of_experiment(store, experiment)
    return jobs.in_states(store, [s for s in JobState if s.is_live or s.is_pending])


def _render(shown: list[Job]) -> Table:
    table = output.table(
        "experiment", "job", "state", "device", "epoch", "loss", "score", "ETA", right=("epoch", "loss", "score", "ETA")
    )
    for job in shown[:20]:
        progress = job.progress or {}
        epoch = _stage(progress) if progress else output.NOTHING
        loss = f"{progress['loss']:.3f}" if progress.get("loss") is not None else output.NOTHING
        score = output.percent(job.score if job.score is not None else progress.get("score"))
        eta = output.duration(progress.get("eta_s") if job.state.is_live else None)
        device = (job.device or output.NOTHING)[:12]
        output.add_row(table, job.experiment, job.label, job.state.value, device, epoch, loss, score, eta)
    if len(shown) > 20:
        output.add_row(table, f"… {len(shown) - 20} more", "", "", "", "", "", "", "")
    return table


def _in_words(job: Job) -> str:
    progress = job.progress or {}
    if job.state is JobState.SUCCEEDED:
        return "succeeded" if job.score is None else f"succeeded, score {output.percent(job.score)}"
    if job.state.is_live and progress:
        score = output.percent(progress.get("score"))
        eta = output.duration(progress.get("eta_s"))
        if progress["loss"] is None:
            return f"{progress['phase']} {progress['batch']}/{progress['batches']}"
        return f"epoch {_stage(progress)}, loss {progress['loss']:.3f}, score {score}, ETA {eta}"
    return f"{job.state}{f' ({job.reason})' if job.reason else ''}"


def _stage(progress: dict[str, Any]) -> str:
    """The epoch, `3/20`, or what the job does before the first."""
    return f"{progress['epoch']}/{progress['epochs']}" if progress["loss"] is not None else str(progress["phase"])
