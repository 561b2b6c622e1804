"""The whole look at a competition's data."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from competition.config.experiment import Config
from competition.config.settings import Settings
from competition.data.checks.alike import find_alike
from competition.data.checks.looks import find_looks
from competition.data.eda.advice import Advice, advise
from competition.data.eda.appearance import NAMES, measure
from competition.data.eda.choice import Choice, choose
from competition.data.eda.classes import ClassFacts, class_facts, co_occurrence
from competition.data.eda.clusters import Cluster, find_clusters
from competition.data.eda.drift import Drift, measure_drift
from competition.data.eda.objects import ObjectFacts, Objects, find_objects, object_facts
from competition.data.eda.places import heat_maps, to_grid
from competition.data.eda.twins import Twins, find_twins
from competition.data.images import Pixels, resize_image
from competition.data.load import Loader, open_loader
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.data.sample import debug_sample
from competition.errors import DataError

Floats = NDArray[np.float64]

LONGEST_SIDE = 512
"""Appearance is measured at this size at most (pixels), so that sharpness means the same in photos of any camera."""


@dataclass(frozen=True)
class Survey:
    """Everything that was found out.

    Args:
        classes: from every labelled image.
        together: (C, C), of the images with the row's class, the share that has the column's; every labelled image.
        objects: by class, from the sample.
        maps: (C, G, G), how often each place is of each class; from the sample.
        sizes: (N, 2) height and width of every labelled image.
        test_sizes: (M, 2), of every test image.
        sample: the labelled images that were opened.
        features: (S, F), how each of them looks; the columns are `appearance.FEATURES`.
        test_features: (T, F), of the test images that were opened.
        clusters: the kinds that the sample falls into.
        drift: None where there are too few images to tell.
        twins: groups of pictures that are alike, from every image.
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
    twins: tuple[Twins, ...]
    advice: tuple[Advice, ...]
    choice: Choice

    @property
    def is_sampled(self) -> bool:
        """Whether some images were left unopened."""
        return len(self.sample) < len(self.sizes) or len(self.test_features) < len(self.test_sizes)


def survey(
    manifest: Manifest,
    settings: Settings,
    root: Path,
    *,
    config: Config,
    looks: Path,
    most: int,
    seed: int = 0,
    progress: Progress | None = None,
) -> Survey:
    """Look at the data that the manifest lists; relative paths of the settings start at `root`.

    Class shares, sizes and twins come from every image; whatever needs the pixels comes from at most `most` labelled
    and `most` test images: a sample that holds every class and spreads over the groups.

    Args:
        config: the baseline, which the advice is about.
        looks: the file that keeps the pictures' perceptual hashes (`Paths.looks`).

    Raises:
        DataError: there are no labelled images, or files have changed since they were indexed.
    """
    if not manifest.items:
        raise DataError("There are no labelled images to look at.", hint="`comp init` indexes them.")
    classes = len(settings.classes)
    ids = debug_sample(manifest, manifest.by_id, share=0, at_least=most, seed=seed)
    sample = tuple(manifest.item(image_id) for image_id in ids)
    views = in_threads(
        partial(_view, open_loader(settings, root)), [*sample, *_spread(manifest.test, most)], progress=progress
    )
    labelled, test = views[: len(sample)], views[len(sample) :]
    features, test_features = _stacked(labelled), _stacked(test)
    facts = class_facts(manifest, settings.classes)
    objects = object_facts([view.objects for view in labelled if view.objects is not None], classes)
    maps = heat_maps((view.grid for view in labelled if view.grid is not None), classes)
    clusters = find_clusters(ids, features, seed=seed)
    sizes = _sizes(manifest.items)
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
        twins=find_twins(find_alike(manifest, find_looks(manifest, settings, root, looks, progress=progress))),
        advice=advise(
            classes=facts,
            objects=objects,
            sizes=sizes,
            maps=maps,
            features=features,
            kinds=len(clusters),
            config=config,
        ),
        choice=choose(sample, features, settings.classes),
    )


@dataclass(frozen=True)
class _View:
    """What is kept of an image after it was opened; `objects` and `grid` are None for a test image."""

    features: Floats
    size: tuple[int, int]
    objects: Objects | None = None
    grid: Pixels | None = None


def _view(loader: Loader, item: Item) -> _View:
    image = loader.image(item)
    scale = LONGEST_SIDE / max(item.height, item.width)
    if scale < 1:
        image = resize_image(image, (max(1, round(item.height * scale)), max(1, round(item.width * scale))))
    features, size = measure(image), (item.height, item.width)
    if not item.is_labelled:
        return _View(features, size)
    labels = loader.labels(item)
    return _View(features, size, find_objects(labels), to_grid(labels))


def _drift(sample: Sequence[Item], train: Sequence[_View], test: Sequence[_View], seed: int) -> Drift | None:
    """The drift in looks and sizes."""
    sizes = [np.array([view.size for view in part], dtype=np.float64).reshape(-1, 2) for part in (train, test)]
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
    return [items[place * len(items) // number] for place in range(number)]


def _stacked(views: Sequence[_View]) -> Floats:
    return np.array([view.features for view in views], dtype=np.float64).reshape(-1, len(NAMES))


def _sizes(items: Sequence[Item]) -> NDArray[np.int64]:
    return np.array([(item.height, item.width) for item in items], dtype=np.int64).reshape(-1, 2)
