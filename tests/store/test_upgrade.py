"""A database of every schema that was released is upgraded, after a copy."""

import json
import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from competition.experiments.leaderboard import leaderboard
from competition.lifecycle import JobState
from competition.paths import Paths
from competition.store import comparisons, members, schema
from competition.store.engine import Store, _engine, open_store, problems_of
from competition.store.queue import attempts, jobs, slots
from tests.store.making import WORKER, check_invariants
from tests.store.planting import baseline, child

RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))


def old_database(dump: Path, root: Path) -> Paths:
    """A competition with the database that a dump holds."""
    paths = Paths(root)
    paths.runs.mkdir()
    with sqlite3.connect(paths.database) as raw:
        raw.executescript(dump.read_text())
    return paths


def open_it(paths: Paths) -> int:
    store = open_store(paths)
    found = len(members.everyone(store))
    store.close()
    return found


@pytest.mark.parametrize("dump", RELEASED, ids=lambda p: p.stem)
def test_an_older_database_goes_on_where_it_was(dump: Path, tmp_path: Path) -> None:
    paths = old_database(dump, tmp_path)
    store = open_store(paths)
    check_invariants(store)
    states = [job.state for job in jobs.of_experiment(store, "b1")]
    assert states == [JobState.SUCCEEDED, JobState.RUNNING, JobState.QUEUED]
    assert [slot.label for slot in slots.held(store)] == ["fold 0"]
    claim = attempts.claim(store, WORKER, device="other", slot=0)
    assert claim is not None
    assert claim.fold == 1
    store.close()
    assert problems_of(paths.database) == []
    with sqlite3.connect(paths.database_copy(dump.stem)) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (dump.stem,)


def test_a_leaderboard_says_after_an_upgrade_what_it_said_before(tmp_path: Path) -> None:
    """Every number of it, to the last bit; beside the dump lies what the comp that wrote it printed."""
    dump = RELEASED[-1]
    store = open_store(old_database(dump, tmp_path))
    before = json.loads(dump.with_suffix(".json").read_text())
    now = [row.to_json() for row in leaderboard(store)]
    store.close()
    assert [{key: row[key] for key in old} for row, old in zip(now, before, strict=True)] == before


def test_many_that_open_an_older_database_at_once_all_succeed(tmp_path: Path) -> None:
    paths = old_database(RELEASED[0], tmp_path)
    with multiprocessing.get_context("fork").Pool(6) as pool:
        assert pool.map(open_it, [paths] * 6, chunksize=1) == [1] * 6
    with sqlite3.connect(paths.database) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (schema.HEAD,)


def test_comparisons_that_would_come_out_otherwise_today_are_made_again(store: Store) -> None:
    """Those of experiments that only predict differently; all others keep their verdict."""
    parent = baseline(store)
    child(store, "predict.tta=hflip", 0.45, parent=parent)
    child(store, "optimizer.lr=2e-3", 0.45, parent=parent)
    assert comparisons.pending(store) == []
    store.close()
    with sqlite3.connect(store.paths.database) as raw:
        raw.executescript(
            "ALTER TABLE comparisons DROP COLUMN delta; ALTER TABLE comparisons DROP COLUMN runs;"
            "DROP INDEX ix_jobs_claim; CREATE INDEX ix_jobs_order ON jobs (state, member_id, priority, queued_at);"
            "UPDATE alembic_version SET version_num = '0007';"
        )
    upgraded = open_store(store.paths)
    assert [e.name for e, _ in comparisons.pending(upgraded)] == ["tta-hflip"]
    upgraded.close()


def turn_to_wal(database: Path) -> str:
    with _engine(database).connect() as connection:
        return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())


def test_many_that_turn_a_new_database_to_wal_at_once_all_succeed(tmp_path: Path) -> None:
    """SQLite refuses one in fifty of these at once, whatever its timeout; in 40 rounds of 6 hardly none."""
    with multiprocessing.get_context("fork").Pool(6) as pool:
        for turn in range(40):
            database = tmp_path / f"{turn}.db"
            with sqlite3.connect(database) as raw:
                raw.execute("CREATE TABLE some (thing)")
            assert pool.map(turn_to_wal, [database] * 6, chunksize=1) == ["wal"] * 6
