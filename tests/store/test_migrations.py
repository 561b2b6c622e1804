"""A database of an older comp is upgraded where it stands, and what it holds is read as before."""

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig

from competition.config import Config
from competition.paths import Paths
from competition.store import baselines, engine, ideas, submissions
from competition.store.engine import create_store, open_store


def make_old(paths: Paths, revision: str, statements: list[tuple[str, tuple[object, ...]]]) -> None:
    """A database at `revision` that holds what the statements insert."""
    store = create_store(paths)
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(engine.__file__).parent / "migrations"))
    with store.write() as tx:
        tx.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all():
            tx.exec_driver_sql(f"DROP TABLE {table}")
        config.attributes["connection"] = tx
        command.upgrade(config, revision)
        for statement, values in statements:
            tx.exec_driver_sql(statement, values)
    store.close()


def test_submissions_and_baselines_of_the_first_schema(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    config = Config()
    make_old(
        paths,
        "0001",
        [
            ("INSERT INTO members (id, name, joined_at) VALUES (1, 'ann', 0)", ()),
            (
                "INSERT INTO submissions (source, format, path, sha256, images, member, created_at) "
                "VALUES ('e1', 'png', 'p', 'a', 2, 'ann', 86400)",
                (),
            ),
            (
                "INSERT INTO baselines (version, config, config_sha256, forced, created_at) VALUES (1, ?, ?, 0, 0)",
                (config.model_dump_json(), config.sha256),
            ),
        ],
    )
    store = open_store(paths)
    (old,) = submissions.every(store)
    assert (old.source, old.day, old.cv, old.split_version, old.weights) == ("e1", "1970-01-02", None, None, {})
    assert submissions.set_score(store, 1, actor="ann", public=0.5).public_score == 0.5
    found = baselines.current(store)
    assert found is not None
    assert (found.name, found.owner, found.config) == ("b1", None, config)
    assert ideas.every(store) == []
    store.close()
