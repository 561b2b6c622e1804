import numpy as np
import pytest

from competition.config.settings import Metric
from competition.scoring import bootstrap, metrics
from competition.scoring.bootstrap import draw


def runs_of(images: int, *, runs: int = 2, classes: int = 4) -> list[np.ndarray]:
    """Matrices of the same images; the last class is rare, and one image is void throughout."""
    generator = np.random.default_rng(1)
    made = [generator.integers(0, 50, (images, classes, classes)) for _ in range(runs)]
    for run in made:
        run[1:, -1, :] = 0
        run[1:, :, -1] = 0
        run[2] = 0
    return made


@pytest.mark.parametrize("metric", [*Metric])
@pytest.mark.parametrize("units", [12, ["a", "a", "b", "c", "c", "c", "d", "e", "e", "f", "g", "g"]])
def test_each_draw_scores_what_the_metric_says_of_the_images_drawn(metric: Metric, units: int | list[str]) -> None:
    runs = runs_of(12)
    drawn = draw(units, draws=50)
    scores = drawn.scores(metric, runs)
    assert scores.shape == (50, 2)
    for counts, row in zip(drawn.counts, scores, strict=True):
        images = np.repeat(np.arange(12), counts[drawn.unit_of])
        expected = [metrics.score(metric, run[images]) for run in runs]
        np.testing.assert_allclose(row, expected, rtol=1e-5)


def test_the_error_of_a_mean_is_what_the_textbook_gives() -> None:
    right = np.random.default_rng(0).integers(0, 11, 60)
    run = np.zeros((60, 2, 2), np.int64)
    run[:, 0, 0], run[:, 0, 1] = right, 10 - right
    expected = (right / 10).std(ddof=1) / np.sqrt(60)
    assert bootstrap.error(Metric.PIXEL_ACCURACY, run, draw(60)) == pytest.approx(expected, rel=0.03)
    fours = np.repeat(np.arange(15), 4)
    grouped = bootstrap.error(Metric.PIXEL_ACCURACY, run[4 * fours], draw([str(unit) for unit in fours]))
    alone = bootstrap.error(Metric.PIXEL_ACCURACY, run[4 * fours], draw(60))
    assert grouped == pytest.approx(2 * alone, rel=0.1)
    assert np.isnan(bootstrap.error(Metric.PIXEL_ACCURACY, run, draw(["one"] * 60)))
    assert np.isnan(bootstrap.error(Metric.PIXEL_ACCURACY, 0 * run, draw(60)))


def test_a_metric_of_the_teams_own_is_called_on_the_images_drawn() -> None:
    runs = runs_of(6)
    drawn = draw(6, draws=1000)
    scores = drawn.scores("tests.scoring.test_bootstrap:share_of_first", runs)
    assert scores.shape == (bootstrap.OWN_DRAWS, 2)
    images = np.repeat(np.arange(6), drawn.counts[3])
    assert scores[3, 0] == share_of_first(runs[0][images])


def share_of_first(matrices: np.ndarray) -> float:
    return float(matrices[:, 0, 0].sum() / matrices.sum())


def test_groups_are_drawn_whole_and_as_many_as_there_are() -> None:
    drawn = draw(["a", "b", "a", "c"], draws=20)
    assert drawn.units == 3
    assert drawn.unit_of.tolist() == [0, 1, 0, 2]
    assert (drawn.counts.sum(axis=1) == 3).all()


def test_many_images_get_fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "MOST_COUNTS", 6_000)
    monkeypatch.setattr(bootstrap, "FEWEST_DRAWS", 100)
    assert [len(draw(units, draws=500).counts) for units in (10, 30, 1000)] == [500, 200, 100]


def test_the_same_units_give_the_same_draws() -> None:
    np.testing.assert_array_equal(draw(40, draws=5).counts, draw(40, draws=5).counts)


def test_the_error_of_a_mean_is_the_one_of_the_textbook() -> None:
    """Images of one size: accuracy is a mean over images, whose standard error is s / sqrt(n)."""
    generator = np.random.default_rng(2)
    hits = generator.integers(20, 80, 60)
    matrices = np.zeros((60, 2, 2), np.int64)
    matrices[:, 0, 0], matrices[:, 0, 1] = hits, 100 - hits
    scores = draw(60).scores(Metric.PIXEL_ACCURACY, [matrices])
    error = float(np.sqrt(bootstrap.covariance(scores, units=60)[0, 0]))
    assert error == pytest.approx(np.std(hits / 100, ddof=1) / np.sqrt(60), rel=0.03)


def test_frames_of_one_video_are_worth_one_picture() -> None:
    """Every image ten times over: the error by groups is that of the single images."""
    single = runs_of(30, runs=1)[0]
    copied = np.repeat(single, 10, axis=0)
    names = [str(i // 10) for i in range(300)]
    whole = bootstrap.covariance(draw(names).scores(Metric.MIOU, [copied]), units=30)[0, 0]
    alone = bootstrap.covariance(draw(30).scores(Metric.MIOU, [single]), units=30)[0, 0]
    apart = bootstrap.covariance(draw(300).scores(Metric.MIOU, [copied]), units=300)[0, 0]
    assert whole == pytest.approx(alone, rel=0.1)
    assert apart < whole / 5


def test_one_unit_says_nothing_about_another() -> None:
    scores = draw(["video"] * 12).scores(Metric.MIOU, runs_of(12))
    assert np.isnan(bootstrap.covariance(scores, units=1)).all()


def test_draws_without_a_score_are_left_out() -> None:
    scores = np.array([[0.0, 1.0], [np.nan, 9.0], [1.0, 1.0]])
    np.testing.assert_allclose(bootstrap.covariance(scores, units=2), [[1.0, 0.0], [0.0, 0.0]])
