import errno
import shlex
import shutil
import subprocess
import sys
import tempfile
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

    monkeypatch.setattr("competition.experiments.leaderboard.standings", broken)
    ran = comp("leaderboard")
    assert ran.code == 3
    assert "A bug in comp: ZeroDivisionError: planted" in ran.err
    assert "Traceback" not in ran.err
    assert "Traceback" in Path("runs/crash.log").read_text()


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            1,
            "Error: A file or the output: No space left on device.\nFree some space",
        ),
        (OSError(errno.EROFS, "Read-only file system", "runs/x"), 1, "Error: runs/x: Read-only file system.\nCheck"),
        (OSError(errno.EBADF, "Bad file descriptor"), 3, "A bug in comp: OSError"),
    ],
)
def test_what_the_machine_refuses_is_no_bug(
    comp: Comp, ready: Path, error: OSError, code: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("competition.experiments.leaderboard.standings", refused)
    ran = comp("leaderboard")
    assert ran.code == code
    assert ran.err.startswith(says)


AS_SOMEBODY_ELSE = """
import contextlib, os, sys
from competition.cli.boundary import run
if os.geteuid() == 0:  # whom no permission binds; what is imported late may lie where others cannot read
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        run(sys.argv[1:])
    os.setegid(65534)
    os.seteuid(65534)
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", ["leaderboard", "queue", "status", "doctor"])
def test_a_runs_folder_that_nobody_may_enter_is_one_clear_error(ready: Path, command: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "competition"
        shutil.copytree(ready, folder)
        Path(name).chmod(0o755)
        (folder / "runs").chmod(0o000)
        try:
            program = [sys.executable, "-c", AS_SOMEBODY_ELSE, command, "--dir", str(folder)]
            ran = subprocess.run(program, capture_output=True, text=True, check=False)
        finally:
            (folder / "runs").chmod(0o755)
    assert (ran.returncode, ran.stdout) == (1, ""), ran.stderr
    assert ran.stderr.splitlines()[0] == f"Error: {folder.resolve()}/runs/comp.db: Permission denied."
    assert "Check that you may read and write there" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_newer_database_is_one_clear_error(comp: Comp, ready: Path) -> None:
    import sqlite3

    with sqlite3.connect("runs/comp.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer comp" in comp.error("leaderboard")


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["no-such-command"], 2), (["queue"], 1)])
def test_a_process_ends_with_its_output_written_and_its_code(arguments: list[str], code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "competition", *arguments]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ran.returncode == code
    assert (ran.stdout or ran.stderr).startswith("Usage: " if code != 1 else "Error: No competition.yaml")
    assert ran.stdout.endswith("Copy the database, while jobs run.\n") == (code == 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
def test_output_that_finds_no_room_is_one_clear_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "competition", "--help"]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert ran.returncode == 1
    assert "No space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_closed_output_hurts_nobody_who_says_nothing(tmp_path: Path) -> None:
    command = f"exec {shlex.quote(sys.executable)} -m competition queue >&-"
    ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, stderr=subprocess.PIPE, text=True, timeout=60)
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: No competition.yaml")
    assert not (tmp_path / "comp-crash.log").exists()


def test_a_process_leaves_the_database_whole_so_that_a_copy_can_take_its_place(ready: Path) -> None:
    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "competition", *arguments]
        return subprocess.run(command, cwd=ready, capture_output=True, text=True, check=True, timeout=60).stdout

    run("assign", "early", "eda")
    assert [path.name for path in (ready / "runs").glob("comp.db*")] == ["comp.db"]
    run("backup", "copy.db")
    run("assign", "late", "eda")
    (ready / "copy.db").replace(ready / "runs" / "comp.db")
    assert "early" in run("assign", "--list")
    assert "late" not in run("assign", "--list")
