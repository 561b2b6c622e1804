import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.paths import Paths
from competition.store import events, submissions
from competition.store.engine import open_store
from tests.cli.conftest import labels_of
from tests.conftest import Comp


def rows(path: str) -> list[list[str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_png_is_the_default(comp: Comp, predicted: Path) -> None:
    folder = Path(comp.ok("submit", "b1", "--as", "ann").strip())
    names = sorted(p.name for p in folder.iterdir())
    assert names == ["g0_0.png", "g0_1.png"]
    with Image.open(folder / "g0_0.png") as image:
        assert np.array_equal(np.asarray(image), labels_of("g0_0"))


def test_a_sample_decides_and_is_checked(comp: Comp, predicted: Path) -> None:
    Path("sample.csv").write_text(
        "id,class,segmentation\ng0_1.png,disc,\ng0_0.png,disc,\ng0_1.png,square,\ng0_0.png,square,\n"
    )
    arguments = ("submit", "b1", "--as", "ann", "--format", "rle-csv")
    ran = comp(*arguments, "--sample", "sample.csv", "--check", "sample.csv", "--json")
    assert ran.code == 0, ran.err
    assert "every mask decodes" in ran.err
    made = json.loads(ran.out)
    assert (made["images"], made["format"], made["checked"]) == (2, "rle-csv", "sample.csv")
    header, *written = rows(made["path"])
    assert header == ["id", "class", "segmentation"]
    assert [row[:2] for row in written] == [[i, c] for c in ("disc", "square") for i in ("g0_1.png", "g0_0.png")]


def test_a_submission_that_does_not_fit_is_not_counted(comp: Comp, predicted: Path) -> None:
    Path("sample.csv").write_text("ImageId,ClassId,EncodedPixels\ng0_1,1,\ng0_0,1,\n")
    error = comp.error("submit", "b1", "--as", "ann", "--format", "rle-csv", "--check", "sample.csv")
    assert "must not be handed in" in error
    assert "it has a row too many for g0_0, 2; g0_1, 2." in error
    assert "--sample sample.csv" in error
    store = open_store(Paths(predicted))
    assert submissions.every(store) == []
    store.close()


def test_labels_at_a_given_size(comp: Comp, predicted: Path) -> None:
    path = comp.ok("submit", "b1", "--as", "ann", "--format", "labels-csv", "--size", "32x32").strip()
    (_, *written) = rows(path)
    assert [row[0] for row in written] == ["g0_0.png", "g0_1.png"]
    assert [int(c) for c in written[1][1].split()] == labels_of("g0_1").ravel().tolist()


def test_coco_results(comp: Comp, predicted: Path) -> None:
    path = comp.ok("submit", "b1", "--as", "ann", "--format", "coco-json").strip()
    assert path.endswith("b1-coco-json.json")
    entries = json.loads(Path(path).read_text())
    assert [(e["image_id"], e["category_id"]) for e in entries] == [("g0_0", 1), ("g0_0", 2), ("g0_1", 1), ("g0_1", 2)]


def test_what_cannot_be_written_is_explained(comp: Comp, predicted: Path) -> None:
    Path("sample.csv").write_text("id,class,rle\ng7_0,1,\n")
    for arguments, why in [
        (["--format", "rle"], "no format 'rle'"),
        (["--format", "color-png"], "'background' has no colour"),
        (["--format", "png", "--sample", "sample.csv"], "--sample does not apply to png"),
        (["--format", "rle-csv", "--size", "8x8"], "--size does not apply to rle-csv"),
        (["--format", "labels-csv", "--size", "8"], "'8' is no size"),
        (["--format", "labels-csv", "--size", "0x8"], "'0x8' is no size"),
        (["--format", "rle-csv", "--sample", "sample.csv"], "'g7_0' is no test image"),
        (["--format", "rle-csv", "--sample", "nowhere.csv"], "nowhere.csv cannot be read"),
    ]:
        assert why in comp.error("submit", "b1", "--as", "ann", *arguments)
    assert not list(Path("runs").glob("submissions/*"))


def test_a_submission_takes_the_role_ensemble_or_lead(comp: Comp, predicted: Path) -> None:
    comp.ok("assign", "bob", "training")
    comp.ok("assign", "eve", "ensemble")
    error = comp.error("submit", "b1", "--as", "bob")
    assert "bob may not submit: that takes the role ensemble or lead" in error
    assert not list(Path("runs").glob("submissions/*"))
    comp.ok("submit", "b1", "--as", "eve")
    comp.ok("submit", "b1", "--as", "bob", "--force", "--format", "rle-csv")
    store = open_store(Paths(predicted))
    forced = [event for event in events.history(store) if event.action == "forced"]
    store.close()
    assert [event.actor for event in forced] == ["bob"]


def test_the_daily_quota_is_kept_and_may_change_any_day(comp: Comp, predicted: Path) -> None:
    settings = Path("competition.yaml")
    settings.write_text(settings.read_text() + "submissions_per_day: 1\n")
    comp.ok("submit", "b1", "--as", "ann")
    ran = comp("submissions")
    assert "Today: 1 of 1" in ran.err
    assert "1 submission of today" in comp.error("submit", "b1", "--as", "ann", "--format", "rle-csv")
    comp.ok("submit", "b1", "--as", "ann", "--format", "rle-csv", "--force")
    assert "Today: 2 of 1" in comp("submissions").err
    settings.write_text(settings.read_text().replace("day: 1", "day: 9"))
    comp.ok("run", "b1", "--as", "ann", "--detach")
    settings.write_text(settings.read_text().replace("day: 9", "day: 0"))
    assert "submissions_per_day: 0 is wrong" in comp.error("submissions")


def test_scores_of_the_board_are_entered_listed_and_corrected(comp: Comp, predicted: Path) -> None:
    assert "Nothing is submitted yet" in comp.ok("submissions")
    comp.ok("submit", "b1", "--as", "ann")
    again = comp("submit", "b1", "--as", "ann")
    assert "submission 1 already" in again.err
    comp.ok("score", "1", "--public", "0.4", "--as", "ann")
    comp.ok("score", "1", "--public", "41.5%", "--private", "0.39", "--as", "ann")
    (listed,) = json.loads(comp.ok("submissions", "--json"))
    assert (listed["public_score"], listed["private_score"]) == (pytest.approx(0.415), 0.39)
    assert (listed["source"], listed["member"], listed["weights"]) == ("b1", "ann", {"b1": 1.0})
    table = comp.ok("submissions")
    assert "41.50" in table
    assert max(map(len, table.splitlines())) <= 80
    for arguments, why in [
        (["1"], "No score is given"),
        (["2", "--public", "0.5"], "no submission '2'"),
        (["1", "--public", "71.23"], "A board that shows 71.23 means 71.23%."),
        (["1", "--public", "nan"], "no score from 0 to 1"),
        (["1", "--private", "good"], "'good' is no score"),
    ]:
        assert why in comp.error("score", *arguments, "--as", "ann")
