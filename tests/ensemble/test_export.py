"""What is written, and what is refused, without any training."""

import json
import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from competition.config.experiment import Config, with_overrides
from competition.ensemble.export import PACKAGES, Exported, ExportPaths, Trained, export
from competition.ensemble.methods import Method
from competition.errors import CompError, ConfigError, DataError
from competition.experiments import snapshot
from competition.files import sha256_of, write_json
from competition.paths import JobPaths


def trained(root: Path, name: str, *assignments: str, folds: int = 2) -> Trained:
    """An experiment whose jobs have left a model, a record and a result."""
    jobs = [JobPaths(root / "runs" / name / f"fold{fold}") for fold in range(folds)]
    for job in jobs:
        job.folder.mkdir(parents=True)
        weights = {"bias": np.zeros(3, np.float32)}
        save_file(weights, job.model, metadata={"normalisation": "[[0.1, 0.2, 0.3], [1, 1, 1]]"})
        write_json(job.record, {"device_type": "cpu", "precision": "fp32", "threads": 3})
        write_json(job.result, {"artifacts": {job.model.name: sha256_of(job.model)}})
    return Trained(name, with_overrides(Config(), list(assignments)), jobs, root)


def exported(root: Path, experiments: list[Trained], *weights: float, target: str = "out") -> Exported:
    named = {experiment.name: weight for experiment, weight in zip(experiments, weights, strict=True)}
    return export(root / target, experiments, named, method=Method.WEIGHTED, classes=("a", "b", "c"))


def test_each_model_is_described(tmp_path: Path) -> None:
    experiments = [trained(tmp_path, "a", "predict.tta=flips"), trained(tmp_path, "b", "data.size=64x96", folds=1)]
    made = exported(tmp_path, experiments, 0.75, 0.25)
    config = json.loads(ExportPaths(tmp_path / "out").config.read_text())
    assert (config["method"], config["classes"]) == ("weighted", ["a", "b", "c"])
    assert [model["weight"] for model in config["models"]] == [3, 3, 2]
    assert [model["tta"] for model in config["models"]] == ["flips", "flips", "none"]
    assert config["models"][2] == {
        "file": "models/b-fold0.safetensors",
        "weight": 2,
        "target": None,
        "architecture": "Unet",
        "encoder": "efficientnet-b0",
        "normalisation": [[0.1, 0.2, 0.3], [1, 1, 1]],
        "size": [64, 96],
        "train_size": [64, 96],
        "batch_size": 8,
        "deterministic": True,
        "tta": "none",
        "scales": [1.0],
        "window": None,
        "overlap": 0.5,
        "device": "cpu",
        "precision": "fp32",
        "threads": 3,
    }
    for fold, job in enumerate(experiments[0].jobs):
        assert ExportPaths(tmp_path / "out").model("a", fold).read_bytes() == job.model.read_bytes()
    assert made.models == 3
    assert [line.partition("==")[0] for line in made.requirements] == list(PACKAGES)
    assert "+" not in "".join(made.requirements)  # a local version is on no index


def test_what_counts_for_nothing_is_left_out_and_not_needed(tmp_path: Path) -> None:
    experiments = [trained(tmp_path, "a"), trained(tmp_path, "idle")]
    experiments[1].jobs[0].model.unlink()
    exported(tmp_path, experiments, 1.0, 0.0)
    names = sorted(p.name for p in (tmp_path / "out/models").iterdir())
    assert names == ["a-fold0.safetensors", "a-fold1.safetensors"]


def test_own_code_goes_along_with_what_it_imports(tmp_path: Path) -> None:
    files = {
        "nets/__init__.py": "",
        "nets/own.py": "from . import parts\nimport numpy\n",
        "nets/parts.py": "import tools.deep\n",
        "tools/__init__.py": "",
        "tools/deep.py": "from nets.own import parts\n",
        "tools/idle.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    experiments = [
        trained(tmp_path, "a", "model.target=nets.own:build"),
        trained(tmp_path, "b", "model.target=PIL.Image:new"),
    ]
    made = exported(tmp_path, experiments, 0.5, 0.5)
    code = ExportPaths(tmp_path / "out").code("a")
    assert {str(p.relative_to(code)) for p in code.rglob("*.py")} == set(files) - {"tools/idle.py"}
    assert len(made.requirements) == len(PACKAGES)  # pillow, where PIL lies, is on the list once


OWN = """
from torch import nn
from . import order
try:
    import shift
except ImportError:
    shift = None


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(nn.init.zeros_(nn.Linear(1, 3).bias))

    def forward(self, pixels):
        from . import late
        first = order.ORDER if shift is None else shift.ORDER
        return late.SIGN * pixels[:, first] + self.bias[:, None, None]


def build(classes):
    return Net()
"""
"""Names the class of the strongest channel, in the order that its helper gives the channels."""


def submitted(root: Path, name: str) -> Trained:
    """An experiment of the model above: a snapshot as `comp run` takes it, and the weights that a job leaves."""
    experiment = trained(root, name, "model.target=nets.own:build", "data.size=64x64", folds=1)
    (job,) = experiment.jobs
    save_file({"bias": np.zeros(3, np.float32)}, job.model, metadata={"normalisation": "[[0, 0, 0], [1, 1, 1]]"})
    write_json(job.result, {"artifacts": {job.model.name: sha256_of(job.model)}})
    snapshot.take({"nets.own"}, root=root, folder=root / "runs" / name / "code")
    return replace(experiment, code=root / "runs" / name / "code")


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def test_it_predicts_with_the_code_that_was_trained(tmp_path: Path) -> None:
    """Whatever was edited, added or removed since; and two experiments may have had different helpers of one name."""
    write(tmp_path, nets__own=OWN, nets__order="ORDER = [0, 1, 2]\n", nets__late="SIGN = 1\n")
    first = submitted(tmp_path, "first")
    write(tmp_path, nets__order="ORDER = [2, 0, 1]\n", nets__late="SIGN = -1\n")
    second = submitted(tmp_path, "second")
    write(tmp_path, nets__order="ORDER = [1, 1, 1]\n", shift="ORDER = [1, 2, 0]\n")
    (tmp_path / "nets/late.py").unlink()
    exported(tmp_path, [first, second], 0.5, 0.5)

    folder = tmp_path / "out"
    predict = program(folder)
    config = json.loads(ExportPaths(folder).config.read_text())
    assert [model["code"] for model in config["models"]] == ["code/first", "code/second"]
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[..., 0], pixels[:32, :, 1], pixels[:, :32, 2] = 80, 200, 240
    models = [predict.Model(model, 3, torch.device("cpu")) for model in config["models"]]
    wanted = [pixels.argmax(axis=2), pixels[..., [2, 0, 1]].argmin(axis=2)]
    for _ in range(2):  # one model, then the other, then the first again
        for model, labels in zip(models, wanted, strict=True):
            (probabilities,) = model.probabilities([pixels])
            assert np.array_equal(probabilities.argmax(axis=0), labels)
    assert not [name for name in sys.modules if name.partition(".")[0] in ("nets", "shift")]


def program(folder: Path) -> Any:
    """The exported program as a module."""
    spec = spec_from_file_location("exported_program", folder / "predict.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("spoil", ["model", "record", "result"])
def test_a_file_that_is_missing(tmp_path: Path, spoil: str) -> None:
    experiment = trained(tmp_path, "a")
    getattr(experiment.jobs[1], spoil).unlink()
    with pytest.raises(DataError, match="comp retry a --folds 1 --finished-too"):
        exported(tmp_path, [experiment], 1.0)
    assert not (tmp_path / "out").exists()


def test_what_is_refused(tmp_path: Path) -> None:
    experiment = trained(tmp_path, "a")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").touch()
    with pytest.raises(CompError, match="not empty"):
        exported(tmp_path, [experiment], 1.0, target="full")
    pinned = trained(tmp_path, "b", "model.target=own:build@000000000000")
    (tmp_path / "own.py").write_text("")
    with pytest.raises(ConfigError, match="has changed"):
        exported(tmp_path, [pinned], 1.0)
    write_json(experiment.jobs[0].record, {"precision": "fp32"})
    with pytest.raises(DataError, match="device_type"):
        exported(tmp_path, [experiment], 1.0)
    (tmp_path / "empty").mkdir()
    write_json(experiment.jobs[0].record, {"device_type": "cpu", "precision": "fp32", "threads": 1})
    assert exported(tmp_path, [experiment], 1.0, target="empty").models == 2
