"""`comp submit --advise`: which two submissions to choose in the end."""

from typing import TYPE_CHECKING

from competition.cli.options import Competition

if TYPE_CHECKING:
    from competition.report.finals import Candidate


def show(opened: Competition, *, as_json: bool) -> None:
    """Print the two, and why."""
    from competition.cli import output
    from competition.report.finals import advise

    advice = advise(opened.store, opened.settings)
    if as_json:
        output.print_json(advice.to_json())
        return
    table = output.table(
        "final", "source", "CV", "public", "submission", right=("final", "CV", "public"), wrap=("source",)
    )
    chosen = [advice.first, *([advice.second] if advice.second else [])]
    for number, candidate in enumerate(chosen, start=1):
        scores = output.percent(candidate.cv), output.percent(candidate.public)
        output.add_row(table, number, candidate.name, *scores, candidate.submission or "not yet")
    output.out().print(table)
    output.out().print()
    output.print_lines("\n".join(advice.why))
    if advice.hedge is not None:
        hedge = advice.hedge
        output.print_lines(
            f"On {hedge.private_images} private images the second beats the first with a probability of "
            f"{output.chance(hedge.second_wins)};\nboth together are worth {output.percent(hedge.gain, signed=True)} "
            "over the first alone."
        )
    for candidate in chosen:
        if candidate.submission is None:
            output.say(f"Hand it in: `{_command(candidate)}`.")


def _command(candidate: "Candidate") -> str:
    import shlex

    return f"comp submit {shlex.quote(candidate.name)}"
