"""The list of commands. Importing a command's module is cheap: what is heavy is imported when the command runs."""

from collections.abc import Iterable, Sequence
from importlib import import_module

import typer

from competition.cli.version import print_version

COMMANDS = {
    "init": "init",
    "assign": "assign",
    "eda": "eda",
    "check": "check",
    "split": "split",
    "baseline": "baseline",
    "augment": "augment",
    "idea": "idea",
    "run": "run",
    "predict": "predict",
    "rebase": "rebase",
    "reproduce": "reproduce",
    "note": "note",
    "worker": "worker",
    "queue": "queue",
    "logs": "logs",
    "events": "events",
    "pause": "control",
    "resume": "control",
    "bump": "control",
    "cancel": "control",
    "retry": "control",
    "hold": "control",
    "leaderboard": "leaderboard",
    "compare": "compare",
    "tree": "tree",
    "ensemble": "ensemble",
    "pseudo": "pseudo",
    "submit": "submit",
    "export": "export",
    "submissions": "submissions",
    "score": "submissions",
    "status": "status",
    "report": "report",
    "serve": "report",
    "cache": "cache",
    "artifacts": "artifacts",
    "doctor": "doctor",
    "backup": "doctor",
    "demo": "demo",
}
"""The module of each command. `comp --help` lists them in this order, those that have commands of their own last."""


def app_for(arguments: Sequence[str]) -> typer.Typer:
    """What runs these arguments: the one command that they begin with, else all, to list them or to find the nearest.

    To make every command ready would take a twelfth of the time of a short one.
    """
    wanted = arguments[0] if arguments else ""
    return _app([COMMANDS[wanted]] if wanted in COMMANDS else dict.fromkeys(COMMANDS.values()))


def _app(modules: Iterable[str]) -> typer.Typer:
    app = typer.Typer(
        name="comp",
        help="Run a team through an image-segmentation competition.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(print_version)
    for module in modules:
        import_module(f"competition.cli.{module}").register(app)
    return app
