from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from competition.data.images import Pixels
from competition.data.readers.encodings import Colors, Encoding, encoding_of, read_mask_file, translate
from tests.data.making import make_settings, save

COLORS = {"#000000": "a", "#ff0000": "b", "#00ff00": "c", "#ffffff": "void", "#000001": "b"}


def decoded(path: Path, encoding: Encoding) -> tuple[list[list[int]], dict[str, int]]:
    labels = read_mask_file(path, encoding)
    assert labels.pixels.dtype == np.uint8
    return labels.pixels.tolist(), dict(labels.unknown)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_values_become_labels_and_what_means_nothing_is_counted(dtype: type[np.integer]) -> None:
    pixels, unknown = translate(np.array([[0, 1, 11], [9, 9, 200]], dtype), {0: 0, 1: 1, 11: 255})
    assert pixels.tolist() == [[0, 1, 255], [255, 255, 255]]
    assert unknown == {9: 2, 200: 1}


def test_negative_and_large_values_mean_nothing() -> None:
    assert translate(np.array([[-1, 0, 70000]], np.int32), {0: 0, 1: 1})[1] == {-1: 1, 70000: 1}


def test_a_listed_value_that_the_depth_cannot_hold_does_no_harm() -> None:
    assert translate(np.array([[255]], np.uint8), {255: 1, 65535: 1})[0].tolist() == [[1]]


@pytest.mark.parametrize(
    "mask",
    [
        np.array([[0, 255]], np.uint8),
        np.array([[0, 65535]], np.uint16),
        np.array([[False, True]]),
        np.array([[[0] * 3, [255] * 3]], np.uint8),
        np.array([[[0, 0, 0, 255], [255, 255, 255, 255]]], np.uint8),
    ],
    ids=["8-bit", "16-bit", "1-bit", "rgb", "rgba"],
)
def test_binary_masks_of_every_depth(tmp_path: Path, mask: np.ndarray[Any, Any]) -> None:
    encoding = encoding_of(make_settings(classes=2, binary=True))
    assert decoded(save(mask, tmp_path / "m.png"), encoding) == ([[0, 1]], {})


def test_grey_between_black_and_white_is_nothing(tmp_path: Path) -> None:
    encoding = encoding_of(make_settings(classes=2, binary=True, void=128))
    path = save(np.array([[0, 128, 254, 255]], np.uint8), tmp_path / "m.png")
    assert decoded(path, encoding) == ([[0, 255, 255, 1]], {"value 254": 1})


def test_void_is_stronger_than_binary(tmp_path: Path) -> None:
    encoding = encoding_of(make_settings(classes=2, binary=True, void=255))
    assert decoded(save(np.array([[0, 1, 255]], np.uint8), tmp_path / "m.png"), encoding)[0] == [[0, 1, 255]]


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "gif"])
def test_a_palette_gives_indices(tmp_path: Path, suffix: str) -> None:
    assert decoded(paletted(tmp_path / f"m.{suffix}"), encoding_of(make_settings())) == ([[0, 2, 1]], {})


def test_a_palette_gives_colours_where_these_are_listed(tmp_path: Path) -> None:
    assert decoded(paletted(tmp_path / "m.png"), encoding_of(make_settings(colors=COLORS))) == ([[0, 2, 1]], {})


def test_colours_are_classes(tmp_path: Path) -> None:
    pixels = rgb([[0, 0, 0], [255, 0, 0], [0, 255, 0], [255, 255, 255], [0, 0, 1]])
    assert decoded(save(pixels, tmp_path / "m.png"), encoding_of(make_settings(colors=COLORS))) == (
        [[0, 1, 2, 255, 1]],
        {},
    )


def test_an_unlisted_colour_is_nothing_however_near(tmp_path: Path) -> None:
    path = save(rgb([[254, 0, 0], [254, 0, 0], [0, 0, 0]]), tmp_path / "m.png")
    assert decoded(path, encoding_of(make_settings(colors=COLORS))) == ([[255, 255, 0]], {"colour #fe0000": 2})


def test_tolerance_takes_the_nearest_colour_within_it() -> None:
    encoding = Colors({0x000000: 0, 0x0A0A0A: 1}, tolerance=6)
    near = {(4, 4, 4): 0, (6, 6, 6): 1, (16, 16, 16): 1, (5, 5, 6): 1, (17, 10, 10): None}
    for color, label in near.items():
        assert encoding._nearest(color[0] << 16 | color[1] << 8 | color[2]) == label, color


def test_tolerance_works_on_files(tmp_path: Path) -> None:
    encoding = encoding_of(make_settings(colors=COLORS, tolerance=3))
    path = save(rgb([[252, 3, 0], [251, 0, 0], [2, 2, 2]]), tmp_path / "m.png")
    assert decoded(path, encoding) == ([[1, 255, 1]], {"colour #fb0000": 1})


def test_the_label_is_known_by_its_bytes(tmp_path: Path) -> None:
    encoding = encoding_of(make_settings())
    one = read_mask_file(save(np.array([[0]], np.uint8), tmp_path / "1.png"), encoding)
    two = read_mask_file(save(np.array([[1]], np.uint8), tmp_path / "2.png"), encoding)
    assert one.sha256 != two.sha256


def rgb(row: list[list[int]]) -> Pixels:
    return np.array([row], np.uint8)


def paletted(path: Path) -> Path:
    """Indices 0, 2, 1 with the palette black, red, green."""
    image = Image.new("P", (3, 1))
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    for x, value in enumerate((0, 2, 1)):
        image.putpixel((x, 0), value)
    image.save(path)
    return path
