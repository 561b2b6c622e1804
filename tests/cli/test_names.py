"""People are called what they are called, and write what they like: no command may trip over it or change it."""

import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from competition.paths import Paths
from tests.cli.conftest import blurred, play
from tests.conftest import Comp
from tests.report.parsing import read

MEMBER = """O'Brien "Ann" <b>[red]김민수[/red] 🦊 :smile:"""
EXPERIMENT = """[bold]실험 <i>&"a'b" 🎯"""
ENSEMBLE = """모두 [x] <blend> 'x' 🧪"""
TEXT = """Try [link=x]lovasz[/link] <script>alert("1")</script> 'it's' 손실 🚀 :fire: \\[x]"""


@pytest.fixture
def named(comp: Comp, ready: Path) -> Path:
    """A competition of such names: the baseline, and an experiment by MEMBER, both complete."""
    settings = ready / "competition.yaml"
    settings.write_text(settings.read_text() + "public_images: 1\nsubmissions_per_day: 9\n")
    comp.ok("assign", MEMBER, "lead", "training", "research", "ensemble")
    comp.ok("idea", "add", TEXT, "--source", "https://example.org/[a]?b=<c>", "--as", MEMBER)
    play(ready, blurred(0.3))
    play(ready, blurred(0.2), member=MEMBER, name=EXPERIMENT, assignments=("loss.dice=0.5",), note=TEXT)
    return ready


def test_names_and_texts_survive_every_command(comp: Comp, named: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comp.ok("ensemble", "--method", "mean", "--name", ENSEMBLE, "--as", MEMBER)
    comp.ok("run", EXPERIMENT, "--idea", "1", "--as", MEMBER, "--detach")
    comp.ok("note", EXPERIMENT, TEXT, "--as", MEMBER)
    for source in (EXPERIMENT, ENSEMBLE):
        path = comp.ok("submit", source, "--as", MEMBER, "--format", "rle-csv").strip()
        assert Path(path).is_file()
    assert EXPERIMENT in comp("score", "1", "--public", "0.4", "--as", MEMBER).err
    assert ENSEMBLE in comp("score", "2", "--public", "0.5", "--as", MEMBER).err
    expected = {
        ("assign", "--list"): [MEMBER],
        ("status",): [MEMBER, f"{EXPERIMENT}: +"],
        ("leaderboard",): [MEMBER, EXPERIMENT],
        ("leaderboard", "--member", MEMBER): [MEMBER, EXPERIMENT],
        ("leaderboard", "--public"): [MEMBER, f"1 {EXPERIMENT}", f"2 {ENSEMBLE}"],
        ("submit", "--advise"): [ENSEMBLE],
        ("submissions",): [MEMBER, EXPERIMENT, ENSEMBLE],
        ("idea", "list"): [MEMBER, TEXT, EXPERIMENT, "https://example.org/[a]?b=<c>"],
        ("note", EXPERIMENT): [f"{TEXT}\n{TEXT}"],
        ("tree",): [MEMBER, EXPERIMENT],
        ("compare", "b1", EXPERIMENT): [EXPERIMENT],
        ("ensemble", EXPERIMENT, "b1", "--method", "mean", "--name", ENSEMBLE): [EXPERIMENT, ENSEMBLE],
    }
    for command, texts in expected.items():
        monkeypatch.setenv("COLUMNS", "80")
        assert all(cell_len(line) <= 80 or line == TEXT for line in comp.ok(*command).splitlines()), command
        monkeypatch.setenv("COLUMNS", "400")
        out = comp.ok(*command)
        for text in texts:
            assert text in out, (command, text)


def test_programs_read_them_back_unchanged(comp: Comp, named: Path) -> None:
    assert MEMBER in [m["name"] for m in json.loads(comp.ok("assign", "--list", "--json"))["members"]]
    row = json.loads(comp.ok("leaderboard", "--member", MEMBER, "--json"))[0]
    assert (row["name"], row["member"], row["note"]) == (EXPERIMENT, MEMBER, TEXT)
    (idea,) = json.loads(comp.ok("idea", "list", "--json"))
    assert (idea["text"], idea["member"]) == (TEXT, MEMBER)
    made = json.loads(comp.ok("submit", EXPERIMENT, "--as", MEMBER, "--json"))
    assert (made["source"], made["member"], made["weights"]) == (EXPERIMENT, MEMBER, {EXPERIMENT: 1.0})
    (team,) = json.loads(comp.ok("tree", "--json"))
    assert team["roots"][0]["children"][0]["experiment"]["name"] == EXPERIMENT


def test_the_queue_knows_them(comp: Comp, named: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = comp("baseline", "promote", EXPERIMENT, "--as", MEMBER)
    assert f"b2 is now the baseline: {EXPERIMENT}" in ran.err
    play(named, blurred(0.2), parent="b1", assignments=("optimizer.lr=0.01",), name=f"x{EXPERIMENT}")
    made = json.loads(comp.ok("rebase", f"x{EXPERIMENT}", "--as", MEMBER, "--json"))
    assert made["name"] == f"x{EXPERIMENT}@b2"
    monkeypatch.setenv("COLUMNS", "400")
    queued = comp.ok("queue")
    assert MEMBER in queued
    assert made["name"] in queued
    assert made["name"] in comp("cancel", made["name"], "--as", MEMBER).err
    assert made["name"] in comp("retry", made["name"], "--as", MEMBER).err
    assert made["name"] in comp.error("logs", made["name"])
    assert f"no member {MEMBER + '!'!r}" in comp.error("leaderboard", "--member", MEMBER + "!")


@pytest.mark.parametrize("name", ["", " ", "a/b", "../up", ".hidden", "a\\b", "two\nlines", "\x1b[31mred", "가" * 90])
def test_what_cannot_be_a_name_is_refused(comp: Comp, ready: Path, name: str) -> None:
    assert "cannot be the name of an experiment" in comp.error("run", name, "--as", "ann", "--set", "loss.dice=0.5")
    if "/" not in name and "\\" not in name and not name.startswith("."):
        assert "cannot be the name of a member" in comp.error("assign", name, "eda")
    assert "cannot be the name of an ensemble" in comp.error("ensemble", "--name", name)
    assert "No experiment yet" in comp.ok("leaderboard")


def test_names_and_texts_survive_the_page(comp: Comp, named: Path) -> None:
    comp.ok("idea", "add", "not a link", "--source", "javascript:alert(1)", "--as", MEMBER)
    comp.ok("run", EXPERIMENT, "--idea", "1", "--as", MEMBER, "--detach")
    comp.ok("ensemble", EXPERIMENT, "b1", "--name", ENSEMBLE, "--as", MEMBER)
    comp.ok("submit", ENSEMBLE, "--as", MEMBER, "--format", "rle-csv")
    comp.ok("score", "1", "--public", "0.5", "--as", MEMBER)
    comp.ok("report")
    page = read(Paths(named).report_page)
    for text in (MEMBER, EXPERIMENT, ENSEMBLE, TEXT, "javascript:alert(1)", f"1 {ENSEMBLE}: CV"):
        assert text in page.text, text
    assert page.text.count(TEXT) >= 3
    assert not any(address.startswith("javascript") for address in page.addresses)
    assert "https://example.org/[a]?b=<c>" in page.addresses
