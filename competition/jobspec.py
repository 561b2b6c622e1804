"""What a worker hands to a job's child process, and what comes back."""

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
        config: with the seed of this job, which is the experiment's own for repeat 0.
        repeat: which of the experiment's seeds it is.
        code: the folder that the team's own modules are imported from; None for the competition's.
        device: what torch calls the device, seen from inside the child: `cpu` or `cuda:0`.
        environment: variables to set before the device is first touched (CUDA_VISIBLE_DEVICES, …).
        folder: where the job's files go, if not to their place in the experiment's folder.
        trained: the weights of an experiment that trains the same on this fold; they are used instead of training.
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
    """How far a running job is; `epoch` and `batch` count from 1. Scores are fractions (0.43, not 43).

    Args:
        batch: of the epoch, or whatever `phase` counts (images being cached, validated, predicted).
        loss: the mean training loss of the epoch so far; None before the first batch.
        score: of the last finished epoch.
        eta_s: seconds until the job is done.
        lr: the learning rate of the last step.
        memory_mib: the most that the job has taken so far, of the GPU or of the machine.
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
    """The job's work is on disk.

    Args:
        score: the competition's metric over the validation pixels; None for a debug job.
        first_loss: the mean training loss of the first epoch; None where trained weights were used.
        last_loss: that of the last.
        artifacts: sha256 by file name, for each file the job left.
        facts: what is worth recording: device name, package versions, images/s, peak memory (MiB), ….
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
    """The job cannot go on; `reason` is one or two lines for people."""

    token: str
    kind: FailureKind
    reason: str


@dataclass(frozen=True)
class Interrupted:
    """The job was asked to stop, saved where it was, and can be resumed."""

    token: str


Message = Progress | Succeeded | Failed | Interrupted
