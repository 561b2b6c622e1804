"""Submissions on the terminal: all of them, CV against the public board, and the two to choose in the end."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from competition.api import Competition

if TYPE_CHECKING:
    from rich.table import Table

    from competition.store.submissions import Submission
    from competition.submission.public_board import PublicBoard


def show_public_board(opened: Competition, *, as_json: bool) -> None:
    """Print the public board."""
    from competition.cli.show import output
    from competition.submission.public_board import climb_warning, facts, public_board

    board = public_board(opened.store, opened.settings)
    if as_json:
        output.print_json(board.to_json())
        return
    if not board.standings:
        output.print_lines(
            "No submission of the current split has a public score yet: comp score SUBMISSION --public X"
        )
        return
    output.out().print(_standings(board))
    output.out().print()
    output.print_lines("\n".join(facts(board)))
    if board.pairs:
        output.out().print()
        output.print_lines("Neighbours, and the probability that the private board swaps them:")
        output.out().print(_pairs(board))
    if board.climb:
        output.out().print()
        output.print_lines(climb_warning(board))
    if board.images.public is None or board.images.private is None:
        missing = "public_images" if board.images.public is None else "private_images"
        output.say(f"With {missing}: N in competition.yaml, comp can say how far the board may be off.")


def label(submission: "Submission") -> str:
    """What a submission is called: its number and its source."""
    return f"{submission.id} {submission.source}"


def _standings(board: "PublicBoard") -> "Table":
    from competition.cli.show import output

    numbers = ("public", "± SE", "CV", "by CV", "gap", "private")
    table = output.table("#", "submission", "member", *numbers, right=("#", *numbers), wrap=("submission", "member"))
    for rank, standing in enumerate(board.standings, start=1):
        submission = standing.submission
        output.add_row(
            table,
            rank,
            label(submission),
            submission.member or output.NOTHING,
            output.percent(standing.public),
            output.percent(standing.error),
            output.percent(standing.cv),
            standing.cv_rank,
            output.percent(standing.gap, signed=True),
            output.percent(submission.private_score),
        )
    return table


def _pairs(board: "PublicBoard") -> "Table":
    from competition.cli.show import output

    numbers = ("public", "CV", "swap")
    table = output.table("ahead", "behind", *numbers, right=numbers, wrap=("ahead", "behind"))
    for pair in board.pairs:
        leads = (output.percent(lead, signed=True) for lead in (pair.public_lead, pair.cv_lead))
        output.add_row(table, label(pair.ahead), label(pair.behind), *leads, output.chance(pair.swap))
    return table


def show_submissions(submissions: "Sequence[Submission]") -> None:
    """Print every submission with its scores."""
    from competition.cli.show import output

    table = output.table(
        "#",
        "day (UTC)",
        "source",
        "member",
        "format",
        "CV",
        "public",
        "private",
        "sha256",
        right=("#", "CV", "public", "private"),
        wrap=("source", "member"),
    )
    for each in submissions:
        scores = [output.percent(score) for score in (each.cv, each.public_score, each.private_score)]
        member = each.member or output.NOTHING
        output.add_row(table, each.id, each.day, each.source, member, each.format, *scores, each.sha256[:8])
    output.out().print(table)


def show_final_two(opened: Competition, *, as_json: bool) -> None:
    """Print the two submissions to choose in the end, and why."""
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
