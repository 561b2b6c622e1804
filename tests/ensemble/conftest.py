"""Hand-made members: probabilities that make a wanted answer, in real shards."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from competition.ensemble.inputs import BlendedExperiment
from competition.predictions.probabilities import Part, ShardWriter

CLASSES = ("background", "paper", "glass")


def answering(labels: np.ndarray, *, classes: int = 3, confidence: float = 0.8) -> np.ndarray:
    """Probabilities (C, H, W) that name `labels` (H, W) with this confidence and share the rest out."""
    rest = (1 - confidence) / (classes - 1)
    return np.where(np.arange(classes)[:, None, None] == labels, confidence, rest).astype(np.float32)


def write_shard(
    path: Path,
    images: Mapping[str, np.ndarray],
    *,
    part: Part = "oof",
    classes: Sequence[str] = CLASSES,
    split_hash: str = "s" * 64,
    fingerprint: str = "f" * 16,
) -> Path:
    """A shard with these probabilities by image id."""
    with ShardWriter(path, classes=classes, part=part, split_hash=split_hash, fingerprint=fingerprint) as shard:
        for image_id, probabilities in images.items():
            shard.add(image_id, probabilities)
    return path


class Makes:
    """Makes members whose shards lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(
        self,
        name: str,
        oof: Sequence[Mapping[str, np.ndarray]],
        test: Sequence[Mapping[str, np.ndarray]] = (),
        **header: object,
    ) -> BlendedExperiment:
        """A member with a shard for each of the mappings from image id to probabilities (one per fold)."""
        folder = self._folder / name
        return BlendedExperiment(
            name,
            tuple(write_shard(folder / f"fold{k}" / "oof.u8", fold, **header) for k, fold in enumerate(oof)),  # type: ignore[arg-type]
            tuple(
                write_shard(folder / f"fold{k}" / "test.u8", fold, part="test", **header)  # type: ignore[arg-type]
                for k, fold in enumerate(test)
            ),
        )


@pytest.fixture
def experiment(tmp_path: Path) -> Makes:
    return Makes(tmp_path)


def random_truth(*ids: str, size: tuple[int, int] = (12, 16), classes: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    """Labels for each id."""
    generator = np.random.default_rng(seed)
    return {image_id: generator.integers(0, classes, size).astype(np.uint8) for image_id in ids}


def noisy(truth: Mapping[str, np.ndarray], *, seed: int, noise: float, classes: int = 3) -> dict[str, np.ndarray]:
    """Probabilities of a model that sees the truth through Gaussian noise on its logits."""
    generator = np.random.default_rng(seed)
    made = {}
    for image_id, labels in truth.items():
        logits = generator.normal(0, noise, (classes, *labels.shape))
        logits += 2.0 * (np.arange(classes)[:, None, None] == labels)
        raised = np.exp(logits - logits.max(axis=0))
        made[image_id] = (raised / raised.sum(axis=0)).astype(np.float32)
    return made
