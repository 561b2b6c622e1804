import numpy as np
import pytest

from competition.scoring import calibration
from competition.scoring.calibration import BINS, Calibration


def image(*pixels: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Two classes, uint8 (2, 1, W) and (1, W): for each pixel the byte of class 0, and the truth."""
    first = np.array([byte for byte, _ in pixels], np.uint8)
    return np.stack([first, 255 - first])[:, None, :], np.array([[truth for _, truth in pixels]], np.uint8)


def test_the_error_is_what_one_gets_by_hand() -> None:
    found = calibration.count(*image((204, 0), (204, 0), (204, 0), (204, 1), (255, 0), (0, 1)))
    # four pixels at 204/255 = 0.8, three of them right; two at 1.0, both right
    assert found.accuracy == pytest.approx(5 / 6)
    assert found.confidence == pytest.approx((4 * 0.8 + 2) / 6)
    assert found.error == pytest.approx((4 * abs(0.75 - 0.8) + 2 * 0) / 6)
    assert [(b.number, b.pixels, b.accuracy) for b in found.bins] == [(11, 4, 0.75), (14, 2, 1.0)]


def test_gaps_of_different_bins_do_not_cancel() -> None:
    found = calibration.count(*image((153, 0), (204, 1)))
    assert found.error == pytest.approx((0.4 + 0.8) / 2)


def test_each_bin_has_its_upper_edge() -> None:
    numbers = {}
    for byte in range(256):
        counts = np.zeros(256, np.int64)
        counts[byte] = 1
        (numbers[byte],) = (b.number for b in Calibration(counts, counts).bins)
    assert [byte for byte in range(1, 256) if numbers[byte] != numbers[byte - 1]] == [
        17 * n + 1 for n in range(1, BINS)
    ]
    assert (numbers[0], numbers[255]) == (0, BINS - 1)


def test_void_counts_in_nothing() -> None:
    found = calibration.count(*image((255, 0), (255, 255), (255, 2)))
    assert int(found.pixels.sum()) == 1


def test_images_add_up_pixel_by_pixel() -> None:
    generator = np.random.default_rng(0)
    pixels = [
        (int(b), int(t)) for b, t in zip(generator.integers(0, 256, 60), generator.integers(0, 2, 60), strict=True)
    ]
    parts = [calibration.count(*image(*pixels[n : n + 20])) for n in (0, 20, 40)]
    whole = calibration.count(*image(*pixels))
    assert calibration.total(parts).to_json() == whole.to_json()


def test_a_model_that_means_what_it_says_has_next_to_no_error() -> None:
    generator = np.random.default_rng(1)
    sure = generator.integers(128, 256, 200_000)
    truth = np.where(generator.random(sure.size) < sure / 255, 0, 1)
    found = calibration.count(*image(*zip(sure.tolist(), truth.tolist(), strict=True)))
    assert found.error < 0.01


def test_nothing_but_void_says_nothing() -> None:
    found = calibration.count(*image((255, 255)))
    assert found.to_json() == {"error": None, "confidence": None, "accuracy": None, "bins": []}
