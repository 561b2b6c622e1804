"""`comp cache`: the decoded images that jobs read, and the disk that they take."""

from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption, add_group


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    cache = add_group(app, "cache", help="Show or clear the decoded images.")
    cache.command(epilog="Example: comp cache show")(show)
    cache.command(epilog="Example: comp cache clear")(clear)


def show(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """List the caches: of which data, at which size, how large."""
    from competition.cli.show import data, output
    from competition.data.cache_folders import find_caches
    from competition.store import competition

    opened = open_competition(folder)
    current = competition.fingerprint(opened.store)
    found = find_caches(opened.paths)
    if as_json:
        output.print_json([{**kept.to_json(), "current": kept.fingerprint == current} for kept in found])
        return
    data.show_caches(found, current=current)


def clear(
    old: Annotated[bool, typer.Option("--old", help="Only caches of data that was indexed earlier.")] = False,
    folder: DirOption = None,
) -> None:
    """Remove the caches; the next job builds the one that it needs."""
    from competition.api import data
    from competition.cli.show import output

    removed = data.clear_caches(open_competition(folder), old_only=old)
    size = f"{sum(cache.bytes for cache in removed) / 2**20:.1f} MiB"
    output.say(f"Removed {len(removed)} {'cache' if len(removed) == 1 else 'caches'}, {size}.")
