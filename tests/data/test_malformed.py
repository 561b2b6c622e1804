"""Mistakes that people really make: each is one clear error, without a traceback, and nothing is written."""

import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Comp, save

SIZE = (8, 10)
FOLDERS = ("--images", "images", "--masks", "masks", "--classes", "classes.txt")
RLE = ("--images", "images", "--rle-csv", "train.csv")
COCO = ("--images", "images", "--coco", "train.json")
PAIRS = ("--pairs", "pairs.csv", "--classes", "classes.txt")
COLORS = ("--images", "images", "--masks", "masks", "--colors", "colors.csv")
IGNORE = (*FOLDERS, "--ignore", "fov")


@pytest.fixture(autouse=True)
def sound_data() -> None:
    """Two images with masks, run lengths, COCO annotations, pairs and colours, all in order."""
    for name in ("a", "b"):
        save(Path(f"images/{name}.png"), np.full((*SIZE, 3), 90, np.uint8))
        save(Path(f"masks/{name}.png"), np.eye(*SIZE, dtype=np.uint8))
        save(Path(f"fov/{name}.png"), np.ones(SIZE, np.uint8))
    Path("classes.txt").write_text("street\ncar\n")
    Path("train.csv").write_text("ImageId,EncodedPixels\na,1 3\nb,\n")
    Path("train.json").write_text(json.dumps(coco()))
    Path("pairs.csv").write_text("image,mask\nimages/a.png,masks/a.png\nimages/b.png,masks/b.png\n")
    Path("colors.csv").write_text("street,#000000\ncar,#010101\n")


def coco(**changes: Any) -> dict[str, Any]:
    """A COCO file about the two images, with one object, whose parts are changed by `image={…}` and so on."""
    image = {"id": 1, "file_name": "a.png", "height": SIZE[0], "width": SIZE[1], **changes.pop("image", {})}
    category = {"id": 1, "name": "car", **changes.pop("category", {})}
    segmentation = [[1, 1, 5, 1, 5, 5, 1, 5]]
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": segmentation}
    annotation |= changes.pop("annotation", {})
    other = {"id": 2, "file_name": "b.png", "height": SIZE[0], "width": SIZE[1]}
    return {"images": [image, other], "categories": [category], "annotations": [annotation], **changes}


def png(*, cut: int | None = None, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.RandomState(0).randint(0, 255, (*SIZE, 3), np.uint8)).save(buffer, "PNG", **options)
    return buffer.getvalue()[:cut]


def huge_png() -> bytes:
    """A PNG of a few bytes that says it is 100,000 pixels wide and high."""
    data = png()
    header = b"IHDR" + (100_000).to_bytes(4, "big") * 2 + data[24:29]
    return data[:12] + header + zlib.crc32(header).to_bytes(4, "big") + data[33:]


def as_kind(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def file(path: str, content: str | bytes) -> Callable[[], object]:
    def write() -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content.encode() if isinstance(content, str) else content)

    return write


def mask(values: Any, *, dtype: type[np.generic] = np.uint8, name: str = "masks/a.png") -> Callable[[], object]:
    pixels = np.zeros(SIZE, dtype)
    pixels.ravel()[: np.size(values)] = values
    return lambda: save(Path(name), pixels)


def rle(rows: str, header: str = "ImageId,EncodedPixels") -> Callable[[], object]:
    return file("train.csv", f"{header}\n{rows}\n")


def annotations(**changes: Any) -> Callable[[], object]:
    return file("train.json", json.dumps(coco(**changes)))


def polygon(*numbers: float) -> Callable[[], object]:
    return annotations(annotation={"segmentation": [list(numbers)]})


def runs(counts: Any, size: tuple[int, int] = SIZE) -> Callable[[], object]:
    return annotations(annotation={"segmentation": {"size": list(size), "counts": counts}})


def gone(path: str) -> Callable[[], object]:
    return lambda: Path(path).unlink()


def animation() -> None:
    frames = [Image.fromarray(np.full(SIZE, value, np.uint8)) for value in (0, 1)]
    frames[0].save("images/a.gif", save_all=True, append_images=frames[1:])
    Path("images/a.png").unlink()


IMAGES = {
    "empty image": (file("images/a.png", b""), FOLDERS, "images/a.png cannot be read: it is empty"),
    "truncated png": (file("images/a.png", png(cut=150)), FOLDERS, "images/a.png cannot be read: it is damaged"),
    "png cut in its header": (file("images/a.png", png(cut=20)), FOLDERS, "images/a.png cannot be read"),
    "truncated jpeg": (file("images/a.png", as_kind("JPEG")[:300]), FOLDERS, "images/a.png"),
    "jpeg named png": (file("images/a.png", as_kind("JPEG")), FOLDERS, "has the contents of a JPEG file: rename it"),
    "jpeg mask named png": (
        file("masks/a.png", as_kind("JPEG")),
        FOLDERS,
        "masks/a.png has the contents of a JPEG",
    ),
    "ppm named png": (file("images/a.png", as_kind("PPM")), FOLDERS, "has the contents of a PPM file"),
    "text named png": (file("images/a.png", "hello"), FOLDERS, "it is damaged, or not an image"),
    "html error page named png": (file("images/a.png", "<html>404</html>"), FOLDERS, "not an image"),
    "png of absurd size": (file("images/a.png", huge_png()), FOLDERS, "images/a.png cannot be read"),
    "flipped bytes in png": (file("images/a.png", png()[:60] + b"\x00" * 40 + png()[100:]), FOLDERS, "images/a.png"),
    "animation": (animation, FOLDERS, "holds 2 images"),
    "float image": (
        lambda: (save(Path("images/a.tif"), np.zeros(SIZE, np.float32)), Path("images/a.png").unlink()),
        FOLDERS,
        "floating-point",
    ),
    "image without mask": (gone("masks/a.png"), FOLDERS, "The image a.png has no mask"),
    "mask without image": (gone("images/a.png"), FOLDERS, "The mask a.png has no image"),
    "one stem twice": (file("images/a.jpg", as_kind("JPEG")), FOLDERS, "a.jpg and a.png have the same stem"),
    "a folder named like an image": (lambda: Path("images/c.png").mkdir(), FOLDERS, "The image c.png has no mask"),
    "images and masks in one folder": (
        lambda: None,
        (*FOLDERS, "--masks", "images"),
        "images and masks: use two folders",
    ),
    "pattern without stem": (lambda: None, (*FOLDERS, "--mask-pattern", "mask"), "{stem}"),
}

MASKS = {
    "mask of another size": (
        lambda: save(Path("masks/a.png"), np.zeros((4, 4), np.uint8)),
        FOLDERS,
        "is 8x10, but its mask is 4x4",
    ),
    "value past the classes": (mask(7), FOLDERS, "Mask value 7 is not a class (0..1): 1 pixels in 1 of 2 masks"),
    "grey edges in a binary mask": (
        lambda: (mask([255, 254])(), mask(255, name="masks/b.png")()),
        (*FOLDERS, "--binary"),
        "Mask value 254 is not 0, 1, 255 or 65535",
    ),
    "16-bit value past the classes": (mask(300, dtype=np.uint16), FOLDERS, "Mask value 300"),
    "32-bit mask": (
        lambda: (save(Path("masks/a.tif"), np.full(SIZE, 70000, np.int32)), Path("masks/a.png").unlink()),
        FOLDERS,
        "Mask value 70000",
    ),
    "colour image for a mask": (file("masks/a.png", png()), FOLDERS, "masks/a.png is a colour image"),
    "unlisted colour": (
        lambda: save(Path("masks/a.png"), np.full((*SIZE, 3), 9, np.uint8)),
        COLORS,
        "Mask colour #090909 is not in the list of colours: 80 pixels in 1 of 2 masks, first in a.png",
    ),
    "colour of an unknown class": (
        file("colors.csv", "street,#000000\ncar,#010101\nbus,#020202\n"),
        (*COLORS, "--classes", "classes.txt"),
        "'bus', which is no class",
    ),
    "colour twice": (file("colors.csv", "a,#000000\nb,#000000\n"), COLORS, "line 2: #000000 already stands for 'a'"),
    "colour that is none": (file("colors.csv", "a,black\n"), COLORS, "line 1: 'a,black' is not name,#rrggbb"),
    "binary with three classes": (file("classes.txt", "a\nb\nc\n"), (*FOLDERS, "--binary"), "two classes"),
    "ignore mask missing": (gone("fov/b.png"), IGNORE, "The image b.png has no ignore mask"),
    "ignore mask of another size": (
        lambda: save(Path("fov/b.png"), np.ones((3, 3), np.uint8)),
        IGNORE,
        "b.png is 3x3, but its image is 8x10",
    ),
    "ignore folder missing": (lambda: None, (*FOLDERS, "--ignore", "nowhere"), "nowhere, does not exist"),
}

RUNS = {
    "odd number of numbers": (rle("a,1 3 5\nb,"), RLE, "line 2: 3 numbers cannot be pairs"),
    "run past the end": (rle("a,79 4\nb,"), RLE, "a run ends at pixel 82, but the image of 8x10 has 80 pixels"),
    "start past the end": (rle("a,81 1\nb,"), RLE, "a run ends at pixel 81, but the image of 8x10 has 80 pixels"),
    "astronomical run": (rle("a,1 99999999999999999999\nb,"), RLE, "holds a number larger than any image"),
    "overlapping runs": (rle("a,1 4 3 2\nb,"), RLE, "the run at pixel 3 overlaps the run before it"),
    "run from 0": (rle("a,0 4\nb,"), RLE, "a run starts at pixel 0, but the first pixel is 1"),
    "run of nothing": (rle("a,5 0\nb,"), RLE, "the run at pixel 5 has the length 0"),
    "negative run": (rle("a,5 -2\nb,"), RLE, "'5 -2' is not a list of whole numbers"),
    "words for runs": (rle("a,none\nb,"), RLE, "'none' is not a list of whole numbers"),
    "floats for runs": (rle("a,1.0 3.0\nb,"), RLE, "'1.0 3.0' is not a list of whole numbers"),
    "nan for an id": (rle("a,1 3\nnan,1 2\nb,"), RLE, "line 3: the row names no image"),
    "no id": (rle("a,1 3\n,1 2\nb,"), RLE, "line 3: the row names no image"),
    "id of no image": (rle("a,1 3\nc,1 2\nb,"), RLE, "line 3: there is no image 'c'"),
    "no id of any image": (rle("x,1 3\ny,1 2"), RLE, "No column of"),
    "the same row twice": (rle("a,1 3\na,1 3\nb,"), RLE, "two rows of image 'a' are the same"),
    "object and no object": (rle("a,1 3\na,\nb,"), RLE, "a row without an object and rows with one"),
    "cell too many": (rle("a,1 3,4\nb,"), RLE, "line 2, has 3 cells; the header has 2"),
    "header alone": (rle(""), RLE, "has no rows below its header"),
    "empty csv": (file("train.csv", ""), RLE, "is empty"),
    "column twice": (rle("a,1 3", "ImageId,ImageId"), RLE, "two columns called 'ImageId'"),
    "utf-16 csv": (
        file("train.csv", "ImageId,EncodedPixels\na,1 3\n".encode("utf-16")),
        RLE,
        "not a CSV file in UTF-8",
    ),
    "binary csv": (file("train.csv", png()), RLE, "not a CSV file in UTF-8"),
    "open quote": (rle('a,"1 3\nb,'), RLE, "not a CSV file in UTF-8"),
    "csv that is not there": (gone("train.csv"), RLE, "train.csv cannot be read: No such file"),
    "csv that is a folder": (lambda: None, (*RLE, "--rle-csv", "masks"), "masks cannot be read: Is a directory"),
    "column that is not there": (lambda: None, (*RLE, "--rle-column", "Pixels"), "no column 'Pixels'"),
    "unknown class": (
        rle("a,1 3,bus\nb,,car", "ImageId,EncodedPixels,class"),
        (*RLE, "--classes", "classes.txt"),
        "line 2: 'bus' is not a class",
    ),
}

LISTS = {
    "broken json": (file("train.json", '{"images": ['), COCO, "train.json is not a JSON file"),
    "json list": (file("train.json", "[]"), COCO, "no list `images`"),
    "deep json": (file("train.json", "[" * 100_000), COCO, "train.json is not a JSON file"),
    "no images": (annotations(images=[]), COCO, "lists no images"),
    "annotations of numbers": (annotations(annotations=[1]), COCO, "`annotations` is not a list of objects"),
    "json that is not there": (gone("train.json"), COCO, "train.json cannot be read: No such file"),
    "image that is not there": (annotations(image={"file_name": "c.png"}), COCO, "images/c.png does not exist"),
    "way out of the folder": (annotations(image={"file_name": "../images/a.png"}), COCO, "leads out of the folder"),
    "way out in the middle": (annotations(image={"file_name": "x/../../a.png"}), COCO, "leads out of the folder"),
    "way out on windows": (annotations(image={"file_name": "..\\a.png"}), COCO, "leads out of the folder"),
    "absolute path": (annotations(image={"file_name": "/etc/passwd"}), COCO, "is an absolute path"),
    "absolute path on windows": (annotations(image={"file_name": "C:\\a.png"}), COCO, "is an absolute path"),
    "line break in a name": (annotations(image={"file_name": "a\n.png"}), COCO, "cannot be printed"),
    "zero byte in a name": (annotations(image={"file_name": "a\0.png"}), COCO, "cannot be printed"),
    "number for a name": (annotations(image={"file_name": 7}), COCO, "file_name 7 is refused"),
    "image id twice": (annotations(image={"id": 2}), COCO, "two images have the id 2"),
    "image twice": (annotations(image={"file_name": "b.png"}), COCO, "b.png and b.png have the same stem"),
    "text for an image id": (
        annotations(image={"id": "1"}, annotations=[]),
        COCO,
        "an id is a whole number",
    ),
    "image without size": (
        annotations(image={"height": None}, annotations=[]),
        COCO,
        "its height None or",
    ),
    "wrong size": (annotations(image={"height": 9}), COCO, "is 8x10, but train.json says 9x10"),
    "turned size": (annotations(image={"height": 10, "width": 8}), COCO, "ignore its EXIF orientation"),
    "missing category": (annotations(annotation={"category_id": 5}), COCO, "no category with the id 5"),
    "no categories": (annotations(categories=[], annotations=[]), COCO, "2 to 254 classes"),
    "category id twice": (
        annotations(categories=[{"id": 1, "name": "car"}, {"id": 1, "name": "bus"}]),
        COCO,
        "two categories have the id 1",
    ),
    "category without name": (annotations(category={"name": ""}, annotations=[]), COCO, "a text `name`"),
    "object on no image": (annotations(annotation={"image_id": 9}), COCO, "no image with the id 9"),
    "annotation id twice": (
        annotations(annotations=2 * coco()["annotations"]),
        COCO,
        "annotation 1: its id is not a whole number, or another annotation has the same id",
    ),
    "no segmentation": (annotations(annotation={"segmentation": []}), COCO, "it has no segmentation"),
    "polygon outside the image": (polygon(20, 20, 25, 20, 25, 25), COCO, "lies outside the image of 8x10"),
    "polygon far beyond the image": (polygon(1, 1, 1e9, 1, 1, 5), COCO, "reaches far outside the image"),
    "polygon without area": (polygon(1, 1, 5, 5, 3, 3), COCO, "a polygon has no area"),
    "polygon of two points": (polygon(1, 1, 5, 5), COCO, "at least 3 pairs"),
    "polygon of odd length": (polygon(1, 1, 5, 1, 5, 5, 2), COCO, "at least 3 pairs of x and y, not 7 numbers"),
    "nan in a polygon": (polygon(1, 1, float("nan"), 1, 5, 5), COCO, "a list of finite numbers"),
    "infinity in a polygon": (polygon(1, 1, float("inf"), 1, 5, 5), COCO, "a list of finite numbers"),
    "text in a polygon": (annotations(annotation={"segmentation": [["1"] * 6]}), COCO, "a list of finite numbers"),
    "runs that fall short": (runs([10, 5]), COCO, "add up to the 80 pixels"),
    "runs too long": (runs([70, 20]), COCO, "add up to the 80 pixels"),
    "negative runs": (runs([90, -10]), COCO, "whole numbers from 0 to 80"),
    "runs of another size": (runs([80], (10, 8)), COCO, "its RLE has the size [10, 8], but the image has [8, 10]"),
    "damaged compressed runs": (runs("~~~~"), COCO, "the compressed counts of its RLE are damaged"),
    "compressed runs cut off": (runs("Q"), COCO, "the compressed counts of its RLE are damaged"),
    "compressed runs too long": (runs("0oooooI"), COCO, "RLE"),
    "pair that is not there": (file("pairs.csv", "image,mask\nx.png,masks/a.png\n"), PAIRS, "x.png does not exist"),
    "pair out of the folder": (file("pairs.csv", "image,mask\n../x.png,masks/a.png\n"), PAIRS, "leads out"),
    "pair without mask": (file("pairs.csv", "image,mask\nimages/a.png,\n"), PAIRS, "line 2: '' cannot be the name"),
    "pairs without column": (file("pairs.csv", "img,mask\nimages/a.png,masks/a.png\n"), PAIRS, "no column 'image'"),
    "pair twice": (
        file("pairs.csv", "image,mask\nimages/a.png,masks/a.png\nimages/a.png,masks/b.png\n"),
        PAIRS,
        "occurs twice",
    ),
    "two forms at once": (lambda: None, (*FOLDERS, "--coco", "train.json"), "--masks and --coco are different forms"),
    "void with run lengths": (lambda: None, (*RLE, "--void", "255"), "void is a value of mask files"),
}

CORPUS = IMAGES | MASKS | RUNS | LISTS


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.replace(" ", "-"))
def test_it_is_one_clear_error(comp: Comp, case: str) -> None:
    break_something, options, complaint = CORPUS[case]
    break_something()
    message = comp.error("init", *options)
    assert complaint in message, message
    assert message.startswith("Error: ")
    assert "1 problem\n" in message or "problems" not in message, message
    assert not any(Path(name).exists() for name in ("competition.yaml", "baseline.yaml", "runs"))


@pytest.mark.parametrize("options", [FOLDERS, RLE, COCO, PAIRS, COLORS, IGNORE], ids=lambda o: o[-2].strip("-"))
def test_the_data_is_in_order_before_it_is_broken(comp: Comp, options: tuple[str, ...]) -> None:
    comp.ok("init", *options)


ODD = {
    "byte-order mark": (file("train.csv", "\ufeffImageId,EncodedPixels\na,1 3\nb,\n"), RLE),
    "windows line ends": (file("train.csv", "ImageId,EncodedPixels\r\na,1 3\r\nb,\r\n"), RLE),
    "quoted cells": (file("train.csv", '"ImageId","EncodedPixels"\n"a","1 3"\n"b",""\n'), RLE),
    "spaces around cells": (rle(" a , 1 3 \nb, ", "ImageId , EncodedPixels"), RLE),
    "runs in any order": (rle("a,9 2 1 3\nb,"), RLE),
    "byte-order mark in json": (file("train.json", b"\xef\xbb\xbf" + json.dumps(coco()).encode()), COCO),
    "polygon over the edge": (polygon(-1, -1, 5, -1, 5, 5, -1, 5), COCO),
    "upper-case suffix": (lambda: Path("images/a.png").rename("images/a.PNG"), FOLDERS),
    "byte-order mark in classes": (file("classes.txt", "\ufeffstreet\r\ncar\r\n"), FOLDERS),
}


@pytest.mark.parametrize("case", ODD, ids=lambda case: case.replace(" ", "-"))
def test_what_is_merely_odd_is_read(comp: Comp, case: str) -> None:
    change, options = ODD[case]
    change()
    comp.ok("init", *options)


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 60
