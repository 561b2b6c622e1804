"""Class thresholds: exact, honest, and taken only where they gain."""

from dataclasses import replace

import numpy as np
import pytest

from competition.config.settings import Metric
from competition.ensemble.blend import Weighting, blend, total_of, weighted_sum
from competition.ensemble.build import build
from competition.ensemble.inputs import open_experiments
from competition.ensemble.methods import Method
from competition.ensemble.pixel_sample import PixelSample
from competition.ensemble.postprocess import UNIT, Postprocessing
from competition.ensemble.predict import Predictions
from competition.ensemble.rounding_bounds import count_undecided
from competition.ensemble.score_experiments import is_contested
from competition.ensemble.search import Objective
from competition.ensemble.source import Blend
from competition.ensemble.thresholds import _FACTORS, _LEAD, search, with_factors
from competition.predictions.probabilities import quantise
from tests.ensemble.conftest import Makes, noisy, random_truth

IDS = [f"i{n}" for n in range(12)]


def two_classes(generator: np.random.Generator, share: float, *, lean: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels (30, 40), a share of them 1, and probabilities that lean towards class 0 in their logits.

    There is a third class that never occurs.
    """
    labels = (generator.random((30, 40)) < share).astype(np.uint8)
    logits = 2.5 * (2.0 * labels - 1) + generator.normal(0, 2.0, labels.shape) - lean
    foreground = np.rint(255 / (1 + np.exp(-logits)))
    return labels, np.stack([255 - foreground, foreground, 0 * foreground]).astype(np.float32) / 255


def planted(lean: float) -> tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
    generator = np.random.default_rng(5)
    made = {i: two_classes(generator, 0.15, lean=lean) for i in IDS}
    truth = {i: labels for i, (labels, _) in made.items()}
    return truth, [{i: made[i][1] for i in IDS[k::3]} for k in range(3)]


@pytest.mark.parametrize("factor", _FACTORS)
def test_for_two_classes_it_is_the_threshold_of_the_second(factor: int) -> None:
    foreground = np.arange(256, dtype=np.uint8)[None]
    views = [np.stack([255 - foreground, foreground])]
    settings = replace(Postprocessing.nothing(2), factor=(UNIT, factor))
    (threshold,) = (settings.to_json(("back", "front"))["thresholds"] or {"front": 0.5}).values()
    exact = UNIT / (UNIT + factor)
    assert threshold == pytest.approx(exact, abs=0.0006)
    named = blend(views, with_factors((1,), settings.factor))[0].astype(bool)
    share = foreground[0] / 255
    clear = abs(share - exact) > 1e-9
    assert np.array_equal(named[clear], (share > exact)[clear])
    assert Postprocessing.from_json(settings.to_json(("back", "front")), ("back", "front")) == settings


@pytest.mark.parametrize("weighting", [(1, 1, 1), (3, 0, 2), ((5, 1, 2, 8), (3, 7, 6, 0), (1, 1, 1, 1))])
def test_whole_numbers_say_what_exact_fractions_say(weighting: Weighting) -> None:
    generator = np.random.default_rng(1)
    views = [generator.integers(0, 256, (4, 9, 50)).astype(np.uint8) for _ in range(3)]
    factors = (48, 12, 3, 13)
    changed = with_factors(weighting, factors)
    counts = np.array([count if isinstance(count, tuple) else (count,) * 4 for count in weighting], dtype=object)
    sums = sum(view.astype(object) * count[:, None, None] for view, count in zip(views, counts, strict=True))
    exact = sums * np.array(factors, dtype=object)[:, None, None]
    assert np.array_equal(blend(views, changed), exact.argmax(axis=0))
    assert weighted_sum([view.reshape(4, -1) for view in views], changed).max() <= 255 * total_of(changed)


def test_equal_factors_are_none() -> None:
    assert with_factors((2, 1), (UNIT,) * 3) == (2, 1)
    assert with_factors((2, 1), (24,) * 3) == (2, 1)


@pytest.mark.parametrize("seed", range(4))
def test_no_thresholds_change_what_is_settled_for_them(seed: int) -> None:
    generator = np.random.default_rng(seed)
    views = [np.rint(255 * generator.dirichlet((0.15,) * 3, 4000)).astype(np.uint8).T for _ in range(2)]
    answers = [view.argmax(axis=0).astype(np.uint8) for view in views]
    settled = ~is_contested(views, answers, lead=_LEAD)
    assert 0.02 < settled.mean() < 0.9
    for _ in range(200):
        factors = tuple(generator.choice(_FACTORS, 3).tolist())
        weighting = tuple(generator.integers(1, 20, 2).tolist())
        named = blend([view[:, None] for view in views], with_factors(weighting, factors))[0]
        assert np.array_equal(named[settled], answers[0][settled])


def test_the_search_finds_what_trying_everything_finds() -> None:
    """Two classes: only the ratio of their factors counts, so one class's factors hold nearly all that there is."""
    truth, folds = planted(lean=2.0)
    values = np.concatenate([quantise(folds[n % 3][i]).reshape(3, -1) for n, i in enumerate(IDS)], axis=1)
    labels = np.concatenate([truth[i].reshape(-1) for i in IDS]).astype(np.int64)
    number = len(labels)
    sample = PixelSample(
        values[None], labels, np.ones(number), np.zeros(number, np.int64), np.zeros((1, 3, 3), np.int64)
    )
    found = search(sample, Metric.MIOU, (1,))
    scores = {
        factors: Objective(sample, Metric.MIOU).score_of(with_factors((1,), factors))
        for factors in [(a, b, UNIT) for a in _FACTORS for b in _FACTORS]
    }
    assert scores[found] >= max(scores.values()) - 0.002
    assert scores[found] > scores[(UNIT,) * 3] + 0.02


def test_a_class_that_is_named_too_seldom_gets_a_low_threshold(experiment: Makes) -> None:
    truth, folds = planted(lean=2.0)
    experiments = [experiment("m", folds, [{"t": folds[0][IDS[0]]}] * 3)]
    made = build(experiments, truth=truth.__getitem__, metric=Metric.MIOU, method=Method.AUTO, postprocess=True)
    step = made.tuned["thresholds"]
    assert step.is_adopted
    assert step.score > step.before + 0.02
    assert abs(step.in_sample - step.score) < 0.02
    assert made.postprocessing is not None
    low = made.postprocessing.factor
    assert low[1] > low[0]
    assert made.score >= step.score
    assert made.bounds is None
    assert made.to_json()["postprocessing"]["thresholds"]["adopted"]

    blend = Blend(experiments, made.weights, postprocessing=made.postprocessing)
    (found,) = (labels for _, labels in Predictions(blend))
    view = quantise(folds[0][IDS[0]]).astype(np.int64)
    decided = (view[1] * low[1] > view[0] * low[0]).astype(np.uint8)
    assert np.array_equal(found, made.postprocessing.apply(decided))
    without = Predictions(Blend(experiments, made.weights))
    assert np.count_nonzero(next(iter(without))[1]) < np.count_nonzero(found)


def test_what_rounding_may_have_decided_is_of_the_blend_with_thresholds(experiment: Makes) -> None:
    truth, folds = planted(lean=2.0)
    experiments = [
        experiment("m", folds),
        experiment("n", [noisy({i: truth[i] for i in f}, seed=1, noise=2.0) for f in folds]),
    ]
    made = build(experiments, truth=truth.__getitem__, metric=Metric.MIOU, method=Method.MEAN, postprocess=True)
    assert made.tuned["thresholds"].is_adopted
    assert made.postprocessing is not None
    opened = open_experiments(experiments)
    with_thresholds = with_factors((1, 1), made.postprocessing.factor)
    assert made.undecided_share == count_undecided(opened, with_thresholds, truth=truth.__getitem__).share
    assert made.undecided_share != count_undecided(opened, (1, 1), truth=truth.__getitem__).share


def test_regions_are_tuned_on_what_thresholds_decide(experiment: Makes) -> None:
    truth, folds = planted(lean=2.0)
    made = build(
        [experiment("m", folds)], truth=truth.__getitem__, metric=Metric.MIOU, method=Method.MEAN, postprocess=True
    )
    assert made.tuned["regions"].before == made.tuned["thresholds"].score
    assert made.tuned["regions"].settings.factor == made.tuned["thresholds"].settings.factor


def test_where_nothing_leans_hardly_any_are_taken(experiment: Makes) -> None:
    """Classes alike in everything: what is found is luck, and a gain of one standard error is that in one of six."""
    steps = []
    for seed in range(12):
        truth = random_truth(*IDS, size=(30, 40), seed=seed)
        folds = [noisy({i: truth[i] for i in IDS[k::3]}, seed=3 * seed + k, noise=2.0) for k in range(3)]
        made = build(
            [experiment(f"m{seed}", folds)],
            truth=truth.__getitem__,
            metric=Metric.MIOU,
            method=Method.MEAN,
            postprocess=True,
        )
        steps.append(made.tuned["thresholds"])
        assert made.tuned["regions"].before == (steps[-1].score if steps[-1].is_adopted else made.mean_score)
    assert sum(step.is_adopted for step in steps) <= 4
    assert np.mean([step.score - step.before for step in steps]) < 0.001
    assert np.mean([step.in_sample - step.before for step in steps]) > np.mean([s.score - s.before for s in steps])


@pytest.mark.parametrize(
    ("method", "steps"),
    [(Method.AUTO, ["thresholds", "regions"]), (Method.VOTE, ["regions"])],
    ids=["probabilities are added", "votes have no thresholds"],
)
def test_progress_ends_where_it_says(method: Method, steps: list[str], experiment: Makes) -> None:
    truth, folds = planted(lean=0.0)
    told: list[tuple[int, int]] = []
    made = build(
        [experiment("m", folds)],
        truth=truth.__getitem__,
        metric=Metric.MIOU,
        method=method,
        postprocess=True,
        progress=lambda done, total: told.append((done, total)),
    )
    assert list(made.tuned) == steps
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)


def test_the_weights_that_are_stored_are_without_thresholds(experiment: Makes) -> None:
    truth, folds = planted(lean=2.0)
    experiments = [experiment("m", folds), experiment("n", folds)]
    made = build(experiments, truth=truth.__getitem__, metric=Metric.MIOU, method=Method.MEAN, postprocess=True)
    assert made.tuned["thresholds"].is_adopted
    assert made.weights == {"m": 0.5, "n": 0.5}
