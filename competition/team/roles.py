"""Roles, and what each may do. Pure: it knows no database. What each should do next is in nextsteps.py."""

from collections.abc import Iterable
from enum import StrEnum

from competition.errors import RefusedError, UnknownNameError


class Role(StrEnum):
    """What a member answers for."""

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
"""The spellings that people use, in lower case without spaces, hyphens and underscores."""


class Right(StrEnum):
    """What only some roles may do without `--force`."""

    PROMOTE_BASELINE = "promote a baseline"
    PROMOTE_UNFINISHED = "promote an experiment that is not complete"
    SUBMIT = "submit"
    EXCEED_QUOTA = "submit once today's submissions are spent"
    REPLACE_SPLIT = "split anew once experiments stand on the split"
    SPLIT_WITH_LEAKS = "take a split that leaks"
    """Its flag is `--allow-leaks REASON`; the leaderboard shows the reason."""


RIGHTS: dict[Right, frozenset[Role]] = {
    Right.PROMOTE_BASELINE: frozenset({Role.BASELINE, Role.LEAD}),
    Right.PROMOTE_UNFINISHED: frozenset(),
    Right.SUBMIT: frozenset({Role.ENSEMBLE, Role.LEAD}),
    Right.EXCEED_QUOTA: frozenset(),
    Right.REPLACE_SPLIT: frozenset(),
    Right.SPLIT_WITH_LEAKS: frozenset(),
}
"""Who may without `--force`; where that is nobody, everybody has to force it, whatever they answer for.

Everything else is open to every member. What is forced is recorded as an event.
"""


def parse_role(text: str) -> Role:
    """The role that `text` spells (`EDA`, `ensembling`, `solution-research`, …).

    Raises:
        UnknownNameError: it spells none; the roles are listed.
    """
    plain = text.strip().lower().replace("-", "").replace("_", "").replace(" ", "")
    if plain in list(Role):
        return Role(plain)
    if plain in ALIASES:
        return ALIASES[plain]
    raise UnknownNameError.among("role", text, list(Role), hint=f"Roles: {', '.join(Role)}")


def check_right(member: str, held: Iterable[Role], right: Right) -> None:
    """Do nothing if one of the roles `held` by `member` carries the right.

    Raises:
        RefusedError: none does.
    """
    allowed = sorted(RIGHTS[right])
    if RIGHTS[right].isdisjoint(held):
        roles = f"that takes the role {' or '.join(allowed)}" if allowed else "nobody may without --force"
        assignment = f"`comp assign {member} {allowed[0]}`, or --force" if allowed else "--force does it all the same"
        raise RefusedError(f"{member} may not {right}: {roles}.", hint=f"{assignment} (it is recorded).")
