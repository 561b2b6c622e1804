"""The one place where exceptions become exit codes."""

import errno
import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from competition.errors import CompError

BUG = 3
_RIGHTS = "Check that you may read and write there, the folders above included: `ls -ld` shows whose they are."
_ROOM = "Free some space and run the command again; `comp cache clear` removes what can be made again."
MENDED_BY = {
    errno.EACCES: _RIGHTS,
    errno.EROFS: _RIGHTS,
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
}
"""What a machine may refuse, which is no bug of comp's, and what to do about it."""


def run(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code: 0, 1 expected error, 2 usage, 3 a bug, 130 interrupted."""
    try:
        code = _call(arguments)
        if sys.stdout is not None:  # which it is where the shell has closed it
            sys.stdout.flush()  # now, while a full disk or a reader that has gone can still be told
    except CompError as error:
        say(f"Error: {error.message}")
        if error.hint:
            say(error.hint)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno not in MENDED_BY:
            return _report_bug()
        say(f"Error: {error.filename or 'A file or the output'}: {error.strerror}.")
        say(MENDED_BY[error.errno])
        return CompError.exit_code
    except Exception:  # noqa: BLE001 - the boundary: what nobody expected is a bug, and leaves a trace
        return _report_bug()
    return code


def _call(arguments: list[str] | None) -> int:
    from competition.cli.app import make_app

    given = sys.argv[1:] if arguments is None else arguments
    try:
        make_app()(given)
    except SystemExit as end:  # Typer has shown a usage mistake (2) or an interrupt (130) itself
        return end.code if isinstance(end.code, int) else 0
    return 0


def say(text: str) -> None:
    """Talk to the person: stderr, as it is."""
    print(text, file=sys.stderr)


def _report_bug() -> int:
    trace = traceback.format_exc()
    log = _crash_log()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat()} {sys.argv}\n{trace}\n")
    except OSError:
        say(trace)
        return BUG
    say(f"A bug in comp: {trace.strip().splitlines()[-1]}\nThe traceback is in {log}; please report it.")
    return BUG


def _crash_log() -> Path:
    from competition.paths import find_competition

    try:
        return find_competition(Path.cwd()).crash_log
    except CompError:
        return Path.cwd() / "comp-crash.log"
