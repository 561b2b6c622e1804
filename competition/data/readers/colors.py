"""The list of colours: a CSV file with the class of each colour in the masks."""

import csv
import re
from pathlib import Path

from competition.errors import DataError

_HEADERS = ({"name", "color"}, {"name", "colour"}, {"name", "r", "g", "b"})


def read_colors(path: Path) -> dict[str, str]:
    """The class of each colour by #rrggbb, in the order of the file.

    A line is `name,#rrggbb` or `name,red,green,blue`; a header is optional. Several colours may stand for one class.

    Raises:
        DataError: the file cannot be read, or a line has another form; names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except OSError as error:
        raise DataError(f"--colors {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"--colors {path} is not a CSV file in UTF-8: {error}.") from error
    if lines and {cell.lower() for cell in lines[0][1]} in _HEADERS:
        lines = lines[1:]
    if not lines:
        raise DataError(f"--colors {path} lists no colours.", hint="Write one line for each colour: name,#rrggbb.")
    colors: dict[str, str] = {}
    for line, (name, *cells) in lines:
        color = _color(cells)
        if color is None or not name:
            raise DataError(f"--colors {path}, line {line}: {','.join((name, *cells))!r} is not name,#rrggbb.")
        if color in colors:
            raise DataError(f"--colors {path}, line {line}: {color} already stands for {colors[color]!r}.")
        colors[color] = name
    return colors


def _color(cells: list[str]) -> str | None:
    """The cells as #rrggbb in lower case; None if they are not a colour."""
    if len(cells) == 1 and re.fullmatch("#[0-9a-fA-F]{6}", cells[0]):
        return cells[0].lower()
    if len(cells) == 3 and all(re.fullmatch("[0-9]{1,3}", cell) and int(cell) < 256 for cell in cells):
        return "#" + "".join(f"{int(cell):02x}" for cell in cells)
    return None
