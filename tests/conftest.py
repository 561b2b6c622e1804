"""What every test has: a working directory of its own, and makers of small real things."""

import os
import shlex
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from PIL import Image

from competition.cli.boundary import run
from competition.config.experiment import Config
from competition.paths import Paths
from competition.store import baselines, competition, members, splits
from competition.store.engine import Store, create_store
from competition.store.plans import Plan, Submitted, submit
from competition.store.splits import SplitVersion
from competition.team.roles import Role

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded: several tests run at a time
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background; what tests start would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
hypothesis.settings.register_profile("comp", deadline=None)  # a busy machine is no defect
hypothesis.settings.load_profile("comp")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the real working directory, nor depends on who runs it."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("COMP_MEMBER", raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A real database with a member, a split of two folds and a baseline."""
    made = create_store(Paths(tmp_path))
    competition.set_up(made, "f" * 16)
    members.assign(made, "ann", [Role.LEAD, Role.TRAINING], actor="ann")
    record_split(made, version=1, folds=2)
    baselines.record_first(made, Config(), actor="ann")
    yield made
    made.close()


def record_split(store: Store, *, version: int, folds: int) -> None:
    """A split version without files."""
    split = SplitVersion(version, "f" * 16, "kfold", folds, None, 42, f"hash{version}", 0.0)
    splits.save(store, split, actor="ann")


def plan(config: Config | None = None, *, name: str = "b1", **changes: object) -> Plan:
    """An experiment to submit; by default the baseline itself, by ann, on split 1."""
    values: dict[str, object] = {
        "name": name,
        "name_given": False,
        "member_id": 1,
        "member": "ann",
        "split_version": 1,
        "baseline_version": 1,
        "config": config or Config(),
        "parent_sha256": None,
        "conditions": (),
        "confounded": None,
        "note": "",
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]


def submitted(
    store: Store,
    config: Config | None = None,
    *,
    folds: tuple[int, ...] = (0, 1),
    seeds: int = 1,
    **changes: object,
) -> Submitted:
    """Submit `plan(...)`."""
    return submit(store, plan(config, **changes), folds=folds, seeds=seeds)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


class Comp:
    """Runs commands in this process, as `comp` would."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        self._capsys.readouterr()
        code = run(list(arguments))
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    def ok(self, *arguments: str) -> str:
        """The stdout of a command that must succeed."""
        ran = self(*arguments)
        assert ran.code == 0, ran.err
        return ran.out

    def error(self, *arguments: str) -> str:
        """The message of a command that must fail with an expected error: exit code 1, nothing on stdout."""
        ran = self(*arguments)
        assert ran.code == 1, (ran.code, ran.err)
        assert ran.out == ""
        assert "Traceback" not in ran.err
        return ran.err


@pytest.fixture
def comp(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Comp:
    """`comp("init", …)` in this process, 80 columns wide."""
    monkeypatch.setenv("COLUMNS", "80")
    return Comp(capsys)


def draw_images(folder: Path, *, images: int = 12, side: int = 32, test_images: int = 2) -> None:
    """A data set of three classes that colour gives away: background, a square and a disc, in groups of three."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:side, :side]
    for part, count in (("train", images), ("test", test_images)):
        for number in range(count):
            mask = np.zeros((side, side), np.uint8)
            top, left = generator.integers(0, side // 2, 2)
            mask[top : top + side // 3, left : left + side // 3] = 1
            centre = generator.integers(side // 4, 3 * side // 4, 2)
            mask[(rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < (side // 6) ** 2] = 2
            colours = np.array([[60, 60, 60], [200, 40, 40], [40, 200, 40]])
            image = np.clip(colours[mask] + generator.normal(0, 20, (side, side, 3)), 0, 255).astype(np.uint8)
            name = f"g{number // 3}_{number}.png"
            save(folder / ("images" if part == "train" else "test_images") / name, image)
            if part == "train":
                save(folder / "masks" / name, mask)
    (folder / "classes.txt").write_text("background\nsquare\ndisc\n")


def save(path: Path, array: np.ndarray) -> None:
    """Write an array as an image file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


INIT = shlex.split(
    "init --images images --masks masks --classes classes.txt --test-images test_images --group-regex '^(g[0-9]+)_' "
    "--size 32x32 --set model.encoder=resnet18 --set model.weights=none --set train.epochs=2 --set train.workers=0 "
    "--set train.batch_size=2"
)
"""Sets up a competition on what `draw_images` drew, with a model that builds without a network."""


@pytest.fixture
def ready(comp: Comp) -> Path:
    """The working directory, set up as a competition: data, a member, a split of two folds."""
    draw_images(Path.cwd())
    comp.ok(*INIT)
    comp.ok("assign", "ann", "lead", "training")
    comp.ok("split", "--scheme", "stratified-group", "--folds", "2")
    return Path.cwd()
