"""The checkpoint that a job resumes from: written aside and renamed, verified by hash, read without running code."""

import hashlib
import io
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import torch
from torch import Tensor

from competition.files import replacing
from competition.jobspec import JobSpec
from competition.paths import JobPaths
from competition.training.history import Row

DIGEST_BYTES = 32


@dataclass
class Position:
    """The progress of a job. The field names are keys in checkpoint files.

    Args:
        epoch: the current epoch, from 0.
        step: trained batches of the current epoch. Once all are trained, only the epoch's validation is left.
        loss_sum: sum of the losses of the epoch's images so far.
        images: number of these images.
        train_s: seconds spent training in this epoch.
        first_loss: loss of the job's first batch, before any step; None until it is known.
        untrained: loss of each batch of the first epoch before any step; only in a debug job.
        worst_rise: the largest ratio of a batch's loss in the first epoch to its `untrained` loss.
        measured: True if batch normalisation was measured for the model that is kept so far.
        rows: the finished epochs.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    images: int = 0
    train_s: float = 0.0
    first_loss: float | None = None
    untrained: list[float] = field(default_factory=list)
    worst_rise: float = 0.0
    measured: bool = False
    rows: list[Row] = field(default_factory=list)

    @property
    def mean_loss(self) -> float:
        """Mean over the epoch's images so far."""
        return self.loss_sum / self.images

    def next_epoch(self, row: Row) -> None:
        """Close the current epoch with its row."""
        self.rows.append(row)
        self.epoch, self.step, self.loss_sum, self.images, self.train_s = self.epoch + 1, 0, 0.0, 0, 0.0


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a job resumes from.

    Args:
        learner: state of the learner (nested dicts of tensors and plain values).
        best: weights of the best epoch so far, by name; empty unless `train.checkpoint` is `best`.
    """

    position: Position
    learner: dict[str, Any]
    best: dict[str, Tensor] = field(default_factory=dict)


def identity_of(spec: JobSpec) -> dict[str, str]:
    """The values that must be equal for a checkpoint to belong to this job."""
    return {
        "config": spec.config.sha256,
        "split": spec.split_hash,
        "data": spec.fingerprint,
        "job": f"{spec.kind} {spec.fold}",
        "torch": str(torch.__version__),  # its own type is a subclass of str, which a safe load refuses
        "smp": smp.__version__,
    }


def save(paths: JobPaths, checkpoint: Checkpoint, *, identity: dict[str, str]) -> None:
    """Replace the checkpoint and keep the previous one next to it.

    The file is a sha256 (32 bytes) followed by the output of torch.save that it is the hash of.
    """
    state = {
        "identity": identity,
        "position": asdict(checkpoint.position),
        "learner": checkpoint.learner,
        "best": checkpoint.best,
    }
    saved = io.BytesIO()
    torch.save(state, saved)
    with replacing(paths.checkpoint) as aside:
        with aside.open("wb") as file:
            file.write(hashlib.sha256(saved.getbuffer()).digest())
            file.write(saved.getbuffer())
        # only now that the new file is complete: at any moment at least one whole checkpoint is on disk
        if paths.checkpoint.is_file():
            paths.checkpoint.replace(paths.previous_checkpoint)


def load(paths: JobPaths, *, identity: dict[str, str]) -> Checkpoint | None:
    """The newest valid checkpoint of the job with this identity, its tensors on the CPU; None if there is none.

    A damaged checkpoint, or one of another job, is ignored with a line in the log: training from the start is always
    right.
    """
    for path in (paths.checkpoint, paths.previous_checkpoint):
        if not path.is_file():
            continue
        try:
            state = _read(path)
            position = Position(**state["position"])
            position.rows = [Row(**row) for row in state["position"]["rows"]]
            saved_identity, learner, best = state["identity"], state["learner"], state["best"]
        except (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
            print(f"{path.name} is damaged and ignored ({error}).")
            continue
        differing = [key for key in identity if saved_identity.get(key) != identity[key]]
        if not differing:
            return Checkpoint(position, learner, best)
        print(f"{path.name} was made with another {' and '.join(differing)} and is ignored.")
    return None


def remove(paths: JobPaths) -> None:
    """Remove both checkpoints, after the job has succeeded."""
    paths.checkpoint.unlink(missing_ok=True)
    paths.previous_checkpoint.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    """The saved state; raises ValueError unless the file is byte for byte what `save` wrote."""
    content = path.read_bytes()
    digest, saved = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    if hashlib.sha256(saved).digest() != digest:
        raise ValueError("its sha256 differs")
    # weights_only: a pickle may run any code that it names
    state: dict[str, Any] = torch.load(io.BytesIO(saved), map_location="cpu", weights_only=True)
    return state
