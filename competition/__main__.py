"""`python -m competition` is `comp`."""

from competition.cli import main

if __name__ == "__main__":
    main()
