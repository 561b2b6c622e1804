"""`comp logs`: what a job printed, and what it prints now."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, FoldOption
from competition.errors import CompError

if TYPE_CHECKING:
    from competition.store.queue.jobs import Job

FOLLOW_S = 0.5
TELL_S = 5.0
"""How often --follow says how far the jobs are."""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp logs dice-0.5 --fold 2 -f")(logs)


def logs(
    name: Annotated[str, typer.Argument(help="An experiment.", show_default=False)],
    fold: FoldOption = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep printing as the log grows.")] = False,
    folder: DirOption = None,
) -> None:
    """Print the log of a job, and how far it is.

    It is the job of --fold, or the job that printed last. --follow prints what all jobs of the experiment print,
    wherever their workers run, until all have ended.
    """
    from competition.cli.show import output
    from competition.cli.show.jobs import in_words
    from competition.store import experiments
    from competition.store.queue import jobs

    opened = open_competition(folder)
    experiments.find(opened.store, name)
    if fold is not None:
        folds = dict.fromkeys(job.path_fold for job in jobs.of_experiment(opened.store, name))
        if fold not in folds:
            known = ", ".join(str(one) for one in folds if one is not None)
            raise CompError(f"{name} has no fold {fold}.", hint=f"Known: {known or 'none yet'}")

    def wanted() -> "list[Job]":
        return [job for job in jobs.of_experiment(opened.store, name) if fold in (None, job.path_fold)]

    def logs_of(found: "list[Job]") -> dict[Path, str]:
        return {opened.paths.job(name, job.path_fold, job.repeat).log: job.label for job in found}

    paths = logs_of(wanted())
    written = [path for path in paths if path.is_file()]
    if not paths or not (written or follow):
        label = f"fold {fold} of {name}" if fold is not None else name
        raise CompError(f"No job of {label} has printed anything yet.", hint="`comp queue` shows what waits.")
    newest = max(written, key=lambda path: path.stat().st_mtime, default=None)
    tail = _Tail({path: path.stat().st_size for path in written if path != newest})
    told = float("-inf")
    while True:
        present = wanted()  # before the logs, so that the end of one is not missed
        tail.print(logs_of(present))
        if time.monotonic() - told >= TELL_S:
            told = time.monotonic()
            for job in present:
                if job.state.is_live:
                    output.say(f"{job.label}: {in_words(job)}")
        if not follow or all(job.state.is_finished for job in present):
            return
        time.sleep(FOLLOW_S)


class _Tail:
    """Prints what is new in several logs.

    Args:
        positions: how far each has been printed, in bytes.
    """

    def __init__(self, positions: dict[Path, int]) -> None:
        self._positions = positions
        self._last: Path | None = None

    def print(self, paths: dict[Path, str]) -> None:
        """Print what is new in the logs, each with what to call it."""
        for path, label in paths.items():
            start = self._positions.get(path, 0)
            if not path.is_file() or path.stat().st_size <= start:
                continue
            with path.open("rb") as file:
                file.seek(start)
                text = file.read().decode("utf-8", errors="replace")
                self._positions[path] = file.tell()
            if self._last not in (None, path):
                sys.stdout.write(f"==> {label} <==\n")
            self._last = path
            sys.stdout.write(text)
            sys.stdout.flush()
