"""An ensemble without any command: what a notebook calls."""

import json
from pathlib import Path

import pytest

from competition.config.settings import read_settings
from competition.ensemble.make import EnsembleRequest, make_ensemble
from competition.errors import CompError, RefusedError, UnknownNameError
from competition.paths import Paths
from competition.store import ensembles, events
from competition.store.engine import Store, open_store
from tests.cli.blending import finish
from tests.conftest import Comp


@pytest.fixture
def two(comp: Comp, ready: Path) -> Store:
    """The database of a competition with two complete experiments."""
    finish(ready, "b1", noise=1.2, score=0.9)
    finish(ready, "bad", "optimizer.lr=0.01", noise=6.0, score=0.5)
    return open_store(Paths(ready))


def test_what_it_returns_is_what_it_keeps(two: Store) -> None:
    settings = read_settings(two.paths.competition)
    steps: list[tuple[str, int, int]] = []
    request = EnsembleRequest(("b1", "bad"), method="mean", explain=True)
    made = make_ensemble(two, settings, request, actor="ann", progress=lambda *step: steps.append(step))
    paths = two.paths.ensemble("e1")
    assert made.name == "e1"
    assert json.loads(paths.weights.read_text()) == made.blend.weights == {"b1": 0.5, "bad": 0.5}
    assert json.loads(paths.scores.read_text()) == made.blend.to_json()
    assert json.loads(paths.explanation.read_text()) == made.to_json()["explanation"]
    (kept,) = ensembles.every(two)
    assert (kept.name, kept.score, kept.weights) == ("e1", made.blend.score, made.blend.weights)
    assert made.test is not None
    assert len(list(paths.label_maps.iterdir())) == made.test.images == 2
    assert list(dict.fromkeys(step for step, _, _ in steps)) == ["Blending", "Writing test predictions", "Explaining"]
    assert [(done, total) for step, done, total in steps if step == "Writing test predictions"] == [(1, 2), (2, 2)]
    assert [event.actor for event in events.history(two) if event.subject == "e1"] == ["ann"]
    assert make_ensemble(two, settings, EnsembleRequest(("b1",)), actor="ann").name == "e2"


def test_what_is_refused_leaves_nothing(two: Store) -> None:
    settings = read_settings(two.paths.competition)
    for request, error, why in [
        (EnsembleRequest(method="best"), UnknownNameError, "There is no method 'best'"),
        (EnsembleRequest(("b2",)), UnknownNameError, "'b2'"),
        (EnsembleRequest(images=3), RefusedError, "--images applies only to --budget"),
        (EnsembleRequest(name="a/b"), CompError, "a/b"),
    ]:
        with pytest.raises(error, match=why):
            make_ensemble(two, settings, request, actor="ann")
    assert ensembles.every(two) == []
    assert not two.paths.ensembles.exists()


def test_a_folder_with_a_file_of_a_person_is_not_replaced(two: Store) -> None:
    settings = read_settings(two.paths.competition)
    make_ensemble(two, settings, EnsembleRequest(("b1",), name="e"), actor="ann")
    notes = two.paths.ensemble("e").label_maps / "notes.txt"
    notes.write_text("looked at g0_0")
    with pytest.raises(RefusedError, match="holds more than label maps"):
        make_ensemble(two, settings, EnsembleRequest(("b1",), name="e"), actor="ann")
    assert notes.read_text() == "looked at g0_0"
