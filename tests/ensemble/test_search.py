import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competition.config.settings import Metric
from competition.ensemble.blend import Weighting, best_class, weighted_sum
from competition.ensemble.inputs import OpenExperiments, open_experiments
from competition.ensemble.pixel_sample import PixelSample, draw_sample
from competition.ensemble.score_experiments import confusions, score_experiments
from competition.ensemble.search import Objective, by_class, greedy, search
from competition.scoring import metrics
from tests.ensemble.conftest import Makes, noisy, random_truth

IDS = [f"i{n}" for n in range(8)]
TRUTH = random_truth(*IDS, size=(40, 50), seed=5)
EVERYTHING = 10**9
"""A sample size that leaves no pixel out."""


def opened_with(experiment: Makes, *noises: float) -> OpenExperiments:
    return open_experiments(
        [experiment(f"m{m}", [noisy(TRUTH, seed=m, noise=noise)]) for m, noise in enumerate(noises)]
    )


def sample_of(opened: OpenExperiments, *, size: int, seed: int = 0) -> PixelSample:
    surveyed = score_experiments(opened, truth=TRUTH.__getitem__)
    return draw_sample(opened, surveyed, truth=TRUTH.__getitem__, seed=seed, size=size)


def found(sample: PixelSample, metric: str) -> Weighting:
    """The most refined weighting."""
    return search(sample, metric, units=np.arange(len(IDS)), seed=0)[-1]


def estimated(sample: PixelSample, counts: Weighting) -> np.ndarray:
    """The confusion matrix that the sample says a weighting has."""
    answers = np.tensordot(np.array(counts), sample.values.astype(np.int64), axes=1).argmax(axis=0)
    matrix = sample.settled.sum(axis=0).astype(float)
    np.add.at(matrix, (sample.truth, answers), sample.weight)
    return matrix


def test_a_sample_of_everything_is_exact(experiment: Makes) -> None:
    opened = opened_with(experiment, 1.5, 2.0, 2.5)
    sample = sample_of(opened, size=EVERYTHING)
    assert (sample.weight == 1).all()
    exact = confusions(opened, [(2, 1, 3)], truth=TRUTH.__getitem__)[2, 1, 3]
    assert np.array_equal(estimated(sample, (2, 1, 3)), exact.sum(axis=0))


def test_a_small_sample_stands_for_all_pixels_and_is_not_biased(experiment: Makes) -> None:
    opened = opened_with(experiment, 1.5, 2.5)
    exact = confusions(opened, [(1, 1)], truth=TRUTH.__getitem__)[1, 1].sum(axis=0)
    drawn = [sample_of(opened, size=300, seed=seed) for seed in range(30)]
    for sample in drawn:
        assert len(sample.truth) <= 300 + 3 * len(IDS)
        assert estimated(sample, (1, 1)).sum() == pytest.approx(exact.sum())
    matrices = np.array([estimated(sample, (1, 1)) for sample in drawn])
    error = matrices.std(axis=0, ddof=1) / np.sqrt(len(drawn))
    assert (error > 0).any()
    assert (np.abs(matrices.mean(axis=0) - exact) <= 4 * error + 1e-9).all()


def test_rare_classes_are_drawn_as_often_as_common_ones(experiment: Makes) -> None:
    rare = {i: np.where(np.random.default_rng(9).random((40, 50)) < 0.95, 0, labels) for i, labels in TRUTH.items()}
    opened = open_experiments([experiment(f"m{s}", [noisy(rare, seed=s, noise=3)]) for s in range(2)])
    surveyed = score_experiments(opened, truth=rare.__getitem__)
    sample = draw_sample(opened, surveyed, truth=rare.__getitem__, seed=0, size=90)
    shares = np.bincount(sample.truth) / len(sample.truth)
    assert shares.min() > 0.25


def test_a_sample_of_some_images_knows_only_those(experiment: Makes) -> None:
    sample = sample_of(opened_with(experiment, 1.5, 2.5), size=500)
    images = np.arange(len(IDS)) % 2 == 0
    part = sample.repeated(images)
    assert set(part.image.tolist()) == {0, 2, 4, 6}
    assert part.values.shape[2] == len(part.truth) == len(part.weight) == images[sample.image].sum()
    assert part.settled[1::2].sum() == 0
    assert np.array_equal(part.settled[::2], sample.settled[::2])


def test_the_same_seed_draws_the_same(experiment: Makes) -> None:
    opened = opened_with(experiment, 1.5, 2.5)
    first, second, other = (sample_of(opened, size=200, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.values, second.values)
    assert found(first, Metric.MIOU) == found(second, Metric.MIOU)
    assert not np.array_equal(first.values[:, :, : other.values.shape[2]], other.values[:, :, : first.values.shape[2]])


@pytest.mark.parametrize("metric", list(Metric))
def test_beats_equal_weights_where_a_member_is_bad(experiment: Makes, metric: Metric) -> None:
    sample = sample_of(opened_with(experiment, 1.5, 1.5, 6.0), size=EVERYTHING)
    counts = found(sample, metric)
    assert counts[2] < min(counts[:2]) / 2
    better, equal = (metrics.score(metric, estimated(sample, c)) for c in (counts, (1, 1, 1)))
    assert better > equal + 0.02


def test_finds_nearly_the_best_of_two_members(experiment: Makes) -> None:
    sample = sample_of(opened_with(experiment, 1.5, 2.5), size=EVERYTHING)
    every = [metrics.score(Metric.MIOU, estimated(sample, (k, 40 - k))) for k in range(41)]
    assert metrics.score(Metric.MIOU, estimated(sample, found(sample, Metric.MIOU))) >= max(every) - 1e-3


def test_a_member_that_adds_nothing_is_dropped(experiment: Makes) -> None:
    good = noisy(TRUTH, seed=0, noise=0.1)
    inverted = {i: np.roll(p, 1, axis=0) for i, p in good.items()}
    opened = open_experiments([experiment("good", [good]), experiment("inverted", [inverted])])
    assert found(sample_of(opened, size=EVERYTHING), Metric.MIOU) == (1, 0)


def test_without_pixels_weights_are_equal(experiment: Makes) -> None:
    sample = sample_of(opened_with(experiment, 1.5, 2.5), size=200)
    assert found(sample.repeated(np.zeros(len(IDS), bool)), Metric.MIOU) == (1, 1)


def test_repeating_an_image_counts_it_again(experiment: Makes) -> None:
    sample = sample_of(opened_with(experiment, 1.5, 2.5), size=EVERYTHING)
    once = sum(estimated(sample.repeated(np.arange(len(IDS)) == i), (1, 1)) * (i + 1) for i in range(len(IDS)))
    assert np.allclose(estimated(sample.repeated(np.arange(len(IDS)) + 1), (1, 1)), once)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(2, 6))
def test_greedy_looks_at_no_pixel_in_vain_and_overlooks_none(seed: int, experiments: int, classes: int) -> None:
    """Pixels that are left out of a step could not have changed in it: scores are those of all pixels."""
    generator = np.random.default_rng(seed)
    pixels = 60
    sample = PixelSample(
        values=(generator.dirichlet(np.full(classes, 0.3), (experiments, pixels)) * 255)
        .astype(np.uint8)
        .swapaxes(1, 2),
        truth=generator.integers(0, classes, pixels),
        weight=generator.uniform(1, 5, pixels),
        image=np.zeros(pixels, np.int64),
        settled=np.ones((1, classes, classes), np.int64),
    )
    objective = Objective(sample, Metric.MIOU)
    counts = generator.integers(0, 9, experiments) + 1
    sums = weighted_sum(list(sample.values), counts.tolist()).astype(np.uint16)
    expected = [
        metrics.score(Metric.MIOU, estimated(sample, tuple(counts + (np.arange(experiments) == m))))
        for m in range(experiments)
    ]
    assert objective.scores_after_adding(sums) == pytest.approx(expected, abs=1e-12)


def test_greedy_by_hand() -> None:
    """The mean is wrong at the second pixel, by less than the second member outweighs the first when counted twice."""
    values = np.array([[[200, 150], [55, 105]], [[150, 110], [105, 145]]], np.uint8)
    sample = PixelSample(
        values=values,
        truth=np.array([0, 1]),
        weight=np.ones(2),
        image=np.zeros(2, np.int64),
        settled=np.zeros((1, 2, 2), np.int64),
    )
    assert best_class(weighted_sum(list(values), (1, 1))).tolist() == [0, 0]
    assert greedy(Objective(sample, Metric.MIOU)) == (1, 2)  # 370 against 395 at the second pixel


def test_whole_groups_make_the_bags(experiment: Makes) -> None:
    sample = sample_of(opened_with(experiment, 1.5, 2.5), size=EVERYTHING)
    one_group = search(sample, Metric.MIOU, units=np.zeros(len(IDS), np.int64), seed=0)
    assert one_group == search(sample, Metric.MIOU, units=np.zeros(len(IDS), np.int64), seed=1)


def test_weights_by_class_use_who_knows_what() -> None:
    """One member knows class 0 from 1, the other class 1 from 2: each class leans to the one that knows it."""
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 3, 3000)
    right = np.eye(3)[truth]
    blurred = right.copy()
    blurred[:, 1:] = right[:, 1:].mean(axis=1, keepdims=True)  # cannot tell 1 from 2
    other = right.copy()
    other[:, :2] = right[:, :2].mean(axis=1, keepdims=True)  # cannot tell 0 from 1
    noise = generator.dirichlet(np.ones(3), (2, len(truth)))
    values = np.rint(255 * (0.4 * np.stack([blurred, other]) + 0.6 * noise)).astype(np.uint8).swapaxes(1, 2)
    sample = PixelSample(values, truth, np.ones(3000), np.zeros(3000, np.int64), np.zeros((1, 3, 3), np.int64))
    weighting = np.array(by_class(sample, Metric.MIOU, (1, 1)))
    assert (weighting.sum(axis=0) == 256).all()
    assert weighting[0, 0] > weighting[1, 0]
    assert weighting[1, 2] > weighting[0, 2]
    objective = Objective(sample, Metric.MIOU)
    by_member = max(objective.score_of((k, 256 - k)) for k in range(0, 257, 8))
    assert objective.score_of(tuple(map(tuple, weighting.tolist()))) > by_member
