"""How similar folds are: comp's stratification next to scikit-learn's and iterative-stratification's.

    python -m tests.benchmarks.bench_splits [FOLDER]

FOLDER holds the data sets camvid and dsb2018_small (default: $COMP_SHARED_DATA, or ../shared/data next to the
repository). Prints the table of docs/explanation/splits.md.
"""

import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from competition.data.checks.image_scan import ImageScan, scan_images
from competition.data.split.folds import Scheme
from competition.data.split.make_folds import bundle_images, make_split
from tests.data.shared import CAMVID, DSB, Shared, shared_data

FOLDS = 5
SEEDS = range(10)


@dataclass(frozen=True)
class Deviation:
    """The largest over folds and classes: of pixel share (points), of pixel share by the class's own (%), of presence
    (points); and of the number of images (%)."""

    share: float
    relative: float
    presence: float
    images: float


def deviation(pixels: np.ndarray, fold: np.ndarray) -> Deviation:
    """How far folds are from the whole."""
    share, presence = pixels.sum(0) / pixels.sum(), (pixels > 0).mean(0)
    shares = np.array([pixels[fold == k].sum(0) / pixels[fold == k].sum() for k in range(FOLDS)])
    present = np.array([(pixels[fold == k] > 0).mean(0) for k in range(FOLDS)])
    counts = np.bincount(fold, minlength=FOLDS)
    return Deviation(
        100 * np.abs(shares - share).max(),
        100 * (np.abs(shares - share) / share).max(),
        100 * np.abs(present - presence).max(),
        100 * np.abs(counts / counts.mean() - 1).max(),
    )


Splitter = Callable[[int], np.ndarray]


def splitters(scan: ImageScan, *, grouped: bool, duplicates: bool) -> dict[str, Splitter]:
    """The fold of every image by seed; all keep the same bundles together (iterative-stratification: single images)."""
    manifest = scan.manifest
    pairs = scan.duplicates.labelled if duplicates else ()
    scheme = Scheme.STRATIFIED_GROUP if grouped else Scheme.STRATIFIED
    bundles = np.array(bundle_images(manifest.items, pairs, keep_groups=grouped).of)
    present = np.array([item.pixels for item in manifest.items]) > 0
    rarity = np.argsort(present.sum(0), kind="stable")
    rarest = rarity[present[:, rarity].argmax(1)]

    def ours(seed: int) -> np.ndarray:
        results = make_split(manifest, pairs, scheme=scheme, folds=FOLDS, valid_fraction=0.2, seed=seed).split
        return np.array([results.assignment[item.id] for item in manifest.items])

    def theirs(splitter: object, labels: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
        fold = np.empty(len(present), dtype=int)
        for k, (_, valid) in enumerate(splitter.split(np.zeros(len(present)), labels, groups)):  # type: ignore[attr-defined]
            fold[valid] = k
        return fold

    options = {"n_splits": FOLDS, "shuffle": True}
    splits: dict[str, Splitter] = {"comp": ours}
    if len(set(bundles.tolist())) < len(bundles):
        splits["StratifiedGroupKFold"] = lambda s: theirs(
            StratifiedGroupKFold(**options, random_state=s), rarest, bundles
        )
    else:
        splits["StratifiedKFold"] = lambda s: theirs(StratifiedKFold(**options, random_state=s), rarest, None)
        splits["StratifiedGroupKFold"] = lambda s: theirs(
            StratifiedGroupKFold(**options, random_state=s), rarest, bundles
        )
        splits["iterative-stratification"] = lambda s: theirs(
            MultilabelStratifiedKFold(**options, random_state=s), present.astype(int), None
        )
    return splits


def rows(shared: Shared, name: str, root: Path) -> None:
    """Print the rows of one data set."""
    manifest, settings = shared.index(root)
    scan = scan_images(manifest, settings, root, root / "looks.csv")
    pixels = np.array([item.pixels for item in manifest.items], dtype=float)
    kinds = [("images", False, False)]
    if all(item.group for item in manifest.items):
        kinds += [(f"{shared.group_column}s", True, False), (f"{shared.group_column}s and near-duplicates", True, True)]
    if scan.duplicates.labelled:
        kinds.insert(1, ("near-duplicates", False, True))
    for what, grouped, duplicates in kinds:
        for splitter, make in splitters(scan, grouped=grouped, duplicates=duplicates).items():
            start = time.perf_counter()
            results = [deviation(pixels, make(seed)) for seed in SEEDS]
            seconds = (time.perf_counter() - start) / len(SEEDS)
            cells = [np.median([getattr(d, key) for d in results]) for key in Deviation.__dataclass_fields__]
            numbers = " | ".join(f"{cell:.2f}" for cell in cells)
            print(f"| {name} | {what} | {splitter} | {numbers} | {seconds:.2f} s |", flush=True)


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else shared_data()
    if folder is None:
        sys.exit("There is no shared data.")
    print("| data | kept together | splitter | share, points | share, % of it | presence, points | images, % | time |")
    print("|---|---|---|---|---|---|---|---|")
    for name, shared in (("camvid", CAMVID), ("dsb2018_small", DSB)):
        with tempfile.TemporaryDirectory() as root:
            rows(shared.within(folder), name, Path(root))


if __name__ == "__main__":
    main()
