import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from competition.config.settings import Metric, OwnMetric, read_settings
from competition.errors import ConfigError, DataError
from competition.scoring import metrics

MATRICES = np.stack([np.diag([3, 1]), np.array([[0, 4], [0, 4]])])
Write = Callable[[str], OwnMetric]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Writes the module of a metric; what it imported is forgotten."""
    before, path = set(sys.modules), list(sys.path)

    def made(text: str) -> OwnMetric:
        (tmp_path / "our").mkdir()
        (tmp_path / "our" / "scores.py").write_text(text, encoding="utf-8")
        return OwnMetric("our.scores:gain", tmp_path)

    yield made
    assert sys.path == path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "our":
            del sys.modules[name]


def test_the_function_gets_every_image_as_whole_numbers(write: Write) -> None:
    metric = write(
        "import numpy\n"
        "def gain(matrices):\n"
        "    assert matrices.dtype == numpy.int64 and matrices.shape[1:] == (2, 2)\n"
        "    return matrices[:, 1, 1].sum() / matrices.sum()\n"
    )
    assert metrics.score(metric, MATRICES) == pytest.approx(5 / 12)
    assert metrics.score(metric, MATRICES[0]) == pytest.approx(1 / 4)
    assert metrics.score(metric, MATRICES + 0.2) == pytest.approx(5 / 12)
    assert metrics.score_each(metric, MATRICES).tolist() == [1 / 4, 1 / 2]


def test_it_travels_to_other_processes_with_its_folder(write: Write) -> None:
    metric = pickle.loads(pickle.dumps(write("def gain(matrices):\n    return 1\n")))
    assert metrics.score(metric, MATRICES) == 1.0


def test_competition_yaml_names_it(write: Write, tmp_path: Path) -> None:
    write("def gain(matrices):\n    return 0.25\n")
    path = tmp_path / "competition.yaml"
    path.write_text("name: x\nclasses: [a, b]\nmetric: our.scores:gain\ndata: {images: i, masks: m}\n")
    settings = read_settings(path)
    assert settings.model_dump(mode="json")["metric"] == "our.scores:gain"
    assert metrics.score(settings.metric, MATRICES) == 0.25
    path.write_text("name: x\nclasses: [a, b]\nmetric: dice-image\ndata: {images: i, masks: m}\n")
    assert read_settings(path).metric is Metric.DICE_IMAGE


@pytest.mark.parametrize("name", ["miuo", "our.scores", "our.scores:", ":gain", "our/scores:gain", "our..scores:gain"])
def test_a_name_that_is_no_metric_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "competition.yaml"
    path.write_text(f"name: x\nclasses: [a, b]\nmetric: '{name}'\ndata: {{images: i, masks: m}}\n")
    with pytest.raises(ConfigError, match=r"metric is one of miou, .*, or your own as package.module:function"):
        read_settings(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def gian(matrices):\n    return 1\n", r"no function 'gain'\. Did you mean 'gian'"),
        ("gain = 3\n", "no function 'gain'"),
        ("import nowhere_to_be_found\n", "there is no module 'nowhere_to_be_found'"),
        ("def gain(:\n", "cannot be imported: SyntaxError"),
        ("1 / 0\n", "cannot be imported: ZeroDivisionError"),
        ("def gain(matrices):\n    return matrices[99]\n", "failed: IndexError"),
        ("def gain():\n    return 1\n", "failed: TypeError"),
        ("def gain(matrices):\n    return 'high'\n", "returned 'high', which is no finite number"),
        ("def gain(matrices):\n    return None\n", "returned None"),
        ("def gain(matrices):\n    return float('inf')\n", "returned inf"),
    ],
)
def test_what_goes_wrong_is_explained(write: Write, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        metrics.score(write(text), MATRICES)


def test_a_missing_module_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"there is no module 'ours' in {tmp_path} or among the installed packages"):
        metrics.score(OwnMetric("ours:gain", tmp_path), MATRICES)


def test_comp_s_own_errors_stay_what_they_are(write: Write) -> None:
    metric = write("from competition.errors import DataError\ndef gain(matrices):\n    raise DataError('odd')\n")
    with pytest.raises(DataError, match="odd"):
        metrics.score(metric, MATRICES)


def test_a_package_of_the_same_name_elsewhere_is_forgotten(tmp_path: Path) -> None:
    """The other one has an __init__.py, and no module of the wanted name."""
    for folder, modules in (("one", ("__init__", "metrics")), ("two", ("scores",))):
        for module in modules:
            file = tmp_path / folder / "theirs" / f"{module}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"def gain(_matrices):\n    return {len(module)}\n", encoding="utf-8")
    for folder, name, value in (("one", "theirs.metrics:gain", 7), ("two", "theirs.scores:gain", 6)):
        assert metrics.score(OwnMetric(name, tmp_path / folder), np.eye(2, dtype=np.int64)[None]) == value


def test_a_metric_without_a_value_does_not_pass(write: Write) -> None:
    metric = write("def gain(matrices):\n    return float('nan')\n")
    with pytest.raises(ConfigError, match="no value for a perfect prediction"):
        metrics.check(metric, classes=2)
