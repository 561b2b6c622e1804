"""The state of the team, from which its next steps are computed."""

from collections.abc import Mapping

from competition.config.settings import Settings
from competition.data.checks.findings import count_serious
from competition.experiments.leaderboard import LeaderboardRow, leaderboard
from competition.lifecycle import ExperimentState, JobState
from competition.scoring.verdicts import Call
from competition.store import baselines, competition, ensembles, experiments, ideas, members, splits, submissions
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.queue import jobs
from competition.store.workload import Workload
from competition.team.next_steps import TeamState
from competition.team.roles import Role

_UNDER_WAY = (ExperimentState.RUNNING, ExperimentState.QUEUED)


def team_state(store: Store, settings: Settings, workloads: Mapping[str, Workload]) -> TeamState:
    """The state of the team, from the database and the files next to it.

    Args:
        workloads: by member.
    """
    team, rows = members.everyone(store), leaderboard(store)
    held = {role for member in team for role in member.roles}
    complete = [r for r in rows if r.rank]
    handed_in = submissions.every(store)
    per_day = settings.submissions_per_day
    return TeamState(
        vacant=tuple(role for role in Role if role not in held),
        roleless=tuple(m.name for m in team if not m.roles),
        idle=tuple(m.name for m in team if Role.TRAINING in m.roles and workloads[m.name].is_idle),
        split=splits.current(store) is not None,
        reported=store.paths.eda_page.is_file(),
        open_findings=_open_findings(store),
        baseline_run=any(not r.conditions for r in complete),
        baseline_under_way=next((r.name for r in rows if not r.conditions and r.state in _UNDER_WAY), None),
        gate_failed=next((r.name for r in rows if not r.conditions and r.state is ExperimentState.FAILED), None),
        promotable=_promotable(store, complete),
        unsure=_unsure(complete, under_way={r.name for r in rows if r.state in _UNDER_WAY}),
        failed=tuple(r.name for r in rows if r.state is ExperimentState.FAILED),
        pending=len(jobs.in_states(store, [JobState.QUEUED])),
        untried_ideas=tuple((idea.id, idea.text) for idea in ideas.every(store) if not idea.experiments),
        unwritten_ideas=_unwritten(store, complete),
        complete=len(complete),
        unblended=len({r.name for r in complete} - _blended(store)),
        submissions=len(handed_in),
        unscored=tuple(s.id for s in handed_in if s.public_score is None),
        quota_left=None if per_day is None else max(0, per_day - submissions.today(store)),
    )


def _open_findings(store: Store) -> int | None:
    """Errors and leaks that `comp check` found; a check before the split counts if `comp split` found no leak."""
    split = splits.current(store)
    path = store.paths.findings(competition.fingerprint(store))
    if split is None:
        return count_serious(path, split_versions=[None])
    return count_serious(path, split_versions=[split.version] if split.leaks_allowed else [split.version, None])


def _unsure(complete: list[LeaderboardRow], *, under_way: set[str]) -> tuple[tuple[str, str], ...]:
    """Experiments that may be better by luck, best first, each with the experiment that needs more seeds.

    If no seed deviation is known, that is the parent, because its seeds serve all of its children. Experiments whose
    new seeds are queued or running already are left out.
    """
    pairs = (
        (row.name, row.name if row.judged.effect.seeds_known else row.judged.against)
        for row in complete
        if row.judged and row.judged.verdict.call is Call.NEEDS_SEEDS and row.judged.effect.delta > 0
    )
    return tuple((name, needs_seeds) for name, needs_seeds in pairs if needs_seeds not in under_way)


def _promotable(store: Store, complete: list[LeaderboardRow]) -> tuple[str, ...]:
    """The best experiment of each lineage whose verdict is better, if it beats the newest baseline."""
    heads = {b.owner: b for b in baselines.every(store)}
    split = splits.current(store)
    better = []
    for owner, head in heads.items():
        best = next((r for r in complete if r.lineage == owner and _is_better(r)), None)
        ran = experiments.of_config(store, head.config.sha256, split.version) if split else None
        if best is not None and ran is not None and _beats(best, ran):
            better.append(best.name)
    return tuple(better)


def _beats(row: LeaderboardRow, baseline: Experiment) -> bool:
    """Whether it scores more than a baseline; if the baseline is its parent, the judged difference decides."""
    if row.judged is not None and row.judged.against == baseline.name:
        return row.judged.effect.delta > 0
    return row.score is not None and baseline.score is not None and row.score > baseline.score


def _unwritten(store: Store, complete: list[LeaderboardRow]) -> tuple[tuple[int, str], ...]:
    """Ideas with a complete experiment and without a note at any of their experiments."""
    notes = {r.name: r.note for r in complete}
    unwritten = []
    for idea in ideas.every(store):
        tried = [name for name in idea.experiments if name in notes]
        if tried and not any(notes[name] for name in tried):
            unwritten.append((idea.id, tried[0]))
    return tuple(unwritten)


def _blended(store: Store) -> set[str]:
    """The experiments in some ensemble of the current split."""
    split = splits.current(store)
    blends = [e for e in ensembles.every(store) if split is not None and e.split_version == split.version]
    return {name for blend in blends for name in blend.weights}


def _is_better(row: LeaderboardRow) -> bool:
    return row.judged is not None and row.judged.verdict.call is Call.BETTER
