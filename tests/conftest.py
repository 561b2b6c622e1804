"""What every test has: a working directory of its own, and makers of small real things."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from competition.config import Config
from competition.paths import Paths
from competition.store import baselines, competition, members, splits
from competition.store.engine import Store, create_store
from competition.store.experiments import Plan, Submitted, submit
from competition.store.splits import SplitVersion
from competition.team import Role


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the real working directory, nor depends on who runs it."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("COMP_MEMBER", raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A real database with a member, a split of two folds and a baseline."""
    made = create_store(Paths(tmp_path))
    competition.set_up(made, "f" * 16)
    members.assign(made, "ann", [Role.LEAD, Role.TRAINING], actor="ann")
    record_split(made, version=1, folds=2)
    baselines.found(made, Config(), actor="ann")
    yield made
    made.close()


def record_split(store: Store, *, version: int, folds: int) -> None:
    """A split version without files."""
    split = SplitVersion(version, "f" * 16, "kfold", folds, None, 42, f"hash{version}", 0.0)
    splits.save(store, split, actor="ann")


def plan(config: Config | None = None, *, name: str = "b1", **changes: object) -> Plan:
    """An experiment to submit; by default the baseline itself, by ann, on split 1."""
    values: dict[str, object] = {
        "name": name,
        "name_given": False,
        "member_id": 1,
        "member": "ann",
        "split_version": 1,
        "baseline_version": 1,
        "config": config or Config(),
        "parent_sha256": None,
        "conditions": (),
        "confounded": None,
        "note": "",
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]


def submitted(
    store: Store, config: Config | None = None, *, folds: tuple[int, ...] = (0, 1), **changes: object
) -> Submitted:
    """Submit `plan(...)`."""
    return submit(store, plan(config, **changes), folds=folds)  # type: ignore[arg-type]
