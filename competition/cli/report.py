"""`comp report` and `comp serve`: everything on one page."""

from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption

DEFAULT_PORT = 8400


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command(epilog="Example: comp report --open")(report)
    app.command(epilog="Example: comp serve --port 8400")(serve)


def report(
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    folder: DirOption = None,
) -> None:
    """Write the team's page, one HTML file.

    The file needs no network and can be sent to anybody. It shows the leaderboard, lineages, learning curves, classes,
    CV against the public board, ensembles, data, ideas, the team and the last events.
    """
    from competition.cli.show import output
    from competition.cli.show.working import draw_pictures
    from competition.report.overview import undrawn, write_overview

    opened = open_competition(folder)
    for name in undrawn(opened.store):
        draw_pictures(opened, name)
    page = write_overview(opened.store, opened.settings)
    output.say(f"The page: {page}")
    if open_it:
        output.open_in_browser(page)


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = DEFAULT_PORT,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Listen here, so that other machines reach it; the URL gets a token.")
    ] = "127.0.0.1",
    folder: DirOption = None,
) -> None:
    """Show the team's page live, until Ctrl-C.

    The page reloads itself when something changes, and changes nothing. Prints its URL. Only this machine can open it,
    unless --host says otherwise: then everybody can who has the whole URL with its token. The connection is not
    encrypted. Needs the extra `serve`.
    """
    import sys

    from competition.cli.show import output
    from competition.report.server import LivePage, PageServer

    opened = open_competition(folder)
    server = PageServer(LivePage(opened.store, opened.settings), host, port)
    output.print_lines(server.url)
    sys.stdout.flush()
    everywhere = f"It listens on every network interface of this machine ({host}). " if server.is_everywhere else ""
    output.say(f"{everywhere}Ctrl-C ends it.")
    server.run()
