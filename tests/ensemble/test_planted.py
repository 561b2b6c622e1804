"""The whole engine on planted data: models of equal skill, of which none deserves more weight than another.

The truth about a blend is known to any precision, as more images can be made. So it can be seen whether the score that
comp reports is the one that new images give.
"""

from pathlib import Path

import numpy as np
import pytest

from competition.config.settings import Metric
from competition.ensemble.blend import best_class, weighted_sum
from competition.ensemble.build import ScoredBlend, build
from competition.ensemble.inputs import BlendedExperiment
from competition.ensemble.methods import Method
from competition.scoring import confusion, metrics
from tests.ensemble.conftest import write_shard

CLASSES, SIDE, MEMBERS, FOLDS = 3, 8, 4, 3
REPEATS = 50
NAMES = ("a", "b", "c")


def planted(generator: np.random.Generator, images: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth (N, H, W), and probabilities (N, M, C, H, W) of models that are alike in all but their noise.

    Images are easy or hard for all models alike, and every model errs in its own way on each image.
    """
    truth = generator.integers(0, CLASSES, (images, SIDE, SIDE)).astype(np.uint8)
    right = (np.arange(CLASSES)[:, None, None] == truth[:, None])[:, None]
    difficulty = generator.uniform(0.8, 2.0, (images, 1, 1, 1, 1))
    noise = generator.normal(size=(images, MEMBERS, CLASSES, SIDE, SIDE))
    noise += 0.5 * generator.normal(size=(images, MEMBERS, CLASSES, 1, 1))
    raised = np.exp(2.0 * right + difficulty * noise)
    return truth, (raised / raised.sum(axis=2, keepdims=True)).astype(np.float32)


def built(folder: Path, generator: np.random.Generator, seed: int) -> ScoredBlend:
    images = int(generator.integers(30, 121))
    truth, probabilities = planted(generator, images)
    experiments = []
    for m in range(MEMBERS):
        folds = [{f"i{n}": probabilities[n, m] for n in range(k, images, FOLDS)} for k in range(FOLDS)]
        shards = [write_shard(folder / f"{seed}-m{m}-{k}.u8", fold, classes=NAMES) for k, fold in enumerate(folds)]
        experiments.append(BlendedExperiment(f"m{m}", tuple(shards)))
    return build(experiments, truth=lambda i: truth[int(i[1:])], metric=Metric.MIOU, method=Method.AUTO, seed=seed)


@pytest.mark.slow
def test_the_cross_fitted_score_is_honest_and_equal_weights_are_kept(tmp_path: Path) -> None:
    generator = np.random.default_rng(20240607)
    new_truth, new = planted(generator, 3000)
    new_bytes = np.rint(255 * new).astype(np.uint8).transpose(1, 2, 0, 3, 4).reshape(MEMBERS, CLASSES, -1)

    def score_on_new_images(weights: list[float]) -> float:
        counts = np.rint(256 * np.array(weights)).astype(int).tolist()
        labels = best_class(weighted_sum(list(new_bytes), counts)).reshape(-1, SIDE)
        return metrics.score(Metric.MIOU, confusion.count(labels, new_truth.reshape(-1, SIDE), CLASSES))

    equal = score_on_new_images([1 / MEMBERS] * MEMBERS)
    scores, errors, honest, flattering, kept = [], [], [], [], 0
    for seed in range(REPEATS):
        made = built(tmp_path, generator, seed)
        true = score_on_new_images(list(made.fitted_weights.values()))  # type: ignore[arg-type]
        scores.append(made.weighted_score - true)
        errors.append(made.score_error)
        honest.append(made.weighted_score - made.mean_score - (true - equal))
        flattering.append(made.weighted_in_sample - made.mean_score - (true - equal))
        kept += made.method is Method.MEAN
    print(
        f"score, cross-fitted less true: {_points(scores)}; standard error reported: {100 * np.mean(errors):.3f}\n"
        f"gain over equal weights less true gain, cross-fitted: {_points(honest)}, in-sample: {_points(flattering)}\n"
        f"equal weights kept: {kept} of {REPEATS}"
    )
    assert abs(np.mean(scores)) < np.mean(errors)
    assert np.mean(errors) / 1.4 < np.std(scores, ddof=1) < 1.4 * np.mean(errors)  # the error it reports is its own
    assert abs(np.mean(honest)) < np.std(honest, ddof=1)
    assert np.mean(flattering) > 2 * _error(flattering)
    assert kept >= 0.8 * REPEATS


def _error(values: list[float]) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def _points(values: list[float]) -> str:
    return f"{100 * np.mean(values):+.3f} ± {100 * _error(values):.3f} points"
