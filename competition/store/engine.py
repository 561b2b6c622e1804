"""Opening the database, and the two kinds of transaction. The only module that knows which database it is."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, OperationalError

from competition.errors import StoreError
from competition.paths import Paths
from competition.store.schema import HEAD

BUSY_TIMEOUT_S = 30.0


class Store:
    """A competition's database."""

    def __init__(self, engine: Engine, paths: Paths) -> None:
        self._engine = engine
        self.paths = paths

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database and changes nothing."""
        with _plain_errors(self.paths.database), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement.

        A deferred transaction that reads and then writes fails at once with `database is locked` when somebody
        wrote in between, whatever the busy timeout; one that begins IMMEDIATE waits for its turn.
        """
        with _plain_errors(self.paths.database), self._engine.connect() as plain:
            connection = plain.execution_options(comp_write=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def create_store(paths: Paths) -> Store:
    """A new database at `paths.database`, or the one that is already there."""
    paths.runs.mkdir(parents=True, exist_ok=True)
    return _open(paths)


def open_store(paths: Paths) -> Store:
    """The database of the competition; an older one is upgraded first.

    Raises:
        StoreError: there is none, it is damaged, or a newer comp wrote it.
    """
    if not paths.database.is_file():
        raise StoreError(
            f"{paths.database} does not exist: this competition has not been set up on this machine.",
            hint="`comp init` in that folder indexes the data and makes it (competition.yaml is kept).",
        )
    return _open(paths)


def _open(paths: Paths) -> Store:
    with _plain_errors(paths.database):
        revision = _revision(paths.database)
        if revision is not None and revision > HEAD:
            raise StoreError(
                f"{paths.database} was written by a newer comp (schema {revision}; this one knows {HEAD}).",
                hint="Upgrade comp: `pip install --upgrade competition`. Nothing was changed.",
            )
        if revision != HEAD:
            _migrate(paths)
        return Store(_engine(paths.database), paths)


def _engine(database: Path, *, foreign_keys: bool = True) -> Engine:
    url = make_url("sqlite://").set(database=str(database))
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None})
    event.listen(engine, "connect", _configure)
    if foreign_keys:
        event.listen(engine, "connect", _enforce_foreign_keys)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")


def _enforce_foreign_keys(connection: Any, _record: Any) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("comp_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _revision(database: Path) -> str | None:
    """The schema's revision, read without SQLAlchemy's machinery; None where there is no schema yet."""
    if not database.is_file():
        return None
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
        table = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = table and connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _migrate(paths: Paths) -> None:
    """Bring the schema to HEAD; two processes that try at once do it one after the other.

    SQLite changes a table by building it anew and dropping the old one, which rows that point to it would forbid. So
    foreign keys are not enforced meanwhile, but checked before the commit.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    store = Store(_engine(paths.database, foreign_keys=False), paths)
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise RuntimeError(f"the upgrade broke {len(broken)} references, such as {broken[0]}; nothing was changed")
    store.close()


@contextmanager
def _plain_errors(database: Path) -> Iterator[None]:
    """Say what a database error means; constraint violations are bugs and pass through."""
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        reason = str(getattr(error, "orig", error))
        raise StoreError(f"{database}: {reason}.", hint=_mend(reason)) from error
    except (DatabaseError, sqlite3.DatabaseError) as error:
        reason = str(getattr(error, "orig", error))
        if "not a database" not in reason and "malformed" not in reason:
            raise
        raise StoreError(f"{database} is damaged: {reason}.", hint="Put a copy of it back.") from error


def _mend(reason: str) -> str:
    if "locked" in reason:
        return f"Another process held it for {BUSY_TIMEOUT_S:.0f} s. Try again."
    if "readonly" in reason or "unable to open" in reason:
        return "Check that you may write to that folder."
    if "full" in reason:
        return "The disk is full; nothing was changed. Free some space and try again."
    return "Nothing was changed."
