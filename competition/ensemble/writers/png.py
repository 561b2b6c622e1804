"""A folder with a PNG per image, named by the image's id: 8-bit grey, the value is the class index."""

import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from competition.scoring.confusion import Labels


def write(predictions: Iterable[tuple[str, str, Labels]], target: Path, classes: int) -> int:
    """Write (id, file name, labels) to the folder `target`, which is replaced as a whole; the number of images."""
    images = 0
    with _replacing_folder(target) as aside:
        for image_id, _, labels in predictions:
            Image.fromarray(labels).save(aside / f"{image_id}.png")
            images += 1
    return images


@contextmanager
def _replacing_folder(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder` that takes its place when the block ends well, and goes when it does not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex[:8]
    aside, old = (folder.with_name(f".{folder.name}.{mark}.{end}") for end in ("tmp", "old"))
    aside.mkdir()
    try:
        yield aside
        if folder.exists():
            folder.rename(old)
        aside.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
