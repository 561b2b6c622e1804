"""Showing a page to the person."""

from pathlib import Path


def show_in_browser(page: Path) -> None:
    """Open the page in the browser; where there is none, say so."""
    import webbrowser

    from competition.cli.show import output

    if not webbrowser.open(page.as_uri()):
        output.say("No browser was found here; open the file yourself.")
