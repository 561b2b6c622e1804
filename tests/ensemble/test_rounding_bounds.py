import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competition.config.settings import IGNORE_INDEX, Metric
from competition.ensemble.blend import best_class, blend, rounded, total_of, weighted_sum
from competition.ensemble.rounding_bounds import bounds, number_undecided, possible_classes, undecided_in_image
from competition.predictions.probabilities import quantise
from competition.scoring import confusion, metrics

BOUNDED = [Metric.MIOU, Metric.DICE, Metric.FWIOU, Metric.PIXEL_ACCURACY]


def models(generator: np.random.Generator, experiments: int, classes: int, pixels: int) -> np.ndarray:
    """float32 (M, C, P) that agree so nearly that blends are close calls."""
    shared = generator.dirichlet(np.full(classes, 20.0), pixels)
    own = generator.dirichlet(np.full(classes, 20.0), (experiments, pixels))
    return np.moveaxis(0.9 * shared + 0.1 * own, -1, 1).astype(np.float32)


@settings(max_examples=80)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(2, 6))
def test_an_unrounded_blend_differs_only_within_reach(seed: int, experiments: int, classes: int) -> None:
    generator = np.random.default_rng(seed)
    probabilities = models(generator, experiments, classes, 400)
    weighting = rounded(generator.dirichlet(np.ones(experiments)))
    sums = weighted_sum([quantise(p) for p in probabilities], weighting)
    total = total_of(weighting)
    unrounded = np.tensordot(np.array(weighting) / total, probabilities.astype(np.float64), axes=1)
    near = possible_classes(sums, total)
    assert near[unrounded.argmax(axis=0), np.arange(400)].all()
    changed = unrounded.argmax(axis=0) != best_class(sums)
    assert (near.sum(axis=0)[changed] > 1).all()
    assert number_undecided(sums, total) == np.count_nonzero(near.sum(axis=0) > 1)


def test_the_worst_rounding_reaches_the_bound_and_no_further() -> None:
    """Both classes rounded the wrong way by half a level: a stored lead of 1/255 is a tie before rounding."""
    probabilities = np.array([0.5 - 0.4999 / 255, 0.5 - 0.4999 / 255 - 1e-6], np.float32)  # 127.0001 and a little less
    stored = np.array([[128], [127]], np.uint8)
    assert np.abs(stored.ravel() / 255 - probabilities).max() < 1 / 255
    assert possible_classes(stored, 1).tolist() == [[True], [True]]
    assert possible_classes(np.array([[129], [127]], np.uint8), 1).tolist() == [[True], [False]]


def test_doubt_by_hand() -> None:
    # Truth 0 everywhere but in the last two. Leads of 1 level (doubt) or 10 (none).
    views = [
        np.array([[[128, 127, 130, 127, 128, 128]], [[127, 128, 120, 137, 127, 127]], [[0, 0, 5, 0, 0, 0]]], np.uint8)
    ]
    truth = np.array([[0, 0, 0, 0, 2, IGNORE_INDEX]], np.uint8)
    found = undecided_in_image(views, (1,), truth)
    assert (found.pixels, found.undecided) == (5, 3)
    assert found.losable.tolist() == [1, 0, 0]  # the first pixel
    assert found.gainable.tolist() == [1, 0, 0]  # the second
    assert found.leaving.tolist() == [1, 1, 0]  # the second leaves class 1, the fifth class 0
    assert found.arriving.tolist() == [0, 2, 0]  # the first and the fifth may go to class 1
    assert found.share == 0.6


@pytest.mark.parametrize("metric", BOUNDED)
@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(2, 5))
def test_the_unrounded_score_lies_within_the_bounds(metric: str, seed: int, experiments: int, classes: int) -> None:
    generator = np.random.default_rng(seed)
    probabilities = models(generator, experiments, classes, 150)
    truth = generator.integers(0, classes - 1, (10, 15)).astype(np.uint8)  # the last class is absent
    truth[0] = IGNORE_INDEX
    weighting = rounded(generator.dirichlet(np.ones(experiments)))
    views = [quantise(p).reshape(classes, 10, 15) for p in probabilities]
    stored = confusion.count(blend(views, weighting), truth, classes)[None]
    shares = np.array(weighting) / total_of(weighting)
    unrounded = np.tensordot(shares, probabilities.astype(np.float64), axes=1).argmax(axis=0)
    exact = metrics.score(metric, confusion.count(unrounded.astype(np.uint8).reshape(10, 15), truth, classes))
    found = bounds(metric, stored, undecided_in_image(views, weighting, truth))
    assert found is not None
    low, high = found
    assert low - 1e-12 <= exact <= high + 1e-12
    assert low - 1e-12 <= metrics.score(metric, stored) <= high + 1e-12


def test_no_bounds_for_metrics_of_single_images() -> None:
    views = [np.array([[[128]], [[127]]], np.uint8)]
    truth = np.zeros((1, 1), np.uint8)
    found = undecided_in_image(views, (1,), truth)
    assert bounds(Metric.MIOU_IMAGE, confusion.count(blend(views, (1,)), truth, 2)[None], found) is None
