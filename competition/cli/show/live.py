"""What `comp run` and `comp worker` show on stderr: redrawn on a terminal, a line per news elsewhere."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import RenderableType
from rich.live import Live
from rich.table import Table

from competition.api import Competition
from competition.cli.show import output
from competition.cli.show.activity import activity
from competition.cli.show.jobs import at, in_words, number
from competition.lifecycle import JobState
from competition.store.engine import Store
from competition.store.queue import jobs
from competition.store.queue.jobs import Job

if TYPE_CHECKING:
    from competition.queue.devices import Device

REDRAW_S = 0.5
WATCH_S = 1.0
SHARE = 20
"""At most one part in so many of the time is spent on drawing: with a long queue it takes longer."""
MOST_ROWS = 20


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
        return activity(opened, devices, height=console.height - 1)

    with Live(console=console, auto_refresh=False) as live:
        shown = _Picture(draw, live)
        yield shown
        shown.draw()


def watch_activity(opened: Competition) -> None:
    """Draw the devices, the queue and the last events again and again until Ctrl-C; dead jobs are queued again.

    Raises:
        CompError: stdout is no terminal.
    """
    from competition.queue.devices import choose
    from competition.queue.reaper import reap

    devices, console = choose(None), output.out()

    def draw() -> RenderableType:
        reap(opened.store)
        return activity(opened, devices, height=console.height - 1)

    output.watch(draw, every_s=WATCH_S, command="comp status")


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
            news = (job.state, at(job), job.reason if job.state.is_finished else None)
            if self._last.get(job.id) != news and job.state is not JobState.WAITING:
                self._last[job.id] = news
                output.say(f"{job.experiment} {job.label}: {in_words(job)}")

    def _shown(self) -> list[Job]:
        """The experiment's jobs; without one, those that run, and those that ran at the last look."""
        if self._experiment is not None:
            return jobs.of_experiment(self._store, self._experiment)
        live = jobs.in_states(self._store, [state for state in JobState if state.is_live])
        ended = self._live - {job.id for job in live}
        self._live = {job.id for job in live}
        return [*jobs.by_id(self._store, ended), *live]


def _render(shown: list[Job]) -> Table:
    numbers = ("loss", "score", "lr", "images/s", "MiB", "ETA")
    table = output.table("job", "device", "at", *numbers, right=("at", *numbers))
    for job in shown[:MOST_ROWS]:
        progress = job.progress or {}
        knows_speed = bool(progress.get("images_per_s"))
        eta = output.duration(progress.get("eta_s") if job.state.is_live and knows_speed else None)
        score = output.percent(job.score if job.score is not None else progress.get("score"))
        loss, lr = number(progress.get("loss"), ".3f"), number(progress.get("lr"), ".1e")
        speed = number(progress["images_per_s"] if knows_speed else None, ".1f")
        memory = number(progress.get("memory_mib"), "d")
        device = (job.device or output.NOTHING)[:12]
        output.add_row(table, job.label, device, at(job), loss, score, lr, speed, memory, eta)
    if len(shown) > MOST_ROWS:
        output.add_row(table, f"… {len(shown) - MOST_ROWS} more", *[""] * 8)
    return table
