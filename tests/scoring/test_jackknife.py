import math

import numpy as np
import pytest

from competition.scoring import jackknife, metrics

ALONE = np.arange(4)


def matrices(*hits: int) -> np.ndarray:
    """Images of ten pixels of class 0, of which so many are right and the rest are taken for class 1."""
    return np.array([[[h, 10 - h], [0, 0]] for h in hits])


def test_for_a_mean_over_images_it_is_the_standard_error_of_the_mean() -> None:
    found = matrices(2, 4, 6, 8)
    without = jackknife.left_out("pixel-accuracy", found, ALONE)
    assert without == pytest.approx([18 / 30, 16 / 30, 14 / 30, 12 / 30])
    # The sample variance of 0.2, 0.4, 0.6, 0.8 is 0.2 / 3; over four images.
    expected = math.sqrt(0.2 / 3 / 4)
    assert jackknife.standard_error(0.5, without, np.ones(4, int)) == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["miou", "dice", "fwiou", "pixel-accuracy", "miou-image", "dice-image"])
def test_leaving_out_is_scoring_the_rest(metric: str) -> None:
    found = np.random.default_rng(1).integers(0, 50, (9, 3, 3))
    blocks = np.array([0, 0, 1, 2, 2, 2, 3, 3, 1])
    expected = [metrics.score(metric, found[blocks != block]) for block in range(4)]
    assert jackknife.left_out(metric, found, blocks) == pytest.approx(expected)


def test_images_without_pixels_count_in_no_mean_over_images() -> None:
    found = np.stack([matrices(4)[0], np.zeros((2, 2), int), matrices(8)[0]])
    without = jackknife.left_out("miou-image", found, np.arange(3))
    expected = [metrics.score("miou-image", found[np.arange(3) != image]) for image in range(3)]
    assert without == pytest.approx(expected)


def test_blocks_of_unequal_size_follow_the_formula() -> None:
    # Accuracies 0.2 and 0.4 in one block, 0.9 in the other: estimate 0.5, parts 3/2 and 3.
    found, blocks = matrices(2, 4, 9), np.array([0, 0, 1])
    without = jackknife.left_out("pixel-accuracy", found, blocks)
    assert without == pytest.approx([0.9, 0.3])
    # Pseudo-values 1.5 * 0.5 - 0.5 * 0.9 = 0.3 and 3 * 0.5 - 2 * 0.3 = 0.9; centre 1 - 0.9 / 3 - 0.3 * 2 / 3 = 0.5.
    expected = math.sqrt((0.2**2 / 0.5 + 0.4**2 / 2) / 2)
    assert jackknife.standard_error(0.5, without, np.array([2, 1])) == pytest.approx(expected)


def test_it_agrees_with_many_fresh_samples() -> None:
    generator = np.random.default_rng(3)

    def sample() -> np.ndarray:
        return matrices(*generator.binomial(10, generator.beta(4, 2, 100)))

    scores = [metrics.score("miou", sample()) for _ in range(400)]
    errors = []
    for _ in range(40):
        found = sample()
        without = jackknife.left_out("miou", found, np.arange(100))
        errors.append(jackknife.standard_error(metrics.score("miou", found), without, np.ones(100, int)))
    assert np.mean(errors) == pytest.approx(np.std(scores), rel=0.1)


def test_one_block_says_nothing() -> None:
    assert math.isnan(jackknife.standard_error(0.5, np.array([0.5]), np.array([4])))
