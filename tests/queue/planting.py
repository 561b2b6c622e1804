"""Experiments whose jobs have run, with the files that they would have left: made-up confusion matrices."""

import numpy as np

from competition.config.experiment import Config
from competition.data.split.folds import Split
from competition.files import sha256_of_json
from competition.jobspec import Succeeded
from competition.paths import Paths
from competition.scoring import confusion, metrics
from competition.store import splits
from competition.store.engine import Store
from competition.store.queue import attempts
from competition.store.queue.attempts import Process
from tests.conftest import submitted

CLASSES = 3


def leave(store: Store, paths: Paths, name: str, *, skill: float, models: str | None = None) -> None:
    """Play the worker for every queued job of an experiment; its images come out about as well as `skill`, 0 to 1.

    Args:
        models: the experiment whose trained models it uses; None for its own.
    """
    current = splits.require_current(store)
    split = Split.read(paths.folds(current.fingerprint, current.version))
    worker = Process("host", "boot", 1, 1.0)
    while taken := attempts.claim(store, worker, device="cpu", slot=0, experiment=name):
        score = None
        if taken.kind == "fold":
            ids = split.valid_ids(taken.fold)
            matrices = np.array([_matrix(name, image_id, taken.repeat, skill) for image_id in ids])
            confusion.save(paths.job(name, taken.fold, taken.repeat).confusion, ids, matrices)
            score = metrics.score("miou", matrices)
        model = f"{models or name} {taken.kind} {taken.fold} {taken.repeat}"
        artifacts = {"model.safetensors": sha256_of_json(model)} if taken.kind == "fold" else {}
        attempts.succeed(store, Succeeded(taken.token, score, 2.0, 1.0, 1.0, artifacts))


def queue(store: Store, config: Config, *, name: str, seeds: int = 1, **changes: object) -> None:
    """Ask for an experiment on the current split."""
    submitted(store, config, name=name, seeds=seeds, split_version=splits.require_current(store).version, **changes)


def _matrix(name: str, image_id: str, repeat: int, skill: float) -> np.ndarray:
    """Every class has a thousand pixels; an image is as hard for every experiment, and each seed has its luck."""
    hard = np.random.default_rng(_number(image_id)).normal(0, 0.05)
    luck = np.random.default_rng(_number(name, image_id, repeat)).normal(0, 0.02)
    hits = int(1000 * np.clip(skill + hard + luck, 0, 1))
    return np.full((CLASSES, CLASSES), (1000 - hits) // 2) + np.eye(CLASSES, dtype=np.int64) * (
        hits - (1000 - hits) // 2
    )


def _number(*parts: object) -> int:
    """A number for these parts that is the same in every process."""
    return int.from_bytes(repr(parts).encode(), "little")
