"""Experiments: a configuration with its origin and its scores."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from competition.config.conditions import Condition
from competition.config.experiment import Config, config_from
from competition.errors import UnknownNameError
from competition.lifecycle import ExperimentState, JobKind, JobState, experiment_state, repeats_asked_for
from competition.scoring.verdicts import SeedBand
from competition.store import events, schema
from competition.store.engine import Store
from competition.store.scores import band_of, fold_states, scores_by_repeat


@dataclass(frozen=True)
class Experiment:
    """A configuration on one version of the split; equal configurations on one split are one experiment.

    `parent_sha256` is the parent's configuration (None for a baseline itself). `score` is the metric over all
    out-of-fold pixels, the mean over its seeds, None until every fold has succeeded; `repeat_scores` is the score of
    each seed (0 is the first), and `band` the seed deviation (None for a single seed).
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


def find(store: Store, name: str) -> Experiment:
    """The experiment called `name`.

    Raises:
        UnknownNameError: there is none; near names are suggested.
    """
    with store.read() as tx:
        experiment = by_name(tx, name)
        if experiment is None:
            known = tx.scalars(select(schema.experiments.c.name)).all()
            raise UnknownNameError.among("experiment", name, known)
        return experiment


def exists(store: Store, name: str) -> bool:
    """Whether there is an experiment called `name`."""
    with store.read() as tx:
        return by_name(tx, name) is not None


def of_config(store: Store, config_sha256: str, split_version: int) -> Experiment | None:
    """The experiment with this configuration on this split; None if there is none."""
    table = schema.experiments
    query = _SELECT.where(table.c.config_sha256 == config_sha256, table.c.split_version == split_version)
    with store.read() as tx:
        row = tx.execute(query).one_or_none()
        return None if row is None else _from_row(row)


def baseline_of(store: Store, experiment: Experiment) -> Experiment | None:
    """The experiment that ran the baseline which `experiment` started from, on the same split; None if none did."""
    table = schema.baselines
    with store.read() as tx:
        sha256 = tx.scalar(select(table.c.config_sha256).where(table.c.version == experiment.baseline_version))
    return of_config(store, str(sha256), experiment.split_version)


def every(store: Store) -> list[Experiment]:
    """Every experiment, oldest first."""
    with store.read() as tx:
        return [_from_row(row) for row in tx.execute(_SELECT.order_by(schema.experiments.c.id))]


def names(store: Store) -> list[str]:
    """The name of every experiment, oldest first."""
    with store.read() as tx:
        return list(tx.scalars(select(schema.experiments.c.name).order_by(schema.experiments.c.id)))


def parentage(store: Store, split_version: int) -> list[tuple[str, str, str | None]]:
    """Name, configuration and parent's configuration (sha256; None: no parent) on a split, oldest first."""
    table = schema.experiments
    query = select(table.c.name, table.c.config_sha256, table.c.parent_sha256).order_by(table.c.id)
    with store.read() as tx:
        rows = tx.execute(query.where(table.c.split_version == split_version))
        return [(row.name, row.config_sha256, row.parent_sha256) for row in rows]


def unscored(store: Store) -> list[tuple[Experiment, tuple[int, ...]]]:
    """Experiments whose folds have all succeeded and are not scored yet, with the repeats (seeds) to score."""
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
    due = []
    with store.read() as tx:
        for row in tx.execute(query).all():
            its = select(jobs).where(jobs.c.experiment_id == row.id, jobs.c.kind == JobKind.FOLD)
            states = fold_states(tx.execute(its).all())
            asked, complete = repeats_asked_for(states), experiment_state(None, states, needed=row.folds)
            if complete is ExperimentState.COMPLETE and set(scores_by_repeat(row)) != set(asked):
                due.append((_from_row(row), asked))
    return due


def is_proven(store: Store, config: Config) -> bool:
    """Whether the debug job of some experiment has passed with a model like this one (see `_model_of`)."""
    jobs, table = schema.jobs, schema.experiments
    query = (
        select(table.c.config)
        .join(jobs, jobs.c.experiment_id == table.c.id)
        .where(jobs.c.kind == JobKind.DEBUG, jobs.c.state == JobState.SUCCEEDED)
    )
    with store.read() as tx:
        return _model_of(config.model_dump(mode="json")) in {_model_of(other) for other in tx.scalars(query)}


def _model_of(config: dict[str, Any]) -> str:
    """The keys that decide whether a configuration's model can be built and trained at all, as text that compares."""
    sampling, predict = config.get("sampling", {}), config.get("predict", {})
    sizes = [config["data"].get("size"), sampling.get("sizes"), sampling.get("crop")]
    views = [predict.get("tta"), predict.get("scales"), predict.get("window")]
    return json.dumps([config["model"], config["optimizer"].get("name"), sizes, views], sort_keys=True)


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


def by_name(tx: Connection, name: str) -> Experiment | None:
    """The experiment called `name`, read in a transaction; None if there is none."""
    row = tx.execute(_SELECT.where(schema.experiments.c.name == name)).one_or_none()
    return None if row is None else _from_row(row)


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
        repeat_scores=scores_by_repeat(row),
        band=band_of(row),
    )
