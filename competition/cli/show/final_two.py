"""`comp submit --advise`: which two submissions to choose in the end."""

import shlex

from competition.api import Competition


def show(opened: Competition, *, as_json: bool) -> None:
    """Print the two, and why."""
    from rich.text import Text

    from competition.cli.show import output
    from competition.submission.final_two import advise

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
    why = list(advice.why)
    if advice.hedge is not None:
        chance, gain = output.chance(advice.hedge.second_wins), output.percent(advice.hedge.gain, signed=True)
        why.append(f"On {advice.hedge.private_images} private images the second wins with a probability of {chance};")
        why.append(f"the better of both is worth {gain} over the first alone.")
    for line in why:
        output.out().print(Text(line))
    for candidate in chosen:
        if candidate.submission is None:
            output.say(f"Hand it in: `comp submit {shlex.quote(candidate.name)}`.")
