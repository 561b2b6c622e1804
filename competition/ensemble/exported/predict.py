"""Predict label maps with the models in this folder: `python predict.py IMAGES OUT`.

Every image file in IMAGES becomes OUT/<its name>.png at the image's own size: 8-bit grey, a pixel's value is the index
of its class in config.json. On the machine that trained the models, with the versions in requirements.txt, the
competition's test images become the files of the competition's submission, byte for byte.
"""

import argparse
import json
import math
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import segmentation_models_pytorch as smp
import timm
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp")
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
VIEWS = {
    "none": [(0, False)],
    "hflip": [(0, False), (0, True)],
    "flips": [(0, False), (0, True), (2, False), (2, True)],
    "d4": [(turns, mirrored) for turns in range(4) for mirrored in (False, True)],
}
"""Quarter turns, and whether the image is mirrored before them."""
STRIDE = 32
OF_ANY_SIZE = "tu-mvitv2"  # whatever timm says of them
LEVELS = 255


def main() -> None:
    """Read the command line, predict, and write the label maps."""
    parser = argparse.ArgumentParser(description="Predict label maps with the models in this folder.")
    parser.add_argument("images", type=Path, help="folder of images")
    parser.add_argument("out", type=Path, help="folder for the label maps")
    parser.add_argument("--device", help="cpu, cuda, cuda:1 …; by default what the models were trained on, else cpu")
    given = parser.parse_args()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    config = json.loads((HERE / "config.json").read_text(encoding="utf-8"))
    wanted = given.device or config["models"][0]["device"]
    device = torch.device(wanted if given.device or wanted != "cuda" or torch.cuda.is_available() else "cpu")
    models = [Model(told, len(config["classes"]), device) for told in config["models"]]
    paths = find_images(given.images)
    given.out.mkdir(parents=True, exist_ok=True)
    for done, (name, labels) in enumerate(predictions(paths, models, config["method"]), start=1):
        if config["postprocessing"] is not None:
            labels = postprocess(labels, config["classes"], config["postprocessing"])
        Image.fromarray(labels).save(given.out / f"{name}.png")
        print(f"\r{done} of {len(paths)}", end="\n" if done == len(paths) else "", file=sys.stderr, flush=True)


def find_images(folder: Path) -> dict[str, Path]:
    """The image files of a folder by name without suffix, in the order of prediction: `frame9` before `frame10`."""
    files = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    named = {unicodedata.normalize("NFC", path.stem): path for path in files}
    if not named or len(named) < len(files):
        sys.exit(f"{folder} holds {'two images of one name' if files else 'no images'}.")
    return {name: named[name] for name in sorted(named, key=_natural)}


def _natural(name: str) -> tuple[list[tuple[str, int]], str]:
    parts = re.findall(r"([^0-9]*)([0-9]*)", name)
    return [(text.casefold(), int(number) if number else -1) for text, number in parts], name


def read_image(path: Path) -> NDArray[np.uint8]:
    """An image as uint8 RGB (H, W, 3), upright; of 16 bits the upper 8."""
    image: Image.Image = Image.open(path)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I"):
        return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, axis=2)
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def resize(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image at `size` (height, width)."""
    if image.shape[:2] == size:
        return image
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))


def predictions(paths: dict[str, Path], models: list["Model"], method: str) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Each image's name and label map. Whole numbers are added up, so the order of the models does not matter."""
    names = list(paths)
    at_once = math.lcm(*(model.batch_size for model in models))  # every model sees the batches that it saw in comp
    for start in range(0, len(names), at_once):
        some = names[start : start + at_once]
        images = [read_image(paths[name]) for name in some]
        totals: list[Any] = [0] * len(some)
        for model in models:
            for number, probabilities in enumerate(model.probabilities(images)):
                said = summands(np.rint(probabilities * np.float32(LEVELS)).astype(np.uint8), method, len(models))
                totals[number] = totals[number] + said * model.weight
        for name, total in zip(some, totals, strict=True):
            yield name, total.argmax(axis=0).astype(np.uint8)


def summands(planes: NDArray[np.uint8], method: str, models: int) -> Any:
    """What one of `models` models says, given its bytes (C, H, W): whole numbers, to be added up."""
    if method == "vote":
        first = planes.argmax(axis=0) == np.arange(len(planes))[:, None, None]
        return planes + first.astype(np.uint32) * np.uint32(LEVELS * models + 1)
    if method == "geometric":
        levels = np.maximum(np.arange(LEVELS + 1), 0.5)
        return np.rint(4096 * np.log(levels / 0.5)).astype(np.uint16)[planes]
    if method == "rank":
        return np.sum([other < planes for other in planes], axis=0).astype(np.uint8)
    return planes


def postprocess(labels: NDArray[np.uint8], classes: list[str], told: dict[str, Any]) -> NDArray[np.uint8]:
    """The label map after regions that are too small, or not the largest, and small holes took the class around them.

    A region is pixels of one class that touch, also at corners. It is judged on the label map as it was.
    """
    number = find_regions(labels)
    size = np.bincount(number.ravel())
    done = np.zeros(len(size), dtype=np.uint8)
    done[number] = labels
    beside = np.zeros((len(size), len(classes)), dtype=np.int64)  # sides shared with pixels of each other class
    for mine, theirs in (((..., slice(1, None)), (..., slice(-1))), ((slice(1, None),), (slice(-1),))):
        for one, other in ((mine, theirs), (theirs, mine)):
            differs = labels[one] != labels[other]
            np.add.at(beside, (number[one][differs], labels[other][differs]), 1)
    inside = np.ones(len(size), dtype=bool)
    for edge in (number[0], number[-1], number[:, 0], number[:, -1]):
        inside[edge] = False
    result = done.copy()
    for region in np.flatnonzero(beside.any(axis=1)):
        name, around = classes[done[region]], int(beside[region].argmax())
        gone = size[region] < told["min_size"].get(name, 0)
        if name in told["largest_only"]:
            gone = gone or region != (size * (done == done[region])).argmax()
        is_hole = inside[region] and np.count_nonzero(beside[region]) == 1
        if gone or (is_hole and size[region] <= told["hole_size"].get(classes[around], 0)):
            result[region] = around
    return result[number]


def find_regions(labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """A number for each pixel (H, W), the same where pixels of one class hang together, in reading order."""
    root = np.arange(labels.size)
    numbers = root.reshape(labels.shape)
    pairs = []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        rows, columns = labels.shape[0] - down, labels.shape[1] - abs(right)
        first = (slice(rows), slice(max(-right, 0), max(-right, 0) + columns))
        second = (slice(down, None), slice(max(right, 0), max(right, 0) + columns))
        alike = labels[first] == labels[second]
        pairs.append(np.stack([numbers[first][alike], numbers[second][alike]]))
    one, other = np.concatenate(pairs, axis=1)
    while len(one):
        low, high = np.minimum(root[one], root[other]), np.maximum(root[one], root[other])
        np.minimum.at(root, high, low)
        while (root[root] != root).any():
            root = root[root]
        apart = root[one] != root[other]
        one, other = one[apart], other[apart]
    return np.unique(root, return_inverse=True)[1].reshape(labels.shape)


class Model:
    """One network with everything that decides what it says of an image."""

    def __init__(self, told: dict[str, Any], classes: int, device: torch.device) -> None:
        self.own_code = OwnCode(told.get("code"))
        with self.own_code:
            network = build(told, classes)
        network.load_state_dict(load_file(HERE / told["file"]))
        self.network = network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in told["normalisation"])
        self.scale, self.shift = (1 / (255 * std)).to(device), (-mean / std).to(device)
        self.size = tuple(told["size"])
        self.precision, self.threads, self.strict = told["precision"], told["threads"], told["deterministic"]
        self.batch_size = told["batch_size"] if told["window"] is None else 1
        self.weight = np.asarray(told["weight"], dtype=np.uint64).reshape(-1, 1, 1)
        self.device = device
        self.look = self.forward
        views = [(scale, *view) for scale in told["scales"] for view in VIEWS[told["tta"]]]
        if views != [(1.0, 0, False)]:
            self.look = partial(average, self.look, views)
        if told["window"] is not None:
            self.look = partial(windows, self.look, told["window"], told["overlap"], told["batch_size"])

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits, float32 (N, C, h, w), of pixels (N, h, w, 3)."""
        normal = pixels.permute(0, 3, 1, 2).to(torch.float32) * self.scale + self.shift
        with torch.autocast(self.device.type, dtype=DTYPES[self.precision], enabled=self.precision != "fp32"):
            logits: Tensor = self.network(normal)
        return logits.float()

    def probabilities(self, images: list[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Of each image, float32 (C, H, W) at its own size."""
        torch.set_num_threads(self.threads)
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.deterministic = self.strict
        torch.backends.cudnn.benchmark = not self.strict
        torch.use_deterministic_algorithms(self.strict, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # costs time
        for start in range(0, len(images), self.batch_size):
            some = images[start : start + self.batch_size]
            with torch.inference_mode(), self.own_code:
                batch = torch.from_numpy(np.stack([resize(image, self.size) for image in some]))
                for image, logits in zip(some, self.look(batch.to(self.device)), strict=True):
                    if not torch.isfinite(logits).all():
                        sys.exit("A model's answer is not finite.")
                    found = logits
                    if logits.shape[1:] != image.shape[:2]:
                        found = interpolated(logits[None], image.shape[:2])[0]
                    yield found.softmax(0).cpu().numpy()


class OwnCode:
    """The modules that a model of the team's own was trained with; a context manager that makes them importable.

    Two models may have been trained with different modules of one name. So each keeps its own, and they leave
    `sys.modules` with it.
    """

    def __init__(self, folder: str | None) -> None:
        self.folder = None if folder is None else HERE / folder
        self.names = set() if self.folder is None else {path.stem for path in self.folder.iterdir()}
        self.modules: dict[str, Any] = {}

    def __enter__(self) -> None:
        if self.folder is not None:
            sys.path.insert(0, str(self.folder))
            sys.modules.update(self.modules)

    def __exit__(self, *error: object) -> None:
        if self.folder is not None:
            sys.path.remove(str(self.folder))
            self.modules = {name: found for name, found in sys.modules.items() if name.partition(".")[0] in self.names}
            for name in self.modules:
                del sys.modules[name]


def build(told: dict[str, Any], classes: int) -> nn.Module:
    """A network without its weights: of the library, or by the team's own code."""
    network: nn.Module
    if told["target"] is None:
        network = smp.create_model(
            told["architecture"], told["encoder"], None, in_channels=3, classes=classes, **for_size(told)
        )
    else:
        module, _, name = told["target"].partition(":")
        network = getattr(import_module(module), name)(classes=classes)
    return network


def for_size(told: dict[str, Any]) -> dict[str, Any]:
    """What tells an encoder that is made for one size of image which it is."""
    encoder = told["encoder"]
    if not encoder.startswith("tu-") or encoder.startswith(OF_ANY_SIZE):
        return {}
    known = timm.models.get_pretrained_cfg(encoder.removeprefix("tu-"))
    return {"img_size": tuple(told["train_size"])} if known is not None and known.fixed_input_size else {}


def average(look: Any, views: list[tuple[float, int, bool]], pixels: Tensor) -> Tensor:
    """The logarithm of the mean of the views' probabilities."""
    total: Any = None
    for scale, turns, mirrored in views:
        seen = scaled(pixels, scale)
        seen = torch.rot90(seen.flip(2) if mirrored else seen, turns, (1, 2))
        found = torch.rot90(look(seen.contiguous()).softmax(1), -turns, (2, 3))
        found = found.flip(3) if mirrored else found
        if found.shape[2:] != pixels.shape[1:3]:
            found = interpolated(found, pixels.shape[1:3])
        total = found if total is None else total + found
    return torch.log((total / len(views)).clamp(min=torch.finfo(total.dtype).tiny))


def interpolated(values: Tensor, size: Any) -> Tensor:
    """Values (N, C, h, w) as (N, C, H, W), in the form that has no gradient: the other is slow on a GPU."""
    strict = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    result = F.interpolate(values, size=tuple(size), mode="bilinear", align_corners=False)
    torch.use_deterministic_algorithms(strict, warn_only=True)
    return result


def scaled(pixels: Tensor, scale: float) -> Tensor:
    """The pixels (N, h, w, 3) at about `scale` times their size: sides that the network takes."""
    if scale == 1:
        return pixels
    size = tuple(max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in pixels.shape[1:3])
    channels_first = pixels.permute(0, 3, 1, 2).float()
    resized = F.interpolate(channels_first, size=size, mode="bilinear", align_corners=False, antialias=True)
    return resized.permute(0, 2, 3, 1)


def windows(look: Any, window: list[int], overlap: float, at_once: int, pixels: Tensor) -> Tensor:
    """One image's logits (1, C, h, w): the mean over windows, each by a Gaussian around its middle."""
    image = pixels[0]
    height, width = (min(side, whole) for side, whole in zip(window, image.shape[:2], strict=True))
    weight = gaussian(height, width).to(image.device)
    places = [(y, x) for y in starts(image.shape[0], height, overlap) for x in starts(image.shape[1], width, overlap)]
    total: Any = None
    weights = torch.zeros(image.shape[:2], device=image.device)
    for start in range(0, len(places), at_once):
        some = places[start : start + at_once]
        found = look(torch.stack([image[y : y + height, x : x + width] for y, x in some]))
        if total is None:
            total = torch.zeros((found.shape[1], *image.shape[:2]), device=image.device)
        for (y, x), logits in zip(some, found, strict=True):
            total[:, y : y + height, x : x + width] += logits * weight
            weights[y : y + height, x : x + width] += weight
    return torch.div(total, weights)[None]


def starts(length: int, window: int, overlap: float) -> list[int]:
    """Where windows begin that cover `length` pixels, neighbours sharing at least `overlap` of one."""
    if length <= window:
        return [0]
    steps = math.ceil((length - window) / max(1.0, window * (1 - overlap)))
    return [round(step * (length - window) / steps) for step in range(steps + 1)]


@lru_cache(maxsize=4)
def gaussian(height: int, width: int) -> Tensor:
    """Weights (height, width), largest in the middle."""
    axes = [torch.exp(-(((torch.arange(n) + 0.5) / n - 0.5) ** 2) / (2 * (1 / 8) ** 2)) for n in (height, width)]
    return torch.outer(*axes).clamp(min=1e-3)


if __name__ == "__main__":
    main()
