"""The live table of running jobs, on stderr: redrawn on a terminal, a line per news elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.live import Live
from rich.table import Table

from competition.cli import output
from competition.lifecycle import JobState
from competition.store import jobs
from competition.store.engine import Store
from competition.store.jobs import Job

REDRAW_S = 0.5
MOST_ROWS = 20


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
            news = (job.state, _at(job), job.reason if job.state.is_finished else None)
            if self._last.get(job.id) != news and job.state is not JobState.WAITING:
                self._last[job.id] = news
                output.say(f"{job.experiment} {job.label}: {in_words(job)}")


def _shown(store: Store, experiment: str | None) -> list[Job]:
    if experiment is not None:
        return jobs.of_experiment(store, experiment)
    return jobs.in_states(store, [s for s in JobState if s.is_live or s.is_pending])


def _render(shown: list[Job]) -> Table:
    numbers = ("loss", "score", "lr", "images/s", "MiB", "ETA")
    table = output.table("experiment", "job", "at", *numbers, right=("at", *numbers))
    for job in shown[:MOST_ROWS]:
        progress = job.progress or {}
        knows_speed = bool(progress.get("images_per_s"))
        eta = output.duration(progress.get("eta_s") if job.state.is_live and knows_speed else None)
        score = output.percent(job.score if job.score is not None else progress.get("score"))
        loss, lr = _number(progress.get("loss"), ".3f"), _number(progress.get("lr"), ".1e")
        speed = _number(progress["images_per_s"] if knows_speed else None, ".1f")
        memory = _number(progress.get("memory_mib"), "d")
        output.add_row(table, job.experiment, job.label, _at(job), loss, score, lr, speed, memory, eta)
    if len(shown) > MOST_ROWS:
        output.add_row(table, f"… {len(shown) - MOST_ROWS} more", *[""] * 8)
    return table


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
        f"epoch {_at(job)}, loss {progress['loss']:.3f}, score {output.percent(progress.get('score'))}, "
        f"lr {_number(progress.get('lr'), '.1e')}, {progress['images_per_s']:.1f} images/s{memory}, "
        f"ETA {output.duration(progress.get('eta_s'))}"
    )


def _at(job: Job) -> str:
    """The epoch of a running job, `3/20`, or what it does before the first; the state of any other."""
    progress = job.progress or {}
    if job.state is not JobState.RUNNING or not progress:
        return job.state.value
    return f"{progress['epoch']}/{progress['epochs']}" if progress["loss"] is not None else str(progress["phase"])


def _number(value: float | None, form: str) -> str:
    return output.NOTHING if value is None else format(value, form)
