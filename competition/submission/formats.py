"""The formats that a submission can have."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from competition.ensemble.predict import check_replaceable
from competition.errors import RefusedError, UnknownNameError
from competition.scoring.confusion import Labels
from competition.submission.layout import Layout, Prediction
from competition.submission.writers import coco_json, labels_csv, png, rle_csv


class Format(StrEnum):
    """What a competition wants to be handed."""

    PNG = "png"
    """A folder of label maps."""
    COLOR_PNG = "color-png"
    """A folder of pictures in the masks' own colours."""
    RLE_CSV = "rle-csv"
    """Kaggle's run lengths."""
    LABELS_CSV = "labels-csv"
    """Class indices at 256x256 or another size, one row per image."""
    COCO_JSON = "coco-json"
    """COCO results."""

    @classmethod
    def named(cls, name: str) -> "Format":
        """The format with this name.

        Raises:
            UnknownNameError: there is none; the formats are listed.
        """
        if name not in list(cls):
            raise UnknownNameError.among("format", name, list(cls), hint=f"Formats: {', '.join(cls)}")
        return cls(name)

    @property
    def suffix(self) -> str:
        """Of the file; empty for a folder."""
        return {Format.PNG: "", Format.COLOR_PNG: "", Format.COCO_JSON: ".json"}.get(self, ".csv")

    @property
    def follows_sample(self) -> bool:
        """Whether a sample submission decides about columns, names and order."""
        return self in (Format.RLE_CSV, Format.LABELS_CSV)


def write(form: Format, predictions: Iterable[Prediction], target: Path, layout: Layout) -> int:
    """Write the predictions to `target`, a file or (for PNGs) a folder, in one step; the number of images.

    They are taken one at a time. Where one cannot be had, `target` stays what it was.

    Raises:
        RefusedError: `target` is something that is not ours to replace, or the format does not fit the competition.
        DataError: the sample submission does not fit the test images.
    """
    _check_target(form, target)
    return _WRITERS[form](predictions, target, layout)


def read_back(form: Format, target: Path, layout: Layout, sizes: Mapping[str, tuple[int, int]]) -> dict[str, Labels]:
    """The label maps that a submission holds, each decoded from what was written.

    Args:
        sizes: (height, width) of each image by the name that the format gives it: the sample's where it follows one,
            else the file name in labels-csv and the id elsewhere.

    Raises:
        DataError: it cannot be decoded.
    """
    return _READERS[form](target, layout, sizes)


def held(form: Format, labels: Labels, layout: Layout) -> Labels:
    """What the format keeps of a label map: all of it, or its nearest pixels at another size."""
    return labels_csv.held(labels, layout) if form is Format.LABELS_CSV else labels


_WRITERS: dict[Format, Callable[[Iterable[Prediction], Path, Layout], int]] = {
    Format.PNG: png.write,
    Format.COLOR_PNG: png.write_colours,
    Format.RLE_CSV: rle_csv.write,
    Format.LABELS_CSV: labels_csv.write,
    Format.COCO_JSON: coco_json.write,
}

_READERS: dict[Format, Callable[[Path, Layout, Mapping[str, tuple[int, int]]], dict[str, Labels]]] = {
    Format.PNG: png.read,
    Format.COLOR_PNG: png.read_colours,
    Format.RLE_CSV: rle_csv.read,
    Format.LABELS_CSV: labels_csv.read,
    Format.COCO_JSON: coco_json.read,
}


def _check_target(form: Format, target: Path) -> None:
    """A submission may replace an older one, but never a person's folder."""
    if not form.suffix:
        if target.is_file():
            raise RefusedError(f"{target} is a file, and {form} writes a folder.", hint="Give another --output.")
        check_replaceable(target)
    elif target.is_dir():
        raise RefusedError(f"{target} is a folder, and {form} writes a file.", hint="Give another --output.")
