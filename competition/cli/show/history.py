"""The table of what happened."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from competition.cli.show import output

if TYPE_CHECKING:
    from competition.store.events import Event


def table(events: "Sequence[Event]", *, wrap: bool = True) -> Table:
    """Events as a table that fits 80 columns; without `wrap`, each on one line and cut short, for a glance."""
    drawn = output.table("when", "who", "what", "happened", wrap=("who", "what", "happened"))
    for event in events:
        when = time.strftime("%m-%d %H:%M:%S" if wrap else "%H:%M:%S", time.localtime(event.at))
        cells = event.actor, event.subject, f"{event.action} ({event.why})" if event.why else event.action
        output.add_row(drawn, when, *(cells if wrap else map(output.clipped, cells)))
    return drawn
