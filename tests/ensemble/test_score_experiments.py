import numpy as np
import pytest

from competition.config.settings import IGNORE_INDEX
from competition.ensemble.blend import best_class, weighted_sum
from competition.ensemble.inputs import OpenExperiments, open_experiments
from competition.ensemble.score_experiments import confusions, score_experiments
from competition.scoring import confusion
from tests.ensemble.conftest import Makes, answering, noisy, random_truth

TRUTH = random_truth("a", "b", "c", seed=3)
TRUTH["b"][2:5] = IGNORE_INDEX


@pytest.fixture
def opened(experiment: Makes) -> OpenExperiments:
    clean = {image_id: np.where(labels == IGNORE_INDEX, 0, labels) for image_id, labels in TRUTH.items()}
    experiments = []
    for seed in range(3):
        seen = noisy(clean, seed=seed, noise=1.5)
        experiments.append(experiment(f"m{seed}", [{"a": seen["a"]}, {"b": seen["b"], "c": seen["c"]}]))
    return open_experiments(experiments)


def test_by_hand(experiment: Makes) -> None:
    truth = {"a": np.array([[0, 1, 2, IGNORE_INDEX]], np.uint8)}
    right = answering(np.array([[0, 1, 1, 1]]), confidence=0.6)
    sure = answering(np.array([[0, 2, 2, 1]]), confidence=0.9)
    opened = open_experiments([experiment("right", [{"a": right}]), experiment("sure", [{"a": sure}])])
    found = score_experiments(opened, truth=truth.__getitem__)
    assert found.singles[0, 0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert found.singles[1, 0].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert found.settled[0].tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert found.contested.tolist() == [[0, 1, 1]]
    scored = confusions(opened, [(1, 1), (3, 1)], truth=truth.__getitem__)
    assert scored[1, 1][0].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]  # the surer member wins
    assert scored[3, 1][0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]


def test_a_blend_of_one_member_is_that_member(opened: OpenExperiments) -> None:
    found = score_experiments(opened, truth=TRUTH.__getitem__)
    scored = confusions(opened, [(0, 1, 0)], truth=TRUTH.__getitem__)
    assert np.array_equal(scored[0, 1, 0], found.singles[1])
    assert scored[0, 1, 0].sum() == 3 * 12 * 16 - 3 * 16


def test_settled_pixels_stay_as_they_are_under_any_weighting(opened: OpenExperiments) -> None:
    found = score_experiments(opened, truth=TRUTH.__getitem__)
    assert found.settled.sum() > 50
    assert found.contested.sum() > 50
    for counts in [(1, 1, 1), (5, 0, 2), (0, 1, 9)]:
        contested = np.zeros_like(found.settled)
        for row, image_id in enumerate(opened.ids):
            views = [view.reshape(3, -1) for view in opened.oof_views(image_id)]
            answers = [view.argmax(axis=0) for view in views]
            differs = (answers[0] != answers[1]) | (answers[0] != answers[2])
            blended = best_class(weighted_sum([view[:, differs] for view in views], counts))
            contested[row] = confusion.count(blended, TRUTH[image_id].ravel()[differs], 3)
        exact = confusions(opened, [counts], truth=TRUTH.__getitem__)[counts]
        assert np.array_equal(found.settled + contested, exact)


def test_progress_counts_images(opened: OpenExperiments) -> None:
    told: list[tuple[int, int]] = []
    score_experiments(opened, truth=TRUTH.__getitem__, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
