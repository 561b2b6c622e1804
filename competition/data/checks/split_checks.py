"""Checks of a split: images that belong together in different folds (leaks), and classes that a fold lacks."""

from collections.abc import Sequence

from competition.data.checks.duplicates import ImagePair
from competition.data.checks.findings import Finding, Severity, by_severity, findings_of
from competition.data.checks.image_scan import ImageScan
from competition.data.checks.series import Series
from competition.data.manifest import Manifest
from competition.data.split.folds import Split

_ALLOW = "`--allow-leaks REASON` accepts the split with its leaks."


def check_split(scan: ImageScan, classes: Sequence[str], split: Split) -> list[Finding]:
    """The findings about a split, the worst first."""
    return by_severity([*find_leaks(scan, split), *check_folds(scan.manifest, classes, split)])


def find_leaks(scan: ImageScan, split: Split) -> tuple[Finding, ...]:
    """Groups, near-duplicates and videos whose images are in different folds.

    Videos count only if the data has no groups: groups say what belongs together.
    """
    has_groups = any(item.group for item in scan.manifest.items)
    return (
        *_leaking_groups(scan.manifest, split),
        *_leaking_duplicates(split, scan.duplicates.labelled),
        *(() if has_groups else _leaking_videos(split, scan.series)),
    )


def check_folds(manifest: Manifest, classes: Sequence[str], split: Split) -> list[Finding]:
    """Classes that a fold cannot be scored on, or that its model is not trained on."""
    occurring = [c for c in range(len(classes)) if any(item.pixels[c] for item in manifest.items)]
    untrained, unscored = [], []
    for fold in range(split.folds):
        valid, train = split.valid_ids(fold), split.train_ids(fold)
        for c in occurring:
            if not any(manifest.item(i).pixels[c] for i in valid):
                unscored.append(f"{classes[c]} (fold {fold})")
            if not any(manifest.item(i).pixels[c] for i in train):
                untrained.append(f"{classes[c]} (fold {fold})")
    return [
        *findings_of(
            "unlearned classes",
            Severity.WARNING,
            untrained,
            what="In {n} [case|cases], no training image of a fold shows the class: the fold's model cannot learn it.",
            fix="Try another --scheme, --seed or number of --folds, or make the folds yourself (--folds-csv).",
        ),
        *findings_of(
            "unscored classes",
            Severity.WARNING,
            unscored,
            what="In {n} [case|cases], no validation image of a fold shows the class: the fold's score leaves it out.",
            fix="Use fewer --folds, or --scheme stratified or stratified-group.",
        ),
    ]


def _leaking_groups(manifest: Manifest, split: Split) -> list[Finding]:
    folds_of: dict[str, set[int]] = {}
    for item in manifest.items:
        if item.group:
            folds_of.setdefault(item.group, set()).add(split.assignment[item.id])
    return findings_of(
        "leaking groups",
        Severity.LEAK,
        [f"{group} ({_names(folds)})" for group, folds in folds_of.items() if len(folds) > 1],
        what=f"{{n}} of {len(folds_of)} groups [has|have] images in different folds.",
        fix=f"`comp split --scheme stratified-group` keeps groups together. {_ALLOW}",
    )


def _leaking_duplicates(split: Split, pairs: Sequence[ImagePair]) -> list[Finding]:
    folds_of = [(pair, {split.assignment[pair.first.id], split.assignment[pair.second.id]}) for pair in pairs]
    return findings_of(
        "leaking duplicates",
        Severity.LEAK,
        [f"{pair} ({_names(folds)})" for pair, folds in folds_of if len(folds) > 1],
        what="{n} [pair|pairs] of equal or nearly equal images are in different folds.",
        fix=f"Every scheme of `comp split` keeps them together. {_ALLOW}",
    )


def _leaking_videos(split: Split, series: Sequence[Series]) -> list[Finding]:
    folds_of = [(frames, {split.assignment[item.id] for item in frames.items}) for frames in series]
    return findings_of(
        "leaking videos",
        Severity.LEAK,
        [
            f"{frames.name}# ({len(frames.items)} images; {_names(folds)})"
            for frames, folds in folds_of
            if len(folds) > 1
        ],
        what="{n} series of numbered images [looks|look] like the frames of a video, but [is|are] in different folds.",
        fix="Say which images belong together: data.group_regex (such as '^(.*?)[0-9]+$'), or data.meta with "
        f"data.group_column, in competition.yaml, then `comp init` and `comp split`. {_ALLOW}",
    )


def _names(folds: set[int]) -> str:
    return ", ".join("train only" if fold < 0 else f"fold {fold}" for fold in sorted(folds))
