"""Where the team stands, as the next steps are computed from."""

from collections.abc import Mapping

from competition.config.settings import Settings
from competition.data.checks import kept
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
    """What the database, and the files beside it, say of the team.

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
    """What `comp check` found; a check from before the split will do where `comp split` found no leak in it."""
    split = splits.current(store)
    path = store.paths.findings(competition.fingerprint(store))
    if split is None:
        return kept.grave(path, on=[None])
    return kept.grave(path, on=[split.version] if split.leaks_allowed else [split.version, None])


def _unsure(complete: list[LeaderboardRow], *, under_way: set[str]) -> tuple[tuple[str, str], ...]:
    """Best first; where nobody knows what a seed does to the score, the parent's seeds say it for all its children.

    Where these seeds are under way already, there is nothing to be done.
    """
    pairs = (
        (row.name, row.name if row.judged.effect.seeds_known else row.judged.against)
        for row in complete
        if row.judged and row.judged.verdict.call is Call.NEEDS_SEEDS and row.judged.effect.delta > 0
    )
    return tuple((name, repeated) for name, repeated in pairs if repeated not in under_way)


def _promotable(store: Store, complete: list[LeaderboardRow]) -> tuple[str, ...]:
    """By lineage, the best of those that are better than their parent, where it beats the newest baseline."""
    heads = {b.owner: b for b in baselines.every(store)}
    better = []
    for owner, head in heads.items():
        best = next((r for r in complete if r.lineage == owner and _is_better(r)), None)
        split = splits.current(store)
        ran = experiments.of_config(store, head.config.sha256, split.version) if split else None
        if best is not None and ran is not None and _beats(best, ran):
            better.append(best.name)
    return tuple(better)


def _beats(row: LeaderboardRow, baseline: Experiment) -> bool:
    """Whether it scores more than a baseline; against its parent, which has been judged, that is its delta."""
    if row.judged is not None and row.judged.against == baseline.name:
        return row.judged.effect.delta > 0
    return row.score is not None and baseline.score is not None and row.score > baseline.score


def _unwritten(store: Store, complete: list[LeaderboardRow]) -> tuple[tuple[int, str], ...]:
    """Ideas with a complete experiment, where nobody has noted anything with any of them."""
    notes = {r.name: r.note for r in complete}
    found = []
    for idea in ideas.every(store):
        tried = [name for name in idea.experiments if name in notes]
        if tried and not any(notes[name] for name in tried):
            found.append((idea.id, tried[0]))
    return tuple(found)


def _blended(store: Store) -> set[str]:
    """The experiments that an ensemble of the current split holds."""
    split = splits.current(store)
    blends = [e for e in ensembles.every(store) if split is not None and e.split_version == split.version]
    return {name for blend in blends for name in blend.weights}


def _is_better(row: LeaderboardRow) -> bool:
    return row.judged is not None and row.judged.verdict.call is Call.BETTER
