"""The `comp` command: each command parses, makes its calls, and shows what came back."""


def main() -> None:
    """The entry point of the console script."""
    import atexit
    import gc

    gc.set_threshold(100_000, 20, 20)  # else a tenth of a short command is looking for rubbish among its imports
    ended: list[int] = []
    atexit.register(_leave, ended)  # the first to be registered is the last to be called
    from competition.cli.boundary import run

    ended.append(run())
    raise SystemExit(ended[0])


def _leave(ended: list[int]) -> None:
    """End the process here: taking its modules apart one by one would be a fifth of a short command."""
    import os
    import sys
    from contextlib import suppress

    if ended:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(ended[0])
