"""Roles: what each may do, and what each should do next. Pure: it knows no database."""

from collections.abc import Iterable
from dataclasses import dataclass
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
    SUBMIT = "submit"


RIGHTS: dict[Right, frozenset[Role]] = {
    Right.PROMOTE_BASELINE: frozenset({Role.BASELINE, Role.LEAD}),
    Right.SUBMIT: frozenset({Role.ENSEMBLE, Role.LEAD}),
}
"""Everything else is open to every member. What is forced is recorded as an event."""


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
    allowed = RIGHTS[right]
    if allowed.isdisjoint(held):
        roles = " or ".join(sorted(allowed))
        raise RefusedError(
            f"{member} may not {right}: that takes the role {roles}.",
            hint=f"`comp assign {member} {sorted(allowed)[0]}`, or --force (it is recorded).",
        )


@dataclass(frozen=True)
class TeamState:
    """What the next steps are computed from.

    Args:
        split: whether the images are split into folds.
        untried: members with the role training who have no experiment.
        complete: complete experiments on the current split.
        promotable: the best experiment that beats the baseline, if any.
        blended: complete experiments that the newest ensemble holds.
        failed: experiments with a failed job.
        pending: jobs that wait for a device.
        submissions: submissions written.
    """

    split: bool
    baseline_run: bool
    vacant: tuple[Role, ...]
    untried: tuple[str, ...]
    complete: int
    promotable: str | None
    blended: int
    failed: tuple[str, ...]
    pending: int
    submissions: int


def next_step(role: Role, state: TeamState) -> str:
    """What somebody with `role` should do now, as a sentence with the command in it."""
    return _NEXT[role](state)


def _lead(state: TeamState) -> str:
    if state.vacant:
        return f"nobody holds {state.vacant[0]}: `comp assign MEMBER {state.vacant[0]}`"
    if state.untried:
        return f"{state.untried[0]} has no experiment yet: agree on a condition to try"
    if state.complete and not state.submissions:
        return "nothing is submitted yet: `comp ensemble`, then `comp submit`"
    return "compare what was tried: `comp leaderboard`"


def _eda(state: TeamState) -> str:
    if not state.split:
        return "choose how to validate: `comp split --scheme stratified-group --folds 5`"
    return "look at the classes with the lowest IoU: `comp compare BASELINE EXPERIMENT`"


def _baseline(state: TeamState) -> str:
    if not state.split:
        return "wait for the split: `comp split`"
    if not state.baseline_run:
        return "run the baseline: `comp run`"
    if state.promotable:
        return f"{state.promotable} beats the baseline: `comp baseline promote {state.promotable}`"
    return "the baseline is the best so far: keep it"


def _research(state: TeamState) -> str:
    return "find what won comparable competitions, and try one part: `comp run --set KEY=VALUE --note SOURCE`"


def _discussion(state: TeamState) -> str:
    return "read the competition's forum, and try one claim: `comp run --set KEY=VALUE --note SOURCE`"


def _training(state: TeamState) -> str:
    if state.failed:
        return f"{state.failed[0]} failed: `comp logs {state.failed[0]}`, then `comp retry {state.failed[0]}`"
    if not state.baseline_run:
        return "wait for the baseline, or run it: `comp run`"
    if state.pending:
        jobs = "1 job waits" if state.pending == 1 else f"{state.pending} jobs wait"
        return f"{jobs} for a device: `comp worker`"
    return "change one condition: `comp run --set KEY=VALUE`"


def _ensemble(state: TeamState) -> str:
    if state.complete < 2:
        return "wait for two complete experiments: `comp leaderboard`"
    if state.blended < state.complete:
        return f"{state.complete - state.blended} complete experiments are not blended: `comp ensemble`"
    return "write the submission: `comp submit ENSEMBLE`"


_NEXT = {
    Role.LEAD: _lead,
    Role.EDA: _eda,
    Role.BASELINE: _baseline,
    Role.RESEARCH: _research,
    Role.DISCUSSION: _discussion,
    Role.TRAINING: _training,
    Role.ENSEMBLE: _ensemble,
}
