"""Opening the database, and the two kinds of transaction. The only module that knows which database it is."""

import os
import random
import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, OperationalError

from competition.errors import StoreBusyError, StoreError
from competition.files import replacing
from competition.paths import Paths
from competition.store.schema import HEAD
from competition.store.wait_turn import in_line

BUSY_TIMEOUT_S = 30.0
_STEP_S = 0.0005


class Store:
    """A competition's database."""

    def __init__(self, engine: Engine, paths: Paths) -> None:
        self._engine = engine
        self.paths = paths
        self._database, self._folder = paths.database, paths.runs
        self._identity = _file_identity(self._database)
        # Whoever closes last folds the write-ahead log into the database, which is one whole file from then on.
        self._dispose = weakref.finalize(self, engine.dispose)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database and changes nothing."""
        self._check_still_there()
        with _plain_errors(self._database), self._engine.connect() as connection, connection.begin():
            _raw(connection).execute("BEGIN")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement.

        A deferred transaction that reads and then writes fails at once with `database is locked` when somebody
        wrote in between, whatever the busy timeout; one that begins IMMEDIATE waits for its turn.
        """
        self._check_still_there()
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        with (
            _plain_errors(self._database),
            self._engine.connect() as connection,
            connection.begin() as transaction,
            in_line(self._folder, timeout_s=BUSY_TIMEOUT_S),
        ):
            _begin_writing(_raw(connection), deadline=deadline)
            yield connection
            transaction.commit()

    def close(self) -> None:
        """Give the connections back; it happens by itself when the process ends."""
        self._dispose()

    def _check_still_there(self) -> None:
        """An open file outlives its name: what is written to it then, nobody will ever read.

        Raises:
            StoreError: the database was removed or replaced since it was opened.
        """
        found = _file_identity(self._database)
        if self._identity is None:
            self._identity = found
        elif found != self._identity:
            what = "was removed" if found is None else "was replaced by another file"
            raise StoreError(
                f"{self._database} {what} while comp was using it.",
                hint="Put it (or a backup of it) back, then run the command again. Results of jobs are files and stay.",
            )


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


def copy_database(database: Path, target: Path) -> None:
    """Write a consistent copy of a database that others may be writing to (SQLite's online backup).

    Raises:
        StoreError: the database or the disk does not allow it; an older file at `target` stays as it was.
    """
    with _plain_errors(database), replacing(target) as aside:
        source = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
        with closing(source), closing(sqlite3.connect(aside)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, whole in itself


def problems_of(database: Path) -> list[str]:
    """What SQLite finds wrong inside a database file; nothing if it is sound."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
        try:
            rows = [*connection.execute("PRAGMA integrity_check"), *connection.execute("PRAGMA foreign_key_check")]
        except sqlite3.DatabaseError as error:
            return [str(error)]
    return [": ".join(str(part) for part in row) for row in rows if row != ("ok",)]


def _file_identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - called for every transaction, and half as fast through a Path
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _engine(database: Path, *, foreign_keys: bool = True) -> Engine:
    url = make_url("sqlite://").set(database=str(database))
    arguments = {"timeout": BUSY_TIMEOUT_S, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments)
    event.listen(engine, "connect", _configure)
    if foreign_keys:
        event.listen(engine, "connect", _enforce_foreign_keys)
    return engine


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    # Of several that ask for the first WAL at once, SQLite refuses some without waiting, lest they wait for each other.
    _once_free(connection, "PRAGMA journal_mode=WAL", deadline=time.monotonic() + BUSY_TIMEOUT_S)
    connection.execute("PRAGMA synchronous=NORMAL")


def _enforce_foreign_keys(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")


def _raw(connection: Connection) -> sqlite3.Connection:
    raw: Any = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def _begin_writing(raw: sqlite3.Connection, *, deadline: float) -> None:
    """Wait for the write lock in short steps; ask once at least.

    SQLite's own waiting sleeps up to a tenth of a second at a time, while the lock is free again after a thousandth.
    """
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        _once_free(raw, "BEGIN IMMEDIATE", deadline=deadline)
    finally:
        raw.execute(f"PRAGMA busy_timeout = {1000 * BUSY_TIMEOUT_S:.0f}")


def _once_free(raw: sqlite3.Connection, statement: str, *, deadline: float) -> None:
    """Execute a statement, again and again until the deadline while the database is locked."""
    while True:
        try:
            raw.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_STEP_S * (0.5 + random.random()))


def _revision(database: Path) -> str | None:
    """The schema's revision, read without SQLAlchemy's machinery; None where there is no schema yet."""
    if not database.is_file():
        return None
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
        table = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = table and connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _migrate(paths: Paths) -> None:
    """Bring the schema to HEAD, after a copy; two processes that try at once do it one after the other.

    SQLite changes a table by building it anew and dropping the old one, which rows that point to it would forbid. So
    foreign keys are not enforced meanwhile, but checked before the commit.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    store = Store(_engine(paths.database, foreign_keys=False), paths)
    with store.write() as connection:
        revision = _revision(store.paths.database)
        if revision not in (None, HEAD):
            copy_database(store.paths.database, store.paths.database_copy(str(revision)))
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
        passes = "locked" in reason or "full" in reason
        kind = StoreBusyError if passes else StoreError
        raise kind(f"{database}: {reason}.", hint=_mend(reason)) from error
    except (DatabaseError, sqlite3.DatabaseError) as error:
        reason = str(getattr(error, "orig", error))
        if "not a database" not in reason and "malformed" not in reason:
            raise
        raise StoreError(
            f"{database} is damaged: {reason}.",
            hint="Put a copy of it back (`comp backup` makes them). Results of jobs are files and stay.",
        ) from error


def _mend(reason: str) -> str:
    if "locked" in reason:
        return f"Another process held it for {BUSY_TIMEOUT_S:.0f} s. Try again."
    if "readonly" in reason or "unable to open" in reason:
        return "Check that you may write to that folder."
    if "full" in reason:
        return "The disk is full; nothing was changed. Free some space and try again."
    return "Nothing was changed."
