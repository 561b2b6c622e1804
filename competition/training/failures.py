"""How a job can fail, and what to call it."""

import errno
import math
from collections.abc import Sequence

import torch

from competition.errors import CompError, DataError
from competition.lifecycle import FailureKind

_LOOK_AT = "Look at the learning rate, the loss weights and the masks; then run again with the change."
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk is full, the user's share of it, or a file is larger than the user may write."""
_SMALLER = "A smaller optimizer.lr or train.precision=fp32 often helps."


class GateError(CompError):
    """The debug run's loss did not fall."""

    @classmethod
    def between_epochs(cls, first: float, last: float) -> "GateError":
        """The error for a mean training loss that was `first` in the first epoch and `last` in the last."""
        return cls(
            f"The training loss did not fall on the debug sample: {first:.4f} in epoch 1, {last:.4f} in the last.",
            hint=_LOOK_AT,
        )

    @classmethod
    def on_the_way(cls, rise: float) -> "GateError":
        """The error for a batch that lost `rise` times what it lost before any step."""
        return cls(
            f"The debug run blew up on its way: a batch lost {rise:.1f} times what it had lost before any step.",
            hint=f"The learning rate is too high, most likely. {_LOOK_AT}",
        )

    @classmethod
    def in_all(cls, before: float, after: float) -> "GateError":
        """The error for a sample whose mean loss was `before` the first step and is `after` the last."""
        return cls(
            f"The debug run learned nothing: its sample lost {before:.4f} before any step, {after:.4f} after the last.",
            hint=f"The learning rate is too high, most likely. {_LOOK_AT}",
        )


class NotFiniteError(CompError):
    """The loss or the predictions stopped being numbers, or the loss grew beyond all measure."""

    @classmethod
    def of_loss(cls, loss: float, *, epoch: int, batch: int, ids: Sequence[str]) -> "NotFiniteError":
        """The error for a batch; `epoch` and `batch` count from 1."""
        what = "not a number" if math.isnan(loss) else "infinite"
        return cls(
            f"The loss is {what} in epoch {epoch}, batch {batch}, on the images {', '.join(ids)}.", hint=_SMALLER
        )

    @classmethod
    def of_explosion(cls, loss: float, first: float, *, epoch: int, batch: int, ids: Sequence[str]) -> "NotFiniteError":
        """The error for a batch whose loss is out of all proportion to the job's `first`."""
        return cls(
            f"The loss has exploded: {first:.4g} on the first batch, {loss:.4g} in epoch {epoch}, batch {batch}, on "
            f"the images {', '.join(ids)}.",
            hint=f"{_SMALLER} So does optimizer.clip_norm=1.",
        )

    @classmethod
    def of_prediction(cls, image_id: str) -> "NotFiniteError":
        """The error for an image whose predictions are not finite."""
        return cls(
            f"The predictions for image {image_id} are not finite, though the training loss was.",
            hint=_SMALLER,
        )


def classify(error: BaseException) -> tuple[FailureKind, str]:
    """The kind of failure that an error is, and one or two lines for people."""
    match error:
        case GateError():
            return FailureKind.GATE, str(error)
        case NotFiniteError():
            return FailureKind.NAN, str(error)
        case DataError():
            return FailureKind.DATA, str(error)
        case CompError():
            return FailureKind.USER, str(error)
    if is_out_of_memory(error):
        return FailureKind.MEMORY, (
            "The device has too little memory for this batch.\nTry a smaller train.batch_size or data.size."
        )
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return FailureKind.DISK, "The disk is full.\nFree some space, then `comp retry`: the job resumes."
    lines = str(error).strip().splitlines()
    return FailureKind.CRASH, f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed. On a CPU torch says so in words alone."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
