"""Every file name of a competition; no other module spells one."""

from dataclasses import dataclass
from pathlib import Path

from competition.errors import CompError

COMPETITION_FILE = "competition.yaml"
BASELINE_FILE = "baseline.yaml"


@dataclass(frozen=True)
class JobPaths:
    """The files of one job, under runs/experiments/<name>/fold<k>/ or …/debug/."""

    folder: Path

    @property
    def log(self) -> Path:
        """Everything that the job's process printed."""
        return self.folder / "log.txt"

    @property
    def history(self) -> Path:
        """One CSV row per epoch."""
        return self.folder / "history.csv"

    @property
    def checkpoint(self) -> Path:
        """Model, optimiser and position: what a resume needs. Removed when the job has succeeded."""
        return self.folder / "checkpoint.pt"

    @property
    def model(self) -> Path:
        """The trained weights."""
        return self.folder / "model.safetensors"

    @property
    def confusion(self) -> Path:
        """Per-image confusion matrices of the validation images."""
        return self.folder / "confusion.npz"

    @property
    def oof(self) -> Path:
        """Out-of-fold class probabilities (its header stands beside it, see `header_of`)."""
        return self.folder / "oof.u8"

    @property
    def test(self) -> Path:
        """Class probabilities of the test images."""
        return self.folder / "test.u8"

    @property
    def result(self) -> Path:
        """How the job ended, with the token of the attempt that wrote it."""
        return self.folder / "result.json"


@dataclass(frozen=True)
class EnsemblePaths:
    """The files of one ensemble, under runs/ensembles/<name>/."""

    folder: Path

    @property
    def weights(self) -> Path:
        """Members and their weights."""
        return self.folder / "weights.json"

    @property
    def scores(self) -> Path:
        """Best single, mean and weighted scores, cross-fitted and in-sample."""
        return self.folder / "scores.json"


@dataclass(frozen=True)
class CachePaths:
    """The files of the cache for one image size, under runs/data/<fingerprint>/cache/<height>x<width>/."""

    folder: Path

    @property
    def images(self) -> Path:
        """The labelled images, resized."""
        return self.folder / "images.npy"

    @property
    def masks(self) -> Path:
        """Their labels, resized."""
        return self.folder / "masks.npy"

    @property
    def test_images(self) -> Path:
        """The test images, resized."""
        return self.folder / "test_images.npy"

    @property
    def lock(self) -> Path:
        """Held by whoever builds the cache."""
        return self.folder.with_name(f".{self.folder.name}.lock")

    @property
    def unfinished(self) -> Path:
        """What the cache is called until it is complete."""
        return self.folder.with_name(f".{self.folder.name}.unfinished")


@dataclass(frozen=True)
class Paths:
    """Where everything of the competition rooted at `root` lies."""

    root: Path

    @property
    def competition(self) -> Path:
        """The settings that the whole team shares."""
        return self.root / COMPETITION_FILE

    @property
    def baseline(self) -> Path:
        """The configuration that experiments start from."""
        return self.root / BASELINE_FILE

    @property
    def runs(self) -> Path:
        """The folder that holds everything comp produces."""
        return self.root / "runs"

    @property
    def database(self) -> Path:
        """The leaderboard and the queue."""
        return self.runs / "comp.db"

    def database_copy(self, revision: str) -> Path:
        """The database as it was before a newer comp changed its schema from `revision`."""
        return self.runs / f"comp-{revision}.db"

    @property
    def crash_log(self) -> Path:
        """Tracebacks of comp's own bugs."""
        return self.runs / "crash.log"

    @property
    def index_journal(self) -> Path:
        """What `comp init` has looked at so far; gone when it ends."""
        return self.runs / "data" / ".index.jsonl"

    @property
    def all_data(self) -> Path:
        """A folder for each state of the data that was indexed."""
        return self.runs / "data"

    def data(self, fingerprint: str) -> Path:
        """What was derived from the data with this fingerprint."""
        return self.all_data / fingerprint

    def manifest(self, fingerprint: str) -> Path:
        """One row per image."""
        return self.data(fingerprint) / "manifest.csv"

    def looks(self, fingerprint: str) -> Path:
        """What each image looks like: perceptual hashes, by the sha256 of the image."""
        return self.data(fingerprint) / "looks.csv"

    def folds(self, fingerprint: str, version: int) -> Path:
        """Which image is validated in which fold, for one version of the split."""
        return self.data(fingerprint) / f"folds-v{version}.csv"

    def cache(self, fingerprint: str) -> Path:
        """Decoded and resized images and masks."""
        return self.data(fingerprint) / "cache"

    def experiment(self, name: str) -> Path:
        """The folder of one experiment."""
        return self.runs / "experiments" / name

    def experiment_config(self, name: str) -> Path:
        """The configuration that the experiment's jobs ran with."""
        return self.experiment(name) / "config.yaml"

    def experiment_code(self, name: str) -> Path:
        """The team's own modules that the experiment's jobs run with, as they were when it was submitted."""
        return self.experiment(name) / "code"

    def job(self, name: str, fold: int | None) -> JobPaths:
        """The files of one fold job, or of the debug job where `fold` is None."""
        return JobPaths(self.experiment(name) / ("debug" if fold is None else f"fold{fold}"))

    def ensemble(self, name: str) -> EnsemblePaths:
        """The files of one ensemble."""
        return EnsemblePaths(self.runs / "ensembles" / name)

    def submissions(self) -> Path:
        """The folder of submission files."""
        return self.runs / "submissions"

    @property
    def eda_page(self) -> Path:
        """The page about the data; its pictures lie beside it."""
        return self.runs / "report" / "eda" / "index.html"

    @property
    def eda_summary(self) -> Path:
        """What the page says, for programs."""
        return self.eda_page.with_name("summary.json")


def header_of(shard: Path) -> Path:
    """The JSON header that describes a probability shard: `oof.u8` -> `oof.u8.json`."""
    return shard.with_name(shard.name + ".json")


def find_competition(start: Path) -> Paths:
    """The competition that `start` lies in, found by walking up to the first competition.yaml.

    Raises:
        CompError: no folder from `start` upwards holds one.
    """
    folder = start.resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / COMPETITION_FILE).is_file():
            return Paths(candidate)
    raise CompError(
        f"No {COMPETITION_FILE} in {folder} or any folder above it.",
        hint="Start one with `comp init --images DIR --masks DIR --classes FILE`, or give --dir.",
    )
