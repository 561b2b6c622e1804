import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from competition.cli.service import unit, unit_name_of
from tests.conftest import Comp


def parsed(text: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(text)
    return unit


def test_the_unit_runs_this_worker_and_stops_it_the_way_it_stops_itself(comp: Comp, ready: Path) -> None:
    ran = comp("worker", "--install-service", "--devices", "cpu", "--jobs-per-device", "2")
    assert ran.code == 0
    service = parsed(ran.out)["Service"]
    assert shlex.split(service["ExecStart"]) == [
        *(sys.executable, "-m", "competition", "worker", "--dir", str(ready.resolve())),
        *("--devices", "cpu", "--jobs-per-device", "2"),
    ]
    assert service["KillMode"] == "mixed", "children save when the worker asks them; loaders must not be asked"
    assert float(service["TimeoutStopSec"]) > 30, "longer than the worker gives its children"
    assert service["OOMPolicy"] == "continue"
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("on-failure", "1 2")
    assert parsed(ran.out)["Install"]["WantedBy"] == "default.target"
    name = unit_name_of("cwd", ready, ["--devices", "cpu", "--jobs-per-device", "2"])
    for command in ("daemon-reload", f"enable --now {name}", "enable-linger", "--devices cpu --jobs-per-device 2 >"):
        assert command in ran.err
    assert not list(ready.glob("runs/experiments/*"))


def test_a_worker_that_ends_with_the_queue_is_no_service(comp: Comp, ready: Path) -> None:
    assert "--until-empty does not go with it" in comp.error("worker", "--install-service", "--until-empty")


@pytest.mark.parametrize(
    ("name", "file"),
    [("CamVid", "comp-CamVid-"), ("a b/c %i", "comp-a-b-c-i-"), ("대회", "comp-worker-")],
)
def test_a_name_that_systemd_takes(name: str, file: str) -> None:
    assert re.fullmatch(f"{file}[0-9a-f]{{6}}\\.service", unit_name_of(name, Path("/data/a"), []))


def test_workers_of_other_folders_or_devices_have_units_of_their_own() -> None:
    workers = [("/data/a", []), ("/data/b", []), ("/data/a", ["--devices", "0"]), ("/data/a", ["--devices", "1"])]
    assert len({unit_name_of("camvid", Path(folder), options) for folder, options in workers}) == 4


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_accepts_it_with_names_that_are_awkward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / 'my "50%" $HOME folder\\'
    folder.mkdir()
    file = tmp_path / "comp-test.service"
    file.write_text(unit("50% of $HOME\\", folder, ["--devices", "0,1"]))
    ran = subprocess.run(
        ["systemd-analyze", "--user", "--man=no", "verify", str(file)], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, [line for line in ran.stderr.splitlines() if file.name in line]) == (0, []), ran.stderr
