"""Comparisons of experiments with their parents: the bootstrap's results, stored so that a listing draws no images."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, insert, select

from competition.scoring.seedband import SeedBand
from competition.store import experiments, schema
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.scores import band_of, scores_by_repeat


@dataclass(frozen=True)
class Comparison:
    """The bootstrap over images of an experiment and the experiment with its parent's configuration.

    Args:
        se_images: standard error of the difference of their scores, a fraction, from a paired bootstrap over images;
            None if there are too few images, or if the comparison failed.
        units: number of images, or of groups of images, that the bootstrap drew from.
        trouble: the reason why the comparison failed; None if it did not.
        delta: the gain on the same trained models, over the `runs` seeds that both have, a fraction; None if the two
            have different models, because their scores are then means over other seeds.
    """

    se_images: float | None
    units: int
    trouble: str | None
    delta: float | None = None
    runs: int | None = None


class StoredComparison(NamedTuple):
    """A comparison and the two that it compares. A tuple, because a listing reads thousands."""

    experiment_id: int
    parent_id: int
    se_images: float | None
    units: int
    trouble: str | None
    delta: float | None
    runs: int | None


class ScoredExperiment(NamedTuple):
    """The part of an experiment that its verdict rests on."""

    id: int
    name: str
    score: float | None
    split_version: int
    baseline_version: int
    config_sha256: str
    seeds: int
    band: SeedBand | None


@dataclass(frozen=True)
class Families:
    """Parents with everything that was compared with them: a verdict is corrected for its whole family.

    Args:
        experiments: the experiments compared, their parents, and those that ran a baseline.
        baselines: the sha256 of each baseline's configuration, by version.
    """

    comparisons: Sequence[StoredComparison]
    experiments: Sequence[ScoredExperiment]
    baselines: Mapping[int, str]


def families(tx: Connection, ids: Collection[int] | None) -> Families:
    """The families that these experiments belong to; all of them for None."""
    table, experiment = schema.comparisons, schema.experiments
    parents = None
    if ids is not None:
        parents = set(tx.scalars(select(table.c.parent_id).where(table.c.experiment_id.in_(ids))))
    compared = among(_STORED, table.c.parent_id, parents)
    comparisons = [StoredComparison._make(row) for row in tx.execute(compared)]
    baselines = {row.version: row.config_sha256 for row in tx.execute(_BASELINES)}
    concerned = (
        experiment.c.id.in_(compared.with_only_columns(table.c.experiment_id))
        | experiment.c.id.in_(compared.with_only_columns(table.c.parent_id))
        | experiment.c.config_sha256.in_(baselines.values())
    )
    rows = tx.execute(_SCORED.where(concerned)).all() if comparisons else []
    return Families(comparisons, [_scored(row) for row in rows], baselines)


def among(query: Select[Any], column: ColumnElement[Any], values: Collection[Any] | None) -> Select[Any]:
    """The query, restricted to rows with one of these values; None for no restriction."""
    return query if values is None else query.where(column.in_(values))


def pending(store: Store, *, most: int | None = None) -> list[tuple[Experiment, Experiment]]:
    """Scored experiments that are not compared with their scored parent yet, each with its parent.

    The newest first, at most `most`.
    """
    child, parent, made = schema.experiments.alias("child"), schema.experiments.alias("parent"), schema.comparisons
    same = and_(parent.c.config_sha256 == child.c.parent_sha256, parent.c.split_version == child.c.split_version)
    query = (
        select(child.c.name, parent.c.name.label("parent"))
        .join(parent, same)
        .outerjoin(made, made.c.experiment_id == child.c.id)
        .where(child.c.score.is_not(None), parent.c.score.is_not(None), made.c.experiment_id.is_(None))
        .order_by(child.c.id.desc())
        .limit(most)
    )
    with store.read() as tx:
        names = tx.execute(query).all()
    return [(experiments.find(store, row.name), experiments.find(store, row.parent)) for row in names]


def save(store: Store, experiment: Experiment, parent: Experiment, comparison: Comparison) -> None:
    """Store a comparison.

    Nothing is stored if another worker was quicker, or if the score or the seeds of one of the two have changed since
    it was read.
    """
    table, made = schema.experiments, schema.comparisons
    compared = {e.id: e.repeat_scores for e in (experiment, parent)}
    with store.write() as tx:
        scored: Select[Any] = select(table.c.id, table.c.score, table.c.repeat_scores)
        now = {row.id: scores_by_repeat(row) for row in tx.execute(scored.where(table.c.id.in_(compared)))}
        existing = tx.scalar(select(made.c.parent_id).where(made.c.experiment_id == experiment.id))
        if now == compared and all(now.values()) and existing is None:
            ids = {"experiment_id": experiment.id, "parent_id": parent.id}
            tx.execute(insert(made).values(**ids, **comparison.__dict__))


_BASELINES = select(schema.baselines.c.version, schema.baselines.c.config_sha256)
_STORED: Select[Any] = select(*(schema.comparisons.c[name] for name in StoredComparison._fields))
_SCORED: Select[Any] = select(
    *(schema.experiments.c[name] for name in ScoredExperiment._fields if name not in ("seeds", "band")),
    *(schema.experiments.c[name] for name in ("repeat_scores", "seed_spread", "seed_by_image", "seed_df")),
)


def _scored(row: Any) -> ScoredExperiment:
    return ScoredExperiment(
        row.id,
        row.name,
        row.score,
        row.split_version,
        row.baseline_version,
        row.config_sha256,
        len(scores_by_repeat(row)),
        band_of(row),
    )
