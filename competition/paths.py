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
    def previous_checkpoint(self) -> Path:
        """The checkpoint before, used if the newest is damaged. Removed with it."""
        return self.folder / "checkpoint.previous.pt"

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
        """Out-of-fold class probabilities (its header lies next to it, see `header_of`)."""
        return self.folder / "oof.u8"

    @property
    def test(self) -> Path:
        """Class probabilities of the test images."""
        return self.folder / "test.u8"

    @property
    def tensorboard(self) -> Path:
        """The folder of TensorBoard's event files, if competition.yaml asks for them."""
        return self.folder / "tensorboard"

    @property
    def record(self) -> Path:
        """What decided the result: configuration, code, versions, device, data."""
        return self.folder / "record.json"

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
        """The blended experiments and their weights."""
        return self.folder / "weights.json"

    @property
    def scores(self) -> Path:
        """Scores of the best experiment, of equal weights and of fitted weights, cross-fitted and in-sample."""
        return self.folder / "scores.json"

    @property
    def confusion(self) -> Path:
        """Per-image confusion matrices of the blend on the out-of-fold images, scored as its headline score is."""
        return self.folder / "confusion.npz"

    @property
    def label_maps(self) -> Path:
        """The folder of its test predictions, a PNG of class indices per image."""
        return self.folder / "submission"

    @property
    def explanation(self) -> Path:
        """What each experiment adds to the blend, and how each image changed (`--explain`)."""
        return self.folder / "explanation.json"

    @property
    def disagreement(self) -> Path:
        """A picture: the share of pixels to which two experiments give different classes (`--explain`)."""
        return self.folder / "disagreement.png"

    @property
    def front(self) -> Path:
        """A picture: the best score for each inference time (`--budget`)."""
        return self.folder / "front.png"

    @property
    def changes(self) -> Path:
        """A picture of the images that gained and lost most against the best experiment (`--explain`)."""
        return self.folder / "changes.png"


@dataclass(frozen=True)
class PseudoPaths:
    """The files of one set of pseudo-labels, under runs/pseudo/<name>/."""

    folder: Path

    @property
    def facts(self) -> Path:
        """Where the labels come from, and their probability threshold."""
        return self.folder / "pseudo.json"

    def manifest(self, fold: int) -> Path:
        """One row per test image that the fold may train on."""
        return self.folder / f"fold{fold}.csv"

    def labels(self, fold: int) -> Path:
        """The folder of their label maps, as PNG: class indices, and 255 for void."""
        return self.folder / f"fold{fold}"


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

    def pseudo_masks(self, pinned: str, fold: int) -> Path:
        """Pseudo-labels of test images, resized: those of one fold of the set `NAME@digits`."""
        return self.folder / f"pseudo-{pinned}-fold{fold}.npy"

    @property
    def lock(self) -> Path:
        """The lock of the process that builds the cache."""
        return self.folder.with_name(f".{self.folder.name}.lock")

    @property
    def unfinished(self) -> Path:
        """The name of the cache until it is complete."""
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
    def database_log(self) -> Path:
        """The write-ahead log of SQLite, while comp runs or after it was killed; a copy of the database needs both."""
        return self.database.with_name(f"{self.database.name}-wal")

    @property
    def mlflow(self) -> Path:
        """MLflow's database, if competition.yaml asks for it and no server is named."""
        return self.runs / "mlflow.db"

    @property
    def crash_log(self) -> Path:
        """Tracebacks of comp's own bugs."""
        return self.runs / "crash.log"

    @property
    def index_resume(self) -> Path:
        """The images that `comp init` has indexed so far, so that it can resume; removed when it ends."""
        return self.runs / "data" / ".index.jsonl"

    @property
    def all_data(self) -> Path:
        """A folder for each state of the data that was indexed."""
        return self.runs / "data"

    def data(self, fingerprint: str) -> Path:
        """The folder of what was derived from the data with this fingerprint."""
        return self.all_data / fingerprint

    def manifest(self, fingerprint: str) -> Path:
        """One row per image."""
        return self.data(fingerprint) / "manifest.csv"

    def looks(self, fingerprint: str) -> Path:
        """What each image looks like: perceptual hashes, by the sha256 of the image."""
        return self.data(fingerprint) / "looks.csv"

    def findings(self, fingerprint: str) -> Path:
        """The last findings of `comp check`, and the version of the split that they are about."""
        return self.data(fingerprint) / "findings.json"

    def folds(self, fingerprint: str, version: int) -> Path:
        """The fold that validates each image, for one version of the split."""
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

    def curves(self, name: str) -> Path:
        """A picture: loss and score of each fold over the epochs."""
        return self.experiment(name) / "curves.png"

    def gallery(self, name: str) -> Path:
        """A picture: the best, median and worst out-of-fold images, with their errors."""
        return self.experiment(name) / "gallery.png"

    def job(self, name: str, fold: int | None, repeat: int = 0) -> JobPaths:
        """The files of one fold job (`repeat`: the seed, from 0), or of the debug job, None."""
        folder = "debug" if fold is None else f"fold{fold}-repeat{repeat}" if repeat else f"fold{fold}"
        return JobPaths(self.experiment(name) / folder)

    def fold_jobs(self, name: str) -> list[JobPaths]:
        """The files of every fold job, of all seeds, that has started."""
        return [JobPaths(folder) for folder in sorted(self.experiment(name).glob("fold*"))]

    def reproduction(self, name: str, fold: int) -> JobPaths:
        """The files of a fold job that `comp reproduce` trained again."""
        return JobPaths(self.runs / "reproductions" / name / f"fold{fold}")

    def ensemble(self, name: str) -> EnsemblePaths:
        """The files of one ensemble."""
        return EnsemblePaths(self.ensembles / name)

    @property
    def ensembles(self) -> Path:
        """A folder for each ensemble."""
        return self.runs / "ensembles"

    @property
    def all_pseudo(self) -> Path:
        """A folder for each set of pseudo-labels."""
        return self.runs / "pseudo"

    def pseudo(self, name: str) -> PseudoPaths:
        """The files of one set of pseudo-labels."""
        return PseudoPaths(self.all_pseudo / name)

    def submissions(self) -> Path:
        """The folder of submission files."""
        return self.runs / "submissions"

    def unfinished_blend(self, source: str) -> Path:
        """The label maps that a blend of an ensemble or experiment has written so far; removed at its end."""
        return self.submissions() / f".{source}.unfinished"

    def augment_preview(self, name: str) -> Path:
        """Images and masks before and after the augmentation of an experiment or a configuration."""
        return self.runs / "report" / "augment" / f"{name}.png"

    @property
    def report_page(self) -> Path:
        """The page of the team: leaderboard, lineages, curves, public board, members."""
        return self.runs / "report" / "index.html"

    def comparison_page(self, a: str, b: str) -> Path:
        """The page that compares two experiments; its pictures lie next to it."""
        return self.runs / "report" / "compare" / a / b / "index.html"

    @property
    def eda_page(self) -> Path:
        """The page about the data; its pictures lie next to it."""
        return self.runs / "report" / "eda" / "index.html"

    @property
    def eda_summary(self) -> Path:
        """The facts of that page, for programs."""
        return self.eda_page.with_name("summary.json")


def header_of(shard: Path) -> Path:
    """The JSON header that describes a probability shard: `oof.u8` -> `oof.u8.json`."""
    return shard.with_name(shard.name + ".json")


def archive_of(shard: Path) -> Path:
    """The archive that may stand for a probability shard: `oof.u8` -> `oof.u8.zip`."""
    return shard.with_name(shard.name + ".zip")


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
