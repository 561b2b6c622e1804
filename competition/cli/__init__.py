"""The `comp` command: each command parses, makes its calls, and shows what came back."""


def main() -> None:
    """The entry point of the console script."""
    import gc

    gc.set_threshold(100_000, 20, 20)  # else a tenth of a short command is looking for rubbish among its imports
    from competition.cli.boundary import run

    raise SystemExit(run())
