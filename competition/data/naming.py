"""What an image is called, and the order that names stand in."""

import re
import unicodedata
from pathlib import PurePath

_TEXT_THEN_NUMBER = re.compile(r"([^0-9]*)([0-9]*)")


def id_of(name: str | PurePath) -> str:
    """The id of the image in a file: its stem, in one Unicode form.

    macOS hands out `é` as two code points and Linux as one; without this, an image zipped on one and a mask zipped on
    the other would not find each other.
    """
    return unicodedata.normalize("NFC", PurePath(name).stem)


def natural_key(name: str) -> tuple[tuple[tuple[str, int], ...], str]:
    """A sort key that puts `frame9` before `frame10`; names that differ at all never compare equal."""
    parts = _TEXT_THEN_NUMBER.findall(name)
    return tuple((text.casefold(), int(number) if number else -1) for text, number in parts), name
