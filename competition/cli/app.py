"""The list of commands. Importing a command's module is cheap: what is heavy is imported when the command runs."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from competition.cli.version import print_version

COMMANDS = {
    "Set up": {
        "demo": "demo",
        "init": "init",
        "assign": "assign",
        "eda": "eda",
        "check": "check",
        "split": "split",
    },
    "Experiments": {
        "baseline": "baseline",
        "augment": "augment",
        "idea": "idea",
        "run": "run",
        "predict": "predict",
        "rebase": "rebase",
        "reproduce": "reproduce",
        "note": "note",
        "leaderboard": "leaderboard",
        "compare": "compare",
        "tree": "tree",
    },
    "Queue": {
        "worker": "worker",
        "queue": "queue",
        "logs": "logs",
        "pause": "control",
        "resume": "control",
        "bump": "control",
        "cancel": "control",
        "retry": "control",
    },
    "Ensembles and submissions": {
        "ensemble": "ensemble",
        "pseudo": "pseudo",
        "submit": "submit",
        "submissions": "submissions",
        "score": "submissions",
        "export": "export",
    },
    "Team and upkeep": {
        "status": "status",
        "events": "events",
        "report": "report",
        "serve": "report",
        "cache": "cache",
        "artifacts": "artifacts",
        "doctor": "doctor",
        "backup": "doctor",
    },
}
"""The module of each command, under the headings and in the order of `comp --help`."""


class _Commands(TyperGroup):
    """All commands under their headings. Typer's own headings would need rich, which doubles the time of `--help`."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        width = max(len(command) for commands in COMMANDS.values() for command in commands)
        for heading, commands in COMMANDS.items():
            with formatter.section(heading):
                limit = formatter.width - width - 6
                lines = {command: self.commands[command].get_short_help_str(limit) for command in commands}
                # Padded, so that the second column of all sections begins at the same place.
                formatter.write_dl([(command.ljust(width), line) for command, line in lines.items()])


def make_app() -> typer.Typer:
    """The program with all its commands."""
    app = typer.Typer(
        name="comp",
        cls=_Commands,
        help="Run a team through an image-segmentation competition.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(print_version)
    for module in dict.fromkeys(module for commands in COMMANDS.values() for module in commands.values()):
        import_module(f"competition.cli.{module}").register(app)
    return app
