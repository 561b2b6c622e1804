"""What `comp run` and `comp worker` show on stderr: redrawn on a terminal, a line per news elsewhere."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import RenderableType
from rich.live import Live
from rich.table import Table

from competition.cli import output
from competition.cli.options import Competition
from competition.lifecycle import JobState
from competition.store import jobs
from competition.store.engine import Store
from competition.store.jobs import Job

if TYPE_CHECKING:
    from competition.queue.devices import Device

REDRAW_S = 0.5
SHARE = 20
"""At most one part in so many of the time is spent on drawing: with a long queue it takes longer."""


class Board(Protocol):
    """Something that can be told to look again."""

    def refresh(self) -> None:
        """Show what has changed."""


@contextmanager
def board(opened: Competition, devices: "Sequence[Device]", experiment: str | None = None) -> Iterator[Board]:
    """A board of one experiment's jobs; without one, of the devices, the queue and the last events."""
    console = output.talk()
    if not console.is_terminal:
        lines = _Lines(opened.store, experiment)
        yield lines
        lines.look()
        return

    def draw() -> RenderableType:
        if experiment is not None:
            return _render(jobs.of_experiment(opened.store, experiment))
        from competition.cli.activity import activity

        return activity(opened, devices, height=console.height - 1)

    with Live(console=console, auto_refresh=False) as live:
        shown = _Picture(draw, live)
        yield shown
        shown.draw()


class _Picture:
    """Redrawn in place."""

    def __init__(self, render: Callable[[], RenderableType], live: Live) -> None:
        self._render, self._live = render, live
        self._due_at = 0.0

    def refresh(self) -> None:
        if time.monotonic() >= self._due_at:
            self.draw()

    def draw(self) -> None:
        started = time.monotonic()
        self._live.update(self._render(), refresh=True)
        now = time.monotonic()
        self._due_at = now + max(REDRAW_S, SHARE * (now - started))


class _Lines:
    """A line whenever a job changes its state or ends an epoch."""

    def __init__(self, store: Store, experiment: str | None) -> None:
        self._store, self._experiment = store, experiment
        self._last: dict[int, tuple[object, ...]] = {}
        self._live: set[int] = set()
        self._looked_at = 0.0

    def refresh(self) -> None:
        if time.monotonic() - self._looked_at >= REDRAW_S:
            self.look()

    def look(self) -> None:
        self._looked_at = time.monotonic()
        for job in self._shown():
            progress = job.progress or {}
            news = (job.state, stage_of(progress) if progress else None, job.reason if job.state.is_finished else None)
            if self._last.get(job.id) != news and job.state is not JobState.WAITING:
                self._last[job.id] = news
                output.say(f"{job.experiment} {job.label}: {_in_words(job)}")

    def _shown(self) -> list[Job]:
        """The experiment's jobs; without one, those that run, and those that ran at the last look."""
        if self._experiment is not None:
            return jobs.of_experiment(self._store, self._experiment)
        live = jobs.in_states(self._store, [state for state in JobState if state.is_live])
        ended = self._live - {job.id for job in live}
        self._live = {job.id for job in live}
        return [*jobs.by_id(self._store, ended), *live]


def _render(shown: list[Job]) -> Table:
    table = output.table(
        "experiment", "job", "state", "device", "epoch", "loss", "score", "ETA", right=("epoch", "loss", "score", "ETA")
    )
    for job in shown[:20]:
        progress = job.progress or {}
        epoch = stage_of(progress) if progress else output.NOTHING
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
        return f"epoch {stage_of(progress)}, loss {progress['loss']:.3f}, score {score}, ETA {eta}"
    return f"{job.state}{f' ({job.reason})' if job.reason else ''}"


def stage_of(progress: dict[str, Any]) -> str:
    """The epoch, `3/20`, or what the job does before the first."""
    return f"{progress['epoch']}/{progress['epochs']}" if progress["loss"] is not None else str(progress["phase"])
