"""Models that were really trained, exported, and used where there is no comp."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.ensemble.export import ExportPaths
from competition.paths import Paths
from tests.cli.blending import CLASSES
from tests.conftest import INIT, Comp, draw_images

pytestmark = pytest.mark.slow

WITHOUT_COMP = (
    "import runpy, sys; sys.modules['competition'] = None; sys.argv = sys.argv[1:]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


@pytest.fixture
def trained(comp: Comp, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory with one complete experiment `b1` and test images of several sizes and kinds."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    root = Path.cwd()
    draw_images(root, side=64)
    generator = np.random.default_rng(3)
    tests = root / "test_images"
    for number, (height, width) in enumerate([(64, 64), (50, 90), (130, 71)]):
        colours = Image.fromarray(generator.integers(0, 256, (height, width, 3)).astype(np.uint8))
        colours.save(tests / f"f{9 + number}.{'jpg' if number == 1 else 'png'}")
    Image.fromarray(generator.integers(0, 65536, (40, 48)).astype(np.uint16)).save(tests / "deep.png")
    comp.ok(*(part.replace("32x32", "64x64").replace("epochs=2", "epochs=1") for part in INIT))
    comp.ok("assign", "ann", "lead", "training")
    comp.ok("split", "--scheme", "stratified-group", "--folds", "2")
    comp.ok("run", "--as", "ann")
    return root


def used_elsewhere(folder: Path, images: Path, out: Path) -> dict[str, bytes]:
    """What `python predict.py IMAGES OUT` writes in a process that cannot import comp."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "OMP_NUM_THREADS")}
    command = [sys.executable, "-c", WITHOUT_COMP, str(folder / "predict.py"), str(images), str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, env=environment, check=False)
    assert ran.returncode == 0, ran.stderr
    return files(out)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_exported_predicts_as_comp_did(comp: Comp, trained: Path, tmp_path: Path) -> None:
    (trained / "nets").mkdir()
    (trained / "nets/own.py").write_text(
        "from torch import nn\nfrom .parts import WIDTH, Step\n\n\ndef build(classes):\n"
        "    return nn.Sequential(nn.Conv2d(3, WIDTH, 3, padding=1), nn.BatchNorm2d(WIDTH), Step(), "
        "nn.Conv2d(WIDTH, classes, 1))\n"
    )
    (trained / "nets/parts.py").write_text("from torch import nn\nWIDTH, Step = 6, nn.ReLU\n")
    (trained / "nets/unused.py").write_text("")
    lite = ("--set", "model.encoder=tu-tf_efficientnet_lite0", "--set", "model.weights=offline")
    together = ("--together", "to see much at once", "--as", "ann")
    comp.ok("run", "lite", *lite, "--set", "train.precision=bf16", *together)
    comp.ok("run", "own", "--set", "model.target=nets.own:build", "--set", "train.precision=fp32", *together)
    comp.ok("predict", "b1", "--set", "tta=hflip", "--set", "window=32x32", "--name", "views", *together)

    comp.ok("ensemble", "--method", "mean", "--name", "all")
    (trained / "nets/parts.py").write_text("from torch import nn\nWIDTH, Step = 6, nn.Identity  # edited since\n")
    folder = tmp_path / "all"
    made = json.loads(comp.ok("export", "all", str(folder), "--json"))
    assert made["models"] == 8
    models = json.loads(ExportPaths(folder).config.read_text())["models"]
    assert len({str(model["normalisation"]) for model in models}) == 2
    assert {model["precision"] for model in models} >= {"bf16", "fp32"}
    assert {(model["tta"], str(model["window"])) for model in models} == {("none", "None"), ("hflip", "[32, 32]")}
    assert sorted(p.name for p in (folder / "code").rglob("*.py")) == ["own.py", "parts.py"]
    wanted = files(trained / "runs/ensembles/all/submission")
    assert sorted(wanted) == ["deep.png", "f10.png", "f11.png", "f9.png", "g0_0.png", "g0_1.png"]
    assert used_elsewhere(folder, trained / "test_images", tmp_path / "all-out") == wanted

    comp.ok("ensemble", "views", "--name", "clean")
    raw = files(trained / "runs/ensembles/clean/submission")
    thresholds = {CLASSES[0]: 0.667, CLASSES[1]: 0.333}
    done = {
        "thresholds": thresholds,
        "min_size": dict.fromkeys(CLASSES, 40),
        "hole_size": {CLASSES[0]: 60},
        "largest_only": [CLASSES[1]],
    }
    with sqlite3.connect(Paths(trained).database) as database:
        database.execute("UPDATE ensembles SET postprocessing = ? WHERE name = 'clean'", [json.dumps(done)])
    folder = Path(comp.ok("export", "clean", "alone").strip()).resolve()
    submitted = Path(comp.ok("submit", "clean", "--as", "ann").strip())
    assert used_elsewhere(folder, trained / "test_images", tmp_path / "alone-out") == files(submitted)
    assert files(submitted) != raw

    assert "not empty" in comp.error("export", "views", "alone")
    assert "Did you mean 'b1'?" in comp.error("export", "b11", "other")
    model = Paths(trained).job("b1", 1).model
    data = model.read_bytes()
    model.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert "other contents" in comp.error("export", "b1", "other")
    model.unlink()
    assert "comp retry b1 --folds 1 --finished-too" in comp.error("export", "b1", "other")
    assert not Path("other").exists()
