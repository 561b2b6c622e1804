"""Plans: an experiment to make, and inserting it with its jobs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from competition.config.conditions import Condition
from competition.config.experiment import Config
from competition.errors import RefusedError
from competition.files import sha256_of_json
from competition.lifecycle import JobKind, JobState, job_label
from competition.store import events, schema
from competition.store.engine import Store
from competition.store.experiments import Experiment, by_name
from competition.store.queue import order


@dataclass(frozen=True)
class Plan:
    """An experiment to make: the values of its row."""

    name: str
    name_given: bool
    member_id: int
    member: str
    split_version: int
    baseline_version: int
    config: Config
    parent_sha256: str | None
    conditions: tuple[Condition, ...]
    confounded: str | None
    note: str


@dataclass(frozen=True)
class Submitted:
    """The experiment made from a plan: a new one, or the existing one with the same configuration."""

    experiment: Experiment
    is_new: bool
    new_jobs: int


def submit(
    store: Store,
    plan: Plan,
    *,
    folds: tuple[int, ...],
    seeds: int = 1,
    prepare: Callable[[str], None] = lambda name: None,
) -> Submitted:
    """Make the experiment and its jobs, or add the missing jobs to the one with the same configuration.

    Args:
        folds: the folds to train after the debug job has passed; empty for the debug job alone.
        seeds: number of seeds to train each fold with; an experiment keeps its score until added seeds are done.
        prepare: called with the experiment's name before any device can take a job of it.

    Raises:
        RefusedError: the given name belongs to an experiment with another configuration.
    """
    with store.write() as tx:
        existing = _same(tx, plan)
        name = existing or _insert(tx, plan)
        experiment = by_name(tx, name)
        assert experiment is not None
        prepare(name)
        added = _add_jobs(tx, experiment, folds, seeds, actor=plan.member)
        return Submitted(experiment, is_new=existing is None, new_jobs=added)


def _same(tx: Connection, plan: Plan) -> str | None:
    table = schema.experiments
    return tx.scalar(
        select(table.c.name).where(
            table.c.config_sha256 == plan.config.sha256, table.c.split_version == plan.split_version
        )
    )


def _insert(tx: Connection, plan: Plan) -> str:
    name = _free_name(tx, plan)
    tx.execute(
        insert(schema.experiments).values(
            name=name,
            member_id=plan.member_id,
            split_version=plan.split_version,
            baseline_version=plan.baseline_version,
            config=plan.config.model_dump(mode="json"),
            config_sha256=plan.config.sha256,
            parent_sha256=plan.parent_sha256,
            conditions=[c.__dict__ for c in plan.conditions],
            confounded=plan.confounded,
            note=plan.note,
            created_at=time.time(),
        )
    )
    why = "; ".join(str(c) for c in plan.conditions) or "the baseline itself"
    events.record(tx, actor=plan.member, subject=name, action="submitted", why=why)
    return name


def _free_name(tx: Connection, plan: Plan) -> str:
    taken = set(tx.scalars(select(schema.experiments.c.name)))
    if plan.name not in taken:
        return plan.name
    if plan.name_given:
        raise name_taken(plan.name)
    number = 2
    while f"{plan.name}-{number}" in taken:
        number += 1
    return f"{plan.name}-{number}"


def name_taken(name: str) -> RefusedError:
    """The error for a name that belongs to an experiment with another configuration."""
    return RefusedError(
        f"There is an experiment {name!r} already, with another configuration.",
        hint="Choose another name; `comp leaderboard --all` lists those taken.",
    )


def _add_jobs(tx: Connection, experiment: Experiment, folds: tuple[int, ...], seeds: int, *, actor: str) -> int:
    jobs = schema.jobs
    rows = tx.execute(select(jobs).where(jobs.c.experiment_id == experiment.id)).all()
    present = {(JobKind(r.kind), r.fold, r.repeat): JobState(r.state) for r in rows}
    debug = present.get((JobKind.DEBUG, 0, 0))
    ready = JobState.QUEUED if debug is JobState.SUCCEEDED else JobState.WAITING
    wanted = {(JobKind.DEBUG, 0, 0): JobState.QUEUED}
    wanted |= {(JobKind.FOLD, fold, repeat): ready for repeat in range(seeds) for fold in folds}
    missing = {key: state for key, state in wanted.items() if key not in present}
    for (kind, fold, repeat), state in missing.items():
        tx.execute(insert(jobs).values(_new_job(tx, experiment, kind, fold, repeat, state)))
        events.record(tx, actor=actor, subject=experiment.name, action=f"{job_label(kind, fold, repeat)}: {state}")
    return len(missing)


def _new_job(
    tx: Connection, experiment: Experiment, kind: JobKind, fold: int, repeat: int, state: JobState
) -> dict[str, Any]:
    shape, owner = shape_of(experiment.config), schema.experiments.c.member_id
    return {
        "experiment_id": experiment.id,
        "member_id": select(owner).where(schema.experiments.c.id == experiment.id).scalar_subquery(),
        "shape": shape,
        "memory_mib": order.known_memory(tx, shape),
        "kind": kind,
        "fold": fold,
        "repeat": repeat,
        "state": state,
        "priority": 0,
        "queued_at": time.time(),
        "device_s": 0.0,
    }


def shape_of(config: Config) -> str:
    """A key that is equal for configurations whose jobs take the same memory and time."""
    train = config.train.model_dump(mode="json", include={"batch_size", "precision", "epochs"})
    size = config.data.model_dump(mode="json", include={"size"})
    predict = config.predict.model_dump(mode="json")
    return sha256_of_json([config.model.model_dump(mode="json"), size, train, predict])[:16]
