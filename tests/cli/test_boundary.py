from pathlib import Path

import pytest

from competition import __version__
from tests.conftest import Comp


def test_version(comp: Comp) -> None:
    assert comp.ok("--version") == f"comp {__version__}\n"


def test_usage_mistakes_exit_with_2(comp: Comp) -> None:
    ran = comp("leaderbord")
    assert ran.code == 2
    assert "leaderboard" in ran.err
    assert comp("split", "--folds", "x").code == 2


def test_a_bug_is_one_line_on_the_screen_and_a_traceback_in_a_file(
    comp: Comp, ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("competition.store.leaderboard.standings", broken)
    ran = comp("leaderboard")
    assert ran.code == 3
    assert "A bug in comp: ZeroDivisionError: planted" in ran.err
    assert "Traceback" not in ran.err
    assert "Traceback" in Path("runs/crash.log").read_text()


def test_a_newer_database_is_one_clear_error(comp: Comp, ready: Path) -> None:
    import sqlite3

    with sqlite3.connect("runs/comp.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer comp" in comp.error("leaderboard")
