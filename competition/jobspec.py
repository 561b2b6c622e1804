"""Messages between a worker and the child process of a job: the specification, progress, and the outcome."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from competition.lifecycle import FailureKind, JobKind
from competition.paths import JobPaths, Paths

if TYPE_CHECKING:
    from competition.config.experiment import Config
    from competition.config.settings import Settings


@dataclass(frozen=True)
class JobSpec:
    """Everything a child needs to run one job; it reads no database.

    Args:
        token: the attempt's fencing token; results carry it back.
        fold: the fold to validate on (a debug job trains on a sample of this fold's training part).
        config: the experiment's configuration, with the seed of this job.
        repeat: the number of the seed; 0 is the configuration's own.
        code: the folder that the team's own modules are imported from; None for the competition's folder.
        device: the name of the device in torch, inside the child: `cpu` or `cuda:0`.
        environment: variables to set before the device is first touched (CUDA_VISIBLE_DEVICES, …).
        folder: the folder for the job's files; None for its place in the experiment's folder.
        trained: weights of an experiment with the same training on this fold; the job loads them and does not train.
    """

    root: Path
    token: str
    experiment: str
    kind: JobKind
    fold: int
    config: "Config"
    settings: "Settings"
    fingerprint: str
    split_version: int
    split_hash: str
    repeat: int = 0
    code: Path | None = None
    device: str = "cpu"
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    trained: Path | None = None

    @property
    def paths(self) -> Paths:
        """The competition's files."""
        return Paths(self.root)

    @property
    def job_paths(self) -> JobPaths:
        """This job's files."""
        if self.folder is not None:
            return JobPaths(self.folder)
        return self.paths.job(self.experiment, None if self.kind is JobKind.DEBUG else self.fold, self.repeat)


@dataclass(frozen=True)
class Progress:
    """The progress of a running job; `epoch` and `batch` count from 1. Scores are fractions (0.43, not 43).

    Args:
        batch: within the epoch, or within another `phase` (images that are cached, validated, predicted).
        loss: the mean training loss of the epoch so far; None before the first batch.
        score: of the last finished epoch.
        eta_s: seconds until the job is done.
        lr: the learning rate of the last step.
        memory_mib: peak memory of the job so far, of the GPU or of the machine.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float | None
    score: float | None
    images_per_s: float
    eta_s: float
    phase: str = "train"
    lr: float | None = None
    memory_mib: int | None = None


@dataclass(frozen=True)
class Succeeded:
    """The job is done; its files are on disk.

    Args:
        score: the competition's metric over the validation pixels; None for a debug job.
        first_loss: the mean training loss of the first epoch; None if trained weights were loaded.
        last_loss: that of the last epoch.
        artifacts: sha256 by file name, for each file of the job.
        facts: device name, package versions, images/s, peak memory (MiB), ….
    """

    token: str
    score: float | None
    first_loss: float | None
    last_loss: float | None
    train_s: float
    artifacts: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values for result.json."""
        return asdict(self)


@dataclass(frozen=True)
class Failed:
    """The job failed; `reason` is one or two lines for people."""

    token: str
    kind: FailureKind
    reason: str


@dataclass(frozen=True)
class Interrupted:
    """The job was asked to stop; it saved its state and can be resumed."""

    token: str


Message = Progress | Succeeded | Failed | Interrupted
