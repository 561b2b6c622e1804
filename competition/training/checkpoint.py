"""The one file that a job resumes from: written aside and renamed, read without unpickling code."""

import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import torch

from competition.files import replacing
from competition.jobspec import JobSpec
from competition.training.history import Row


@dataclass
class Position:
    """How far a job is.

    Args:
        epoch: the epoch in hand, from 0.
        step: how many of its batches are trained. When all are, what is left of the epoch is its validation.
        loss_sum: of the losses of the epoch's images so far.
        images: how many they are.
        train_s: seconds spent training in this epoch.
        rows: the finished epochs.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    images: int = 0
    train_s: float = 0.0
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
    """A position, and the state of everything that learns (nested dicts of tensors and plain values)."""

    position: Position
    learner: dict[str, Any]


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


def save(path: Path, checkpoint: Checkpoint, *, identity: dict[str, str]) -> None:
    """Replace the checkpoint in one step."""
    state = {"identity": identity, "position": asdict(checkpoint.position), "learner": checkpoint.learner}
    with replacing(path) as aside, aside.open("wb") as file:
        torch.save(state, file)


def load(path: Path, *, identity: dict[str, str]) -> Checkpoint | None:
    """The checkpoint of the job with this identity, its tensors on the CPU; None if there is none to resume from.

    One that is damaged or belongs to another job is left out, with a line in the log: training from the start is
    always right.
    """
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        position = Position(**state["position"])
        position.rows = [Row(**row) for row in state["position"]["rows"]]
        found, learner = state["identity"], state["learner"]
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
        print(f"{path.name} is damaged and left out ({type(error).__name__}); training starts anew.")
        return None
    differing = [key for key in identity if found.get(key) != identity[key]]
    if differing:
        print(f"{path.name} was made with another {' and '.join(differing)}; training starts anew.")
        return None
    return Checkpoint(position, learner)
