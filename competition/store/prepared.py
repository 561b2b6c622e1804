"""Statements of the queue's inner loop, compiled once and then handed to SQLite as they are.

SQLAlchemy needs several times as long to execute a statement as SQLite itself, and every other writer waits meanwhile
(measured by tests/benchmarks/bench_queue.py). What these say is still said in SQLAlchemy's terms.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.sql import ClauseElement

Values = Mapping[str, Any]

_DIALECT = sqlite_dialect(paramstyle="named")


class Prepared:
    """A statement that is executed with values by name; of an insert or update, the other names are columns to set.

    Values go in as SQLAlchemy would put them in (JSON as text) and come out as SQLite holds them.
    `IN` takes a query here, never a list, whose length would be part of the statement.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._by_names: dict[tuple[str, ...], _Compiled] = {}

    def run(self, tx: Connection, values: Values) -> int:
        """Change rows; how many were."""
        return int(self._execute(tx, values).rowcount)

    def all(self, tx: Connection, values: Values) -> list[Any]:
        """The rows found, with the columns as attributes."""
        cursor = self._execute(tx, values)
        row = _row_type(tuple(column[0] for column in cursor.description))
        return [row(*found) for found in cursor]

    def _execute(self, tx: Connection, values: Values) -> Any:
        names = tuple(values)
        if names not in self._by_names:
            self._by_names[names] = _compile(self._statement, names)
        compiled = self._by_names[names]
        bound = {**compiled.constants, **values}
        for name, as_stored in compiled.conversions.items():
            bound[name] = as_stored(bound[name])
        raw: Any = tx.connection.driver_connection
        return raw.execute(compiled.sql, bound)


@dataclass(frozen=True)
class _Compiled:
    """What SQLite is given.

    Args:
        constants: values that the statement itself has.
        conversions: how to store values that SQLite has no type for.
    """

    sql: str
    constants: dict[str, Any]
    conversions: dict[str, Callable[[Any], Any]]


def _compile(statement: ClauseElement, names: tuple[str, ...]) -> _Compiled:
    compiled: Any = statement.compile(dialect=_DIALECT, column_keys=list(names))
    conversions = {name: compiled.binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT) for name in names}
    needed = {name: convert for name, convert in conversions.items() if convert is not None}
    return _Compiled(str(compiled), dict(compiled.params), needed)


@cache
def _row_type(columns: tuple[str, ...]) -> type[tuple[Any, ...]]:
    return namedtuple("Row", columns)
