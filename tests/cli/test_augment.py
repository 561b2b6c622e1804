from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.config.experiment import read_config
from competition.data.manifest import Manifest
from competition.data.preview import Previewed, PreviewSpec
from competition.paths import Paths
from competition.queue.children import ForkServer
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


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[PreviewSpec]:
    """What the child process is asked for; it answers with the images as they are."""
    specs: list[PreviewSpec] = []
    blank = np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8)

    def answer(_nursery: ForkServer, spec: PreviewSpec) -> list[Previewed]:
        specs.append(spec)
        return [Previewed(item.id, *blank, *blank, 1.0) for item in spec.items]

    monkeypatch.setattr(ForkServer, "preview", answer)
    return specs


def test_preview_finds_rare_classes_among_all_images(comp: Comp, ready: Path, asked: list[PreviewSpec]) -> None:
    """Of twelve images one holds the third class, and it is not the one that is shown."""
    paths = Paths(ready)
    (folder,) = (ready / "runs" / "data").iterdir()
    manifest = Manifest.read(paths.manifest(folder.name))
    pixels = [(600, 400, 24) if number == 7 else (600, 424, 0) for number in range(len(manifest.items))]
    items = [replace(item, pixels=counts, void=0) for item, counts in zip(manifest.items, pixels, strict=True)]
    Manifest(tuple(items), manifest.test).write(paths.manifest(folder.name))

    for key in ("sampling.rare_crop", "mix.copy_paste"):
        printed = comp.ok("augment", "preview", "--images", "1", "--set", f"{key}=1")
        with Image.open(printed.strip()) as sheet:
            assert sheet.height == 32 + 18 + 8 + 8  # one row: what is pasted from is not shown
    cropped, pasted = asked
    assert cropped.config.sampling.rare == pasted.config.sampling.rare == ["disc"]
    assert [item.id for item in cropped.items] == [items[0].id]
    assert [item.id for item in pasted.items] == [items[0].id, items[7].id]


def test_preview_leaves_named_classes_and_other_keys_as_they_are(
    comp: Comp, ready: Path, asked: list[PreviewSpec]
) -> None:
    comp.ok("augment", "preview", "--set", "mix.copy_paste=1", "--set", "sampling.rare=[square]")
    comp.ok("augment", "preview")
    assert [spec.config.sampling.rare for spec in asked] == [["square"], []]


def test_preview_knows_no_epoch_after_the_last(comp: Comp, ready: Path, asked: list[PreviewSpec]) -> None:
    comp.ok("augment", "preview", "--epoch", "2")
    assert "There is no epoch 3" in comp.error("augment", "preview", "--epoch", "3")
    assert [spec.epoch for spec in asked] == [1]


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
