"""What tests of commands share: experiments that have run to their end without any training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from competition.config.settings import read_settings
from competition.data.load import open_loader
from competition.data.manifest import Item, Manifest
from competition.data.split.folds import Split
from competition.experiments.request import RunRequest, submit
from competition.experiments.scoring import score_and_compare
from competition.jobspec import Succeeded
from competition.paths import Paths
from competition.predictions.probabilities import ShardWriter
from competition.scoring import confusion
from competition.store import splits
from competition.store.engine import Store, open_store
from competition.store.queue import attempts
from competition.store.queue.attempts import Process

CLASSES = ("background", "square", "disc")
WORKER = Process("host", "boot", 1, 1.0)
Prediction = Callable[[Item, np.ndarray | None], np.ndarray]
"""What a model says of an image, intp (H, W), given its labels (None for a test image)."""


def play(root: Path, prediction: Prediction, *, member: str = "ann", **request: object) -> str:
    """Submit an experiment as `comp run` does, play its jobs with made-up predictions, score it; its name."""
    paths = Paths(root)
    store, settings = open_store(paths), read_settings(paths.competition)
    wanted = RunRequest(member=member, **request)  # type: ignore[arg-type]
    experiment = submit(store, settings, wanted, check_model=lambda _: None).experiment
    while (claim := attempts.claim(store, WORKER, device="cpu", slot=0, experiment=experiment.name)) is not None:
        score = _predict(paths, experiment.name, claim.fold, prediction) if claim.kind == "fold" else None
        attempts.succeed(store, Succeeded(claim.token, score, 2.0, 1.0, 1.0, {}))
    score_and_compare(store, settings)
    store.close()
    return experiment.name


def _predict(paths: Paths, name: str, fold: int, prediction: Prediction) -> float:
    """What a fold job leaves behind: probabilities and confusion matrices; a score."""
    store = open_store(paths)
    version = splits.require_current(store)
    store.close()
    manifest = Manifest.read(paths.manifest(version.fingerprint))
    split = Split.read(paths.folds(version.fingerprint, version.version))
    loader = open_loader(read_settings(paths.competition), paths.root)
    job = paths.job(name, fold)
    job.folder.mkdir(parents=True, exist_ok=True)
    items = [item for item in manifest.items if split.assignment[item.id] == fold]
    matrices = []
    for path, part, images in ((job.oof, "oof", items), (job.test, "test", manifest.test)):
        facts = {"split_hash": version.hash, "fingerprint": version.fingerprint}
        with ShardWriter(path, classes=CLASSES, part=part, **facts) as shard:
            for item in images:
                truth = loader.labels(item) if part == "oof" else None
                said = prediction(item, truth)
                shard.add(item.id, np.eye(3, dtype=np.float32)[said].transpose(2, 0, 1))
                if truth is not None:
                    matrices.append(confusion.count(said.astype(np.uint8), truth, 3))
    confusion.save(job.confusion, [item.id for item in items], np.stack(matrices))
    return 0.5


def labels_of(image_id: str) -> np.ndarray:
    """Labels that have nothing to do with the image but differ from image to image, intp (32, 32)."""
    return np.random.default_rng(len(image_id) * 100 + ord(image_id[-1])).integers(0, 3, (32, 32))


def blurred(share: float, seed: int = 0) -> Prediction:
    """A model that gets this share of the pixels wrong, other ones for another seed."""

    def predict(item: Item, truth: np.ndarray | None) -> np.ndarray:
        generator = np.random.default_rng([seed, *item.id.encode()])
        right = labels_of(item.id) if truth is None else truth.astype(np.intp)
        wrong = generator.random(right.shape) < share
        return np.where(wrong, generator.integers(0, 3, right.shape), right)

    return predict


@pytest.fixture
def predicted(ready: Path) -> Path:
    """The competition with a complete experiment `b1` that predicts `labels_of`."""
    play(ready, lambda item, _: labels_of(item.id))
    return ready


@pytest.fixture
def opened(ready: Path) -> Store:
    """The database of the competition."""
    return open_store(Paths(ready))
