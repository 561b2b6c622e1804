import pytest

from competition.errors import RefusedError
from competition.store import splits
from competition.store.engine import Store
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
