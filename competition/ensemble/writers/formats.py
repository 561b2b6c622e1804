"""The formats that a submission can have."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from competition.ensemble.writers import labels_csv, png, rle_csv
from competition.errors import RefusedError
from competition.scoring.confusion import Labels

Prediction = tuple[str, str, Labels]
"""A test image's id, its file name, and its label map, uint8 (H, W)."""


class Format(StrEnum):
    """What a competition wants to be handed."""

    PNG = "png"
    """A folder of label maps."""
    RLE_CSV = "rle-csv"
    """Kaggle's run lengths."""
    LABELS_CSV = "labels-csv"
    """Class indices at 256x256, one row per image."""


def write(form: Format, predictions: Iterable[Prediction], target: Path, classes: Sequence[str]) -> int:
    """Write the predictions to `target`, a file or (for png) a folder, in one step; the number of images.

    They are taken one at a time. Where one cannot be had, `target` stays what it was.

    Raises:
        RefusedError: `target` is something that is not ours to replace.
    """
    _check_target(form, target)
    return _WRITERS[form](predictions, target, len(classes))


_WRITERS: dict[Format, Callable[[Iterable[Prediction], Path, int], int]] = {
    Format.PNG: png.write,
    Format.RLE_CSV: rle_csv.write,
    Format.LABELS_CSV: labels_csv.write,
}


def _check_target(form: Format, target: Path) -> None:
    """A submission may replace an older one, but never a person's folder."""
    if form is Format.PNG:
        if target.is_file():
            raise RefusedError(f"{target} is a file, and {form} writes a folder.", hint="Give another --output.")
        stranger = next((p for p in target.glob("*") if p.suffix != ".png"), None)
        if stranger is not None:
            raise RefusedError(
                f"{target} holds more than label maps ({stranger.name}), and the folder would be replaced as a whole.",
                hint="Give a new or empty folder as --output.",
            )
    elif target.is_dir():
        raise RefusedError(f"{target} is a folder, and {form} writes a file.", hint="Give another --output.")
