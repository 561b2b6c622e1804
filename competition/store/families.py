"""Families: the experiments compared with one parent, from which the verdict on each of them is computed."""

# This module must not import `experiments`: pydantic's models would add a tenth of a second to `comp leaderboard`.

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, select

from competition.scoring.verdicts import SeedBand
from competition.store import schema
from competition.store.scores import band_of, scores_by_repeat


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
