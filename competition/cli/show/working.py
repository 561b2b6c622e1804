"""A worker at work: its jobs on stderr, pictures of experiments as they become complete, and notices to the team."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from competition.api import Competition

if TYPE_CHECKING:
    from competition.queue.worker import Worker


@contextmanager
def shown(opened: Competition, worker: "Worker") -> Iterator[None]:
    """Show what the worker does while the block runs, and notify whom competition.yaml names."""
    from competition.cli.show import output
    from competition.cli.show.live import board
    from competition.notify.notices import notices
    from competition.queue.worker import BrokenMachineError

    with (
        notices(opened.store, opened.settings, say=output.say) as team,
        board(opened, worker.devices, worker.experiment) as screen,
    ):

        def complete(name: str) -> None:
            if team:
                team.completed(name)
            draw_pictures(opened, name)

        worker.on_tick, worker.on_complete, worker.tell = screen.refresh, complete, output.say
        if team:
            worker.on_failed = team.failed
        try:
            yield
        except BrokenMachineError as error:
            if team:
                team.stopped(error.message)
            raise


def draw_pictures(opened: Competition, name: str) -> None:
    """Draw the pictures of a complete experiment and say where they are; say so if they cannot be drawn."""
    from competition.cli.show import output
    from competition.errors import CompError

    try:
        drawn = opened.draw(name)
    except (CompError, OSError) as error:
        output.say(f"The pictures of {name} could not be drawn: {error}")
        return
    output.say(f"Pictures: {', '.join(str(path.relative_to(opened.paths.root)) for path in drawn)}")
