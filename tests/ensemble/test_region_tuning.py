import numpy as np
import pytest

from competition.config.settings import Metric
from competition.ensemble.blend import blend
from competition.ensemble.build import build
from competition.ensemble.inputs import open_experiments
from competition.ensemble.methods import Method
from competition.ensemble.postprocess import UNIT, Postprocessing
from competition.ensemble.region_tuning import _tables, search
from competition.scoring import confusion
from tests.ensemble.conftest import Makes, answering, noisy, random_truth

IDS = [f"i{n}" for n in range(6)]


def blocks(seed: int) -> dict[str, np.ndarray]:
    """Truth in large blocks, so that a single pixel of a class is always a mistake."""
    coarse = random_truth(*IDS, size=(4, 5), seed=seed)
    return {image_id: np.kron(labels, np.ones((10, 10), np.uint8)) for image_id, labels in coarse.items()}


def speckled(truth: dict[str, np.ndarray], share: float, ids: list[str], seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {i: answering(np.where(generator.random(truth[i].shape) < share, (truth[i] + 1) % 3, truth[i])) for i in ids}


@pytest.mark.parametrize("method", [Method.MEAN, Method.VOTE])
def test_the_table_scores_what_is_done_exactly(experiment: Makes, method: Method) -> None:
    truth = random_truth(*IDS, seed=3)
    experiments = [experiment(f"m{s}", [noisy(truth, seed=s, noise=2)]) for s in range(3)]
    opened = open_experiments(experiments)
    table = _tables(opened, [(2, 1, 1)], method=method, truth=truth.__getitem__, progress=None)[2, 1, 1]
    settings = Postprocessing((4, 0, 9), (0, 3, 2), (False, True, False), (UNIT,) * 3)
    by_hand = np.stack(
        [
            confusion.count(settings.apply(blend(opened.oof_views(i), (2, 1, 1), method)), truth[i], 3)
            for i in opened.ids
        ]
    )
    assert np.array_equal(table.matrices(settings), by_hand)
    assert np.array_equal(table.matrix(settings), by_hand.sum(axis=0))
    some = np.arange(len(IDS)) % 2 == 0
    assert np.array_equal(table.only(some).matrix(settings), by_hand[some].sum(axis=0))


def test_specks_are_found_and_what_is_right_is_left(experiment: Makes) -> None:
    truth = blocks(0)
    opened = open_experiments([experiment("m", [speckled(truth, 0.05, IDS)])])
    table = _tables(opened, [(1,)], method=Method.MEAN, truth=truth.__getitem__, progress=None)[1,]
    found = search(table, Metric.MIOU, [4, 16], Postprocessing.nothing(3))
    assert max(found.min_size + found.hole_size) > 0
    clean = open_experiments([experiment("clean", [{i: answering(truth[i]) for i in IDS}])])
    table = _tables(clean, [(1,)], method=Method.MEAN, truth=truth.__getitem__, progress=None)[1,]
    assert search(table, Metric.MIOU, [4, 16], Postprocessing.nothing(3)) == Postprocessing.nothing(3)


def test_no_fold_chooses_its_own_settings(experiment: Makes) -> None:
    """Class 2 is specks alone: real ones in one fold, mistakes in the other. Each fold would wish the other's away."""
    generator = np.random.default_rng(0)
    truth, seen = {}, {}
    for n, image_id in enumerate(IDS):
        labels = np.repeat(np.arange(2, dtype=np.uint8), 20)[None].repeat(40, axis=0)
        specks = np.zeros(labels.shape, bool)
        specks[2:-2:4, 2:-2:4] = generator.random((9, 9)) < 0.7
        seen[image_id] = answering(np.where(specks, 2, labels))
        truth[image_id] = np.where(specks & (n % 2 == 0), 2, labels).astype(np.uint8)
        truth[image_id][0, 0] = 2  # the class occurs in both folds
    folds = [{i: seen[i] for i in IDS[k::2]} for k in range(2)]
    made = build(
        [experiment("m", folds)], truth=truth.__getitem__, metric=Metric.MIOU, method=Method.MEAN, postprocess=True
    )
    regions = made.tuned["regions"]
    assert regions.score < regions.before
    assert regions.in_sample >= regions.before
    assert not regions.is_adopted
    assert made.postprocessing is None
    assert made.score == regions.before
