"""The `comp` command: each command parses, makes its calls, and shows what came back."""


def main() -> None:
    """The entry point of the console script."""
    import atexit
    import gc

    gc.set_threshold(100_000, 20, 20)  # else a tenth of a short command is looking for rubbish among its imports
    ended: list[int] = []
    atexit.register(_leave, ended)  # registered first, so called last: all that comp itself registers comes before
    from competition.cli.boundary import run

    ended.append(run())
    raise SystemExit(ended[0])


def _leave(ended: list[int]) -> None:
    """End the process here: taking its modules apart one by one would be a quarter of a short command.

    It ends whatever called `main`, too, once that is at its end.
    """
    import os
    import sys
    from contextlib import suppress

    if ended:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(ended[0])
