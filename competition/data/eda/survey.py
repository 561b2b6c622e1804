"""The survey: everything that `comp eda` finds out about a competition's data."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from competition.config.experiment import Config
from competition.config.settings import Settings
from competition.data.checks.duplicates import DuplicateGroup, find_duplicates, group_duplicates
from competition.data.checks.image_hashes import hash_images
from competition.data.eda.advice import Advice, advise
from competition.data.eda.appearance import NAMES, measure
from competition.data.eda.classes import ClassFacts, class_facts, co_occurrence
from competition.data.eda.clusters import Cluster, find_clusters
from competition.data.eda.drift import Drift, measure_drift
from competition.data.eda.examples import Examples, choose_examples
from competition.data.eda.heat_maps import heat_maps, to_grid
from competition.data.eda.objects import ObjectFacts, Objects, find_objects, object_facts
from competition.data.images import Pixels, resize_image
from competition.data.load import Loader, open_loader
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.data.sample import sample_images
from competition.errors import DataError

Floats = NDArray[np.float64]

LONGEST_SIDE = 512
"""Larger images are measured at this size (pixels), so that sharpness means the same for every camera."""


@dataclass(frozen=True)
class Survey:
    """The results of a survey.

    Args:
        classes: facts about each class, from every labelled image.
        together: (C, C) how often classes occur in the same image (`co_occurrence`), from every labelled image.
        objects: facts about the objects of each class, from the sample.
        maps: (C, G, G) heat maps of the classes, from the sample.
        sizes: (N, 2) height and width of every labelled image, pixels.
        test_sizes: (M, 2) height and width of every test image, pixels.
        sample: the labelled images that were opened.
        features: (S, F) the appearance of the sample; the columns are `appearance.FEATURES`.
        test_features: (T, F) the appearance of the test images that were opened.
        clusters: the kinds of images in the sample.
        drift: None if there are too few images.
        duplicates: groups of near-duplicates, from every image.
    """

    classes: tuple[ClassFacts, ...]
    together: Floats
    objects: tuple[ObjectFacts, ...]
    maps: Floats
    sizes: NDArray[np.int64]
    test_sizes: NDArray[np.int64]
    sample: tuple[Item, ...]
    features: Floats
    test_features: Floats
    clusters: tuple[Cluster, ...]
    drift: Drift | None
    duplicates: tuple[DuplicateGroup, ...]
    advice: tuple[Advice, ...]
    examples: Examples

    @property
    def is_sampled(self) -> bool:
        """True if some images were not opened."""
        return len(self.sample) < len(self.sizes) or len(self.test_features) < len(self.test_sizes)


def survey(
    manifest: Manifest,
    settings: Settings,
    root: Path,
    *,
    config: Config,
    hash_file: Path,
    most: int,
    seed: int = 0,
    progress: Progress | None = None,
) -> Survey:
    """Survey the data in the manifest; relative paths of the settings start at `root`.

    Class shares, sizes and near-duplicates come from every image. Results that need the pixels come from at most `most`
    labelled and `most` test images: a sample that shows every class and is spread over the groups.

    Args:
        config: the baseline, which the advice is about.
        hash_file: the file that keeps the perceptual hashes of the images (`Paths.looks`).

    Raises:
        DataError: there are no labelled images, or files have changed since they were indexed.
    """
    if not manifest.items:
        raise DataError("There are no labelled images.", hint="`comp init` indexes them.")
    classes = len(settings.classes)
    ids = sample_images(manifest, manifest.by_id, share=0, at_least=most, seed=seed)
    sample = tuple(manifest.item(image_id) for image_id in ids)
    measure_item = partial(_measure, open_loader(settings, root))
    measured = in_threads(measure_item, [*sample, *_spread(manifest.test, most)], progress=progress)
    labelled, test = measured[: len(sample)], measured[len(sample) :]
    features, test_features = _stacked(labelled), _stacked(test)
    facts = class_facts(manifest, settings.classes)
    objects = object_facts([m.objects for m in labelled if m.objects is not None], classes)
    maps = heat_maps((m.grid for m in labelled if m.grid is not None), classes)
    clusters = find_clusters(ids, features, seed=seed)
    sizes = _sizes(manifest.items)
    duplicates = find_duplicates(manifest, hash_images(manifest, settings, root, hash_file, progress=progress))
    return Survey(
        classes=facts,
        together=co_occurrence(manifest, classes),
        objects=objects,
        maps=maps,
        sizes=sizes,
        test_sizes=_sizes(manifest.test),
        sample=sample,
        features=features,
        test_features=test_features,
        clusters=clusters,
        drift=_drift(sample, labelled, test, seed),
        duplicates=group_duplicates(duplicates),
        advice=advise(
            classes=facts,
            objects=objects,
            sizes=sizes,
            maps=maps,
            features=features,
            kinds=len(clusters),
            config=config,
        ),
        examples=choose_examples(sample, features, settings.classes),
    )


@dataclass(frozen=True)
class _Measured:
    """The results for one image, kept instead of its pixels; `objects` and `grid` are None for a test image."""

    features: Floats
    size: tuple[int, int]
    objects: Objects | None = None
    grid: Pixels | None = None


def _measure(loader: Loader, item: Item) -> _Measured:
    image = loader.image(item)
    scale = LONGEST_SIDE / max(item.height, item.width)
    if scale < 1:
        image = resize_image(image, (max(1, round(item.height * scale)), max(1, round(item.width * scale))))
    features, size = measure(image), (item.height, item.width)
    if not item.is_labelled:
        return _Measured(features, size)
    labels = loader.labels(item)
    return _Measured(features, size, find_objects(labels), to_grid(labels))


def _drift(sample: Sequence[Item], train: Sequence[_Measured], test: Sequence[_Measured], seed: int) -> Drift | None:
    """The drift in appearance and sizes."""
    sizes = [np.array([m.size for m in part], dtype=np.float64).reshape(-1, 2) for part in (train, test)]
    return measure_drift(
        np.hstack([_stacked(train), sizes[0]]),
        np.hstack([_stacked(test), sizes[1]]),
        groups=[item.group for item in sample],
        names=(*NAMES, "height", "width"),
        seed=seed,
    )


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most `most` of the items, evenly spaced in their order."""
    number = min(most, len(items))
    return [items[i * len(items) // number] for i in range(number)]


def _stacked(measured: Sequence[_Measured]) -> Floats:
    return np.array([m.features for m in measured], dtype=np.float64).reshape(-1, len(NAMES))


def _sizes(items: Sequence[Item]) -> NDArray[np.int64]:
    return np.array([(item.height, item.width) for item in items], dtype=np.int64).reshape(-1, 2)
