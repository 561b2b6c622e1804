"""Experiments: a configuration, where it came from, and the jobs that were made for it."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from competition.conditions import Condition
from competition.config import Config, config_from
from competition.errors import RefusedError, UnknownNameError
from competition.files import sha256_of_json
from competition.lifecycle import ExperimentState, FoldStates, JobKind, JobState, experiment_state, repeats_asked_for
from competition.scoring.seeds import SeedBand
from competition.store import events, order, schema
from competition.store.engine import Store


@dataclass(frozen=True)
class Experiment:
    """A configuration on one version of the split; equal configurations on one split are one experiment.

    `parent_sha256` is the parent's configuration (None for the first baseline itself). `score` is the metric over
    all out-of-fold pixels, the mean over its seeds, None until every fold has succeeded; `repeat_scores` has it for
    each repeat, and `band` what they say about the seed's part in it (None for a single seed).
    """

    id: int
    name: str
    member: str
    split_version: int
    baseline_version: int
    config: Config
    parent_sha256: str | None
    conditions: tuple[Condition, ...]
    confounded: str | None
    note: str
    created_at: float
    score: float | None
    class_iou: tuple[float | None, ...] | None
    repeat_scores: dict[int, float]
    band: SeedBand | None


@dataclass(frozen=True)
class Plan:
    """An experiment that somebody wants to run."""

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
    """The experiment a plan became: a new one, or the one that had this configuration already."""

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
        folds: the folds to train after the debug job has passed; none for a debug run alone.
        seeds: with how many seeds to train each; an experiment that has a score keeps it until those added are done.
        prepare: called with the experiment's name before any device can take a job of it.

    Raises:
        RefusedError: the given name belongs to an experiment with another configuration.
    """
    with store.write() as tx:
        existing = _same(tx, plan)
        name = existing or _insert(tx, plan)
        experiment = _by_name(tx, name)
        assert experiment is not None
        prepare(name)
        added = _add_jobs(tx, experiment, folds, seeds, actor=plan.member)
        return Submitted(experiment, is_new=existing is None, new_jobs=added)


def find(store: Store, name: str) -> Experiment:
    """The experiment called `name`.

    Raises:
        UnknownNameError: there is none; near names are suggested.
    """
    with store.read() as tx:
        experiment = _by_name(tx, name)
        if experiment is None:
            known = tx.scalars(select(schema.experiments.c.name)).all()
            raise UnknownNameError.among("experiment", name, known)
        return experiment


def exists(store: Store, name: str) -> bool:
    """Whether there is an experiment called `name`."""
    with store.read() as tx:
        return _by_name(tx, name) is not None


def of_config(store: Store, config_sha256: str, split_version: int) -> Experiment | None:
    """The experiment with this configuration on this split, if there is one."""
    table = schema.experiments
    query = _SELECT.where(table.c.config_sha256 == config_sha256, table.c.split_version == split_version)
    with store.read() as tx:
        row = tx.execute(query).one_or_none()
        return None if row is None else _from_row(row)


def baseline_of(store: Store, experiment: Experiment) -> Experiment | None:
    """The experiment that ran the baseline itself which this one started from, on the same split; None if none did."""
    table = schema.baselines
    with store.read() as tx:
        sha256 = tx.scalar(select(table.c.config_sha256).where(table.c.version == experiment.baseline_version))
    return of_config(store, str(sha256), experiment.split_version)


def names(store: Store) -> list[str]:
    """The name of every experiment, oldest first."""
    with store.read() as tx:
        return list(tx.scalars(select(schema.experiments.c.name).order_by(schema.experiments.c.id)))


def any_exist(store: Store) -> bool:
    """Whether an experiment was ever made."""
    with store.read() as tx:
        return tx.scalar(select(schema.experiments.c.id).limit(1)) is not None


def unscored(store: Store) -> list[tuple[Experiment, tuple[int, ...]]]:
    """Experiments of which every fold has succeeded and no score says so yet, with the repeats that count."""
    jobs, table, splits = schema.jobs, schema.experiments, schema.splits
    counted = (
        select(jobs.c.experiment_id, func.count().label("done"))
        .where(jobs.c.kind == JobKind.FOLD, jobs.c.state == JobState.SUCCEEDED)
        .group_by(jobs.c.experiment_id)
        .subquery()
    )
    repeated = select(jobs.c.experiment_id).where(jobs.c.repeat > 0)
    query = (
        _SELECT.add_columns(splits.c.folds)
        .join(counted, counted.c.experiment_id == table.c.id)
        .join(splits, splits.c.version == table.c.split_version)
        .where(table.c.score.is_(None) | table.c.id.in_(repeated), counted.c.done >= splits.c.folds)
    )
    found = []
    with store.read() as tx:
        for row in tx.execute(query).all():
            its = select(jobs).where(jobs.c.experiment_id == row.id, jobs.c.kind == JobKind.FOLD)
            states = _states(tx.execute(its).all())
            asked, complete = repeats_asked_for(states), experiment_state(None, states, needed=row.folds)
            if complete is ExperimentState.COMPLETE and set(repeat_scores(row)) != set(asked):
                found.append((_from_row(row), asked))
    return found


def proven_models(store: Store) -> set[str]:
    """What `model_of` says of each experiment with a job that has succeeded."""
    jobs, table = schema.jobs, schema.experiments
    query = (
        select(table.c.config)
        .join(jobs, jobs.c.experiment_id == table.c.id)
        .where(jobs.c.kind == JobKind.DEBUG, jobs.c.state == JobState.SUCCEEDED)
    )
    with store.read() as tx:
        return {model_of(config) for config in tx.scalars(query)}


def model_of(config: dict[str, Any]) -> str:
    """What decides whether a configuration's model can be built and trained at all, as text that compares."""
    return json.dumps([config["model"], config["optimizer"].get("name")], sort_keys=True)


def set_score(
    store: Store,
    experiment: Experiment,
    *,
    score: float,
    class_iou: list[float | None],
    repeat_scores: dict[int, float] | None = None,
    band: SeedBand | None = None,
) -> None:
    """Record the cross-validated score and each class's IoU (None for a class that never occurs).

    Args:
        score: the mean over the seeds.
        repeat_scores: of each repeat, where there is more than the first. Nothing is recorded if somebody has asked
            for further seeds meanwhile.
        band: what the seeds say about their part in the score.
    """
    table, jobs = schema.experiments, schema.jobs
    repeat_scores = repeat_scores or {0: score}
    with store.write() as tx:
        folds = select(jobs).where(jobs.c.experiment_id == experiment.id, jobs.c.kind == JobKind.FOLD)
        if set(repeats_asked_for(_states(tx.execute(folds).all()))) - set(repeat_scores):
            return
        forget_score(tx, experiment.id)
        tx.execute(
            update(table)
            .where(table.c.id == experiment.id)
            .values(
                score=score,
                class_iou=class_iou,
                repeat_scores={str(repeat): value for repeat, value in repeat_scores.items()},
                seed_spread=band.spread if band else None,
                seed_by_image=band.by_image if band else None,
                seed_df=band.df if band else None,
            )
        )
        seeds = f", mean of {len(repeat_scores)} seeds" if len(repeat_scores) > 1 else ""
        why = f"score {score:.4f}{seeds}"
        events.record(tx, actor=events.SYSTEM, subject=experiment.name, action="complete", why=why)


def forget_score(tx: Connection, experiment_id: int) -> None:
    """The experiment has no score any more, and no comparison with it holds."""
    table, comparisons = schema.experiments, schema.comparisons
    nothing = dict.fromkeys(("score", "class_iou", "repeat_scores", "seed_spread", "seed_by_image", "seed_df"))
    tx.execute(update(table).where(table.c.id == experiment_id).values(nothing))
    about = (comparisons.c.experiment_id == experiment_id) | (comparisons.c.parent_id == experiment_id)
    tx.execute(comparisons.delete().where(about))


def add_note(store: Store, experiment: Experiment, text: str, *, actor: str) -> None:
    """Add a line to an experiment's note; the event says who wrote it and when."""
    table = schema.experiments
    with store.write() as tx:
        before = tx.scalar(select(table.c.note).where(table.c.id == experiment.id))
        note = f"{before}\n{text}" if before else text
        tx.execute(update(table).where(table.c.id == experiment.id).values(note=note))
        events.record(tx, actor=actor, subject=experiment.name, action="note", why=text)


_SELECT = select(schema.experiments, schema.members.c.name.label("member")).join(
    schema.members, schema.members.c.id == schema.experiments.c.member_id
)


def _by_name(tx: Connection, name: str) -> Experiment | None:
    row = tx.execute(_SELECT.where(schema.experiments.c.name == name)).one_or_none()
    return None if row is None else _from_row(row)


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
        raise RefusedError(
            f"There is an experiment {plan.name!r} already, with another configuration.",
            hint="Choose another name; `comp leaderboard --all` lists those taken.",
        )
    number = 2
    while f"{plan.name}-{number}" in taken:
        number += 1
    return f"{plan.name}-{number}"


def _states(fold_jobs: Sequence[Row[Any]]) -> FoldStates:
    return {(job.fold, job.repeat): JobState(job.state) for job in fold_jobs}


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
    """Tells configurations apart that take another amount of memory or time."""
    train = config.train.model_dump(mode="json", include={"batch_size", "precision", "epochs"})
    size = config.data.model_dump(mode="json", include={"size"})
    predict = config.predict.model_dump(mode="json")
    return sha256_of_json([config.model.model_dump(mode="json"), size, train, predict])[:16]


def job_label(kind: JobKind, fold: int, repeat: int = 0) -> str:
    """What people call a job: `debug`, `fold 2`, or `fold 2 repeat 1` with another seed than the experiment's own."""
    if kind is JobKind.DEBUG:
        return "debug"
    return f"fold {fold} repeat {repeat}" if repeat else f"fold {fold}"


def repeat_scores(row: Row[Any]) -> dict[int, float]:
    """The score of each repeat of an experiment's row; one that was scored before there were repeats has the first."""
    if row.repeat_scores is not None:
        return {int(repeat): score for repeat, score in row.repeat_scores.items()}
    return {} if row.score is None else {0: row.score}


def band_of(row: Row[Any]) -> SeedBand | None:
    """The seed band of an experiment's row."""
    return None if row.seed_df is None else SeedBand(row.seed_spread, row.seed_by_image, row.seed_df)


def _from_row(row: Row[Any]) -> Experiment:
    return Experiment(
        id=row.id,
        name=row.name,
        member=row.member,
        split_version=row.split_version,
        baseline_version=row.baseline_version,
        config=config_from(row.config, source=f"experiment {row.name} in the database"),
        parent_sha256=row.parent_sha256,
        conditions=tuple(Condition(**c) for c in row.conditions),
        confounded=row.confounded,
        note=row.note,
        created_at=row.created_at,
        score=row.score,
        class_iou=None if row.class_iou is None else tuple(row.class_iou),
        repeat_scores=repeat_scores(row),
        band=band_of(row),
    )
