from pathlib import Path

import pytest
from PIL import Image

from competition.config import read_config
from tests.conftest import Comp


@pytest.mark.slow
def test_preview_writes_a_contact_sheet(comp: Comp, ready: Path) -> None:
    printed = comp.ok("augment", "preview", "--images", "2", "--set", "augment.pipeline=heavy", "--set", "mix.mixup=1")
    assert printed.strip() == str(ready / "runs/report/augment/baseline.png")
    with Image.open(printed.strip()) as sheet:
        assert sheet.size == (2 * (2 * 32 + 24), 2 * (32 + 18 + 8) + 8)  # a row for each image, four pictures in it
    Path("own.yaml").write_text("{data: {size: 32x32}, augment: {pipeline: none}}", encoding="utf-8")
    comp.ok("augment", "preview", "own.yaml", "--images", "1", "--output", "here.png")
    with Image.open("here.png") as sheet:
        before, after = (sheet.crop((left, 8, left + 32, 40)) for left in (8, 8 + 88))
        assert before.tobytes() == after.tobytes()


@pytest.mark.slow
def test_preview_says_what_is_wrong(comp: Comp, ready: Path) -> None:
    assert "'Rotate'" in comp.error("augment", "preview", "--set", "augment.pipeline=[{__class_fullname__: Rotat}]")
    assert "There is no experiment 'b9'" in comp.error("augment", "preview", "b9")
    assert not Path("runs/report").exists()


@pytest.mark.slow
def test_a_pipelines_file_becomes_part_of_the_experiment(comp: Comp, ready: Path) -> None:
    """One key is one condition, and the same file with other contents is another experiment."""
    for p in (0.5, 0.6):
        Path("own.yaml").write_text(f"[{{__class_fullname__: Blur, p: {p}}}]", encoding="utf-8")
        comp.ok("run", f"blur-{p}", "--as", "ann", "--detach", "--set", "augment.pipeline=own.yaml")
        kept = read_config(ready / "runs" / "experiments" / f"blur-{p}" / "config.yaml")
        assert kept.augment.pipeline == [{"__class_fullname__": "Blur", "p": p}]
    assert "[Blur]" in comp.ok("leaderboard", "--json")
