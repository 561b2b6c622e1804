"""The reader and the test images that a competition's settings describe."""

from pathlib import Path

from competition.config.settings import Settings
from competition.data.naming import natural_key
from competition.data.readers.coco import CocoReader, read_coco, sources_of
from competition.data.readers.encodings import encoding_of
from competition.data.readers.folders import FolderReader
from competition.data.readers.ignore import IgnoringReader
from competition.data.readers.listing import files_by_id
from competition.data.readers.pairs import PairsReader
from competition.data.readers.rle_csv import RleColumns, RleReader
from competition.data.readers.source import Listing, Reader, Source


def reader_of(settings: Settings, root: Path) -> Reader:
    """The reader of the competition's labels; relative paths start at `root`."""
    data = settings.data
    reader = _label_reader(settings, root)
    if data.ignore is None:
        return reader
    return IgnoringReader(reader, root / data.ignore, data.ignore_pattern)


def find_test(settings: Settings, root: Path) -> Listing:
    """The test images, as sources without a mask, in natural order.

    Raises:
        DataError: the file that lists them cannot be used at all.
    """
    data = settings.data
    if data.test_images is None:
        return Listing(())
    folder = root / data.test_images
    if data.test_coco is not None:
        file = read_coco(root / data.test_coco)
        sources, problems = sources_of(file, root / data.test_coco, folder)
        return Listing(tuple(source for _, source in sources), (*file.problems, *problems))
    folder_problems: list[str] = []
    files = files_by_id(folder, "test images", folder_problems)
    in_order = sorted(files, key=natural_key)
    return Listing(tuple(Source(i, files[i].name, files[i]) for i in in_order), tuple(folder_problems))


def _label_reader(settings: Settings, root: Path) -> Reader:
    data = settings.data
    images = root / data.images
    if data.coco is not None:
        return CocoReader(root / data.coco, images, settings.classes)
    if data.rle_csv is not None:
        columns = RleColumns(str(data.image_column), str(data.rle_column), data.class_column)
        return RleReader(root / data.rle_csv, images, settings.classes, columns)
    masks = root / str(data.masks)
    if data.pairs is not None:
        return PairsReader(root / data.pairs, images, masks, encoding_of(settings))
    return FolderReader(images, masks, encoding_of(settings), data.mask_pattern)
