"""Pseudo-labels from the test predictions of experiments (Lee, ICML 2013 workshop), free of leaks in every fold.

The labels that fold k trains on come from the members' models of fold k alone, which never saw fold k's validation
images. All members count the same, and no thresholds or other post-processing are used: an ensemble's were fitted on
every fold's labels, and would carry what they learned from fold k's into its training.
"""

import hashlib
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from competition.config.experiment import KeptEpoch
from competition.config.settings import IGNORE_INDEX, Settings
from competition.data.images import Pixels
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, StepProgress, in_threads, of_step
from competition.data.pseudo import PREFIX, PseudoFacts, PseudoLabels, count_pixels
from competition.ensemble.blend import best_class, blocks
from competition.ensemble.inputs import BlendedExperiment, open_experiments
from competition.ensemble.source import find_source
from competition.errors import RefusedError
from competition.files import replacing_folder, write_json
from competition.names import check_name
from competition.paths import Paths, PseudoPaths
from competition.predictions.probabilities import LEVELS, Bytes
from competition.store import competition, events, experiments
from competition.store.engine import Store

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class MadePseudoLabels:
    """A new set of pseudo-labels.

    Args:
        predicted: pixels that the models name each class in, int64 (folds, C).
        kept: those of them that became labels, int64 (folds, C).
        images: how many test images each fold may train on; one without a single label is left out.
        chosen_by_fold: the experiments that chose their epoch by the validation fold, so that labels from them know a
            little of it.
    """

    labels: PseudoLabels
    predicted: Counts
    kept: Counts
    images: tuple[int, ...]
    chosen_by_fold: tuple[str, ...] = ()

    @property
    def missing_classes(self) -> tuple[str, ...]:
        """The classes that no pixel of any fold is labelled with."""
        pixels = self.kept.sum(axis=0)
        return tuple(name for name, number in zip(self.labels.facts.classes, pixels, strict=True) if not number)

    def to_json(self) -> dict[str, object]:
        """Plain values, as `comp pseudo --json` prints them."""
        facts = self.labels.facts
        return {
            "name": self.labels.name,
            "pinned": self.labels.pinned,
            "source": facts.source,
            "members": list(facts.members),
            "threshold": facts.threshold,
            "folds": [
                {
                    "fold": fold,
                    "images": images,
                    "predicted": dict(zip(facts.classes, predicted, strict=True)),
                    "kept": dict(zip(facts.classes, kept, strict=True)),
                }
                for fold, (images, predicted, kept) in enumerate(
                    zip(self.images, self.predicted.tolist(), self.kept.tolist(), strict=True)
                )
            ],
        }


def make_pseudo_labels(
    store: Store,
    settings: Settings,
    source: str,
    *,
    threshold: float = 0.9,
    name: str | None = None,
    actor: str,
    progress: StepProgress | None = None,
) -> MadePseudoLabels:
    """Label the test images with the pixels that an ensemble or experiment is sure of, and record it.

    Args:
        threshold: the least mean probability of a pixel's class, above 0 and at most 1.
        name: of the set; None for the first free one of p1, p2, ….
        actor: who makes it, for the history.

    Raises:
        UnknownNameError: there is no such ensemble or experiment.
        RefusedError: the name or the threshold cannot be used, or see `write_pseudo_labels`.
        DataError: a shard is missing or damaged.
    """
    if not 0 < threshold <= 1:
        raise RefusedError(
            f"--threshold {threshold:g} is not above 0 and at most 1: 0 would label every pixel, however unsure.",
            hint="Take one such as 0.9.",
        )
    checked = _free_name(store.paths) if name is None else _check_name(store.paths, name)
    made = write_pseudo_labels(
        checked,
        store.paths.pseudo(checked),
        find_source(store, settings, source).blend.experiments,
        Manifest.read(store.paths.manifest(competition.fingerprint(store))),
        source=source,
        threshold=threshold,
        progress=of_step(progress, "Labelling"),
    )
    why = f"from {source}, threshold {threshold:g}"
    events.note(store, actor=actor, subject=checked, action="pseudo-labels made", why=why)
    trained = {name: experiments.find(store, name).config.train for name in made.labels.facts.members}
    by_fold = [name for name, train in trained.items() if train.checkpoint is KeptEpoch.BEST or train.patience > 0]
    return replace(made, chosen_by_fold=tuple(by_fold))


def _check_name(paths: Paths, name: str) -> str:
    check_name("a set of pseudo-labels", name)
    if name == "none" or not re.fullmatch(r"[\w.-]+", name):
        raise RefusedError(f"{name!r} cannot be the name of a set of pseudo-labels: data.pseudo={name} means another.")
    if paths.pseudo(name).folder.exists():
        raise RefusedError(f"There is a set of pseudo-labels {name!r} already.", hint="Choose another --name.")
    return name


def _free_name(paths: Paths) -> str:
    number = 1
    while paths.pseudo(f"p{number}").folder.exists():
        number += 1
    return f"p{number}"


def write_pseudo_labels(
    name: str,
    target: PseudoPaths,
    members: Sequence[BlendedExperiment],
    manifest: Manifest,
    *,
    source: str,
    threshold: float,
    progress: Progress | None = None,
) -> MadePseudoLabels:
    """Write the folder of `target`: whole, or not at all.

    Args:
        manifest: of the data that the competition runs on.
        source: what the members are taken from, for the record.
        threshold: the least mean probability of a pixel's class for the pixel to be labelled.

    Raises:
        RefusedError: the members do not belong together, have no test predictions, or are nowhere sure enough.
        DataError: a shard is missing or damaged.
    """
    opened = open_experiments(members)
    if not opened.test:
        raise RefusedError("There are no test predictions to take labels from: the competition has no test images.")
    first = opened.test[0][0]
    if first.fingerprint != manifest.fingerprint:
        raise RefusedError(
            f"{source} ran on other data ({first.fingerprint}) than the competition has now ({manifest.fingerprint}).",
            hint=f"`comp run --from {opened.names[0]}` trains it again, on the current data and split.",
        )
    opened.verify("test")
    tests = {item.id: item for item in manifest.test}
    classes, folds = opened.classes, range(len(opened.test[0]))
    wanted = [(fold, image_id) for fold in folds for image_id in opened.test_ids]

    with replacing_folder(target.folder) as folder:
        aside = PseudoPaths(folder)

        def label(place: tuple[int, str]) -> tuple[Item, Counts]:
            fold, image_id = place
            views = [shards[fold][image_id] for shards in opened.test]
            labels, named = confident(views, threshold=threshold)
            return _write(aside, fold, tests[image_id], labels, len(classes)), named

        found = in_threads(label, wanted, progress=progress)
        manifests = []
        for fold in folds:
            of_fold = [item for (its_fold, _), (item, _) in zip(wanted, found, strict=True) if its_fold == fold]
            labelled = Manifest(tuple(item for item in of_fold if any(item.pixels)))
            if not labelled.items:
                raise RefusedError(
                    f"No pixel of any test image reaches the threshold {threshold:g} in fold {fold}.",
                    hint="Take a lower --threshold.",
                )
            labelled.write(aside.manifest(fold))
            manifests.append(labelled)
        facts = PseudoFacts(
            source=source,
            members=opened.names,
            threshold=threshold,
            classes=classes,
            fingerprint=first.fingerprint,
            split_hash=first.split_hash,
            folds=tuple(of_fold.fingerprint for of_fold in manifests),
        )
        write_json(aside.facts, facts.model_dump(mode="json"))
    named = np.array([counts for _, counts in found]).reshape(len(folds), -1, len(classes)).sum(axis=1)
    kept = np.array([np.sum([item.pixels for item in of_fold.items], axis=0) for of_fold in manifests])
    return MadePseudoLabels(PseudoLabels(name, target, facts), named, kept, tuple(len(m.items) for m in manifests))


def confident(views: Sequence[Bytes], *, threshold: float) -> tuple[Pixels, Counts]:
    """The class of each pixel where its mean probability is at least `threshold`, and void elsewhere.

    Args:
        views: uint8 (C, H, W), the probabilities of each model.

    Returns:
        uint8 (H, W), and how many pixels each class is the likeliest of, int64 (C,).
    """
    least = math.ceil(threshold * LEVELS * len(views) - 1e-9)
    labels, named = [], np.zeros(len(views[0]), np.int64)
    for sums in blocks(views, [1] * len(views)):
        best = best_class(sums)
        named += np.bincount(best, minlength=len(sums))
        labels.append(np.where(sums.max(axis=0) >= least, best, np.uint8(IGNORE_INDEX)))
    return np.concatenate(labels).reshape(views[0].shape[1:]), named


def _write(paths: PseudoPaths, fold: int, test: Item, labels: Pixels, classes: int) -> Item:
    """Write a label map; the item that describes it."""
    encoded = io.BytesIO()
    Image.fromarray(labels).save(encoded, format="PNG")
    file = paths.labels(fold) / f"{test.id}.png"
    file.parent.mkdir(parents=True, exist_ok=True)  # an id may hold the image's folder
    file.write_bytes(encoded.getvalue())
    pixels, void = count_pixels(labels, classes)
    return Item(
        id=PREFIX + test.id,
        image=test.image,
        mask=f"{test.id}.png",
        group=test.group,
        height=test.height,
        width=test.width,
        image_sha256=test.image_sha256,
        mask_sha256=hashlib.sha256(encoded.getvalue()).hexdigest(),
        pixels=pixels,
        void=void,
    )
