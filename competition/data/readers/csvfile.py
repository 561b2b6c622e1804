"""CSV files that people or other programs wrote."""

import csv
from dataclasses import dataclass
from pathlib import Path

from competition.errors import DataError, did_you_mean

_LONGEST_CELL = 2**31 - 1
"""The RLE of a large photo is far longer than the 128 KiB that Python allows for a cell."""


@dataclass(frozen=True)
class CsvFile:
    """The columns of a file, and each row with its line number."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]

    def column(self, name: str) -> str:
        """Return `name` if it is a column.

        Raises:
            DataError: it is not; lists the columns.
        """
        if name not in self.columns:
            near = did_you_mean(name, self.columns)
            raise DataError(f"{self.path} has no column {name!r}.{near} Its columns: {', '.join(self.columns)}.")
        return name


def read_csv(path: Path) -> CsvFile:
    """The rows of a comma-separated file in UTF-8, with or without a byte-order mark; its first line names the columns.

    Raises:
        DataError: it cannot be read, has no rows, names a column twice, or has a row with too few or too many cells.
    """
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV file in UTF-8: {error}.") from error
    if len(lines) < 2:
        raise DataError(f"{path} has no rows below its header." if lines else f"{path} is empty.")
    columns = tuple(lines[0][1])
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        raise DataError(f"{path} has two columns called {twice[0]!r}.")
    for line, row in lines[1:]:
        if len(row) != len(columns):
            raise DataError(f"{path}, line {line}, has {len(row)} cells; the header has {len(columns)}.")
    return CsvFile(path, columns, tuple((line, dict(zip(columns, row, strict=True))) for line, row in lines[1:]))
