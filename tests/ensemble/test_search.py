import numpy as np
import pytest

from competition.ensemble.evaluate import confusions, survey
from competition.ensemble.members import OpenMembers, open_members
from competition.ensemble.pixels import Sample, draw
from competition.ensemble.search import search
from competition.scoring import metrics
from competition.settings import Metric
from tests.ensemble.conftest import Makes, noisy, random_truth

IDS = [f"i{n}" for n in range(8)]
TRUTH = random_truth(*IDS, size=(40, 50), seed=5)
EVERYTHING = 10**9
"""A sample size that leaves no pixel out."""


def opened_with(member: Makes, *noises: float) -> OpenMembers:
    return open_members([member(f"m{m}", [noisy(TRUTH, seed=m, noise=noise)]) for m, noise in enumerate(noises)])


def sample_of(opened: OpenMembers, *, size: int, seed: int = 0) -> Sample:
    found = survey(opened, truth=TRUTH.__getitem__)
    return draw(opened, found, truth=TRUTH.__getitem__, seed=seed, size=size)


def estimated(sample: Sample, counts: tuple[int, ...]) -> np.ndarray:
    """The confusion matrix that the sample says a weighting has."""
    answers = np.tensordot(np.array(counts), sample.values.astype(np.int64), axes=1).argmax(axis=0)
    matrix = sample.settled.sum(axis=0).astype(float)
    np.add.at(matrix, (sample.truth, answers), sample.weight)
    return matrix


def test_a_sample_of_everything_is_exact(member: Makes) -> None:
    opened = opened_with(member, 1.5, 2.0, 2.5)
    sample = sample_of(opened, size=EVERYTHING)
    assert (sample.weight == 1).all()
    exact = confusions(opened, [(2, 1, 3)], truth=TRUTH.__getitem__)[2, 1, 3]
    assert np.array_equal(estimated(sample, (2, 1, 3)), exact.sum(axis=0))


def test_a_small_sample_stands_for_all_pixels_and_is_not_biased(member: Makes) -> None:
    opened = opened_with(member, 1.5, 2.5)
    exact = confusions(opened, [(1, 1)], truth=TRUTH.__getitem__)[1, 1].sum(axis=0)
    drawn = [sample_of(opened, size=300, seed=seed) for seed in range(30)]
    for sample in drawn:
        assert len(sample.truth) <= 300 + 3 * len(IDS)
        assert estimated(sample, (1, 1)).sum() == pytest.approx(exact.sum())
    matrices = np.array([estimated(sample, (1, 1)) for sample in drawn])
    error = matrices.std(axis=0, ddof=1) / np.sqrt(len(drawn))
    assert (error > 0).any()
    assert (np.abs(matrices.mean(axis=0) - exact) <= 4 * error + 1e-9).all()


def test_rare_classes_are_drawn_as_often_as_common_ones(member: Makes) -> None:
    rare = {i: np.where(np.random.default_rng(9).random((40, 50)) < 0.95, 0, labels) for i, labels in TRUTH.items()}
    opened = open_members([member(f"m{s}", [noisy(rare, seed=s, noise=3)]) for s in range(2)])
    found = survey(opened, truth=rare.__getitem__)
    sample = draw(opened, found, truth=rare.__getitem__, seed=0, size=90)
    shares = np.bincount(sample.truth) / len(sample.truth)
    assert shares.min() > 0.25


def test_a_restricted_sample_knows_only_those_images(member: Makes) -> None:
    sample = sample_of(opened_with(member, 1.5, 2.5), size=500)
    images = np.arange(len(IDS)) % 2 == 0
    part = sample.restricted(images)
    assert set(part.image.tolist()) == {0, 2, 4, 6}
    assert part.values.shape[2] == len(part.truth) == len(part.weight) == images[sample.image].sum()
    assert part.settled[1::2].sum() == 0
    assert np.array_equal(part.settled[::2], sample.settled[::2])


def test_the_same_seed_draws_the_same(member: Makes) -> None:
    opened = opened_with(member, 1.5, 2.5)
    first, second, other = (sample_of(opened, size=200, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.values, second.values)
    assert search(first, Metric.MIOU) == search(second, Metric.MIOU)
    assert not np.array_equal(first.values[:, :, : other.values.shape[2]], other.values[:, :, : first.values.shape[2]])


@pytest.mark.parametrize("metric", list(Metric))
def test_beats_equal_weights_where_a_member_is_bad(member: Makes, metric: Metric) -> None:
    sample = sample_of(opened_with(member, 1.5, 1.5, 6.0), size=EVERYTHING)
    counts = search(sample, metric)
    assert counts[2] < min(counts[:2]) / 2
    better, equal = (metrics.score(metric, estimated(sample, c)) for c in (counts, (1, 1, 1)))
    assert better > equal + 0.02


def test_finds_nearly_the_best_of_two_members(member: Makes) -> None:
    sample = sample_of(opened_with(member, 1.5, 2.5), size=EVERYTHING)
    every = [metrics.score(Metric.MIOU, estimated(sample, (k, 40 - k))) for k in range(41)]
    assert metrics.score(Metric.MIOU, estimated(sample, search(sample, Metric.MIOU))) >= max(every) - 1e-3


def test_a_member_that_adds_nothing_is_dropped(member: Makes) -> None:
    good = noisy(TRUTH, seed=0, noise=0.1)
    inverted = {i: np.roll(p, 1, axis=0) for i, p in good.items()}
    opened = open_members([member("good", [good]), member("inverted", [inverted])])
    assert search(sample_of(opened, size=EVERYTHING), Metric.MIOU) == (1, 0)


def test_without_pixels_weights_are_equal(member: Makes) -> None:
    sample = sample_of(opened_with(member, 1.5, 2.5), size=200)
    assert search(sample.restricted(np.zeros(len(IDS), bool)), Metric.MIOU) == (1, 1)
