"""The rule for names that people give: of experiments, ensembles, members, sets of pseudo-labels."""

import unicodedata

from competition.errors import CompError

LONGEST_NAME = 200
"""In bytes of UTF-8; most file systems take 255, and comp adds to it."""


def check_name(noun: str, name: str, *, is_file: bool = True) -> str:
    """`name` itself, if `bad_name` finds nothing wrong with it.

    Raises:
        CompError: `bad_name` gives it.
    """
    problem = bad_name(noun, name, is_file=is_file)
    if problem is not None:
        raise problem
    return name


def bad_name(noun: str, name: str, *, is_file: bool = True) -> CompError | None:
    """The reason why `name` cannot be shown on one line or, for `is_file`, cannot name a file; None if it can.

    It is empty, too long or holds a control character; as the name of a file, it starts with a dot or holds a slash.
    """
    wrong = None
    if not name.strip():
        wrong = "it is empty"
    elif is_file and (name.startswith(".") or "/" in name or "\\" in name):
        wrong = "it would be another folder"
    elif any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name):
        wrong = "it holds a control character"
    elif len(name.encode()) > LONGEST_NAME:
        wrong = f"it takes more than {LONGEST_NAME} bytes"
    return CompError(f"{name!r} cannot be the name of {noun}: {wrong}.") if wrong else None
