import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from competition.data.images import (
    decode_image,
    decode_mask,
    measure_image,
    read_image,
    read_mask,
    resize_image,
    resize_labels,
)
from competition.errors import DataError
from tests.data.making import save

RGB = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


def test_rgb_is_read_unchanged(tmp_path: Path) -> None:
    image = read_image(save(RGB, tmp_path / "a.png"))
    np.testing.assert_array_equal(image, RGB)
    assert image.flags.writeable


def test_transparency_is_dropped(tmp_path: Path) -> None:
    rgba = np.dstack([RGB, np.full((2, 4), 7, np.uint8)])
    np.testing.assert_array_equal(read_image(save(rgba, tmp_path / "a.png")), RGB)


def test_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    image = read_image(save(RGB[..., 0], tmp_path / "a.png"))
    np.testing.assert_array_equal(image, np.repeat(RGB[..., :1], 3, axis=2))


def test_sixteen_bits_become_the_upper_eight(tmp_path: Path) -> None:
    deep = np.array([[0, 255, 256, 65535]], np.uint16)
    assert read_image(save(deep, tmp_path / "a.png"))[0, :, 1].tolist() == [0, 0, 1, 255]


def test_a_palette_is_colours_in_an_image_and_indices_in_a_mask(tmp_path: Path) -> None:
    paletted = Image.fromarray(np.array([[0, 2, 1]], np.uint8), mode=None).convert("P")
    paletted.putdata([0, 2, 1])
    paletted.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    paletted.save(tmp_path / "a.png", transparency=b"\x00\xff\x80")
    assert read_image(tmp_path / "a.png")[0].tolist() == [[255, 0, 0], [0, 0, 255], [0, 255, 0]]
    assert read_mask(tmp_path / "a.png").tolist() == [[0, 2, 1]]


def test_exif_turns_image_and_mask(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn clockwise by 90 degrees
    np.testing.assert_array_equal(read_image(save(RGB, tmp_path / "a.png", exif=exif)), np.rot90(RGB, -1))
    mask = RGB[..., 0]
    np.testing.assert_array_equal(read_mask(save(mask, tmp_path / "m.png", exif=exif)), np.rot90(mask, -1))
    assert measure_image((tmp_path / "a.png").read_bytes(), tmp_path / "a.png") == (4, 2)


def test_masks_of_every_depth_keep_their_values(tmp_path: Path) -> None:
    assert read_mask(save(np.array([[0, 65535]], np.uint16), tmp_path / "16.png")).tolist() == [[0, 65535]]
    assert read_mask(save(np.array([[0, 70000]], np.int32), tmp_path / "32.tif")).tolist() == [[0, 70000]]
    assert read_mask(save(np.array([[False, True]]), tmp_path / "1.png")).tolist() == [[0, 1]]


def test_a_mask_saved_as_rgb_is_read_if_it_is_grey(tmp_path: Path) -> None:
    grey = np.repeat(np.array([[[0], [3]]], np.uint8), 3, axis=2)
    assert read_mask(save(grey, tmp_path / "a.png")).tolist() == [[0, 3]]
    with pytest.raises(DataError, match=r"c\.png is a colour image"):
        read_mask(save(RGB, tmp_path / "c.png"))


def test_floats_are_refused(tmp_path: Path) -> None:
    path = save(np.zeros((2, 2), np.float32), tmp_path / "f.tif")
    with pytest.raises(DataError, match=r"f\.tif holds floating-point values"):
        read_image(path)
    with pytest.raises(DataError, match=r"f\.tif cannot be a mask"):
        read_mask(path)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "it is empty"), (b"not an image", "it is damaged, or not an image"), (None, "No such file")],
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.png cannot be read: {why}"):
        read_image(path)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow may remark on what it could make nothing of
@pytest.mark.parametrize("suffix", ["png", "jpeg", "tiff", "gif", "bmp", "webp"])
@given(cut=st.integers(0, 2000), flip=st.integers(0, 2000))
def test_damaged_bytes_raise_data_errors_only(suffix: str, cut: int, flip: int) -> None:
    buffer = io.BytesIO()
    noise = np.random.RandomState(0).randint(0, 255, (16, 16), np.uint8)
    Image.fromarray(noise).save(buffer, suffix)
    data = bytearray(buffer.getvalue())
    data[flip % len(data)] ^= 255
    for decode in (decode_image, decode_mask, measure_image):
        for damaged in (bytes(data[: cut % len(data)]), bytes(data)):
            with contextlib.suppress(DataError):
                decode(damaged, Path(f"a.{suffix}"))


def test_a_file_must_be_what_its_name_says(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png", "JPEG")
    with pytest.raises(DataError, match=r"a\.png has the contents of a JPEG file: rename it to end in \.jpg"):
        read_image(tmp_path / "a.png")
    Image.fromarray(RGB).save(tmp_path / "b.png", "PPM")
    with pytest.raises(DataError, match=r"b\.png has the contents of a PPM file: comp cannot read these"):
        read_image(tmp_path / "b.png")
    assert read_image(save(RGB, tmp_path / "C.JPEG")).shape == (2, 4, 3)


@pytest.mark.parametrize("suffix", ["gif", "tiff"])
def test_a_file_of_several_pictures_is_refused(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (1, 2, 3)]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match="holds 3 images"):
        read_mask(tmp_path / f"a.{suffix}")


def test_shrinking_averages() -> None:
    checks = np.zeros((8, 8, 3), np.uint8)
    checks[::2] = 200
    assert abs(resize_image(checks, (2, 2)).astype(int) - 100).max() <= 15
    assert resize_image(checks, (4, 6)).shape == (4, 6, 3)


def test_labels_take_the_nearest() -> None:
    labels = np.array([[0, 1], [2, 255]], np.uint8)
    assert resize_labels(labels, (4, 2)).tolist() == [[0, 1], [0, 1], [2, 255], [2, 255]]
    assert resize_labels(np.arange(4, dtype=np.uint8)[None], (1, 2)).tolist() == [[1, 3]]
    assert resize_labels(labels, (2, 2)) is labels


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_a_resized_label_comes_from_under_its_pixels_centre(
    height: int, width: int, new_height: int, new_width: int
) -> None:
    labels = np.arange(height * width, dtype=np.uint8).reshape(height, width)
    resized = resize_labels(labels, (new_height, new_width))
    rows, columns = np.divmod(resized, width)
    assert np.abs(rows.T + 0.5 - (np.arange(new_height) + 0.5) * height / new_height).max() <= 0.5 + 1e-9
    assert np.abs(columns + 0.5 - (np.arange(new_width) + 0.5) * width / new_width).max() <= 0.5 + 1e-9
