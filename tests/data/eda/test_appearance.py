import numpy as np
import pytest

from competition.data.eda.appearance import FEATURES, NAMES, measure


def by_name(image: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, measure(image).tolist(), strict=True))


def test_a_plain_colour_by_hand() -> None:
    image = np.full((4, 6, 3), (200, 100, 50), np.uint8)
    found = by_name(image)
    assert found["brightness"] == pytest.approx(0.299 * 200 + 0.587 * 100 + 0.114 * 50, abs=1e-3)
    assert found["contrast"] == pytest.approx(0, abs=1e-3)
    assert found["saturation"] == 150
    assert found["red - green"] == 100
    assert found["blue - yellow"] == -100
    assert found["sharpness"] == pytest.approx(0, abs=1e-3)
    assert found["dark share"] == found["bright share"] == 0


def test_stripes_by_hand() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:, ::2] = 255
    found = by_name(image)
    assert found["brightness"] == pytest.approx(127.5)
    assert found["contrast"] == pytest.approx(127.5)
    assert found["sharpness"] == pytest.approx((0 + 255) / 2)
    assert found["dark share"] == found["bright share"] == 0.5


def test_a_single_pixel_has_every_feature() -> None:
    features = measure(np.full((1, 1, 3), 7, np.uint8))
    assert features.shape == (len(FEATURES),)
    assert np.isfinite(features).all()
