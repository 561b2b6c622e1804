"""The list of commands. Importing a command's module is cheap: what is heavy is imported when the command runs."""

import typer

from competition.cli import (
    assign,
    baseline,
    cache,
    check,
    compare,
    demo,
    doctor,
    eda,
    ensemble,
    events,
    init,
    leaderboard,
    pause,
    queue,
    run,
    split,
    status,
    submit,
    worker,
)
from competition.cli.version import print_version

app = typer.Typer(
    name="comp",
    help="Run a team through an image-segmentation competition.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.callback()(print_version)
for module in (
    init,
    assign,
    eda,
    check,
    split,
    baseline,
    run,
    worker,
    queue,
    events,
    pause,
    leaderboard,
    compare,
    ensemble,
    submit,
    status,
    cache,
    doctor,
    demo,
):
    module.register(app)
