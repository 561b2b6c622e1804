"""Checks on the masks, from the counts in the manifest: empty ones, full ones, classes that are missing."""

from collections.abc import Sequence

from competition.data.checks.finding import Finding, Severity, findings_of
from competition.data.manifest import Manifest
from competition.data.split.folds import Split


def check_masks(manifest: Manifest, classes: Sequence[str]) -> list[Finding]:
    """Masks that are empty, full or all void; classes that never occur; a manifest of other classes."""
    wrong = [item.id for item in manifest.items if len(item.pixels) != len(classes)]
    if wrong:
        return findings_of(
            "other classes",
            Severity.ERROR,
            wrong,
            what=f"{{n}} masks were indexed with another number of classes than competition.yaml has ({len(classes)}).",
            mend="`comp init`, without options, indexes the data anew.",
        )
    only = [(item.id, _only_class(item.pixels)) for item in manifest.items]
    absent = [name for c, name in enumerate(classes) if not any(item.pixels[c] for item in manifest.items)]
    return [
        *findings_of(
            "empty masks",
            Severity.NOTE,
            [image_id for image_id, c in only if c == 0],
            what=f"{{n}} masks hold nothing but {classes[0]}.",
            mend="Nothing, if such images are meant to be there; otherwise their masks are missing.",
        ),
        *findings_of(
            "full masks",
            Severity.WARNING,
            [f"{image_id} ({classes[c]})" for image_id, c in only if c is not None and c > 0],
            what="{n} masks are covered by one class from edge to edge.",
            mend="Look at them: they may be inverted, or drawn carelessly.",
        ),
        *findings_of(
            "void masks",
            Severity.WARNING,
            [item.id for item in manifest.items if not any(item.pixels)],
            what="{n} masks hold nothing but void: nobody learns from them, and they count in no score.",
            mend="Remove them, or mend their masks.",
        ),
        *findings_of(
            "unused classes",
            Severity.WARNING,
            absent,
            what="{n} classes occur in no mask.",
            mend="Check the order and number of the classes against the masks.",
        ),
    ]


def check_folds(manifest: Manifest, classes: Sequence[str], split: Split) -> list[Finding]:
    """Classes that a fold cannot be scored on, or that its model never sees."""
    occurring = [c for c in range(len(classes)) if any(item.pixels[c] for item in manifest.items)]
    unscored, unlearned = [], []
    for fold in range(split.folds):
        valid, train = split.valid_ids(fold), split.train_ids(fold)
        for c in occurring:
            if not any(manifest.item(i).pixels[c] for i in valid):
                unscored.append(f"{classes[c]} (fold {fold})")
            if not any(manifest.item(i).pixels[c] for i in train):
                unlearned.append(f"{classes[c]} (fold {fold})")
    return [
        *findings_of(
            "unlearned classes",
            Severity.WARNING,
            unlearned,
            what="{n} times, a class does not occur in what a fold's model trains on.",
            mend="Another --scheme, --seed or number of --folds; or folds made by hand (--folds-csv).",
        ),
        *findings_of(
            "unscored classes",
            Severity.WARNING,
            unscored,
            what="{n} times, a class does not occur in what a fold validates: its fold score leaves the class out.",
            mend="Fewer --folds, or --scheme stratified or stratified-group.",
        ),
    ]


def _only_class(pixels: Sequence[int]) -> int | None:
    """The one class that occurs; None if there are several, or none."""
    occurring = [c for c, count in enumerate(pixels) if count]
    return occurring[0] if len(occurring) == 1 else None
