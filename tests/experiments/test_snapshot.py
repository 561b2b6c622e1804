from pathlib import Path

import numpy as np
import pytest

from competition.config.experiment import Config
from competition.config.settings import DataSettings, OwnMetric, Settings, with_own_metric
from competition.experiments import snapshot
from competition.scoring import metrics


def settings(root: Path, metric: str = "our.metrics:half") -> Settings:
    data = DataSettings(images="images", masks="masks")
    return with_own_metric(Settings(name="t", classes=("a", "b"), metric=metric, data=data), root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A competition with a package, what it imports, and a file that nothing names."""
    (tmp_path / "our").mkdir()
    (tmp_path / "our" / "__init__.py").write_text("")
    (tmp_path / "our" / "metrics.py").write_text(
        "import numpy\nfrom helper import HALF\nfrom .more import one\ndef half(m):\n    return HALF * one()\n"
    )
    (tmp_path / "our" / "more.py").write_text("def one():\n    return 1.0\n")
    (tmp_path / "helper.py").write_text("HALF = 0.5\n")
    (tmp_path / "notes.py").write_text("raise RuntimeError\n")
    return tmp_path


def taken(root: Path) -> Path:
    folder = root / "runs" / "code"
    snapshot.take(snapshot.named_modules(settings(root), Config()), root=root, folder=folder)
    return folder


def test_the_modules_that_are_named_and_what_they_import_are_copied(root: Path) -> None:
    found = sorted(str(p.relative_to(taken(root))) for p in taken(root).rglob("*.py"))
    assert found == ["helper.py", "our/__init__.py", "our/metrics.py", "our/more.py"]


def test_a_job_runs_the_code_as_it_was(root: Path) -> None:
    live = settings(root)
    folder = taken(root)
    matrices = np.ones((1, 2, 2), np.int64)
    assert metrics.score(live.metric, matrices) == 0.5
    (root / "helper.py").write_text("HALF = 0.25  # edited while the job waited\n")
    bound = snapshot.bound(live, folder)
    assert isinstance(bound.metric, OwnMetric)
    assert metrics.score(bound.metric, matrices) == 0.5
    assert metrics.score(live.metric, matrices) == 0.25, "and back again"


def test_a_snapshot_is_taken_once(root: Path) -> None:
    folder = taken(root)
    (root / "helper.py").write_text("HALF = 0.25\n")
    assert taken(root) == folder
    assert (folder / "helper.py").read_text() == "HALF = 0.5\n"


def test_without_own_code_there_is_no_snapshot(root: Path) -> None:
    plain = settings(root, "miou")
    assert snapshot.named_modules(plain, Config()) == set()
    assert snapshot.bound(plain, root / "nowhere") == plain
    snapshot.take({"numpy.linalg"}, root=root, folder=root / "code")
    assert not (root / "code").exists(), "installed packages stay where they are"
