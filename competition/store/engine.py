"""Opening the database, and the two kinds of transaction.

The only module that knows which database it is (SQLite), with the migrations; tests/test_architecture.py holds that.
"""

import random
import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, OperationalError

from competition.errors import StoreBusyError, StoreError
from competition.files import replacing
from competition.paths import Paths
from competition.store.schema import HEAD

BUSY_TIMEOUT_S = 30.0
_STEP_S = 0.0005


class Store:
    """A competition's database."""

    def __init__(self, engine: Engine, paths: Paths) -> None:
        self._engine = engine
        self.paths = paths
        self._database = paths.database
        self._identity = _file_identity(self._database)
        # The last process to close the database folds the write-ahead log into it: then it is one whole file.
        self._dispose = weakref.finalize(self, engine.dispose)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database and changes nothing."""
        with self._begin("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement.

        A deferred transaction that reads and then writes fails at once with `database is locked` when another process
        wrote in between, whatever the busy timeout; one that begins IMMEDIATE waits for its turn.
        """
        with self._begin("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _begin(self, statement: str) -> Iterator[Connection]:
        self._check_still_there()
        with _plain_errors(self._database), self._engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(statement)
            yield connection

    def close(self) -> None:
        """Give the connections back; it happens by itself when the process ends."""
        self._dispose()

    def _check_still_there(self) -> None:
        """Refuse to write to an open file that has lost its name: nobody would ever read it.

        Raises:
            StoreError: the database was removed or replaced since it was opened.
        """
        identity = _file_identity(self._database)
        if self._identity is None:
            self._identity = identity
        elif identity != self._identity:
            what = "was removed" if identity is None else "was replaced by another file"
            raise StoreError(
                f"{self._database} {what} while comp was using it.",
                hint="Put it (or a backup of it) back, then run the command again. Results of jobs are files and stay.",
            )


def create_store(paths: Paths) -> Store:
    """Make a new database at `paths.database`, or open the one that is there."""
    paths.runs.mkdir(parents=True, exist_ok=True)
    return _open(paths)


def open_store(paths: Paths) -> Store:
    """Open the competition's database; an older one is upgraded first.

    Raises:
        StoreError: there is none, it is damaged, or a newer comp wrote it.
    """
    if not paths.database.is_file():
        raise StoreError(
            f"{paths.database} does not exist: this competition has not been set up on this machine.",
            hint="`comp init` in that folder indexes the data and makes the database (competition.yaml is kept).",
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
    """The faults that SQLite finds inside a database file; none if it is sound."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
        try:
            rows = [*connection.execute("PRAGMA integrity_check"), *connection.execute("PRAGMA foreign_key_check")]
        except sqlite3.DatabaseError as error:
            return [str(error)]
    return [": ".join(str(part) for part in row) for row in rows if row != ("ok",)]


def _file_identity(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _engine(database: Path, *, foreign_keys: bool = True) -> Engine:
    url = make_url("sqlite://").set(database=str(database))
    arguments = {"timeout": BUSY_TIMEOUT_S, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments)
    event.listen(engine, "connect", _configure)
    if foreign_keys:
        event.listen(engine, "connect", _enforce_foreign_keys)
    return engine


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    # When several connections ask for the first WAL at once, SQLite refuses some without waiting, since each holds a
    # lock that another one waits for.
    _once_free(connection, "PRAGMA journal_mode=WAL", deadline=time.monotonic() + BUSY_TIMEOUT_S)
    connection.execute("PRAGMA synchronous=NORMAL")


def _enforce_foreign_keys(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")


def _once_free(raw: sqlite3.Connection, statement: str, *, deadline: float) -> None:
    """Execute a statement; while the database is locked, try again in short steps until the deadline."""
    while True:
        try:
            raw.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_STEP_S * (0.5 + random.random()))


def _revision(database: Path) -> str | None:
    """The schema's revision; None where there is no schema yet."""
    if not database.is_file():
        return None
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
        table = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = table and connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _migrate(paths: Paths) -> None:
    """Copy the database, then bring its schema to HEAD; two processes that try at once do it one after the other.

    SQLite changes a table by building a new one and dropping the old one, which foreign keys that point to it forbid.
    So foreign keys are not enforced during the upgrade, but checked before the commit.
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
        may_pass = "locked" in reason or "full" in reason
        kind = StoreBusyError if may_pass else StoreError
        raise kind(f"{database}: {reason}.", hint=_hint(reason)) from error
    except (DatabaseError, sqlite3.DatabaseError) as error:
        reason = str(getattr(error, "orig", error))
        if "not a database" not in reason and "malformed" not in reason:
            raise
        raise StoreError(
            f"{database} is damaged: {reason}.",
            hint="Put a backup of it back (`comp backup` makes them). Results of jobs are files and stay.",
        ) from error


def _hint(reason: str) -> str:
    if "locked" in reason:
        return f"Another process held it for {BUSY_TIMEOUT_S:.0f} s. Try again."
    if "readonly" in reason or "unable to open" in reason:
        return "Check that you may write to that folder: `ls -ld` shows its owner and its rights."
    if "full" in reason:
        return "The disk is full; nothing was changed. Free some space and try again."
    return "Nothing was changed."
