"""A small competition on disk, and jobs on it that a plain CPU finishes in a second or two."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from competition.config.experiment import Config, with_overrides
from competition.config.settings import DataSettings, Settings
from competition.data.split.folds import Scheme, Split
from competition.jobspec import JobSpec, Progress, Succeeded
from competition.lifecycle import JobKind
from competition.paths import Paths
from competition.training.recipe import train
from competition.training.reporting import Reporter
from tests.conftest import draw_images
from tests.data.making import index

SMALL = (
    "data.size=32x32",
    "model.encoder=tu-mobilenetv3_small_050",
    "model.weights=none",
    "train.epochs=2",
    "train.batch_size=4",
    "train.workers=0",
)
SETTINGS = Settings(
    name="shapes",
    classes=("background", "square", "disc"),
    data=DataSettings(images="images", masks="masks", test_images="test_images"),
)
Specs = Callable[..., JobSpec]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests compute on one thread: they are too small for more, and the machine may be busy."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A competition of 14 labelled images (48x48) and 2 test images, in 2 folds."""
    folder = tmp_path_factory.mktemp("shapes")
    draw_images(folder, images=14, side=48)
    manifest = index(SETTINGS, folder)
    paths = Paths(folder)
    manifest.write(paths.manifest(manifest.fingerprint))
    folds = {item.id: 0 if number % 3 == 0 else 1 for number, item in enumerate(manifest.items)}
    Split(Scheme.KFOLD, 2, 42, folds).write(paths.folds(manifest.fingerprint, 1))
    return folder


@pytest.fixture(scope="session")
def spec_of(root: Path) -> Specs:
    """Makes a job: fold 0 trains on 9 images and validates on 5. Each has a folder of its own unless it gets a name."""
    fingerprint = next(p.name for p in (root / "runs" / "data").iterdir() if p.is_dir())
    split = Split.read(Paths(root).folds(fingerprint, 1))

    def make(*assignments: str, kind: JobKind = JobKind.FOLD, name: str = "", token: str = "token") -> JobSpec:
        given = {a.partition("=")[0] for a in assignments}
        defaults = [a for a in SMALL if a.partition("=")[0] not in given]
        return JobSpec(
            root=root,
            token=token,
            experiment=name or uuid.uuid4().hex,
            kind=kind,
            fold=0,
            config=with_overrides(Config(), [*defaults, *assignments]),
            settings=SETTINGS,
            fingerprint=fingerprint,
            split_version=1,
            split_hash=split.hash,
            environment={"OMP_NUM_THREADS": "1"},
        )

    return make


class Listener:
    """Collects a job's progress, and asks the job to stop at the n-th message of a phase."""

    def __init__(self, *, stop_at: tuple[str, int] | None = None) -> None:
        self.messages: list[Progress] = []
        self.reporter = Reporter(self._send, interval_s=0.0)
        self._stop_at = stop_at

    def _send(self, progress: Progress) -> bool:
        self.messages.append(progress)
        here = (progress.phase, sum(p.phase == progress.phase for p in self.messages))
        return here != self._stop_at


def run(spec: JobSpec, *, stop_at: tuple[str, int] | None = None) -> Succeeded:
    """Run a job in this process."""
    return train(spec, Listener(stop_at=stop_at).reporter)


@pytest.fixture(scope="session")
def finished(spec_of: Specs) -> tuple[JobSpec, Succeeded]:
    """A fold job with the settings of `SMALL` that ran from start to end, and its result. Only to be read."""
    with pytest.MonkeyPatch.context() as patch:  # set up before `one_thread`, which is for single tests
        patch.setenv("OMP_NUM_THREADS", "1")
        spec = spec_of()
        return spec, run(spec)


@pytest.fixture(scope="session")
def whole(finished: tuple[JobSpec, Succeeded]) -> JobSpec:
    """The job of `finished`."""
    return finished[0]
