"""`comp --version`."""

from typing import Annotated

import typer

from competition import __version__


def _show(wanted: bool) -> None:
    if wanted:
        print(f"comp {__version__}")
        raise typer.Exit


def print_version(
    version: Annotated[
        bool, typer.Option("--version", callback=_show, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Run a team through an image-segmentation competition."""
