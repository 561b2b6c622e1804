from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.errors import DataError
from competition.submission.formats import Format, write
from competition.submission.layout import Layout, Prediction
from competition.submission.readback import Readback, check
from competition.submission.sample import Sample, read_sample

A = np.array([[0, 1, 1], [1, 0, 1]], np.uint8)
B = np.zeros((3, 2), np.uint8)
PREDICTIONS: list[Prediction] = [("a", "a.jpg", A), ("b", "b.jpg", B)]
IMAGES = {"a": "a.jpg", "b": "b.jpg"}
IN_OUR_ORDER = "ImageId,EncodedPixels\na,1 1\nb,\n"


def sample(folder: Path, text: str) -> Sample:
    path = folder / "sample.csv"
    path.write_text(text, encoding="utf-8")
    return read_sample(path)


def written(folder: Path, form: Format, kept: Sample | None = None) -> tuple[Path, Readback]:
    layout = Layout(
        ("background", "cat"),
        images=IMAGES,
        sample=kept,
        size=(4, 4),
        colours={"background": (0, 0, 0), "cat": (9, 9, 9)},
    )
    target, readback = folder / f"submission{form.suffix}", Readback(form, layout)
    write(form, readback.watch(PREDICTIONS), target, layout)
    return target, readback


@pytest.mark.parametrize("form", [f for f in Format if f is not Format.LABELS_CSV])
def test_what_fits_passes(tmp_path: Path, form: Format) -> None:
    target, readback = written(tmp_path, form)
    check(target, sample(tmp_path, IN_OUR_ORDER), readback)


@pytest.mark.parametrize("form", [Format.RLE_CSV, Format.LABELS_CSV])
def test_what_follows_the_sample_passes(tmp_path: Path, form: Format) -> None:
    kept = sample(tmp_path, "img,answer\nb.jpg,\na.jpg,\n")
    target, readback = written(tmp_path, form, kept)
    check(target, kept, readback)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ImageId,EncodedPixels\nb,\na,\n", "row 1 is a; in the sample it is b"),
        ("ImageId,Pixels\na,\nb,\n", "the columns are ImageId, EncodedPixels; the sample has ImageId, Pixels"),
        ("ImageId,EncodedPixels\na,\nb,\nc,\n", "it has no row for c"),
        ("ImageId,EncodedPixels\na,\n", "it has a row too many for b"),
    ],
)
def test_what_differs_from_the_sample_is_named(tmp_path: Path, text: str, why: str) -> None:
    target, readback = written(tmp_path, Format.RLE_CSV)
    with pytest.raises(DataError, match=why) as caught:
        check(target, sample(tmp_path, text), readback)
    assert "--sample" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("a,2 2 5 2", "a,2 2 5 1", "the prediction for a does not decode to what was written"),
        ("a,2 2 5 2", "a,2 2 5 9", "a run ends at pixel 13, but the image of 2x3 has 6 pixels"),
        ("b,\n", "", "it holds no prediction for b"),
        ("b,\n", "b,\nb,\n", "1 of its rows stand there twice"),
    ],
)
def test_a_file_that_was_changed_does_not_pass(tmp_path: Path, old: str, new: str, why: str) -> None:
    target, readback = written(tmp_path, Format.RLE_CSV)
    text = target.read_text()
    assert old in text
    target.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=why):
        check(target, sample(tmp_path, IN_OUR_ORDER), readback)


def test_a_png_that_was_changed_does_not_pass(tmp_path: Path) -> None:
    target, readback = written(tmp_path, Format.PNG)
    Image.fromarray(1 - A).save(target / "a.png")
    with pytest.raises(DataError, match="the prediction for a does not decode"):
        check(target, sample(tmp_path, IN_OUR_ORDER), readback)


def test_images_of_a_folder_are_compared_with_the_sample(tmp_path: Path) -> None:
    target, readback = written(tmp_path, Format.PNG)
    with pytest.raises(DataError, match="'c' is no test image"):
        check(target, sample(tmp_path, IN_OUR_ORDER + "c,\n"), readback)
