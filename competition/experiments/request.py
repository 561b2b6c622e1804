"""A request to run an experiment, and its way to jobs in the queue: resolve, check the rules, insert."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from competition.config import yamlfile
from competition.config.conditions import default_name
from competition.config.experiment import Config
from competition.config.settings import Settings
from competition.errors import RefusedError
from competition.experiments import rules, snapshot
from competition.experiments.resolve import Candidate, resolve
from competition.files import write_text
from competition.store import baselines, competition, plans
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.plans import Plan, Submitted


@dataclass(frozen=True)
class RunRequest:
    """One call of `comp run`: the parent, the changes, the folds and the seeds.

    Args:
        name: of the experiment; None for one that its condition gives.
        parent: the experiment to start from; None for the member's current baseline.
        baseline: the version of the baseline to start from instead.
        assignments: `KEY=VALUE` overrides of the parent's configuration.
        together: the reason for several conditions at once.
        folds: the folds to train; None for all of the split.
        seed: the configuration's seed, if another than the parent's.
        seeds: the number of seeds to train each fold with; the first is the configuration's own.
        debug_only: run the debug job and no fold.
    """

    member: str
    name: str | None = None
    parent: str | None = None
    baseline: int | None = None
    assignments: tuple[str, ...] = ()
    together: str | None = None
    folds: tuple[int, ...] | None = None
    seed: int | None = None
    seeds: int = 1
    debug_only: bool = False
    note: str = ""


def submit(
    store: Store, settings: Settings, request: RunRequest, *, check_model: Callable[[Config], None]
) -> Submitted:
    """Queue the experiment that `request` describes, or add jobs to the one that has the same configuration.

    Args:
        check_model: raises a CompError if the model cannot be built. It takes seconds, so it is called last, and only
            if no job has built such a model yet.

    Raises:
        CompError: the request cannot be understood, or breaks rules (all are named); nothing is queued.
    """
    candidate = resolve(store, settings, request)
    rules.check(candidate)
    if candidate.facts.needs_model_check:
        check_model(candidate.config)
    return _insert(store, candidate)


def rebased(store: Store, experiment: Experiment, *, member: str, name: str | None = None) -> RunRequest:
    """The request to run an experiment's condition on the newest baseline of its lineage.

    An experiment that started from another experiment brings only its own condition.

    Raises:
        RefusedError: it has no condition, or the newest baseline is its parent or has the condition already.
    """
    owner = baselines.of_version(store, experiment.baseline_version).owner
    newest = baselines.current(store, owner)
    assert newest is not None
    if not experiment.conditions:
        raise RefusedError(f"{experiment.name} is a baseline itself: it has no condition to run again.")
    if experiment.parent_sha256 == newest.config.sha256:
        raise RefusedError(f"{experiment.name} starts from {newest.name} already, which is the newest baseline.")
    leaves = newest.config.leaves()
    missing = [c for c in experiment.conditions if leaves.get(c.key) != c.new]
    if not missing:
        listed = "; ".join(f"{c.key}: {c.new}" for c in experiment.conditions)
        raise RefusedError(f"{newest.name} has the condition of {experiment.name} already ({listed}).")
    return RunRequest(
        member=member,
        name=name or f"{experiment.name}@{newest.name}",
        baseline=newest.version,
        assignments=tuple(f"{c.key}={json.dumps(c.new)}" for c in missing),
        together=experiment.confounded,
        note=f"{experiment.name} on {newest.name}",
    )


def _insert(store: Store, candidate: Candidate) -> Submitted:
    """Lock the settings, record the first baseline, and make the experiment with its files and jobs."""
    request, config, settings = candidate.request, candidate.config, candidate.settings
    competition.lock(store, settings)

    def prepare(name: str) -> None:
        write_text(store.paths.experiment_config(name), yamlfile.dump(config))
        code = store.paths.experiment_code(name)
        snapshot.take(snapshot.named_modules(settings, config), root=store.paths.root, folder=code)

    return plans.submit(store, _plan(store, candidate), folds=_folds(candidate), seeds=request.seeds, prepare=prepare)


def _folds(candidate: Candidate) -> tuple[int, ...]:
    request = candidate.request
    if request.debug_only:
        return ()
    return tuple(range(candidate.split.folds) if request.folds is None else sorted(set(request.folds)))


def _plan(store: Store, candidate: Candidate) -> Plan:
    request, conditions, parent = candidate.request, candidate.conditions, candidate.parent
    baseline = candidate.baseline or baselines.record_first(store, parent, actor=candidate.member.name)
    started_from = candidate.started_from
    return Plan(
        name=request.name or default_name(conditions, otherwise=request.parent or baseline.name),
        name_given=request.name is not None,
        member_id=candidate.member.id,
        member=candidate.member.name,
        split_version=candidate.split.version,
        baseline_version=started_from.baseline_version if started_from else baseline.version,
        config=candidate.config,
        parent_sha256=parent.sha256 if conditions else None,
        conditions=conditions,
        confounded=request.together if len(conditions) > 1 else None,
        note=request.note,
    )
