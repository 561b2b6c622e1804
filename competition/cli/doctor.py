"""`comp doctor` and `comp backup`: check everything, and copy the database."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from competition.api import find_paths, open_competition
from competition.cli.options import DirOption, JsonOption
from competition.errors import CompError


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command(epilog="Example: comp doctor")(doctor)
    app.command(epilog="Example: comp backup ~/comp-monday.db")(backup)


def doctor(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """Check the database, settings, files, disk and devices.

    Fixes what needs no decision: queues the jobs of dead workers again, removes unfinished files of dead processes.
    The exit code is 1 if a problem is left.
    """
    from competition.api.doctor import Verdict, examine
    from competition.cli.show import output
    from competition.cli.show.doctor import show_checks

    opened = open_competition(folder)
    checks = list(examine(opened.store))
    if as_json:
        output.print_json([asdict(check) for check in checks])
    else:
        show_checks(checks)
    problems = sum(check.verdict is Verdict.PROBLEM for check in checks)
    if problems:
        raise CompError(f"{problems} {'problem is' if problems == 1 else 'problems are'} left.")


def backup(
    file: Annotated[Path, typer.Argument(help="The copy; an older one is replaced.", show_default=False)],
    folder: DirOption = None,
) -> None:
    """Copy the database, while jobs run.

    The copy has no models and no probabilities: these are files in runs/experiments.
    """
    from competition.cli.show import output
    from competition.store.engine import copy_database, open_store

    paths = find_paths(folder)
    if file.is_dir() or not file.parent.is_dir():
        raise CompError(f"{file} is {'a folder' if file.is_dir() else 'in no folder that exists'}; name a file.")
    if file.resolve() == paths.database.resolve():
        raise CompError(f"{file} is the database itself.")
    open_store(paths).close()
    copy_database(paths.database, file)
    output.say(f"Wrote {file}. To go back to it, stop the workers, put it in the place of {paths.database},")
    output.say(f"and remove {paths.database_log.name} beside that if it is there: it belongs to the database before.")
