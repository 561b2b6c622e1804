"""CSV files that comp writes. A JSON header next to each file lets comp notice when the file is damaged."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from competition.errors import DataError
from competition.files import write_json, write_text
from competition.paths import header_of


@dataclass(frozen=True)
class Table:
    """The facts in the header, and each row with its line number."""

    facts: dict[str, Any]
    rows: list[tuple[int, list[str]]]


def write_table(
    path: Path, *, columns: Sequence[str], rows: Iterable[Sequence[object]], facts: Mapping[str, Any]
) -> None:
    """Write rows as plain CSV to `path`, and `facts` as its header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())
    write_json(header_of(path), dict(facts))


def read_table(path: Path, *, columns: Sequence[str], fix: str) -> Table:
    """The rows that `write_table` wrote.

    Args:
        fix: what to do about a damaged file; becomes the hint of every error.

    Raises:
        DataError: the file or its header is missing or unreadable, or a row has too few or too many cells.
    """
    try:
        facts = json.loads(header_of(path).read_text(encoding="utf-8"))
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader]
    except FileNotFoundError as error:
        raise DataError(f"{error.filename} does not exist.", hint=fix) from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
        raise DataError(f"{path} is damaged: {error}.", hint=fix) from error
    if not isinstance(facts, dict):
        raise DataError(f"{header_of(path)} is damaged: it must be a JSON object.", hint=fix)
    if not rows or rows[0][1] != list(columns):
        raise damaged(path, 1, f"the columns must be {','.join(columns)}", fix=fix)
    for line, row in rows[1:]:
        if len(row) != len(columns):
            raise damaged(path, line, f"{len(row)} cells instead of {len(columns)}", fix=fix)
    return Table(facts, rows[1:])


def damaged(path: Path, line: int, why: str, *, fix: str) -> DataError:
    """The error for a line that comp cannot have written like that."""
    return DataError(f"{path}, line {line}, is damaged: {why}.", hint=fix)
