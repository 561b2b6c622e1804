"""The list of commands. Importing a command's module is cheap: what is heavy is imported when the command runs."""

import typer

from competition.cli import (
    artifacts,
    assign,
    augment,
    baseline,
    cache,
    check,
    compare,
    demo,
    eda,
    ensemble,
    idea,
    init,
    leaderboard,
    note,
    predict,
    queue,
    rebase,
    report,
    reproduce,
    run,
    split,
    status,
    submissions,
    submit,
    tree,
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
    augment,
    idea,
    run,
    predict,
    rebase,
    reproduce,
    note,
    worker,
    queue,
    leaderboard,
    compare,
    tree,
    ensemble,
    submit,
    submissions,
    status,
    report,
    cache,
    artifacts,
    demo,
):
    module.register(app)
