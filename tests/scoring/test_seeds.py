import math

import numpy as np
import pytest

from competition.config.settings import Metric
from competition.scoring import metrics
from competition.scoring.bootstrap import draw
from competition.scoring.seeds import seed_band
from competition.scoring.verdicts import SeedBand, pooled
from tests.scoring.planting import Planted


def accuracy(hits: list[int], *, of: int = 100) -> np.ndarray:
    """Images of which so many pixels in a hundred are right."""
    matrices = np.zeros((len(hits), 2, 2), np.int64)
    matrices[:, 0, 0] = hits
    matrices[:, 0, 1] = of - np.array(hits)
    return matrices


def test_one_fold_has_the_deviation_of_its_scores() -> None:
    """Hold-out, three seeds, scores 0.50, 0.54 and 0.58: s = 0.04; all images move together."""
    repeats = [[accuracy([50 + d] * 6)] for d in (0, 4, 8)]
    band = seed_band(Metric.PIXEL_ACCURACY, repeats, draw(6, draws=100))
    assert band.spread == pytest.approx(0.04)
    assert band.df == 2
    assert band.by_image == pytest.approx(0, abs=1e-6)
    assert band.sd == pytest.approx(0.04)


def test_folds_add_up_and_bring_their_degrees_of_freedom() -> None:
    """Two folds of equal size move by 0.08 and 0.08 between two seeds: each moves the score by half of it.

    s_k² = 0.04² / 2 each, so the variance of the score is 0.04², from one degree of freedom each: sigma_fold² / K.
    """
    repeats = [[accuracy([50] * 4), accuracy([50] * 4)], [accuracy([58] * 4), accuracy([42] * 4)]]
    band = seed_band(Metric.PIXEL_ACCURACY, repeats, draw(8, draws=100))
    assert band.spread == pytest.approx(0.04)
    assert band.df == pytest.approx(2)
    sigma_fold = math.sqrt(0.08**2 / 2)
    assert band.spread == pytest.approx(sigma_fold / math.sqrt(2))


def test_a_rare_class_in_one_fold_counts_as_it_does_in_the_score() -> None:
    """mIoU over all images: only the second fold holds class 1, so its noise moves the score as it stands."""
    plain = np.array([[[90, 10], [0, 0]]] * 3)
    rare = [np.array([[[90, 10], [10 - n, n]]]) for n in (2, 6)]
    repeats = [[plain, r] for r in rare]
    scores = [metrics.score(Metric.MIOU, np.concatenate(r)) for r in repeats]
    band = seed_band(Metric.MIOU, repeats, draw(4, draws=100))
    assert band.spread == pytest.approx(np.std(scores, ddof=1))
    assert band.df == pytest.approx(1)


def test_an_image_wise_metric_means_over_images() -> None:
    repeats = [[accuracy([50, 60]), accuracy([80])], [accuracy([56, 60]), accuracy([80])]]
    scores = [metrics.score(Metric.DICE_IMAGE, np.concatenate(r)) for r in repeats]
    band = seed_band(Metric.DICE_IMAGE, repeats, draw(3, draws=100))
    assert band.spread == pytest.approx(np.std(scores, ddof=1))


def test_a_metric_of_the_teams_own_is_scored_run_by_run() -> None:
    metric = "tests.scoring.test_bootstrap:share_of_first"
    repeats = [[accuracy([50, 60]), accuracy([80])], [accuracy([56, 60]), accuracy([80])]]
    band = seed_band(metric, repeats, draw(3, draws=100))
    assert band.spread == pytest.approx(0.02 / math.sqrt(2))
    assert band.df == 1


def test_what_single_images_do_is_told_from_what_moves_them_all() -> None:
    """Planted: 400 images that move by 0.1 each, folds that move the score by 0.004 together."""
    planted = Planted(images=400, folds=5, image_sd=0.1, seed_sd=0.004)
    generator = np.random.default_rng(0)
    bootstrap = draw(400, draws=300)
    bands = [seed_band(Metric.PIXEL_ACCURACY, [planted.run(generator) for _ in range(5)], bootstrap) for _ in range(40)]
    both = pooled(bands)
    assert both.by_image == pytest.approx(0.1 / math.sqrt(400), rel=0.05)
    assert both.sd == pytest.approx(0.004, rel=0.1)
    assert both.df == pytest.approx(40 * 20, rel=0.4)


def test_identical_repeats_have_no_deviation() -> None:
    band = seed_band(Metric.MIOU, [[accuracy([50, 60, 70])]] * 3, draw(3, draws=50))
    assert (band.spread, band.by_image, band.sd, band.df) == (0, 0, 0, 2)


def test_bands_pool_by_their_degrees_of_freedom() -> None:
    """(2 x 9 + 4 x 3) / 6 = 5 in units of 1e-4; by image (2 x 3 + 4 x 0) / 6 = 1."""
    both = pooled([SeedBand(0.03, math.sqrt(3e-4), 2), SeedBand(math.sqrt(3e-4), 0, 4)])
    assert both.df == 6
    assert both.spread == pytest.approx(math.sqrt(5e-4))
    assert both.by_image == pytest.approx(0.01)
    assert both.sd == pytest.approx(0.02)
