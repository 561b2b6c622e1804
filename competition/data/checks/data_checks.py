"""Checks of the data: changed files, wrong masks, duplicates, videos without groups, unusual sizes."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from competition.config.settings import Settings
from competition.data.checks.duplicates import ImagePair, NearDuplicates
from competition.data.checks.findings import Finding, Severity, by_severity, findings_of
from competition.data.checks.image_hashes import ImageHashes
from competition.data.checks.image_scan import ImageScan
from competition.data.checks.series import Series
from competition.data.images import read_bytes
from competition.data.load import CHANGED_HINT, Loader, image_path, open_loader
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.errors import DataError


def check_data(scan: ImageScan, settings: Settings, root: Path, *, progress: Progress | None = None) -> list[Finding]:
    """The findings about the data, the worst first. Reads every file; relative paths start at `root`."""
    return by_severity(
        [
            *check_changes(scan.manifest, settings, root, progress=progress),
            *check_masks(scan.manifest, settings.classes),
            *check_duplicates(scan.duplicates),
            *check_constant(scan.manifest, scan.hashes),
            *check_series(scan.manifest, scan.series),
            *check_sizes(scan.manifest),
        ]
    )


def check_changes(
    manifest: Manifest, settings: Settings, root: Path, *, progress: Progress | None = None
) -> list[Finding]:
    """Images and labels that are gone or have changed since they were indexed; reads all files, on all cores."""
    find_change = partial(_change, open_loader(settings, root))
    changes = in_threads(find_change, [*manifest.items, *manifest.test], progress=progress)
    return findings_of(
        "changed files",
        Severity.ERROR,
        [change for change in changes if change],
        what="{n} [image or its mask is gone or has|images or their masks are gone or have] changed since `comp init`.",
        fix=CHANGED_HINT,
    )


def check_masks(manifest: Manifest, classes: Sequence[str]) -> list[Finding]:
    """Masks that are empty, full or all void; classes without a pixel; masks indexed with other classes.

    The pixel counts of the manifest answer all of these; no file is read.
    """
    other = [item.id for item in manifest.items if len(item.pixels) != len(classes)]
    if other:
        return findings_of(
            "other classes",
            Severity.ERROR,
            other,
            what=f"{{n}} [mask was|masks were] indexed with other classes than the {len(classes)} in competition.yaml.",
            fix="`comp init`, without options, indexes the data again.",
        )
    only_class = [(item.id, _only_class(item.pixels)) for item in manifest.items]
    unused = [name for c, name in enumerate(classes) if not any(item.pixels[c] for item in manifest.items)]
    return [
        *findings_of(
            "empty masks",
            Severity.NOTE,
            [image_id for image_id, c in only_class if c == 0],
            what=f"{{n}} [mask contains|masks contain] only {classes[0]}.",
            fix="Nothing to do if these images show no object. Otherwise the objects are missing in the masks.",
        ),
        *findings_of(
            "full masks",
            Severity.WARNING,
            [f"{image_id} ({classes[c]})" for image_id, c in only_class if c is not None and c > 0],
            what="{n} [mask contains|masks contain] a single class, which fills the whole image.",
            fix="Look at them: they may be inverted, or wrong.",
        ),
        *findings_of(
            "void masks",
            Severity.WARNING,
            [item.id for item in manifest.items if not any(item.pixels)],
            what="{n} [mask contains|masks contain] only void: nothing to learn from, and nothing to score.",
            fix="Remove these images, or fix their masks.",
        ),
        *findings_of(
            "unused classes",
            Severity.WARNING,
            unused,
            what="{n} [class occurs|classes occur] in no mask.",
            fix="Compare the order and the number of the classes with the masks.",
        ),
    ]


def check_duplicates(duplicates: NearDuplicates) -> list[Finding]:
    """Equal and nearly equal images, among the labelled ones and with the test images."""
    exact = [pair for pair in duplicates.labelled if pair.exact]
    contradicting = [pair for pair in exact if pair.first.mask_sha256 != pair.second.mask_sha256]
    near = [pair for pair in duplicates.labelled if not pair.exact]
    return [
        *findings_of(
            "duplicates",
            Severity.WARNING,
            _texts(exact),
            what="{n} [pair|pairs] of images are the same file, byte for byte.",
            fix="Every split keeps them together. Remove one image of each pair if it is there by mistake.",
        ),
        *findings_of(
            "contradicting masks",
            Severity.WARNING,
            _texts(contradicting),
            what="{n} [pair of equal images has|pairs of equal images have] different masks.",
            fix="Look at both masks and keep the right one: a model cannot learn both.",
        ),
        *findings_of(
            "near-duplicates",
            Severity.NOTE,
            _texts(near),
            what="{n} [pair|pairs] of images look nearly the same.",
            fix="Nothing to do: every split keeps them together.",
        ),
        *findings_of(
            "test duplicates",
            Severity.WARNING,
            _texts(duplicates.with_test),
            what="{n} [pair|pairs] of a training and a test image are equal or nearly equal.",
            fix="Scores on these test images will be too good. Read the competition's rules: may you train on them?",
        ),
    ]


def check_constant(manifest: Manifest, hashes: ImageHashes) -> list[Finding]:
    """Images of a single colour."""
    hashed = [(item, hashes.find(item)) for item in (*manifest.items, *manifest.test)]
    return findings_of(
        "constant images",
        Severity.WARNING,
        [_name(item) for item, image_hash in hashed if image_hash and image_hash.constant],
        what="{n} [image has|images have] a single colour (for example, all black).",
        fix="Look at their masks: they can show no object. Remove the images if their files are broken.",
    )


def check_series(manifest: Manifest, series: Sequence[Series]) -> list[Finding]:
    """Series of images that look like a video, where the data has no groups."""
    if any(item.group for item in manifest.items):
        return []
    return findings_of(
        "videos",
        Severity.WARNING,
        [f"{frames.name}# ({len(frames.items)} images)" for frames in series],
        what="{n} series of numbered images [looks|look] like the frames of a video, and the data has no groups.",
        fix="Set data.group_regex (such as '^(.*?)[0-9]+$'), or data.meta with data.group_column, in "
        "competition.yaml, then run `comp init`.",
    )


def check_sizes(manifest: Manifest) -> list[Finding]:
    """Many sizes, both orientations, and test images of sizes that no training image has."""
    sizes = Counter((item.height, item.width) for item in manifest.items)
    rotated = [(h, w) for h, w in sizes if h > w and (w, h) in sizes]
    unseen = [item for item in manifest.test if (item.height, item.width) not in sizes]
    counts = [f"{h}x{w}: {n}" for (h, w), n in sizes.most_common()] if len(sizes) > 1 else []
    return [
        *findings_of(
            "image sizes",
            Severity.NOTE,
            counts,
            what="The images have {n} sizes (height x width: number of images).",
            fix="Nothing to do: stratified splits balance the sizes, and every image is scored at its own size.",
        ),
        *findings_of(
            "orientations",
            Severity.NOTE,
            [f"{h}x{w} and {w}x{h}" for h, w in sorted(rotated)],
            what="{n} [size occurs|sizes occur] in portrait and in landscape.",
            fix="If some files have lost their EXIF orientation, rotate them. Otherwise there is nothing to do.",
        ),
        *findings_of(
            "test sizes",
            Severity.WARNING,
            [f"{_name(item)} {item.height}x{item.width}" for item in unseen],
            what="{n} test [image has|images have] a size that no training image has.",
            fix="Check data.size and the scale augmentation: objects may be larger or smaller than in training.",
        ),
    ]


def _change(loader: Loader, item: Item) -> str:
    """What has happened to an image or its label since it was indexed, or an empty string."""
    path = image_path(item, loader.settings.data, loader.root)
    try:
        if hashlib.sha256(read_bytes(path)).hexdigest() != item.image_sha256:
            return f"{item.image} has changed"
        if item.is_labelled:
            loader.labels(item)
    except DataError as error:
        return error.message.removesuffix(".")
    return ""


def _only_class(pixels: Sequence[int]) -> int | None:
    """The index of the only class that occurs; None if several occur, or none."""
    occurring = [c for c, count in enumerate(pixels) if count]
    return occurring[0] if len(occurring) == 1 else None


def _texts(pairs: Sequence[ImagePair]) -> list[str]:
    return [str(pair) for pair in pairs]


def _name(item: Item) -> str:
    return item.id if item.is_labelled else f"{item.id} (test)"
