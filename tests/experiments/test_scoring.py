import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from competition.config.conditions import conditions_between
from competition.config.experiment import Config, with_overrides
from competition.config.settings import Settings, read_settings
from competition.errors import CompError, StoreBusyError
from competition.experiments import oof_matrices
from competition.experiments.comparing import compare_experiments
from competition.experiments.leaderboard import leaderboard
from competition.experiments.scoring import score_and_compare
from competition.paths import Paths
from competition.scoring import metrics
from competition.scoring.bootstrap import draw, paired_error
from competition.scoring.imagewise import most_changed
from competition.scoring.verdicts import Effect
from competition.store import baselines, comparisons, events, experiments, scores, splits
from competition.store.engine import Store, open_store
from tests.conftest import Comp
from tests.queue.planting import leave, queue


@pytest.fixture
def opened(ready: Path) -> Iterator[Store]:
    """A real competition: a baseline with three seeds, and an experiment that is clearly better."""
    store = open_store(Paths(ready))
    baselines.record_first(store, Config(), actor="ann")
    queue(store, Config(), name="b1", seeds=3)
    better = with_overrides(Config(), ["loss.dice=0.5"])
    conditions = conditions_between(Config(), better)
    queue(store, better, name="dice-0.5", parent_sha256=Config().sha256, conditions=conditions)
    leave(store, store.paths, "b1", skill=0.6)
    leave(store, store.paths, "dice-0.5", skill=0.8)
    yield store
    store.close()


@pytest.fixture
def settings(ready: Path) -> Settings:
    return read_settings(Paths(ready).competition)


def finish(store: Store, settings: Settings) -> None:
    score_and_compare(store, settings)


def test_the_score_is_that_of_all_pixels_and_the_mean_over_seeds(opened: Store, settings: Settings) -> None:
    finish(opened, settings)
    b1 = experiments.find(opened, "b1")
    found = oof_matrices.load(opened.paths, b1, folds=2, repeats=(0, 1, 2))
    assert len(found.ids) == 12
    assert list(b1.repeat_scores.values()) == [metrics.score("miou", run) for run in found.runs]
    assert b1.score == pytest.approx(np.mean(list(b1.repeat_scores.values())))
    assert b1.band is not None
    assert b1.class_iou == pytest.approx(np.mean([metrics.per_class_iou(run.sum(0)) for run in found.runs], axis=0))
    assert experiments.find(opened, "dice-0.5").band is None


def test_the_parent_is_compared_by_groups_on_the_same_draws(opened: Store, settings: Settings) -> None:
    finish(opened, settings)
    rows = {row.name: row for row in leaderboard(opened)}
    judged = rows["dice-0.5"].judged
    assert judged is not None
    a, b = (
        oof_matrices.load(opened.paths, experiments.find(opened, name), folds=2, repeats=repeats)
        for name, repeats in (("b1", (0, 1, 2)), ("dice-0.5", (0,)))
    )
    groups = [image_id.partition("_")[0] for image_id in a.ids]
    assert judged.effect.units == 4
    assert judged.effect.se_images == pytest.approx(paired_error("miou", a.runs, b.runs, draw(groups)))
    assert judged.verdict.call == "better"
    assert comparisons.pending(opened) == []


def test_comparing_them_says_what_the_listing_says_and_which_images_changed(opened: Store, settings: Settings) -> None:
    finish(opened, settings)
    judged = {row.name: row for row in leaderboard(opened)}["dice-0.5"].judged
    split = splits.require_current(opened)
    a, b = (experiments.find(opened, name) for name in ("b1", "dice-0.5"))
    made = compare_experiments(opened, settings, a, b, split)
    assert judged is not None
    assert made.verdict.p == pytest.approx(judged.verdict.p)
    assert made.effect.delta == pytest.approx(judged.effect.delta)
    assert [c.name for c in made.classes] == list(settings.classes)
    assert all(c.b - c.a > c.half > 0 for c in made.classes)
    assert len(made.images) == 12
    assert [i.delta for i in made.images] == sorted(i.delta for i in made.images)
    largest = sorted(abs(i.delta) for i in made.images)[-3:]
    assert sorted(abs(i.delta) for i in most_changed(made.images, 3)) == largest
    one = made.images[0]
    matrices = {e.name: oof_matrices.load(opened.paths, e, folds=2, repeats=tuple(e.repeat_scores)) for e in (a, b)}
    place = matrices["b1"].ids.index(one.id)
    assert one.b == pytest.approx(float(metrics.miou(matrices["dice-0.5"].runs[0][place])))
    assert one.a == pytest.approx(np.mean([metrics.miou(run[place]) for run in matrices["b1"].runs]))


def test_what_only_predicts_differently_is_compared_on_the_same_models(
    opened: Store, settings: Settings, comp: Comp
) -> None:
    """The first seed alone, which both have: what the parent's others are lucky with says nothing about it."""
    flipped = with_overrides(Config(), ["predict.tta=hflip"])
    turned = with_overrides(Config(), ["predict.tta=d4"])
    for name, config, skill in (("tta-hflip", flipped, 0.62), ("tta-d4", turned, 0.61)):
        conditions = conditions_between(Config(), config)
        queue(opened, config, name=name, parent_sha256=Config().sha256, conditions=conditions)
        leave(opened, opened.paths, name, skill=skill, models="b1")
    finish(opened, settings)
    rows = {row.name: row for row in leaderboard(opened)}
    judged = rows["tta-hflip"].judged
    assert judged is not None
    b1, tta = (experiments.find(opened, name) for name in ("b1", "tta-hflip"))
    assert tta.score is not None
    gain = tta.score - b1.repeat_scores[0]
    assert b1.score != pytest.approx(b1.repeat_scores[0])
    a, b = (oof_matrices.load(opened.paths, e, folds=2, repeats=(0,)) for e in (b1, tta))
    groups = [image_id.partition("_")[0] for image_id in a.ids]
    assert judged.effect == Effect(
        pytest.approx(gain), pytest.approx(paired_error("miou", a.runs, b.runs, draw(groups))), 4, (1, 1), None, True
    )
    assert (rows["tta-hflip"].delta, judged.mark, judged.folds) == (pytest.approx(gain), "=", None)

    made = compare_experiments(opened, settings, b1, tta, splits.require_current(opened))
    assert made.effect.delta == pytest.approx(gain)
    assert made.verdict.p == pytest.approx(judged.verdict.p)
    said = json.loads(comp.ok("compare", "b1", "tta-hflip", "--json"))
    assert said["score"]["a"] == pytest.approx(b1.repeat_scores[0])
    assert said["verdict"]["same_models"] is True
    assert "the same trained models in both" in " ".join(comp.ok("compare", "tta-d4", "tta-hflip").split())
    assert "= the same trained models" in comp("leaderboard").err


def test_models_that_were_trained_anew_are_not_the_same(opened: Store, settings: Settings) -> None:
    """Whatever the configuration says: then a seed, a device or a version comes between the two."""
    flipped = with_overrides(Config(), ["predict.tta=hflip"])
    conditions = conditions_between(Config(), flipped)
    queue(opened, flipped, name="tta-hflip", parent_sha256=Config().sha256, conditions=conditions)
    leave(opened, opened.paths, "tta-hflip", skill=0.62)
    finish(opened, settings)
    judged = {row.name: row for row in leaderboard(opened)}["tta-hflip"].judged
    assert judged is not None
    assert (judged.effect.same_models, judged.effect.runs, judged.seeds_from) == (False, (3, 1), ("b1",))


def test_two_workers_score_an_experiment_once(opened: Store, settings: Settings) -> None:
    found = [experiment for experiment, _ in experiments.unscored(opened)]
    told: list[str] = []
    score_and_compare(opened, settings, on_scored=told.append)
    assert sorted(told) == sorted(experiment.name for experiment in found)
    before = {row.name: row.judged for row in leaderboard(opened)}
    again = next(experiment for experiment in found if experiment.name == "dice-0.5")
    assert not scores.set_score(opened, again.id, score=0.1, class_iou=[])
    score_and_compare(opened, settings, on_scored=told.append)
    assert len(told) == len(found)
    assert [e.action for e in events.history(opened, subject="dice-0.5")].count("complete") == 1
    assert {row.name: row.judged for row in leaderboard(opened)} == before


def test_who_was_scored_before_an_error_is_told(
    opened: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise StoreBusyError("busy")

    told: list[str] = []
    monkeypatch.setattr(comparisons, "save", busy)
    with pytest.raises(StoreBusyError):
        score_and_compare(opened, settings, on_scored=told.append)
    assert "dice-0.5" in told


def test_files_that_are_gone_cost_the_verdict_and_not_the_score(opened: Store, settings: Settings) -> None:
    [(first, repeats)] = [one for one in experiments.unscored(opened) if one[0].name == "b1"]
    assert repeats == (0, 1, 2)
    scores.set_score(opened, first.id, score=0.5, class_iou=[], repeat_scores={0: 0.5, 1: 0.5, 2: 0.5})
    opened.paths.job("b1", 1, 2).confusion.unlink()
    score_and_compare(opened, settings)
    row = {row.name: row for row in leaderboard(opened)}["dice-0.5"]
    assert row.score is not None
    assert row.judged is None
    assert "no verdict" in row.reason
    assert "confusion.npz does not exist" in row.reason


def test_one_experiment_that_cannot_be_scored_holds_up_no_other(opened: Store, settings: Settings) -> None:
    opened.paths.job("b1", 1, 2).confusion.write_bytes(b"damaged")
    told: dict[str, CompError] = {}
    score_and_compare(opened, settings, on_unscorable=told.__setitem__)
    assert list(told) == ["b1"]
    assert told["b1"].message.startswith("b1 cannot be scored: ")
    assert "fold1-repeat2/confusion.npz is damaged" in told["b1"].message
    assert told["b1"].hint == "`comp retry b1 --folds 1 --finished-too` runs the job that writes it again."
    rows = {row.name: row for row in leaderboard(opened)}
    assert rows["dice-0.5"].score is not None
    assert (rows["b1"].score, rows["b1"].reason) == (None, "not scored: `comp run b1` scores it, or says why it cannot")


def test_running_an_experiment_whose_files_are_gone_says_how_to_mend_it(opened: Store, comp: Comp) -> None:
    opened.paths.baseline.write_text(comp.ok("baseline", "show", "--yaml"))
    opened.paths.job("b1", 0).confusion.unlink()
    said = " ".join(comp.error("run", "b1", "--as", "ann", "--devices", "cpu").split())
    assert "b1 cannot be scored" in said
    assert "comp retry b1 --folds 0 --finished-too" in said
    assert experiments.find(opened, "dice-0.5").score is not None


def test_a_database_that_is_busy_is_no_fault_of_the_experiment(
    opened: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> bool:
        raise StoreBusyError("busy")

    told: dict[str, CompError] = {}
    monkeypatch.setattr("competition.experiments.scoring.set_score", busy)
    with pytest.raises(StoreBusyError):
        score_and_compare(opened, settings, on_unscorable=told.__setitem__)
    assert told == {}


def test_the_command_shows_it_in_eighty_columns(opened: Store, settings: Settings, comp: Comp) -> None:
    finish(opened, settings)
    text = comp.ok("compare", "b1", "dice-0.5")
    table, _, sentences = text.partition("Verdict: ")
    assert max(map(len, table.splitlines())) <= 80
    assert "loss.dice" in table
    assert sentences.startswith("dice-0.5 against b1: better.")
    assert "seeds of b1" in sentences
    assert "Folds alone (corrected t)" in sentences


def test_few_comparisons_at_a_time_while_children_run_the_newest_first(opened: Store, settings: Settings) -> None:
    for number in (1, 2):
        config = with_overrides(Config(), [f"seed={number}"])
        queue(opened, config, name=f"seed-{number}", parent_sha256=Config().sha256)
        leave(opened, opened.paths, f"seed-{number}", skill=0.6)
    score_and_compare(opened, settings, most=1)
    assert [e.name for e, _ in comparisons.pending(opened)] == ["seed-1", "dice-0.5"]
    score_and_compare(opened, settings)
    assert comparisons.pending(opened) == []


def test_added_seeds_change_the_score_and_the_verdicts_that_rest_on_it(opened: Store, settings: Settings) -> None:
    finish(opened, settings)
    before = experiments.find(opened, "b1")
    queue(opened, Config(), name="b1", seeds=5)
    finish(opened, settings)
    assert experiments.find(opened, "b1").score == before.score
    leave(opened, opened.paths, "b1", skill=0.6)
    finish(opened, settings)
    after = experiments.find(opened, "b1")
    assert list(after.repeat_scores) == [0, 1, 2, 3, 4]
    assert [after.repeat_scores[r] for r in range(3)] == list(before.repeat_scores.values())
    judged = {row.name: row for row in leaderboard(opened)}["dice-0.5"].judged
    assert judged is not None
    assert judged.effect.runs == (5, 1)
