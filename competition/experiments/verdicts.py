"""The verdict on each experiment against its parent, from stored numbers: no image is drawn here."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from competition.scoring.verdicts import (
    Effect,
    FoldTest,
    SeedBand,
    Verdict,
    cannot_meet_level,
    corrected_t,
    holm,
    judge,
    p_value,
    pooled,
)
from competition.store.families import Families, ScoredExperiment, StoredComparison

FoldMeans = Mapping[int, Mapping[int, float]]
"""By experiment id, the score of each fold: the mean over its seeds."""


@dataclass(frozen=True)
class Judgement:
    """An experiment against its parent.

    Args:
        against: the parent.
        seeds_from: the experiments whose seeds give the seed deviation; empty if none has several seeds.
        borrowed: whether the deviation comes from other experiments alone.
        family: how many experiments are compared with this parent; the verdict is corrected for them (Holm).
        level: the p that the verdict has to meet for that.
        folds: the test over the folds alone; None for a hold-out, and for the same models that predict differently.
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
        """The mark that the notes below a table explain: `~` a borrowed seed deviation, `=` the same trained models."""
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


@dataclass(frozen=True)
class _Compared:
    """A child and its parent, with the difference of their scores."""

    child: ScoredExperiment
    parent: ScoredExperiment
    effect: Effect
    seeds_from: tuple[str, ...]


def judgements(
    families: Families, *, fold_means: FoldMeans, only: Collection[int] | None = None
) -> dict[int, Judgement]:
    """The judgement on every experiment that was compared with its parent, by experiment id.

    Args:
        only: judge these experiments alone; their families count all the same.
    """
    by_parent: dict[int, list[_Compared]] = defaultdict(list)
    for compared in _compared(families):
        by_parent[compared.parent.id].append(compared)
    return {
        compared.child.id: _judgement(compared, fold_means, family=len(family), level=level)
        for family in by_parent.values()
        for compared, level in zip(family, _levels([c.effect for c in family]), strict=True)
        if only is None or compared.child.id in only
    }


def seed_deviation(
    own: Mapping[str, SeedBand | None], lender: tuple[str, SeedBand | None] | None
) -> tuple[SeedBand | None, tuple[str, ...]]:
    """The deviation of a score from seed to seed, and the experiments that it comes from.

    Args:
        own: the bands of the two that are compared, by name; they are pooled.
        lender: the baseline, whose band is borrowed if neither of the two has one.
    """
    known = {name: band for name, band in own.items() if band is not None}
    if not known and lender is not None and lender[1] is not None:
        known = {lender[0]: lender[1]}
    return (pooled(list(known.values())), tuple(known)) if known else (None, ())


def _compared(families: Families) -> Iterator[_Compared]:
    """Every comparison that did not fail and whose two experiments have a score."""
    by_id = {experiment.id: experiment for experiment in families.experiments}
    by_config = {(e.config_sha256, e.split_version): e for e in families.experiments}
    for comparison in families.comparisons:
        child, parent = by_id.get(comparison.experiment_id), by_id.get(comparison.parent_id)
        if comparison.trouble or child is None or parent is None or child.score is None or parent.score is None:
            continue
        baseline = by_config.get((families.baselines.get(child.baseline_version, ""), child.split_version))
        gain = child.score - parent.score
        yield _with_effect(child, parent, comparison, gain, baseline)


def _with_effect(
    child: ScoredExperiment,
    parent: ScoredExperiment,
    comparison: StoredComparison,
    gain: float,
    baseline: ScoredExperiment | None,
) -> _Compared:
    """With the gain over the same models where both have the same, because no seed comes between them then."""
    se_images = math.nan if comparison.se_images is None else comparison.se_images
    if comparison.delta is not None:
        assert comparison.runs is not None  # stored together with delta
        seeds = (comparison.runs, comparison.runs)
        same = Effect(comparison.delta, se_images, comparison.units, seeds, None, same_models=True)
        return _Compared(child, parent, same, ())
    lender = None if baseline is None else (baseline.name, baseline.band)
    band, seeds_from = seed_deviation({child.name: child.band, parent.name: parent.band}, lender)
    runs = (max(1, parent.seeds), max(1, child.seeds))
    return _Compared(child, parent, Effect(gain, se_images, comparison.units, runs, band), seeds_from)


def _judgement(compared: _Compared, fold_means: FoldMeans, *, family: int, level: float) -> Judgement:
    child, parent, effect = compared.child, compared.parent, compared.effect
    folds = None
    if not effect.same_models:  # the folds of the two would be means over other seeds
        before, after = fold_means.get(parent.id, {}), fold_means.get(child.id, {})
        folds = corrected_t([after[fold] - before[fold] for fold in sorted(after.keys() & before.keys())])
    return Judgement(
        against=parent.name,
        effect=effect,
        verdict=judge(effect, level=level),
        seeds_from=compared.seeds_from,
        borrowed=bool(compared.seeds_from) and child.name not in compared.seeds_from,
        family=family,
        level=level,
        folds=folds,
    )


def _levels(effects: list[Effect]) -> list[float]:
    """The p that each effect of a family has to meet; one without a p-value meets none."""
    p_values = [None if cannot_meet_level(effect) else p_value(effect) for effect in effects]
    return holm([1.0 if p is None else p for p in p_values])
