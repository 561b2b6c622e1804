"""`comp submissions` and `comp score`: what was handed in, and what the board said."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, acting_member
from competition.errors import CompError

if TYPE_CHECKING:
    from competition.store.submissions import Submission


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command(epilog="Example: comp submissions --json")(submissions)
    app.command(epilog="Example: comp score 3 --public 0.7123 --as minsu")(score)


def submissions(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """List the submissions, and what is left of today's.

    `CV` is what the source scored on the training images when it was submitted. Days are in UTC.
    """
    from competition.cli.show import output
    from competition.cli.show.submissions import show_submissions
    from competition.store import submissions as store

    opened = open_competition(folder)
    quota = opened.settings.submissions_per_day
    found = store.every(opened.store)
    if as_json:
        output.print_json([submission.to_json() for submission in found])
        return
    if not found:
        output.out().print("Nothing is submitted yet: comp submit ENSEMBLE|EXPERIMENT")
        return
    show_submissions(found)
    if quota is not None:
        output.say(f"Today: {store.today(opened.store)} of {quota}.")


def score(
    submission: Annotated[int, typer.Argument(help="Its number in `comp submissions`.", show_default=False)],
    public: Annotated[str | None, typer.Option(metavar="SCORE", help="On the public board: 0.7123 or 71.23%.")] = None,
    private: Annotated[str | None, typer.Option(metavar="SCORE", help="On the private board.")] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record what the competition's board said about a submission.

    Given again, it corrects the score; the history keeps both.
    """
    from competition.cli.show import output
    from competition.config.settings import OwnMetric

    opened = open_competition(folder)
    member = acting_member(opened.store, as_member)
    if public is None and private is None:
        raise CompError("No score is given.", hint=f"`comp score {submission} --public SCORE`, or --private SCORE.")
    own_metric = isinstance(opened.settings.metric, OwnMetric)
    scored = opened.record_score(
        submission,
        member=member,
        public=_parse_score(public, any_number=own_metric),
        private=_parse_score(private, any_number=own_metric),
    )
    if as_json:
        output.print_json(scored.to_json())
    else:
        output.say(f"Submission {scored.id} ({scored.source}): {_in_words(scored)}.")


def _in_words(scored: "Submission") -> str:
    from competition.cli.show import output

    scores = (("CV", scored.cv), ("public", scored.public_score), ("private", scored.private_score))
    return ", ".join(f"{name} {output.percent(value)}" for name, value in scores if value is not None)


def _parse_score(text: str | None, *, any_number: bool) -> float | None:
    """`0.7123` or `71.23%` as a fraction; a metric of the team's own may be any number.

    Raises:
        CompError: it is no number, or no fraction.
    """
    if text is None:
        return None
    try:
        value = float(text.strip().removesuffix("%")) / (100 if text.strip().endswith("%") else 1)
    except ValueError as error:
        raise CompError(f"{text!r} is no score such as 0.7123 or 71.23%.") from error
    if not math.isfinite(value) or not (any_number or 0 <= value <= 1):
        raise CompError(f"{text} is no score from 0 to 1.", hint="A board that shows 71.23 means 71.23%.")
    return value
