"""Tuning what is done to regions, never scored on the images that chose it.

All that post-processing looks at is a table of regions, so an image is blended and labelled once, and any setting is
then scored exactly from the table: the pixels of each region, by their true class, move to the class it is given.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from competition.data.parallel import Progress, in_threads
from competition.ensemble.blend import Weighting, blend
from competition.ensemble.crossfit import all_but_each, of_each
from competition.ensemble.inputs import OpenExperiments
from competition.ensemble.methods import Method
from competition.ensemble.postprocess import Postprocessing
from competition.ensemble.postprocess_types import CrossFittedBlend, TunedStep, TuningData
from competition.ensemble.regions import Numbers, Regions, find_regions
from competition.ensemble.score_experiments import Truth
from competition.scoring import metrics
from competition.scoring.confusion import Labels, Matrices

Value = TypeVar("Value")

_ROUNDS = 3
_LARGEST_SHARE = 1 / 50
"""Of an image's pixels: no size that is tried is larger."""


@dataclass(frozen=True)
class Table:
    """The regions of N label maps, and what their pixels really are.

    Args:
        images: N.
        image: int64 (P,), the row of the image; `region`, `true` and `pixels` likewise say which region has how many
            pixels of which true class.
    """

    images: int
    classes: int
    regions: Regions
    image: Numbers
    region: Numbers
    true: Numbers
    pixels: Numbers

    def matrices(self, settings: Postprocessing) -> Matrices:
        """The confusion matrix of each image after post-processing: int64 (N, C, C)."""
        named = settings.judge(self.regions)[self.region]
        cell = (self.image * self.classes + self.true) * self.classes + named
        counted = np.bincount(cell, weights=self.pixels, minlength=self.images * self.classes**2)
        return counted.reshape(self.images, self.classes, self.classes).astype(np.int64)

    def matrix(self, settings: Postprocessing) -> Matrices:
        """That of all images: int64 (C, C)."""
        cell = self.true * self.classes + settings.judge(self.regions)[self.region]
        counted = np.bincount(cell, weights=self.pixels, minlength=self.classes**2)
        return counted.reshape(self.classes, self.classes).astype(np.int64)

    def only(self, images: NDArray[np.bool_]) -> "Table":
        """As if the other images (N,) had no labelled pixels."""
        kept = images[self.image]
        parts = {name: getattr(self, name)[kept] for name in ("image", "region", "true", "pixels")}
        return replace(self, **parts)


def tune(
    trial: TuningData,
    blended: CrossFittedBlend,
    *,
    method: Method,
    start: Postprocessing,
    progress: Progress | None = None,
) -> TunedStep:
    """Tune what is done to the regions of a blend on all images, and once more without each part.

    Args:
        start: nothing, but the thresholds that are in the weightings.
    """
    fits = (*blended.by_part, blended.weighting)
    experiments, truth, metric = trial.experiments, trial.truth, trial.metric
    tables = _tables(experiments, list(dict.fromkeys(fits)), method=method, truth=truth, progress=progress)
    sizes = tuple(_sizes(experiments))
    seen = [tables[fit].only(images) for fit, images in zip(fits, all_but_each(trial.parts), strict=True)]
    settings = in_threads(lambda table: search(table, metric, sizes, start), seen)
    after = [tables[fit].matrices(chosen) for fit, chosen in zip(fits, settings, strict=True)]
    return trial.judge(
        settings[-1], before=blended.confusion, after=of_each(trial.parts, after[:-1]), in_sample=after[-1]
    )


def search(table: Table, metric: str, sizes: Sequence[int], start: Postprocessing) -> Postprocessing:
    """The settings that score best, found one class and one setting at a time. Deterministic."""
    objective = metrics.stand_in(metric)
    best = start
    best_score = metrics.score(objective, table.matrix(best))
    for _ in range(_ROUNDS):
        before = best
        for index in range(table.classes):
            for settings in list(_variants(best, index, sizes)):
                score = metrics.score(objective, table.matrix(settings))
                if score > best_score:
                    best, best_score = settings, score
        if best == before:
            break
    return best


def _variants(settings: Postprocessing, index: int, sizes: Sequence[int]) -> Iterator[Postprocessing]:
    """The settings with one of a class's changed."""
    for size in (0, *sizes):
        yield replace(settings, min_size=_with(settings.min_size, index, size))
        yield replace(settings, hole_size=_with(settings.hole_size, index, size))
    for only in (False, True):
        yield replace(settings, largest_only=_with(settings.largest_only, index, only))


def _with(values: tuple[Value, ...], index: int, value: Value) -> tuple[Value, ...]:
    return (*values[:index], value, *values[index + 1 :])


def _sizes(experiments: OpenExperiments) -> Iterator[int]:
    """4, 16, 64, … pixels, as far as that is a small part of an image of middle size."""
    pixels = [height * width for shard in experiments.oof[0] for height, width in shard.sizes.values()]
    size = 4
    while size <= _LARGEST_SHARE * float(np.median(pixels)):
        yield size
        size *= 4


def _tables(
    experiments: OpenExperiments,
    weightings: Sequence[Weighting],
    *,
    method: Method,
    truth: Truth,
    progress: Progress | None,
) -> dict[Weighting, Table]:
    """The table of the blend by each weighting; every image is read once."""
    classes = len(experiments.classes)

    def one(image_id: str) -> list[tuple[Regions, Numbers, Numbers, Numbers]]:
        labels, views = truth(image_id), experiments.oof_views(image_id)
        return [_counted(blend(views, weighting, method), labels, classes) for weighting in weightings]

    found = in_threads(one, experiments.ids, progress=progress)
    return {w: _table([image[place] for image in found], classes) for place, w in enumerate(weightings)}


def _counted(named: Labels, labels: Labels, classes: int) -> tuple[Regions, Numbers, Numbers, Numbers]:
    """The regions of a label map, and for each that has labelled pixels of a true class: which, of what, how many."""
    number, regions = find_regions(named, classes)
    labelled = labels < classes
    pairs = np.bincount(number[labelled] * classes + labels[labelled], minlength=len(regions.label) * classes)
    (present,) = pairs.nonzero()
    return regions, present // classes, present % classes, pairs[present]


def _table(images: Sequence[tuple[Regions, Numbers, Numbers, Numbers]], classes: int) -> Table:
    regions, region, true, pixels = zip(*images, strict=True)
    starts = np.cumsum([0, *(len(part.label) for part in regions)])
    return Table(
        images=len(images),
        classes=classes,
        regions=Regions.joined(regions),
        image=np.repeat(np.arange(len(images)), [len(part) for part in region]),
        region=np.concatenate([part + start for part, start in zip(region, starts, strict=False)]),
        true=np.concatenate(true),
        pixels=np.concatenate(pixels),
    )
