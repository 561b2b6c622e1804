"""Reader of COCO JSON files: images, the objects on each (polygons or RLE), and the categories of objects."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from competition.data.naming import ids_of, natural_key
from competition.data.readers.coco_shapes import Shape, inside_of, read_shape, rle_of_shape
from competition.data.readers.listing import refusal_of_name
from competition.data.readers.source import Labels, Listing, Source
from competition.errors import DataError
from competition.files import sha256_of_json

BACKGROUND = "background"


@dataclass(frozen=True)
class CocoImage:
    """An entry of `images`; `size` is (height, width), pixels."""

    id: int
    file_name: str
    size: tuple[int, int]


@dataclass(frozen=True)
class CocoObject:
    """An entry of `annotations`: the name of its category, and its shape."""

    category: str
    shape: Shape


@dataclass(frozen=True)
class CocoFile:
    """The contents of a COCO JSON.

    Args:
        category_ids: by name, in the order of the ids.
        images: by id.
        objects: of each image by its id, in the order of the file.
        problems: everything that is wrong with the file.
    """

    category_ids: Mapping[str, int]
    images: Mapping[int, CocoImage]
    objects: Mapping[int, tuple[CocoObject, ...]]
    problems: tuple[str, ...]

    @property
    def categories(self) -> tuple[str, ...]:
        """The names of the categories, in the order of their ids."""
        return tuple(self.category_ids)

    @property
    def classes(self) -> tuple[str, ...]:
        """Background first, then the categories in the order of their ids.

        A category called background becomes class 0 itself.
        """
        own = [name for name in self.categories if name.casefold() == BACKGROUND]
        return (*(own[:1] or [BACKGROUND]), *(name for name in self.categories if name not in own[:1]))


@dataclass(frozen=True)
class CocoReader:
    """The images that a COCO JSON lists, inside the folder `images`.

    Where objects overlap, the smaller one (in pixels) lies on top; of equally large ones, the later. Crowds count like
    any object. Images without objects are all background.
    """

    path: Path
    images: Path
    classes: tuple[str, ...]

    def find(self) -> Listing:
        """See `Reader`."""
        file = read_coco(self.path)
        problems = [*file.problems, *self._class_problems(file)]
        sources, source_problems = sources_of(file, self.path, self.images)
        labelled = tuple(
            Source(s.id, s.image, s.path, mask=str(image_id), label_files=(self.path,)) for image_id, s in sources
        )
        empty = sum(not file.objects.get(image_id) for image_id, _ in sources)
        note = f"Images without an object in {self.path.name}: {empty}. All their pixels are background."
        return Listing(labelled, (*problems, *source_problems), (note,) if empty else ())

    def read_labels(self, image_id: str, mask: str, *, size: tuple[int, int]) -> Labels:
        """See `Reader`."""
        file = read_coco(self.path)
        image = file.images.get(int(mask)) if mask.isdecimal() else None
        if image is None:
            raise DataError(f"{self.path} has no image with the id {mask!r} any more.")
        if image.size != size:
            rotated = " The annotations ignore its EXIF orientation." if image.size == size[::-1] else ""
            raise DataError(
                f"The image {image.file_name} is {size[0]}x{size[1]}, but {self.path.name} says "
                f"{image.size[0]}x{image.size[1]} (height x width).{rotated}"
            )
        objects = file.objects.get(image.id, ())
        rles = [(rle_of_shape(o.shape, size), self.classes.index(o.category)) for o in objects]
        flat = np.zeros(size[0] * size[1], dtype=np.uint8)
        # The largest first, so that smaller ones are drawn over it; every second run length is inside the object.
        for rle, label in sorted(rles, key=lambda pair: -int(pair[0][1::2].sum())):
            flat[inside_of(rle)] = label
        # COCO counts down the columns, so the flat array is the transpose of the image.
        pixels = np.ascontiguousarray(flat.reshape(size[::-1]).T)
        return Labels(pixels, sha256_of_json([size, [[o.category, o.shape.sha256] for o in objects]]))

    def _class_problems(self, file: CocoFile) -> list[str]:
        unknown = [name for name in file.categories if name not in self.classes]
        if unknown:
            return [f"{self.path}: the category {unknown[0]!r} is not one of the classes {', '.join(self.classes)}."]
        first = self.classes[0]
        if first in file.categories and first.casefold() != BACKGROUND:
            return [f"The first class must be the background, but {first!r} is a category of {self.path}."]
        return []


def sources_of(file: CocoFile, path: Path, images: Path) -> tuple[list[tuple[int, Source]], list[str]]:
    """The images of the file with their COCO ids, in natural order, and all problems with them.

    Args:
        path: the name of the file in problems.
        images: the folder that must hold the images.
    """
    problems: list[str] = []
    sources: dict[str, tuple[int, Source]] = {}
    ids = ids_of(image.file_name for image in file.images.values())
    for image in file.images.values():
        name = image.file_name
        source = Source(ids[name], name, images / name)
        if not source.path.is_file():
            problems.append(f"{path}: the image {source.path} does not exist.")
        elif source.id in sources:
            problems.append(
                f"{path}: {sources[source.id][1].image} and {name} have the same stem, so they would be one image."
            )
        else:
            sources[source.id] = (image.id, source)
    return sorted(sources.values(), key=lambda pair: natural_key(pair[1].id)), problems


def read_coco(path: Path) -> CocoFile:
    """The contents of a COCO JSON, read once in a process as long as the file stays the same.

    Raises:
        DataError: it cannot be read, or is not a COCO file.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    return _read(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=2)
def _read(path: Path, size: int, changed: int) -> CocoFile:
    raw = _load(path)
    problems: list[str] = []
    categories = _categories(raw["categories"], problems)
    images = _images(raw["images"], problems)
    objects = {} if problems else _objects(raw["annotations"], images, categories, problems)
    ids = {name: number for number, name in sorted(categories.items())}
    return CocoFile(ids, images, objects, tuple(f"{path}: {problem}" for problem in problems))


def _load(path: Path) -> dict[str, list[Any]]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is not a JSON file: {error}.") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("images"), list):
        raise DataError(f"{path} is not a COCO file: it has no list `images`.")
    parts = {part: raw.get(part, []) for part in ("images", "annotations", "categories")}
    for part, entries in parts.items():
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise DataError(f"{path} is not a COCO file: `{part}` is not a list of objects.")
    if not parts["images"]:
        raise DataError(f"{path} lists no images.")
    return parts


def _categories(raw: list[dict[str, Any]], problems: list[str]) -> dict[int, str]:
    categories: dict[int, str] = {}
    for position, entry in enumerate(raw):
        number, name = entry.get("id"), entry.get("name")
        if not _is_whole(number) or not isinstance(name, str) or not name.strip():
            problems.append(f"categories[{position}] needs a number `id` and a text `name`.")
        elif number in categories:
            problems.append(f"two categories have the id {number}: {categories[number]!r} and {name!r}.")
        elif name.strip() in categories.values():
            problems.append(f"two categories are called {name.strip()!r}.")
        else:
            categories[number] = name.strip()
    return categories


def _images(raw: list[dict[str, Any]], problems: list[str]) -> dict[int, CocoImage]:
    images: dict[int, CocoImage] = {}
    for position, entry in enumerate(raw):
        number, name = entry.get("id"), entry.get("file_name")
        height, width = entry.get("height"), entry.get("width")
        refusal = refusal_of_name(name)
        if not _is_whole(number) or number < 0:
            problems.append(f"images[{position}] has the id {number!r}, but an id is a whole number, 0 or more.")
        elif number in images:
            problems.append(f"two images have the id {number}: {images[number].file_name} and {name}.")
        elif refusal:
            problems.append(f"image {number}: the file_name {name!r} is refused: {refusal}.")
        elif not (_is_whole(height) and _is_whole(width) and min(height, width) > 0):
            problems.append(
                f"image {number} ({name}): its height {height!r} or width {width!r} is not a whole number above 0."
            )
        else:
            images[number] = CocoImage(number, str(name), (height, width))
    return images


def _objects(
    raw: list[dict[str, Any]], images: Mapping[int, CocoImage], categories: Mapping[int, str], problems: list[str]
) -> dict[int, tuple[CocoObject, ...]]:
    objects: dict[int, list[CocoObject]] = defaultdict(list)
    seen: set[object] = set()
    for position, entry in enumerate(raw):
        number, image, category = entry.get("id", position), entry.get("image_id"), entry.get("category_id")
        where = f"annotation {number}"
        if not _is_whole(number) or number in seen:
            problems.append(f"{where}: its id is not a whole number, or another annotation has the same id.")
        elif not _is_whole(image) or image not in images:
            problems.append(f"{where}: there is no image with the id {image!r}.")
        elif not _is_whole(category) or category not in categories:
            problems.append(f"{where}: there is no category with the id {category!r}.")
        else:
            try:
                shape = read_shape(entry.get("segmentation"), images[image].size)
                objects[image].append(CocoObject(categories[category], shape))
            except ValueError as error:
                problems.append(f"{where} (on {images[image].file_name}): {error}.")
        if _is_whole(number):
            seen.add(number)
    return {image: tuple(shapes) for image, shapes in objects.items()}


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
