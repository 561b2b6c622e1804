"""The file that says which colour of a mask means which class."""

import csv
import re
from pathlib import Path

from competition.errors import DataError

_HEADERS = ({"name", "color"}, {"name", "colour"}, {"name", "r", "g", "b"})


def read_colors(path: Path) -> dict[str, str]:
    """The class of each colour by #rrggbb, in the order of the file.

    A line is `name,#rrggbb` or `name,red,green,blue`, after a header or none. Several colours may mean one class.

    Raises:
        DataError: it cannot be read, or a line is none of these; names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except OSError as error:
        raise DataError(f"--colors {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"--colors {path} is no CSV file in UTF-8: {error}.") from error
    if lines and {cell.lower() for cell in lines[0][1]} in _HEADERS:
        lines = lines[1:]
    if not lines:
        raise DataError(f"--colors {path} lists no colours.", hint="A line is name,#rrggbb.")
    colors: dict[str, str] = {}
    for line, (name, *cells) in lines:
        color = _color(cells)
        if color is None or not name:
            raise DataError(f"--colors {path}, line {line}: {','.join((name, *cells))!r} is not name,#rrggbb.")
        if color in colors:
            raise DataError(f"--colors {path}, line {line}: {color} means {colors[color]!r} already.")
        colors[color] = name
    return colors


def _color(cells: list[str]) -> str | None:
    """The cells as #rrggbb in lower case; None if they are no colour."""
    if len(cells) == 1 and re.fullmatch("#[0-9a-fA-F]{6}", cells[0]):
        return cells[0].lower()
    if len(cells) == 3 and all(re.fullmatch("[0-9]{1,3}", cell) and int(cell) < 256 for cell in cells):
        return "#" + "".join(f"{int(cell):02x}" for cell in cells)
    return None
