"""Draw the leaderboard of a competition as SVG: `python docs/picture.py comp-demo docs/images/leaderboard.svg`."""

import io
import re
import sys
from pathlib import Path

from rich.console import Console

import competition
from competition.cli.show.leaderboard_table import table

if __name__ == "__main__":
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print("[bold green]$[/] comp leaderboard")
    console.print(table(competition.open(folder).leaderboard()))
    svg = console.export_svg(title="comp")
    target.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), encoding="utf-8")  # no web fonts
