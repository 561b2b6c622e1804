"""Verdicts from stored numbers: nothing here draws an image anew, so a listing of thousands takes no time."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from competition.scoring.seeds import SeedBand, pooled
from competition.scoring.verdicts import Effect, FoldTest, Verdict, corrected_t, holm, judge, p_value
from competition.store.experiments import band_of, repeat_scores


@dataclass(frozen=True)
class Judged:
    """An experiment against its parent.

    Args:
        against: the parent.
        seeds_from: whose repeats say what a seed does to the score; empty where nobody has any.
        family: how many experiments are compared with this parent; the verdict is corrected for them (Holm).
        level: the p that the verdict has to meet for that.
        folds: what the folds alone say; None for a hold-out.
        trouble: why the images could not be drawn anew; None where they could.
    """

    against: str
    effect: Effect
    verdict: Verdict
    seeds_from: tuple[str, ...]
    family: int
    level: float
    folds: FoldTest | None
    trouble: str | None

    @property
    def borrowed(self) -> bool:
        """Whether the seed deviation is that of the baseline, because neither of the two has one."""
        return bool(self.seeds_from) and self.against not in self.seeds_from and len(self.seeds_from) == 1

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
            "df": effect.df if known else None,
            "units": effect.units,
            "seeds": list(effect.runs),
            "seeds_from": list(self.seeds_from),
            "seeds_wanted": verdict.seeds_wanted,
            "detectable": verdict.detectable,
            "folds_alone": None if self.folds is None else self.folds.__dict__,
            "trouble": self.trouble,
        }


FoldMeans = Mapping[int, Mapping[int, float]]
"""By experiment id, the score of each fold: the mean over its seeds."""


def judge_all(
    experiments: Iterable[Row[Any]],
    comparisons: Iterable[Row[Any]],
    *,
    baselines: Mapping[int, str],
    fold_means: FoldMeans,
) -> dict[int, Judged]:
    """The verdict on every experiment that was compared with its parent, by experiment id.

    Args:
        baselines: the sha256 of each baseline's configuration, by version.
    """
    by_id = {row.id: row for row in experiments}
    by_config = {(row.config_sha256, row.split_version): row for row in by_id.values()}
    families: dict[int, list[tuple[Row[Any], Effect, tuple[str, ...], str | None]]] = defaultdict(list)
    for made in comparisons:
        child, parent = by_id.get(made.experiment_id), by_id.get(made.parent_id)
        if child is None or parent is None or child.score is None or parent.score is None:
            continue
        baseline = by_config.get((baselines.get(child.baseline_version, ""), child.split_version))
        band, seeds_from = _band(child, parent, baseline)
        effect = Effect(
            delta=child.score - parent.score,
            se_images=math.nan if made.se_images is None else made.se_images,
            units=made.units,
            runs=(max(1, len(repeat_scores(parent))), max(1, len(repeat_scores(child)))),
            band=band,
        )
        families[parent.id].append((child, effect, seeds_from, made.trouble))
    judged: dict[int, Judged] = {}
    for parent_id, family in families.items():
        parent, levels = by_id[parent_id], _levels([effect for _, effect, _, _ in family])
        for (child, effect, seeds_from, trouble), level in zip(family, levels, strict=True):
            folds = _fold_test(fold_means.get(parent.id, {}), fold_means.get(child.id, {}))
            verdict = judge(effect, level=level)
            judged[child.id] = Judged(parent.name, effect, verdict, seeds_from, len(family), level, folds, trouble)
    return judged


def _band(child: Row[Any], parent: Row[Any], baseline: Row[Any] | None) -> tuple[SeedBand | None, tuple[str, ...]]:
    """The seed deviation: of the two themselves where either has one, else borrowed from the baseline."""
    own = {row.name: band for row in (child, parent) if (band := band_of(row)) is not None}
    if not own and baseline is not None and (band := band_of(baseline)) is not None:
        own = {baseline.name: band}
    return (pooled(list(own.values())), tuple(own)) if own else (None, ())


def _levels(effects: list[Effect]) -> list[float]:
    """What p each effect of a family has to meet; one that has none meets nothing."""
    p_values = [p_value(effect) for effect in effects]
    return holm([1.0 if p is None else p for p in p_values])


def _fold_test(parent: Mapping[int, float], child: Mapping[int, float]) -> FoldTest | None:
    return corrected_t([child[fold] - parent[fold] for fold in sorted(child.keys() & parent.keys())])
