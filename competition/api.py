"""The Python interface: `competition.open(".")`. What a command can do, a notebook can do; the commands use it too."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from competition.errors import CompError
from competition.paths import Paths, find_competition

if TYPE_CHECKING:
    from competition.config.settings import Settings
    from competition.store.engine import Store


@dataclass(frozen=True)
class Competition:
    """An opened competition. competition.yaml is read when its values are first needed."""

    paths: Paths
    store: "Store"

    @cached_property
    def settings(self) -> "Settings":
        """The settings that the team shares.

        Raises:
            ConfigError: competition.yaml is wrong.
        """
        from competition.config.settings import read_settings

        return read_settings(self.paths.competition)


def open_competition(folder: Path | str | None = None) -> Competition:
    """Open the competition that `folder` (by default the working directory) lies in.

    Jobs of workers that died on this host are found and queued again on the way.

    Raises:
        CompError: there is no competition there, or its database cannot be opened.
    """
    from competition.store.engine import open_store
    from competition.store.queue import slots

    paths = find_paths(folder)
    _check_readable(paths.competition)
    store = open_store(paths)
    if slots.is_any_held(store):
        from competition.queue.reaper import reap

        reap(store)
    return Competition(paths, store)


def find_paths(folder: Path | str | None = None) -> Paths:
    """The files of the competition around `folder`, or around the working directory.

    Raises:
        CompError: `folder` is not a folder, or no competition is around it.
    """
    if folder is not None and not Path(folder).is_dir():
        raise CompError(f"{folder} is not a folder.", hint="Give the competition's folder.")
    return find_competition(Path.cwd() if folder is None else Path(folder))


def _check_readable(file: Path) -> None:
    """Raise ConfigError if competition.yaml is not YAML or holds no keys; the keys' values are checked when used."""
    import yaml

    try:
        found = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        found = None
    if not isinstance(found, dict):
        from competition.config.settings import read_settings

        read_settings(file)  # raises, and its message says what is wrong
