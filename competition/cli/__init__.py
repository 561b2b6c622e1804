"""The `comp` command: each command parses, makes its calls, and shows what came back."""


def main() -> None:
    """The entry point of the console script."""
    from competition.cli.boundary import run

    raise SystemExit(run())
