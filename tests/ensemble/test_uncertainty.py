import numpy as np
import pytest

from competition.ensemble.uncertainty import standard_error
from competition.settings import Metric


def matrices(right: np.ndarray) -> np.ndarray:
    """(N, 2, 2) of images with ten pixels of which so many are right."""
    made = np.zeros((len(right), 2, 2), np.int64)
    made[:, 0, 0], made[:, 0, 1] = right, 10 - right
    return made


def test_a_mean_has_the_error_that_the_textbook_gives_it() -> None:
    right = np.random.default_rng(0).integers(0, 11, 60)
    expected = (right / 10).std() / np.sqrt(60)
    found = standard_error(Metric.PIXEL_ACCURACY, matrices(right), units=np.arange(60))
    assert found == pytest.approx(expected, rel=0.12)


def test_images_of_a_group_are_no_independent_evidence() -> None:
    right = np.repeat(np.random.default_rng(0).integers(0, 11, 15), 4)
    single = standard_error(Metric.PIXEL_ACCURACY, matrices(right), units=np.arange(60))
    grouped = standard_error(Metric.PIXEL_ACCURACY, matrices(right), units=np.arange(60) // 4)
    assert grouped == pytest.approx(2 * single, rel=0.2)


def test_a_difference_is_taken_on_the_same_draws() -> None:
    right = np.random.default_rng(0).integers(0, 10, 40)
    units = np.arange(40)
    assert standard_error(Metric.PIXEL_ACCURACY, matrices(right + 1), against=matrices(right), units=units) == (
        pytest.approx(0, abs=1e-12)
    )


@pytest.mark.parametrize("metric", [Metric.MIOU, Metric.MIOU_IMAGE, "tests.ensemble.test_uncertainty:own"])
def test_any_metric_has_an_error(metric: str) -> None:
    right = np.random.default_rng(0).integers(0, 11, 12)
    assert 0 < standard_error(metric, matrices(right), units=np.arange(12)) < 0.2


def own(given: np.ndarray) -> float:
    return float(given[:, 0, 0].sum() / given.sum())


def test_one_group_says_nothing_about_others() -> None:
    assert np.isnan(standard_error(Metric.MIOU, matrices(np.array([3, 4])), units=np.zeros(2, np.int64)))


def test_nothing_to_score_has_no_error() -> None:
    assert np.isnan(standard_error(Metric.MIOU, np.zeros((4, 2, 2), np.int64), units=np.arange(4)))
