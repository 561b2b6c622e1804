from dataclasses import replace

import pytest

from competition.errors import RefusedError
from competition.store import events, splits
from competition.store.engine import Store
from competition.team.roles import Right
from tests.conftest import record_split, submitted


def test_without_results_a_new_split_replaces_the_old(store: Store) -> None:
    assert splits.next_version(store, force=False) == 1
    record_split(store, version=1, folds=4)
    assert splits.require_current(store).folds == 4
    assert len(splits.every(store)) == 1


def test_with_results_a_new_split_needs_force_and_is_a_new_version(store: Store) -> None:
    submitted(store)
    with pytest.raises(RefusedError, match="1 experiment stands on split v1") as caught:
        splits.next_version(store, force=False)
    assert "--force starts split v2" in str(caught.value)
    assert splits.next_version(store, force=True) == 2


def test_what_a_split_was_forced_to_is_an_event_with_who_did_it(store: Store) -> None:
    def forced() -> list[tuple[str, str | None]]:
        return [(e.subject, e.why) for e in events.history(store) if e.action == "forced" and e.actor == "ann"]

    submitted(store)
    assert forced() == []
    first = splits.require_current(store)
    splits.save(store, replace(first, version=2, hash="b" * 64), actor="ann")
    assert forced() == [("split v2", f"{Right.REPLACE_SPLIT}: scores on split v1 rank with it no more")]
    splits.save(store, replace(first, version=2, hash="c" * 64, leaks_allowed="their folds"), actor="ann")
    assert forced()[0] == ("split v2", f"{Right.SPLIT_WITH_LEAKS}: their folds")
    assert len(forced()) == 2
