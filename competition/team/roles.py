"""Roles and their rights, as values; the next steps of each role are in next_steps.py."""

from collections.abc import Iterable
from enum import StrEnum

from competition.errors import RefusedError, UnknownNameError


class Role(StrEnum):
    """A part of the work that a member answers for."""

    LEAD = "lead"
    EDA = "eda"
    BASELINE = "baseline"
    RESEARCH = "research"
    DISCUSSION = "discussion"
    TRAINING = "training"
    ENSEMBLE = "ensemble"


ALIASES: dict[str, Role] = {
    "leader": Role.LEAD,
    "teamlead": Role.LEAD,
    "exploration": Role.EDA,
    "exploratorydataanalysis": Role.EDA,
    "solution": Role.RESEARCH,
    "solutions": Role.RESEARCH,
    "solutionresearch": Role.RESEARCH,
    "solutionsurvey": Role.RESEARCH,
    "survey": Role.RESEARCH,
    "discussions": Role.DISCUSSION,
    "discussionresearch": Role.DISCUSSION,
    "train": Role.TRAINING,
    "trainer": Role.TRAINING,
    "ensembling": Role.ENSEMBLE,
    "ensembles": Role.ENSEMBLE,
    "blending": Role.ENSEMBLE,
}
"""Other spellings of the roles, in lower case without spaces, hyphens and underscores."""


class Right(StrEnum):
    """An action that only some roles may do without `--force`."""

    PROMOTE_BASELINE = "promote a baseline"
    PROMOTE_UNFINISHED = "promote an experiment that is not complete"
    SUBMIT = "submit"
    EXCEED_QUOTA = "submit once today's submissions are spent"
    REPLACE_SPLIT = "replace a split that experiments use"
    SPLIT_WITH_LEAKS = "use a split that leaks"
    """Its flag is `--allow-leaks REASON`; the leaderboard shows the reason."""


RIGHTS: dict[Right, frozenset[Role]] = {
    Right.PROMOTE_BASELINE: frozenset({Role.BASELINE, Role.LEAD}),
    Right.PROMOTE_UNFINISHED: frozenset(),
    Right.SUBMIT: frozenset({Role.ENSEMBLE, Role.LEAD}),
    Right.EXCEED_QUOTA: frozenset(),
    Right.REPLACE_SPLIT: frozenset(),
    Right.SPLIT_WITH_LEAKS: frozenset(),
}
"""The roles that carry each right. A right that no role carries takes `--force` from everybody, the lead included.

Every member may do everything else. Each forced action is recorded as an event.
"""


def parse_role(text: str) -> Role:
    """The role that `text` spells (`EDA`, `ensembling`, `solution-research`, …).

    Raises:
        UnknownNameError: it spells no role; the roles are listed.
    """
    plain = text.strip().lower().replace("-", "").replace("_", "").replace(" ", "")
    if plain in list(Role):
        return Role(plain)
    if plain in ALIASES:
        return ALIASES[plain]
    raise UnknownNameError.among("role", text, list(Role), hint=f"Roles: {', '.join(Role)}")


def check_right(member: str, held: Iterable[Role], right: Right) -> None:
    """Check that one of the roles `held` by `member` carries the right.

    Raises:
        RefusedError: none does.
    """
    if not RIGHTS[right].isdisjoint(held):
        return
    allowed = sorted(RIGHTS[right])
    if allowed:
        raise RefusedError(
            f"{member} may not {right}: that takes the role {' or '.join(allowed)}.",
            hint=f"`comp assign {member} {allowed[0]}`, or --force (it is recorded).",
        )
    raise RefusedError(f"{member} may not {right}: no role allows it.", hint="--force does it (it is recorded).")
