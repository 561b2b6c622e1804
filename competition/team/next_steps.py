"""The next steps of each role, and of anybody who sees a job fail, computed from values alone."""

from collections.abc import Callable
from dataclasses import dataclass

from competition.team.roles import Role


@dataclass(frozen=True)
class TeamState:
    """The facts that the next steps follow from; in each list, the most important first.

    Args:
        vacant: roles without a member.
        roleless: members without a role.
        idle: members with the role training for whom nothing runs or waits.
        split: whether the images are split into folds.
        reported: whether the EDA page exists.
        open_findings: number of errors and leaks that `comp check` found on the current split; None if it was not run.
        baseline_run: whether a baseline is complete.
        baseline_under_way: a baseline that runs or waits for a device.
        gate_failed: a baseline whose debug run failed.
        promotable: experiments whose verdict is better, and that beat the newest baseline of their lineage.
        unsure: experiments that score higher than their parent, but perhaps by luck, each with the experiment that
            needs more seeds to decide it.
        failed: experiments with a failed job.
        pending: jobs that wait for a device.
        untried_ideas: by number, with their text.
        unwritten_ideas: by number, with a complete experiment that tried the idea and has no note yet.
        complete: complete experiments on the current split.
        unblended: number of complete experiments in no ensemble.
        submissions: number of submissions made.
        unscored: submissions without a public score, by number.
        quota_left: submissions left today; None without a quota.
    """

    vacant: tuple[Role, ...] = ()
    roleless: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    split: bool = False
    reported: bool = False
    open_findings: int | None = None
    baseline_run: bool = False
    baseline_under_way: str | None = None
    gate_failed: str | None = None
    promotable: tuple[str, ...] = ()
    unsure: tuple[tuple[str, str], ...] = ()
    failed: tuple[str, ...] = ()
    pending: int = 0
    untried_ideas: tuple[tuple[int, str], ...] = ()
    unwritten_ideas: tuple[tuple[int, str], ...] = ()
    complete: int = 0
    unblended: int = 0
    submissions: int = 0
    unscored: tuple[int, ...] = ()
    quota_left: int | None = None


def next_steps(role: Role, state: TeamState) -> tuple[str, ...]:
    """The steps for a member with `role`, most urgent first: sentences with the command in them, at least one."""
    return tuple(_NEXT[role](state))


def _lead(state: TeamState) -> list[str]:
    steps = []
    if state.vacant:
        steps.append(f"no member has the role {_some(state.vacant)}: `comp assign MEMBER {state.vacant[0]}`")
    if state.roleless:
        steps.append(f"members without a role: {_some(state.roleless)}: `comp assign {state.roleless[0]} ROLE`")
    if state.baseline_run and state.idle:
        steps.append(f"no job of {_some(state.idle)} runs or waits: agree on a condition to try")
    if state.complete and not state.submissions:
        steps.append("nothing is submitted yet: `comp ensemble`, then `comp submit`")
    return steps or ["compare the experiments: `comp leaderboard`"]


def _eda(state: TeamState) -> list[str]:
    steps = []
    if state.open_findings is None:
        steps.append("the data is not checked for leaks yet: `comp check`")
    if not state.reported:
        steps.append("the EDA page is not made yet: `comp eda`")
    if not state.split:
        steps.append("choose how to validate: `comp split --scheme stratified-group --folds 5`")
    if state.open_findings:
        noun = "error or leak is" if state.open_findings == 1 else "errors and leaks are"
        steps.append(f"{state.open_findings} {noun} open: `comp check`")
    return steps or ["look at the classes with the lowest IoU: `comp compare BASELINE EXPERIMENT`"]


def _baseline(state: TeamState) -> list[str]:
    if not state.split:
        return ["wait for the split: `comp split`"]
    if state.baseline_under_way and not state.baseline_run:
        return [_wait_for(state.baseline_under_way)]
    if state.gate_failed:
        return [f"the debug run of {state.gate_failed} failed: `comp logs {state.gate_failed}`"]
    if not state.baseline_run:
        return ["run the baseline: `comp run`"]
    steps = [f"{name} is better than the baseline: `comp baseline promote {name}`" for name in state.promotable]
    if not steps and state.unsure:
        name, repeat = state.unsure[0]
        steps.append(f"{name} scores higher, perhaps by luck: `comp run {repeat} --seeds 3`")
    return steps or ["no experiment is better than the baseline: keep it"]


def _research(state: TeamState) -> list[str]:
    return [
        *_write_ups(state),
        "look up solutions of similar competitions: `comp idea add TEXT --source URL`",
    ]


def _discussion(state: TeamState) -> list[str]:
    return [
        *_write_ups(state),
        "read the competition's forum: `comp idea add TEXT --source URL`",
    ]


def _training(state: TeamState) -> list[str]:
    steps = []
    if state.failed:
        first = state.failed[0]
        steps.append(f"{_some(state.failed)} failed: `comp logs {first}`, then `comp retry {first}`")
    if state.baseline_under_way and not state.baseline_run:
        return [*steps, _wait_for(state.baseline_under_way)]
    if not state.baseline_run:
        return [*steps, "wait for the baseline, or run it: `comp run`"]
    if state.pending:
        jobs = "1 job waits" if state.pending == 1 else f"{state.pending} jobs wait"
        steps.append(f"{jobs} for a device: `comp worker`")
    if state.unsure:
        names = tuple(name for name, _ in state.unsure)
        steps.append(f"more seeds could tell about {_some(names)}: `comp run {state.unsure[0][1]} --seeds 3`")
    if state.untried_ideas:
        number, text = state.untried_ideas[0]
        more = f" ({len(state.untried_ideas) - 1} more: `comp idea list`)" if len(state.untried_ideas) > 1 else ""
        steps.append(f"not tried yet: idea {number}, {text}: `comp run --idea {number} --set KEY=VALUE`{more}")
    return steps or ["change one condition: `comp run --set KEY=VALUE`"]


def _ensemble(state: TeamState) -> list[str]:
    steps = []
    if state.complete < 2:
        steps.append("wait for two complete experiments: `comp leaderboard`")
    elif state.unblended:
        noun = "experiment is" if state.unblended == 1 else "experiments are"
        steps.append(f"{state.unblended} complete {noun} not blended yet: `comp ensemble`")
    if state.unscored:
        steps.append(
            f"enter the public score of submission {state.unscored[0]}: `comp score {state.unscored[0]} --public SCORE`"
        )
    if state.quota_left == 0:
        steps.append("no submission is left today; the next day starts at 0:00 UTC")
    elif state.complete and state.quota_left is not None:
        steps.append(f"submissions left today: {state.quota_left}: `comp submit ENSEMBLE`")
    return steps or ["write the submission: `comp submit ENSEMBLE`"]


def _write_ups(state: TeamState) -> list[str]:
    return [
        f"idea {number} was tried: write up the result: `comp note {experiment} TEXT`"
        for number, experiment in state.unwritten_ideas[:2]
    ]


def _wait_for(baseline: str) -> str:
    return f"the baseline {baseline} is queued or running: `comp queue {baseline}`; `comp worker` runs queued jobs"


def after_failure(name: str, *, fold: int | None = None) -> str:
    """The commands to use after a job of an experiment has failed."""
    which = "" if fold is None else f" --fold {fold}"
    return (
        f"`comp logs {name}{which}` shows more. `comp retry {name}` tries the same again; "
        "a change makes it another experiment: `comp run --set KEY=VALUE`."
    )


def _some(names: tuple[str, ...]) -> str:
    """The first three names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


_NEXT: dict[Role, Callable[[TeamState], list[str]]] = {
    Role.LEAD: _lead,
    Role.EDA: _eda,
    Role.BASELINE: _baseline,
    Role.RESEARCH: _research,
    Role.DISCUSSION: _discussion,
    Role.TRAINING: _training,
    Role.ENSEMBLE: _ensemble,
}
