"""Checks on the pictures: the same one twice, nothing to see, sizes that do not fit together."""

from collections import Counter
from collections.abc import Sequence

from competition.data.checks.alike import Alike, Pair
from competition.data.checks.finding import Finding, Severity, findings_of
from competition.data.checks.looks import Looks
from competition.data.checks.series import Series
from competition.data.manifest import Item, Manifest


def check_duplicates(alike: Alike) -> list[Finding]:
    """Equal and nearly equal pictures, among the labelled ones and with the test pictures."""
    exact = [pair for pair in alike.labelled if pair.exact]
    contradicting = [pair for pair in exact if pair.first.mask_sha256 != pair.second.mask_sha256]
    near = [pair for pair in alike.labelled if not pair.exact]
    return [
        *findings_of(
            "duplicates",
            Severity.WARNING,
            _texts(exact),
            what="{n} pairs of images are the same file, byte for byte.",
            mend="Every split keeps them together. Remove one of each if it was not meant so.",
        ),
        *findings_of(
            "contradicting masks",
            Severity.WARNING,
            _texts(contradicting),
            what="{n} pairs of the same image have different masks.",
            mend="Look at both masks and keep the right one: a model cannot learn both.",
        ),
        *findings_of(
            "near-duplicates",
            Severity.NOTE,
            _texts(near),
            what="{n} pairs of images look nearly the same.",
            mend="Nothing: every split keeps them together.",
        ),
        *findings_of(
            "test duplicates",
            Severity.WARNING,
            _texts(alike.with_test),
            what="{n} pairs of a training and a test image are equal or look nearly the same.",
            mend="Expect the public score to flatter; the rules say whether such images may be trained on.",
        ),
    ]


def check_constant(manifest: Manifest, looks: Looks) -> list[Finding]:
    """Pictures of a single colour."""
    constant = [item for item in (*manifest.items, *manifest.test) if (look := looks.look(item)) and look.constant]
    return findings_of(
        "constant images",
        Severity.WARNING,
        [_name(item) for item in constant],
        what="{n} images have one colour only (all black, say).",
        mend="Look at their masks: with an object on it, the mask is wrong. Remove images that were not read well.",
    )


def check_sizes(manifest: Manifest) -> list[Finding]:
    """Many sizes, both orientations, and test pictures of sizes that training never sees."""
    sizes = Counter((item.height, item.width) for item in manifest.items)
    turned = [(h, w) for h, w in sizes if h > w and (w, h) in sizes]
    unseen = [item for item in manifest.test if (item.height, item.width) not in sizes]
    listed = [f"{h}x{w}: {n}" for (h, w), n in sizes.most_common()] if len(sizes) > 1 else []
    return [
        *findings_of(
            "image sizes",
            Severity.NOTE,
            listed,
            what="The images have {n} sizes (height x width: how many).",
            mend="Nothing: stratified splits balance them, and every image is scored at its own size.",
        ),
        *findings_of(
            "orientations",
            Severity.NOTE,
            [f"{h}x{w} and {w}x{h}" for h, w in sorted(turned)],
            what="{n} sizes occur upright and lying.",
            mend="If some files lost their EXIF orientation, turn them; otherwise there is nothing to do.",
        ),
        *findings_of(
            "test sizes",
            Severity.WARNING,
            [f"{_name(item)} {item.height}x{item.width}" for item in unseen],
            what="{n} test images have a size that no training image has.",
            mend="Check data.size and the scale augmentation: objects may appear larger or smaller than in training.",
        ),
    ]


def check_series(manifest: Manifest, series: Sequence[Series]) -> list[Finding]:
    """Frames of films, where nobody has said what belongs together."""
    if any(item.group for item in manifest.items):
        return []
    return findings_of(
        "films",
        Severity.WARNING,
        [f"{film.name}# ({len(film.items)} images)" for film in series],
        what="{n} series of numbered images resemble frames of a film, and the data has no groups.",
        mend="Set data.group_regex (such as '^(.*?)[0-9]+$'), or data.meta with data.group_column, in "
        "competition.yaml, then `comp init`.",
    )


def _texts(pairs: Sequence[Pair]) -> list[str]:
    return [str(pair) for pair in pairs]


def _name(item: Item) -> str:
    return item.id if item.is_labelled else f"{item.id} (test)"
