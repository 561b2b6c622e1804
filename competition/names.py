"""What may be the name of something that a person calls by it."""

import unicodedata

from competition.errors import CompError

LONGEST_NAME = 200
"""In bytes of UTF-8; most file systems take 255, and comp adds to it."""


def check_name(noun: str, name: str, *, is_file: bool = True) -> str:
    """`name` itself, where it can be shown on one line and, for `is_file`, be a file's.

    Raises:
        CompError: it is empty, too long or holds a control character; as a file's, starts with a dot or holds a slash.
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
    if wrong:
        raise CompError(f"{name!r} cannot be the name of {noun}: {wrong}.")
    return name
