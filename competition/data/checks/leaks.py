"""What a split tears apart: then models are validated on what they have nearly seen."""

from collections.abc import Sequence

from competition.data.checks.alike import Pair
from competition.data.checks.finding import Finding, Severity, findings_of
from competition.data.checks.series import Series
from competition.data.manifest import Manifest
from competition.data.split.folds import Split

_MEND = (
    "`comp split --scheme stratified-group` keeps them together; `--allow-leaks REASON` splits like this all the same."
)


def find_leaks(
    manifest: Manifest, split: Split, *, pairs: Sequence[Pair], series: Sequence[Series]
) -> tuple[Finding, ...]:
    """Groups, pictures that are alike, and films that a split puts on two sides.

    Args:
        pairs: the labelled pictures that are alike.
        series: what seem to be films; they count only where nobody has said what belongs together.
    """
    return (
        *_torn_groups(manifest, split),
        *_torn_pairs(split, pairs),
        *(() if any(item.group for item in manifest.items) else _torn_series(split, series)),
    )


def _torn_groups(manifest: Manifest, split: Split) -> list[Finding]:
    folds_of: dict[str, set[int]] = {}
    for item in manifest.items:
        if item.group:
            folds_of.setdefault(item.group, set()).add(split.assignment[item.id])
    torn = [f"{group} ({_sides(folds)})" for group, folds in folds_of.items() if len(folds) > 1]
    return findings_of(
        "torn groups",
        Severity.LEAK,
        torn,
        what=f"{{n}} of {len(folds_of)} groups stand on two sides of the split.",
        mend=_MEND,
    )


def _torn_pairs(split: Split, pairs: Sequence[Pair]) -> list[Finding]:
    torn = [
        f"{pair} ({_sides({split.assignment[pair.first.id], split.assignment[pair.second.id]})})"
        for pair in pairs
        if split.assignment[pair.first.id] != split.assignment[pair.second.id]
    ]
    return findings_of(
        "torn duplicates",
        Severity.LEAK,
        torn,
        what="{n} pairs of equal or nearly equal images stand on two sides of the split.",
        mend="Every scheme of `comp split` keeps them together; `--allow-leaks REASON` takes the split all the same.",
    )


def _torn_series(split: Split, series: Sequence[Series]) -> list[Finding]:
    torn = []
    for film in series:
        folds = {split.assignment[item.id] for item in film.items}
        if len(folds) > 1:
            torn.append(f"{film.name}# ({len(film.items)} images; {_sides(folds)})")
    return findings_of(
        "torn films",
        Severity.LEAK,
        torn,
        what="{n} series of numbered images resemble frames of a film and stand on two sides of the split.",
        mend="Say what belongs together: data.group_regex (such as '^(.*?)[0-9]+$'), or data.meta with "
        "data.group_column, in competition.yaml, then `comp init` and `comp split`; "
        "`--allow-leaks REASON` splits like this all the same.",
    )


def _sides(folds: set[int]) -> str:
    names = ["train only" if fold < 0 else f"fold {fold}" for fold in sorted(folds)]
    return ", ".join(names)
