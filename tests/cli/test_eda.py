import json
from pathlib import Path

from competition.paths import Paths
from tests.conftest import Comp


def test_eda_summarises_and_writes_the_page(comp: Comp, ready: Path) -> None:
    ran = comp("eda")
    assert ran.code == 0
    assert "square" in ran.out
    assert "12 labelled images and 2 test images; every one was opened." in ran.out
    assert "class weights" in ran.out
    page = Paths(ready).eda_page
    assert str(page) in ran.err
    assert "<h2>Contact sheet</h2>" in page.read_text(encoding="utf-8")


def test_json_is_what_lies_beside_the_page(comp: Comp, ready: Path) -> None:
    printed = json.loads(comp.ok("eda", "--json", "--sample", "6"))
    assert printed.pop("page") == str(Paths(ready).eda_page)
    assert printed == json.loads(Paths(ready).eda_summary.read_text(encoding="utf-8"))
    assert (printed["images"], printed["opened"]) == (12, 6)


def test_changed_images_are_named(comp: Comp, ready: Path) -> None:
    image = next((ready / "images").glob("*.png"))
    image.write_bytes(b"x")
    assert image.name in comp.error("eda")
