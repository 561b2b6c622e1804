import pytest

from competition.config.experiment import Config, with_overrides
from competition.errors import UnknownNameError
from competition.store import events, experiments, ideas
from competition.store.engine import Store
from tests.conftest import submitted


def test_an_idea_knows_the_experiments_that_tried_it(store: Store) -> None:
    first = ideas.add(store, "lovasz loss", source="https://arxiv.org/abs/1705.08790", member_id=1, member="ann")
    second = ideas.add(store, "crop more", source=None, member_id=1, member="ann")
    experiment = submitted(store).experiment
    other = submitted(store, with_overrides(Config(), ["seed=1"]), name="x").experiment
    assert ideas.link(store, first, experiment, actor="ann")
    assert ideas.link(store, first, other, actor="ann")
    assert not ideas.link(store, first, other, actor="ann")
    found = ideas.every(store)
    assert [(i.id, i.experiments) for i in found] == [(1, ("b1", "x")), (2, ())]
    assert (found[0].text, found[0].source, found[0].member) == (first.text, first.source, "ann")
    assert ideas.find(store, 2) == second
    told = [(e.subject, e.action) for e in events.history(store) if "idea" in e.action]
    assert told == [("x", "tries idea 1"), ("b1", "tries idea 1"), ("idea 2", "idea"), ("idea 1", "idea")]


def test_an_unknown_idea_is_named(store: Store) -> None:
    with pytest.raises(UnknownNameError, match="no idea '7'"):
        ideas.find(store, 7)


def test_notes_are_lines_and_events(store: Store) -> None:
    experiment = submitted(store, note="why").experiment
    experiments.add_note(store, experiment, "first\nsecond", actor="bob")
    experiments.add_note(store, experiment, "third", actor="ann")
    assert experiments.find(store, "b1").note == "why\nfirst\nsecond\nthird"
    told = [(e.actor, e.why) for e in events.history(store, subject="b1") if e.action == "note"]
    assert told == [("ann", "third"), ("bob", "first\nsecond")]
