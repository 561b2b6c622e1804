"""Handing in with a stand-in for Kaggle's command: it writes down how it was called, and nothing leaves the machine."""

import json
import sys
from pathlib import Path

import pytest

from tests.conftest import Comp

SUBMIT = ("submit", "b1", "--as", "ann", "--format", "rle-csv", "--kaggle", "street-litter")


def fake_kaggle(folder: Path, *, code: int = 0, says: str = "Successfully submitted to Street litter") -> None:
    """A `kaggle` command that keeps its arguments in calls.jsonl."""
    folder.mkdir(exist_ok=True)
    script = folder / "kaggle"
    script.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        f"open({str(folder / 'calls.jsonl')!r}, 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n"
        f"print({says!r}, file=sys.stderr if {code} else sys.stdout)\nsys.exit({code})\n"
    )
    script.chmod(0o755)


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def test_the_file_is_handed_in_once(comp: Comp, predicted: Path, bin_folder: Path) -> None:
    fake_kaggle(bin_folder)
    ran = comp(*SUBMIT)
    assert ran.code == 0, ran.err
    assert "Successfully submitted" in ran.err
    ((*command, _, file, _, message),) = map(json.loads, (bin_folder / "calls.jsonl").read_text().splitlines())
    assert command == ["competitions", "submit", "street-litter"]
    assert Path(file).name == "b1-rle-csv.csv"
    assert message.startswith("comp 1: b1 ")
    (listed,) = json.loads(comp.ok("submissions", "--json"))
    assert listed["uploaded_to"] == "street-litter"
    assert "Submission 1 is on Kaggle already" in comp.error(*SUBMIT)
    assert len((bin_folder / "calls.jsonl").read_text().splitlines()) == 1


def test_what_did_not_arrive_does_not_count(comp: Comp, predicted: Path, bin_folder: Path) -> None:
    fake_kaggle(bin_folder, code=1, says="Working\n403 - Forbidden - you must accept the rules")
    error = comp.error(*SUBMIT)
    assert "failed: 403 - Forbidden - you must accept the rules" in error
    assert "kaggle.json" in error
    assert json.loads(comp.ok("submissions", "--json")) == []


def test_a_recorded_submission_stays_when_its_upload_fails(comp: Comp, predicted: Path, bin_folder: Path) -> None:
    fake_kaggle(bin_folder, code=1)
    comp.ok(*SUBMIT[:-2])
    comp.error(*SUBMIT)
    (listed,) = json.loads(comp.ok("submissions", "--json"))
    assert listed["uploaded_to"] is None


def test_without_the_command_nothing_is_written(comp: Comp, predicted: Path, bin_folder: Path) -> None:
    error = comp.error(*SUBMIT)
    assert "There is no command `kaggle`" in error
    assert "pip install 'competition[kaggle]'" in error
    assert not list(Path("runs").glob("submissions/*"))
    fake_kaggle(bin_folder)
    assert "Kaggle takes one file" in comp.error("submit", "b1", "--as", "ann", "--kaggle", "x")
