"""The manifest of an opened competition."""

from typing import TYPE_CHECKING

from competition.api import Competition

if TYPE_CHECKING:
    from competition.data.manifest import Manifest


def read_manifest(opened: Competition) -> "Manifest":
    """The manifest of the data that the competition runs on."""
    from competition.data.manifest import Manifest
    from competition.store import competition

    return Manifest.read(opened.paths.manifest(competition.fingerprint(opened.store)))
