import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.ensemble.postprocess import Postprocessing
from competition.paths import Paths
from competition.store import ensembles
from competition.store.engine import open_store
from tests.cli.blending import CLASSES, finish
from tests.conftest import Comp


@pytest.fixture
def two(comp: Comp, ready: Path) -> Path:
    """Two complete experiments, of which the second is much worse."""
    finish(ready, "b1", noise=1.2, score=0.9)
    finish(ready, "bad", "optimizer.lr=0.01", noise=6.0, score=0.5)
    return ready


def test_auto_is_the_default_and_says_why(comp: Comp, two: Path) -> None:
    made = json.loads(comp.ok("ensemble", "--json"))
    assert (made["asked"], made["method"]) == ("auto", "weighted")
    assert made["weighted_score"] - made["mean_score"] > made["gain_error"]
    assert made["weights"]["bad"] < made["weights"]["b1"]
    assert made["test_images"] == 2
    assert 0 <= made["test_doubtful_share"] < 0.1
    assert made["bounds"][0] <= made["weighted_in_sample"] <= made["bounds"][1]
    store = open_store(Paths(two))
    (kept,) = ensembles.every(store)
    store.close()
    assert (kept.name, kept.method, kept.weights) == ("e1", "weighted", made["weights"])
    ran = comp("ensemble")
    text = ran.out
    assert "stored as bytes" not in ran.out + ran.err
    assert "more than one standard error" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("method", ["per-class", "vote", "geometric", "rank"])
def test_a_submission_is_blended_by_the_ensemble_s_method(comp: Comp, two: Path, method: str) -> None:
    made = json.loads(comp.ok("ensemble", "--method", method, "--name", "e", "--json"))
    assert made["method"] == method
    folder = Path(comp.ok("submit", "e", "--as", "ann").strip())
    for file in (two / "runs/ensembles/e/submission").iterdir():
        with Image.open(file) as first, Image.open(folder / file.name) as second:
            assert np.array_equal(np.asarray(first), np.asarray(second))
    if method == "per-class":
        assert np.allclose(np.sum(list(made["weights"].values()), axis=0), 1)  # in all classes, or in each


def test_an_unknown_method(comp: Comp, two: Path) -> None:
    assert "Methods: auto, mean, weighted, per-class, vote, geometric, rank" in comp.error("ensemble", "--method", "x")


def test_what_each_experiment_does_is_explained(comp: Comp, two: Path) -> None:
    ran = comp("ensemble", "--method", "mean", "--name", "e", "--explain")
    assert ran.code == 0, ran.err
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "ann (lead, training)" in ran.out
    assert "Probabilities are stored as bytes, which can change the class of at most 2." in ran.out
    paths = Paths(two).ensemble("e")
    found = json.loads(paths.explanation.read_text())
    assert found["contribution"]["bad"] < 0 < found["contribution"]["b1"]
    assert len(found["change"]) == 12
    for path, shortest in ((paths.disagreement, 300), (paths.changes, 90)):
        with Image.open(path) as picture:
            assert min(picture.size) >= shortest


def speckled(root: Path) -> None:
    """An experiment that sees all but single pixels, each of which one right pixel in ten is mistaken for."""
    finish(root, "b1", noise=0.1, score=0.9, specks=0.1)


def test_postprocessing_is_taken_recorded_and_applied(comp: Comp, ready: Path) -> None:
    speckled(ready)
    made = json.loads(comp.ok("ensemble", "--postprocess", "--name", "clean", "--json"))
    found = made["postprocessing"]["regions"]
    assert found["adopted"] is True
    assert made["postprocessing"]["thresholds"]["adopted"] is False
    assert found["score"] - found["before"] > found["gain_error"]
    assert made["score"] == found["score"]
    assert made["bounds"] is None
    store = open_store(Paths(ready))
    (kept,) = ensembles.every(store)
    store.close()
    assert kept.postprocessing == found["settings"]
    settings = Postprocessing.from_json(found["settings"], CLASSES)
    comp.ok("ensemble", "--name", "raw")
    folder = Path(comp.ok("submit", "clean", "--as", "ann").strip())
    changed = 0
    for file in (ready / "runs/ensembles/clean/submission").iterdir():
        raw = labels_of(ready / "runs/ensembles/raw/submission" / file.name)
        assert np.array_equal(labels_of(file), settings.apply(raw))
        assert np.array_equal(labels_of(file), labels_of(folder / file.name))
        changed += np.count_nonzero(labels_of(file) != raw)
    assert changed
    text = comp.ok("ensemble", "--postprocess")
    assert "Tuning regions gains" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_postprocessing_that_gains_nothing_is_not_taken(comp: Comp, two: Path) -> None:
    finish(two, "sure", "optimizer.lr=0.02", noise=0.1, score=0.9)
    ran = comp("ensemble", "sure", "--postprocess", "--name", "e")
    assert " ".join(ran.out.split()).count("one standard error (0.00): left.") == 2
    assert (
        json.loads((two / "runs/ensembles/e/scores.json").read_text())["postprocessing"]["regions"]["adopted"] is False
    )


def measured(root: Path, name: str, *, ms: float) -> None:
    """The experiment's jobs say that an image takes so long."""
    for job in Paths(root).fold_jobs(name):
        job.result.write_text(json.dumps({"facts": {"inference_ms": ms}}))


def test_a_budget_leaves_out_what_takes_too_long(comp: Comp, two: Path) -> None:
    measured(two, "b1", ms=400)
    measured(two, "bad", ms=100)
    # Two fold models each, so 1000 images take 800 s and 200 s.
    made = json.loads(comp.ok("ensemble", "--budget", "850", "--images", "1000", "--name", "e", "--json"))
    assert [point["members"] for point in made["budget"]["front"]][:2] == [["bad"], ["b1"]]
    assert made["budget"]["chosen"]["seconds"] == pytest.approx(800)
    assert set(made["weights"]) == {"b1"}
    with Image.open(Paths(two).ensemble("e").front) as picture:
        assert min(picture.size) >= 300
    ran = comp("ensemble", "--budget", "0.5")  # 2 test images
    assert (ran.code, max(map(len, ran.out.splitlines()))) <= (0, 80)
    assert "bad" in ran.out
    assert "takes 0.4 s alone" in comp.error("ensemble", "--budget", "0.1")
    assert "--images applies only to --budget" in comp.error("ensemble", "--images", "3")


def test_a_budget_needs_measured_times(comp: Comp, two: Path) -> None:
    measured(two, "b1", ms=400)
    assert "comp retry bad --folds 0 --finished-too" in comp.error("ensemble", "--budget", "10")


def labels_of(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image)
