"""What a resumed job needs: weights, optimiser and position. Randomness is keyed, so no generator is saved."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from competition.files import replacing, sha256_of_json
from competition.jobspec import JobSpec


@dataclass
class Position:
    """How far training is: `epoch` and `step` count from 0 and name what comes next.

    Args:
        loss_sum: of the current epoch, summed over images.
        images: of the current epoch, seen so far.
        seen: in all epochs.
        train_s: seconds spent training, earlier attempts included.
        wait_s: of these, seconds spent waiting for data.
        history: one row per finished epoch.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    images: int = 0
    seen: int = 0
    train_s: float = 0.0
    wait_s: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def mean_loss(self) -> float:
        """The mean training loss of the current epoch so far."""
        return self.loss_sum / self.images if self.images else 0.0

    @property
    def images_per_s(self) -> float:
        """Training images per second, over all epochs."""
        return self.seen / self.train_s if self.train_s else 0.0

    def add_batch(self, *, images: int, loss: float, train_s: float, wait_s: float) -> None:
        """Count one more batch."""
        self.step += 1
        self.images += images
        self.seen += images
        self.loss_sum += loss * images
        self.train_s += train_s
        self.wait_s += wait_s

    def end_epoch(self, *, score: float, lr: float) -> None:
        """Write the epoch into the history and stand before the next one."""
        row = {"epoch": self.epoch + 1, "train_loss": self.mean_loss, "score": score, "lr": lr}
        self.history.append({**row, "images_per_s": self.images_per_s, "train_s": self.train_s})
        self.epoch += 1
        self.step, self.images, self.loss_sum = 0, 0, 0.0


def identity(spec: JobSpec) -> str:
    """What a checkpoint must have been made for to be of use to this job."""
    return sha256_of_json([spec.config.sha256, spec.split_hash, spec.fingerprint, spec.kind, spec.fold])


def save(path: Path, spec: JobSpec, position: Position, parts: Mapping[str, Any]) -> None:
    """Replace the checkpoint in one step."""
    state = {name: part.state_dict() for name, part in parts.items()}
    with replacing(path) as aside:
        torch.save({"identity": identity(spec), "position": asdict(position), "state": state}, aside)


def load(path: Path, spec: JobSpec, parts: Mapping[str, Any], *, device: torch.device) -> Position:
    """Fill `parts` from the checkpoint and say where to go on; from the start where there is none of use."""
    if not path.is_file():
        return Position()
    try:
        stored = torch.load(path, map_location=device, weights_only=True)
    except (OSError, RuntimeError, UnpicklingError, EOFError, ValueError) as error:
        print(f"The checkpoint is damaged and is not used: {error}")
        return Position()
    if stored.get("identity") != identity(spec):
        print("The checkpoint belongs to another configuration, split or data and is not used.")
        return Position()
    for name, part in parts.items():
        part.load_state_dict(stored["state"][name])
    position = Position(**stored["position"])
    print(f"Going on from epoch {position.epoch + 1}, batch {position.step + 1}.")
    return position
