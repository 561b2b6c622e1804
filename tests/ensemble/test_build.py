import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from competition.config.settings import IGNORE_INDEX, Metric
from competition.ensemble import crossfit
from competition.ensemble.blend import Weighting
from competition.ensemble.build import ScoredBlend, build
from competition.ensemble.crossfit import parts_of, units_of
from competition.ensemble.inputs import BlendedExperiment, OpenExperiments, open_experiments
from competition.ensemble.methods import Method
from competition.ensemble.pixel_sample import PixelSample
from competition.ensemble.score_experiments import confusions
from competition.scoring import confusion, metrics
from tests.ensemble.conftest import Makes, answering, noisy, random_truth

IDS = [f"i{n}" for n in range(6)]
TRUTH = random_truth(*IDS, seed=7)


def in_folds(images: Mapping[str, np.ndarray], folds: int = 3) -> list[dict[str, np.ndarray]]:
    return [{i: images[i] for i in IDS[k::folds]} for k in range(folds)]


def built(experiments: list[BlendedExperiment], method: Method = Method.WEIGHTED, **options: object) -> ScoredBlend:
    values: dict[str, object] = {"truth": TRUTH.__getitem__, "metric": Metric.MIOU, "method": method, **options}
    return build(experiments, **values)  # type: ignore[arg-type]


def test_equal_weights_by_hand(experiment: Makes) -> None:
    truth = {"a": np.array([[0, 1, 2, IGNORE_INDEX]], np.uint8)}
    first = answering(np.array([[0, 1, 1, 1]]), confidence=0.6)
    second = answering(np.array([[0, 0, 2, 1]]), confidence=0.9)
    made = built(
        [experiment("x", [{"a": first}]), experiment("y", [{"a": second}])], Method.MEAN, truth=truth.__getitem__
    )
    # The surer member wins where they differ: background, background, glass.
    assert made.confusion[0].tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1]]
    assert made.per_class_iou == (0.5, 0.0, 1.0)
    assert made.score == made.mean_score == pytest.approx(0.5)
    assert made.singles == {"x": pytest.approx((1 + 0.5 + 0) / 3), "y": pytest.approx(0.5)}
    assert made.weights == {"x": 0.5, "y": 0.5}


@pytest.mark.parametrize("method", list(Method))
def test_one_member_is_its_own_ensemble(experiment: Makes, method: Method) -> None:
    seen = noisy(TRUTH, seed=0, noise=2)
    made = built([experiment("b1", in_folds(seen))], method)
    own = np.stack([confusion.count(seen[i].argmax(axis=0).astype(np.uint8), TRUTH[i], 3) for i in made.ids])
    alone = metrics.score(Metric.MIOU, own)
    assert made.weights == {"b1": 1.0}
    assert made.best_single == ("b1", pytest.approx(alone, abs=0.02))  # rounding to bytes moves near-ties
    assert {made.score, made.mean_score, made.weighted_score, made.weighted_in_sample} == {made.best_single[1]}


def test_weights_leave_a_bad_member_behind(experiment: Makes) -> None:
    experiments = [
        experiment(name, in_folds(noisy(TRUTH, seed=seed, noise=noise)))
        for seed, (name, noise) in enumerate([("good", 1.5), ("fair", 1.7), ("bad", 8.0)])
    ]
    made = built(experiments)
    assert made.weights["bad"] < made.weights["fair"] / 2
    assert sum(made.weights.values()) == pytest.approx(1)
    assert made.weighted_score > made.mean_score + 0.02
    assert made.weighted_in_sample >= max(made.mean_score, *made.singles.values())
    assert made.score == made.weighted_score
    assert made.best_single[0] == "good"
    assert metrics.score(Metric.MIOU, made.confusion) == made.score
    mean = built(experiments, Method.MEAN)
    assert mean.score == made.mean_score
    assert (mean.weighted_score, mean.singles) == (made.weighted_score, made.singles)
    assert set(mean.weights.values()) == {1 / 3}


def test_the_scored_fold_never_chooses_its_own_weights(experiment: Makes) -> None:
    """Each member knows the answers of one fold and is wrong everywhere else.

    Weights that saw a fold would choose the member that knows it; weights that did not must choose the other.
    """
    wrong = {i: (labels + 1) % 3 for i, labels in TRUTH.items()}
    folds = [IDS[0::2], IDS[1::2]]

    def knows(known: int) -> list[dict[str, np.ndarray]]:
        return [
            {i: answering(TRUTH[i] if fold == known else wrong[i], confidence=0.9) for i in ids}
            for fold, ids in enumerate(folds)
        ]

    made = built([experiment("knows0", knows(0)), experiment("knows1", knows(1))])
    assert made.weighted_score == 0.0
    assert made.weighted_in_sample >= 0.3  # half of the pixels right: 1/3 for each class
    assert made.singles == {"knows0": pytest.approx(1 / 3, abs=0.05), "knows1": pytest.approx(1 / 3, abs=0.05)}


def test_every_fit_sees_the_other_folds_alone(experiment: Makes, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []
    search = crossfit.search

    def spy(sample: PixelSample, metric: str, **options: Any) -> list[Weighting]:
        with_pixels = {int(i) for i in sample.image} | {int(i) for i in sample.settled.sum(axis=(1, 2)).nonzero()[0]}
        seen.append(with_pixels)
        return search(sample, metric, **options)

    monkeypatch.setattr(crossfit, "search", spy)
    experiments = [experiment(f"m{s}", in_folds(noisy(TRUTH, seed=s, noise=2))) for s in range(2)]
    built(experiments)
    # Rows go fold after fold: two images each.
    assert sorted(map(sorted, seen)) == sorted([[2, 3, 4, 5], [0, 1, 4, 5], [0, 1, 2, 3], [0, 1, 2, 3, 4, 5]])


def test_a_holdout_is_parted_again_with_groups_whole(experiment: Makes) -> None:
    ids = [f"i{n}" for n in range(23)]
    seen = noisy(random_truth(*ids, size=(2, 2)), seed=0, noise=1)
    opened = open_experiments([experiment("b1", [seen])])
    groups = {image_id: f"g{n // 4}" if n < 16 else "" for n, image_id in enumerate(ids)}
    units = units_of(opened.ids, groups)
    parts = parts_of(opened, units, seed=0)
    assert set(parts.tolist()) == {0, 1, 2, 3, 4}
    for first in range(0, 16, 4):
        assert len(set(parts[first : first + 4].tolist())) == 1
    assert sorted(np.bincount(parts).tolist()) == [4, 4, 5, 5, 5]
    assert np.array_equal(parts, parts_of(opened, units, seed=0))


def test_folds_are_the_parts(experiment: Makes) -> None:
    opened = open_experiments([experiment("b1", in_folds(noisy(TRUTH, seed=0, noise=1)))])
    assert parts_of(opened, np.zeros(len(IDS), np.int64), seed=0).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_holdout_of_one_group_falls_back_to_equal_weights(experiment: Makes) -> None:
    experiments = [experiment(f"m{s}", [noisy(TRUTH, seed=s, noise=noise)]) for s, noise in enumerate((1.0, 6.0))]
    made = built(experiments, groups=dict.fromkeys(IDS, "one group"))
    assert made.weighted_score == made.mean_score
    assert made.weighted_in_sample > made.mean_score


def test_deterministic(experiment: Makes) -> None:
    experiments = [experiment(f"m{s}", in_folds(noisy(TRUTH, seed=s, noise=2))) for s in range(3)]
    assert built(experiments) == built(experiments)
    assert built(experiments).confusion.tolist() == built(experiments).confusion.tolist()


def test_the_order_of_members_changes_no_mean(experiment: Makes) -> None:
    experiments = [experiment(f"m{s}", in_folds(noisy(TRUTH, seed=s, noise=2))) for s in range(3)]
    forward, backward = built(experiments, Method.MEAN), built(experiments[::-1], Method.MEAN)
    assert forward.score == backward.score
    assert np.array_equal(forward.confusion, backward.confusion)


def test_progress_runs_through_all_passes_once(experiment: Makes) -> None:
    told: list[tuple[int, int]] = []
    experiments = [experiment(f"m{s}", in_folds(noisy(TRUTH, seed=s, noise=2))) for s in range(2)]
    built(experiments, progress=lambda done, total: told.append((done, total)))
    # Three folds of two members are verified, six images are read four times.
    assert told == [(n, 30) for n in range(1, 31)]


def test_json_holds_no_nan(experiment: Makes) -> None:
    truth = {"a": np.zeros((2, 2), np.uint8)}
    made = built([experiment("b1", [{"a": answering(truth["a"])}])], truth=truth.__getitem__)
    found = json.loads(json.dumps(made.to_json(), allow_nan=False))
    assert found["per_class_iou"] == {"background": 1.0, "paper": None, "glass": None}
    assert found["best_single"] == {"name": "b1", "score": 1.0}
    assert found["images"] == 1


def test_auto_takes_weights_that_gain_more_than_their_error(experiment: Makes) -> None:
    noises = [("good", 1.5), ("fair", 1.7), ("bad", 8.0)]
    experiments = [
        experiment(name, in_folds(noisy(TRUTH, seed=s, noise=noise))) for s, (name, noise) in enumerate(noises)
    ]
    made = built(experiments, Method.AUTO)
    assert (made.asked, made.method) == (Method.AUTO, Method.WEIGHTED)
    assert made.weighted_score - made.mean_score > made.gain_error > 0
    assert made.score == made.weighted_score
    assert made.weights["bad"] == 0


def test_auto_keeps_equal_weights_where_members_are_alike(experiment: Makes) -> None:
    experiments = [experiment(f"m{s}", in_folds(noisy(TRUTH, seed=s, noise=2))) for s in range(3)]
    made = built(experiments, Method.AUTO)
    assert (made.asked, made.method) == (Method.AUTO, Method.MEAN)
    assert made.weighted_score - made.mean_score <= made.gain_error
    assert made.score == made.mean_score
    assert set(made.weights.values()) == {1 / 3}


def test_auto_keeps_only_members_whose_absence_hurts(experiment: Makes) -> None:
    noises = [1.0, 1.0, 6.0, 6.0, 6.0]
    experiments = [experiment(f"m{s}", in_folds(noisy(TRUTH, seed=s, noise=noise))) for s, noise in enumerate(noises)]
    made = built(experiments, Method.AUTO)
    assert made.method is Method.WEIGHTED
    held = {name: weight for name, weight in made.weights.items() if weight}
    opened = open_experiments(experiments)
    final = exact_score(opened, made.weighting)
    for name in held:
        without = tuple(0 if n == name else c for n, c in zip(opened.names, made.weighting, strict=True))
        assert not any(without) or exact_score(opened, without) < final


def exact_score(opened: OpenExperiments, weighting: Weighting) -> float:
    return metrics.score(Metric.MIOU, confusions(opened, [weighting], truth=TRUTH.__getitem__)[weighting])


@pytest.mark.parametrize("method", [Method.VOTE, Method.GEOMETRIC, Method.RANK])
def test_methods_without_weights_are_scored_as_they_are(experiment: Makes, method: Method) -> None:
    experiments = [experiment(f"m{s}", in_folds(noisy(TRUTH, seed=s, noise=2))) for s in range(3)]
    made = built(experiments, method)
    opened = open_experiments(experiments)
    exact = confusions(opened, [(1, 1, 1)], truth=TRUTH.__getitem__, method=method)[1, 1, 1]
    assert made.score == metrics.score(Metric.MIOU, exact)
    assert set(made.weights.values()) == {1 / 3}
    assert (made.undecided_share, made.bounds) == (None, None)


def test_the_certificate_is_of_the_final_weights(experiment: Makes) -> None:
    experiments = [experiment(f"m{s}", in_folds(noisy(TRUTH, seed=s, noise=2))) for s in range(3)]
    made = built(experiments, Method.WEIGHTED)
    assert made.bounds is not None
    assert made.bounds[0] <= made.weighted_in_sample <= made.bounds[1]
    assert made.undecided_share is not None
    assert 0 <= made.undecided_share < 0.1


def test_classes_get_weights_of_their_own_where_members_know_different_ones(experiment: Makes) -> None:
    """One member confuses the last two classes and one the first two; each class is left to the one that knows it."""
    generator = np.random.default_rng(0)
    images: list[dict[str, np.ndarray]] = [{}, {}]
    for image_id, labels in TRUTH.items():
        right = (np.arange(3)[:, None, None] == labels).astype(np.float32)
        for seen, confused in zip(images, (slice(1, 3), slice(0, 2)), strict=True):
            blurred = right.copy()
            blurred[confused] = right[confused].mean(axis=0)
            noise = generator.dirichlet(np.ones(3), labels.shape).transpose(2, 0, 1)
            seen[image_id] = (0.4 * blurred + 0.6 * noise).astype(np.float32)
    experiments = [experiment("first", in_folds(images[0])), experiment("last", in_folds(images[1]))]
    made = built(experiments, Method.PER_CLASS)
    first, last = np.array(made.weights["first"]), np.array(made.weights["last"])
    assert first.shape == (3,)
    assert np.allclose(first + last, 1)
    assert first[0] > last[0]
    assert last[2] > first[2]
    assert made.weighted_in_sample > built(experiments, Method.WEIGHTED).weighted_in_sample
