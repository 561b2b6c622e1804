"""What a job resumes from: written aside and renamed, known by its hash, read without unpickling code."""

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
    """How far a job is.

    Args:
        epoch: the epoch in hand, from 0.
        step: how many of its batches are trained. When all are, what is left of the epoch is its validation.
        loss_sum: of the losses of the epoch's images so far.
        images: how many they are.
        first_loss: of the job's first batch, before any step; None until it is known.
        untrained: of each batch of the first epoch, before any step; a debug job's alone.
        worst_rise: how many times its `untrained` loss a batch lost in the first epoch, at most.
        train_s: seconds spent training in this epoch.
        measured: whether batch normalisation was measured anew for what is kept so far.
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
        """Of the epoch so far."""
        return self.loss_sum / self.images

    def next_epoch(self, row: Row) -> None:
        """Close the epoch in hand."""
        self.rows.append(row)
        self.epoch, self.step, self.loss_sum, self.images, self.train_s = self.epoch + 1, 0, 0.0, 0, 0.0


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a job goes on from.

    Args:
        learner: the state of everything that learns (nested dicts of tensors and plain values).
        best: the weights of the best epoch so far, by name; empty where nobody asks for them.
    """

    position: Position
    learner: dict[str, Any]
    best: dict[str, Tensor] = field(default_factory=dict)


def identity_of(spec: JobSpec) -> dict[str, str]:
    """What must be equal for a checkpoint to belong to a job."""
    return {
        "config": spec.config.sha256,
        "split": spec.split_hash,
        "data": spec.fingerprint,
        "job": f"{spec.kind} {spec.fold}",
        "torch": str(torch.__version__),  # a type of its own, which a safe load refuses
        "smp": smp.__version__,
    }


def save(paths: JobPaths, checkpoint: Checkpoint, *, identity: dict[str, str]) -> None:
    """Replace the checkpoint; the one before is kept beside it.

    The file is the sha256 of what follows it, and what torch.save makes.
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
        if paths.checkpoint.is_file():
            paths.checkpoint.replace(paths.previous_checkpoint)


def load(paths: JobPaths, *, identity: dict[str, str]) -> Checkpoint | None:
    """The newest whole checkpoint of the job with this identity, its tensors on the CPU; None if there is none.

    One that is damaged or belongs to another job is left out, with a line in the log: training from the start is
    always right.
    """
    for path in (paths.checkpoint, paths.previous_checkpoint):
        if not path.is_file():
            continue
        try:
            state = _read(path)
            position = Position(**state["position"])
            position.rows = [Row(**row) for row in state["position"]["rows"]]
            found, learner, best = state["identity"], state["learner"], state["best"]
        except (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
            print(f"{path.name} is damaged and left out ({error}).")
            continue
        differing = [key for key in identity if found.get(key) != identity[key]]
        if not differing:
            return Checkpoint(position, learner, best)
        print(f"{path.name} was made with another {' and '.join(differing)} and is left out.")
    return None


def remove(paths: JobPaths) -> None:
    """Remove both checkpoints: the job has succeeded."""
    paths.checkpoint.unlink(missing_ok=True)
    paths.previous_checkpoint.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    """Raises ValueError unless the file is byte for byte what `save` wrote."""
    whole = path.read_bytes()
    digest, saved = whole[:DIGEST_BYTES], whole[DIGEST_BYTES:]
    if hashlib.sha256(saved).digest() != digest:
        raise ValueError("its sha256 is another")
    state: dict[str, Any] = torch.load(io.BytesIO(saved), map_location="cpu", weights_only=True)
    return state
