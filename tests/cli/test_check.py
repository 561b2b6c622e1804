import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.conftest import INIT, Comp, draw_images, save


def kinds(out: str) -> dict[str, int]:
    return {finding["kind"]: finding["count"] for finding in json.loads(out)}


def test_findings_are_grouped_and_fit_80_columns(comp: Comp) -> None:
    draw_images(Path.cwd())
    save(Path("images/g0_0.png"), np.zeros((32, 32, 3), np.uint8))
    save(Path("masks/g1_3.png"), np.zeros((32, 32), np.uint8))
    Path("images/g3_9.png").write_bytes(Path("images/g2_6.png").read_bytes())
    comp.ok(*INIT)
    assert kinds(comp.ok("check", "--json")) == {
        "duplicates": 1,
        "contradicting masks": 1,
        "constant images": 1,
        "empty masks": 1,
    }
    ran = comp("check")
    assert ran.code == 0
    assert max(len(line) for line in ran.out.splitlines()) <= 80
    assert ran.out.index("warnings: look at these") < ran.out.index("notes: comp deals with these")
    assert "g2_6 = g3_9" in ran.out
    assert "no split yet" in ran.err


def test_data_that_cannot_be_used_is_an_error(comp: Comp, ready: Path) -> None:
    assert comp("check").code == 0
    save(Path("masks/g0_0.png"), np.ones((32, 32), np.uint8))
    ran = comp("check", "--json")
    assert ran.code == 1
    (found,) = [f for f in json.loads(ran.out) if f["severity"] == "error"]
    assert (found["kind"], found["count"]) == ("changed files", 1)
    assert "g0_0.png" in found["examples"][0]


def test_a_copy_in_another_form_joins_its_fold(comp: Comp) -> None:
    draw_images(Path.cwd(), side=96)
    picture = Image.open("images/g0_0.png").convert("RGB")
    picture.save("images/g3_10.png.jpg", quality=80)
    Path("images/g3_10.png").unlink()
    Path("images/g3_10.png.jpg").rename("images/g3_10.jpg")
    comp.ok(*INIT)
    assert kinds(comp.ok("check", "--json"))["near-duplicates"] == 1
    comp.ok("split", "--scheme", "group", "--folds", "2")
    comp.ok("split", "--export", "mine.csv")
    fold = dict(line.split(",") for line in Path("mine.csv").read_text().splitlines())
    assert fold["g0_0"] == fold["g3_10"] == fold["g0_1"] == fold["g3_9"]
