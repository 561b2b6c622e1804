"""Verdicts from stored numbers: nothing here draws an image anew, so a listing of thousands takes no time."""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from competition.scoring.seedband import SeedBand, pooled
from competition.scoring.verdicts import (
    Effect,
    FoldTest,
    Verdict,
    cannot_meet_level,
    corrected_t,
    holm,
    judge,
    p_value,
)
from competition.store import schema
from competition.store.scores import band_of, scores_by_repeat


@dataclass(frozen=True)
class Judged:
    """An experiment against its parent.

    Args:
        against: the parent.
        seeds_from: whose repeats say what a seed does to the score; empty where nobody has any.
        borrowed: whether the experiment itself is not among them, so that the deviation is another's.
        family: how many experiments are compared with this parent; the verdict is corrected for them (Holm).
        level: the p that the verdict has to meet for that.
        folds: what the folds alone say; None for a hold-out, and for the same models that predict differently.
    """

    against: str
    effect: Effect
    verdict: Verdict
    seeds_from: tuple[str, ...]
    borrowed: bool
    family: int
    level: float
    folds: FoldTest | None

    @property
    def mark(self) -> str:
        """What the notes below a table explain: `~` for a borrowed seed deviation, `=` for the same trained models."""
        if self.effect.same_models:
            return "="
        return "~" if self.borrowed else ""

    def to_json(self) -> dict[str, Any]:
        """Plain values; scores are fractions."""
        effect, verdict = self.effect, self.verdict
        known = effect.seeds_known and not math.isnan(effect.se)
        return {
            "call": verdict.call.value,
            "against": self.against,
            "delta": effect.delta,
            "low": verdict.low,
            "high": verdict.high,
            "p": verdict.p,
            "family": self.family,
            "level": self.level,
            "se": effect.se if known else None,
            "se_images": None if math.isnan(effect.se_images) else effect.se_images,
            "se_seeds": effect.se_seeds if known else None,
            "df": effect.df if known and math.isfinite(effect.df) else None,
            "units": effect.units,
            "seeds": list(effect.runs),
            "same_models": effect.same_models,
            "seeds_from": list(self.seeds_from),
            "borrowed": self.borrowed,
            "seeds_wanted": verdict.seeds_wanted,
            "detectable": verdict.detectable,
            "folds_alone": None if self.folds is None else self.folds.__dict__,
        }


_BASELINES = select(schema.baselines.c.version, schema.baselines.c.config_sha256)
_JUDGED_BY = ("id", "name", "score", "split_version", "baseline_version", "config_sha256", "repeat_scores")
_JUDGED: Select[Any] = select(
    *(schema.experiments.c[name] for name in (*_JUDGED_BY, "seed_spread", "seed_by_image", "seed_df"))
)
FoldMeans = Mapping[int, Mapping[int, float]]
"""By experiment id, the score of each fold: the mean over its seeds."""


@dataclass(frozen=True)
class Families:
    """What verdicts rest on: comparisons with some parents, and the experiments concerned.

    Args:
        baselines: the sha256 of each baseline's configuration, by version.
    """

    comparisons: Sequence[Row[Any]]
    experiments: Sequence[Row[Any]]
    baselines: Mapping[int, str]


def read_families(tx: Connection, ids: Collection[int] | None) -> Families:
    """The families that these experiments belong to: all that were compared with the same parents; None for all."""
    table, experiments = schema.comparisons, schema.experiments
    parents = None
    if ids is not None:
        parents = set(tx.scalars(select(table.c.parent_id).where(table.c.experiment_id.in_(ids))))
    made = among(select(table), table.c.parent_id, parents)
    comparisons = tx.execute(made).all()
    by_version = {row.version: row.config_sha256 for row in tx.execute(_BASELINES)}
    concerned = (
        experiments.c.id.in_(made.with_only_columns(table.c.experiment_id))
        | experiments.c.id.in_(made.with_only_columns(table.c.parent_id))
        | experiments.c.config_sha256.in_(by_version.values())
    )
    rows = tx.execute(_JUDGED.where(concerned)).all() if comparisons else []
    return Families(comparisons, rows, by_version)


def among(query: Select[Any], column: ColumnElement[Any], values: Collection[Any] | None) -> Select[Any]:
    """The query for rows with one of these values alone; None for all."""
    return query if values is None else query.where(column.in_(values))


def judge_all(families: Families, *, fold_means: FoldMeans, only: Collection[int] | None = None) -> dict[int, Judged]:
    """The verdict on every experiment that was compared with its parent, by experiment id; or on some of them only."""
    by_id = {row.id: row for row in families.experiments}
    by_config = {(row.config_sha256, row.split_version): row for row in by_id.values()}
    gathered: dict[int, list[tuple[Row[Any], Effect, tuple[str, ...]]]] = defaultdict(list)
    for made in families.comparisons:
        child, parent = by_id.get(made.experiment_id), by_id.get(made.parent_id)
        if made.trouble or child is None or parent is None or child.score is None or parent.score is None:
            continue
        baseline = by_config.get((families.baselines.get(child.baseline_version, ""), child.split_version))
        lender = None if baseline is None else (baseline.name, band_of(baseline))
        same_models = made.delta is not None
        own = {} if same_models else {r.name: band_of(r) for r in (child, parent)}
        band, seeds_from = seed_deviation(own, None if same_models else lender)
        runs = (max(1, len(scores_by_repeat(parent))), max(1, len(scores_by_repeat(child))))
        effect = Effect(
            delta=made.delta if same_models else child.score - parent.score,
            se_images=math.nan if made.se_images is None else made.se_images,
            units=made.units,
            runs=(made.runs, made.runs) if same_models else runs,
            band=band,
            same_models=same_models,
        )
        gathered[parent.id].append((child, effect, seeds_from))
    judged: dict[int, Judged] = {}
    for parent_id, family in gathered.items():
        parent, levels = by_id[parent_id], _levels([effect for _, effect, _ in family])
        for (child, effect, seeds_from), level in zip(family, levels, strict=True):
            if only is not None and child.id not in only:
                continue
            folds = None
            if not effect.same_models:  # whose folds are means over other seeds
                folds = _fold_test(fold_means.get(parent.id, {}), fold_means.get(child.id, {}))
            judged[child.id] = Judged(
                against=parent.name,
                effect=effect,
                verdict=judge(effect, level=level),
                seeds_from=seeds_from,
                borrowed=bool(seeds_from) and child.name not in seeds_from,
                family=len(family),
                level=level,
                folds=folds,
            )
    return judged


def seed_deviation(
    own: Mapping[str, SeedBand | None], lender: tuple[str, SeedBand | None] | None
) -> tuple[SeedBand | None, tuple[str, ...]]:
    """What a seed does to the score, and who says so.

    Args:
        own: the bands of the two that are compared, by name; they are pooled.
        lender: the baseline, whose band is borrowed where neither of the two has one.
    """
    known = {name: band for name, band in own.items() if band is not None}
    if not known and lender is not None and lender[1] is not None:
        known = {lender[0]: lender[1]}
    return (pooled(list(known.values())), tuple(known)) if known else (None, ())


def _levels(effects: list[Effect]) -> list[float]:
    """What p each effect of a family has to meet; one that has none meets nothing."""
    p_values = [None if cannot_meet_level(effect) else p_value(effect) for effect in effects]
    return holm([1.0 if p is None else p for p in p_values])


def _fold_test(parent: Mapping[int, float], child: Mapping[int, float]) -> FoldTest | None:
    return corrected_t([child[fold] - parent[fold] for fold in sorted(child.keys() & parent.keys())])
