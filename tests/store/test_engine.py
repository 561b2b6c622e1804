import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from competition.errors import StoreError
from competition.paths import Paths
from competition.store import engine, members, schema
from competition.store.engine import Store, create_store, open_store
from competition.team.roles import Role


def test_the_migrations_make_the_schema_that_the_code_reads(store: Store) -> None:
    with store.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), schema.metadata) == []
        checks = tx.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'jobs'").scalar_one()
    assert "ck_jobs_state_known" in checks


def test_indexes_are_unique_among_the_rows_that_the_schema_says(store: Store) -> None:
    wanted = {i.name: i.info["where"] for t in schema.metadata.tables.values() for i in t.indexes if "where" in i.info}
    assert len(wanted) == 3
    with store.read() as tx:
        in_database = [i for name in schema.metadata.tables for i in inspect(tx).get_indexes(name)]
    made = {i["name"]: i["dialect_options"].get("sqlite_where") for i in in_database}
    assert {name: str(made[name]) for name in wanted} == wanted


def test_head_is_the_newest_migration() -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(engine.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_a_missing_database_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="comp init"):
        open_store(Paths(tmp_path))
    assert not (tmp_path / "runs").exists()


def test_a_newer_database_is_refused_and_left_alone(store: Store) -> None:
    with sqlite3.connect(store.paths.database) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer comp") as caught:
        open_store(store.paths)
    assert "Upgrade comp" in str(caught.value)


@pytest.mark.parametrize("garbage", [b"this is no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_database_is_one_clear_error(tmp_path: Path, garbage: bytes) -> None:
    paths = Paths(tmp_path)
    paths.runs.mkdir()
    paths.database.write_bytes(garbage)
    with pytest.raises(StoreError, match="damaged"):
        open_store(paths)
    assert paths.database.read_bytes() == garbage


def test_two_that_open_a_new_database_at_once_both_succeed(tmp_path: Path) -> None:
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def open_it() -> None:
        barrier.wait()
        try:
            create_store(Paths(tmp_path)).close()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert open_store(Paths(tmp_path)).paths.database.is_file()


def test_writers_wait_for_each_other_and_none_is_lost(store: Store) -> None:
    barrier = threading.Barrier(8)
    failures: list[BaseException] = []

    def assign(number: int) -> None:
        barrier.wait()
        try:
            for round_ in range(10):
                members.assign(store, f"member {number}-{round_}", [Role.EDA], actor="test")
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(error)

    threads = [threading.Thread(target=assign, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(members.everyone(store)) == 81


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError, match="broken off"), store.write() as tx:
        tx.execute(schema.members.insert().values(name="ghost", joined_at=0.0))
        raise RuntimeError("broken off")
    assert [m.name for m in members.everyone(store)] == ["ann"]
