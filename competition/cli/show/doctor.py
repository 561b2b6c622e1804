"""The table of what `comp doctor` checked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from competition.cli.show import output

if TYPE_CHECKING:
    from competition.api.doctor import Check


def show_checks(checks: "Sequence[Check]") -> None:
    """Print each check with its result and, where something is wrong, the command that helps."""
    table = output.table("what", "", "found", wrap=("what", "found"))
    for check in checks:
        result = f"{check.found}\n{check.hint}" if check.hint else check.found
        output.add_row(table, check.what, check.verdict.value, result)
    output.out().print(table)
