"""The group of each image: its video, patient or place. A split must not separate the images of a group."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from competition.config.settings import DataSettings
from competition.data.naming import find_image_column, id_in_cell
from competition.errors import did_you_mean


@dataclass(frozen=True)
class Groups:
    """The group of each image, by id (empty if the data has no groups), and everything that is wrong with them."""

    of: dict[str, str]
    problems: tuple[str, ...]


def find_groups(ids: Sequence[str], data: DataSettings, root: Path) -> Groups:
    """The groups that competition.yaml defines; relative paths start at `root`."""
    if data.group_regex is not None:
        return _from_regex(ids, data.group_regex)
    if data.meta is not None and data.group_column is not None:
        return _from_meta(ids, root / data.meta, data.group_column)
    return Groups({}, ())


def _from_regex(ids: Sequence[str], pattern: str) -> Groups:
    try:
        regex = re.compile(pattern)
    except re.error as error:
        return Groups({}, (f"group_regex {pattern!r} is not a valid regular expression: {error}.",))
    groups: dict[str, str] = {}
    problems: list[str] = []
    for image_id in ids:
        match = regex.search(image_id)
        # Group 1 of the expression if it has one, else the whole match; both may be empty or missing.
        group = (match.group(1 if regex.groups else 0) or "") if match else ""
        if group:
            groups[image_id] = group
        else:
            problems.append(f"group_regex {pattern!r} matches nothing in {image_id!r}.")
    return Groups(groups, tuple(problems))


def _from_meta(ids: Sequence[str], path: Path, column: str) -> Groups:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            rows = list(reader)
            columns = list(reader.fieldnames or [])
    except OSError as error:
        return Groups({}, (f"meta {path} cannot be read: {error.strerror}.",))
    except (UnicodeDecodeError, csv.Error) as error:
        return Groups({}, (f"meta {path} is not a CSV file in UTF-8: {error}.",))
    if column not in columns:
        near = did_you_mean(column, columns)
        return Groups({}, (f"meta {path.name} has no column {column!r}.{near} Its columns: {', '.join(columns)}.",))
    image_column = find_image_column(rows, [c for c in columns if c != column], set(ids))
    if image_column is None:
        example = ids[0] if ids else "-"
        return Groups({}, (f"meta {path.name} has no column with the names of the images (such as {example!r}).",))
    return _groups_of_rows(ids, rows, path=path, image_column=image_column, column=column)


def _groups_of_rows(
    ids: Sequence[str], rows: list[dict[str, str]], *, path: Path, image_column: str, column: str
) -> Groups:
    known = set(ids)
    groups: dict[str, str] = {}
    problems: list[str] = []
    for row in rows:
        image_id, group = id_in_cell(row[image_column], known), row[column].strip()
        if image_id is None or not group:
            continue
        if groups.setdefault(image_id, group) != group:
            problems.append(f"meta {path.name} puts {image_id!r} into two groups: {groups[image_id]!r} and {group!r}.")
    problems += [f"meta {path.name} has no {column} for {i!r}." for i in ids if i not in groups]
    return Groups(groups, tuple(problems))
