"""The ways in which a job fails, and their names."""

import errno
import math
from collections.abc import Sequence

import torch

from competition.errors import CompError, DataError
from competition.lifecycle import FailureKind

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk is full, the user's quota is used up, or a file exceeds the largest size that the user may write."""
_OUT_OF_MEMORY = (
    "can't allocate memory",
    "error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
)
"""Texts of RuntimeErrors for a failed allocation: on a CPU, in CUDA, in cuBLAS, in cuDNN before 9 and since."""
_ONE_VALUE = "Expected more than 1 value per channel when training"
"""Text of batch normalisation's error for a single image whose feature map is one pixel."""
_CHECK = "Check the masks (`comp eda`) and the loss weights, or run again with a lower --set optimizer.lr."
_LOWER_RATE = "Run again with a lower --set optimizer.lr or with --set train.precision=fp32"


class GateError(CompError):
    """The debug run's loss did not fall."""

    @classmethod
    def no_fall_between_epochs(cls, first: float, last: float) -> "GateError":
        """The error for mean training losses of the first and the last epoch."""
        return cls(
            f"The training loss did not fall on the debug sample: {first:.4f} in epoch 1, {last:.4f} in the last.",
            hint=_CHECK,
        )

    @classmethod
    def batch_loss_rose(cls, rise: float) -> "GateError":
        """The error for a batch whose loss was `rise` times its loss before any step."""
        return cls(
            f"The debug run diverged: the loss of one batch was {rise:.1f} times as high as before training.",
            hint=f"Most likely the learning rate is too high. {_CHECK}",
        )

    @classmethod
    def no_fall_overall(cls, before: float, after: float) -> "GateError":
        """The error for mean losses over the debug sample `before` the first step and `after` the last."""
        return cls(
            "The debug run learned nothing: the mean loss over its sample was "
            f"{before:.4f} before the first step and {after:.4f} after the last.",
            hint=f"Most likely the learning rate is too high. {_CHECK}",
        )


class NotFiniteError(CompError):
    """The loss, the weights or the predictions are not finite, or the loss exploded."""

    @classmethod
    def of_loss(cls, loss: float, *, epoch: int, batch: int, ids: Sequence[str]) -> "NotFiniteError":
        """The error for a batch's loss; `epoch` and `batch` count from 1."""
        value = "not a number" if math.isnan(loss) else "infinite"
        return cls(
            f"The loss is {value} in epoch {epoch}, batch {batch}, on the images {', '.join(ids)}.",
            hint=f"{_LOWER_RATE}.",
        )

    @classmethod
    def of_explosion(cls, loss: float, first: float, *, epoch: int, batch: int, ids: Sequence[str]) -> "NotFiniteError":
        """The error for a batch's loss that is far above the `first` of the job."""
        return cls(
            f"The loss has exploded: {first:.4g} on the first batch, {loss:.4g} in epoch {epoch}, batch {batch}, on "
            f"the images {', '.join(ids)}.",
            hint=f"{_LOWER_RATE}, or with --set optimizer.clip_norm=1.",
        )

    @classmethod
    def of_weights(cls, *, epoch: int, batch: int, ids: Sequence[str]) -> "NotFiniteError":
        """The error for weights that are not finite although the loss was; they are checked once per epoch."""
        return cls(
            f"The weights are no longer finite after epoch {epoch}, batch {batch}, on the images {', '.join(ids)}.",
            hint=f"{_LOWER_RATE}, or with --set optimizer.clip_norm=1.",
        )

    @classmethod
    def of_prediction(cls, image_id: str) -> "NotFiniteError":
        """The error for an image whose predictions are not finite."""
        return cls(
            f"The predictions for image {image_id} are not finite, though the training loss was.",
            hint=f"{_LOWER_RATE}.",
        )


def classify(error: BaseException) -> tuple[FailureKind, str]:
    """The kind of an error, and its reason in one or two lines for a reader."""
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
            "The device has too little memory for this batch.\n"
            "Run again with a smaller --set train.batch_size or --set data.size."
        )
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return FailureKind.DISK, "The disk is full.\nFree some space, then `comp retry`: the job resumes."
    if _ONE_VALUE in str(error):
        return FailureKind.USER, (
            "This network cannot train on a single image: it normalises over a feature map of one pixel.\n"
            "Choose a train.batch_size of at least 2, a smaller data.size if memory ran out before, or another "
            "model.architecture."
        )
    summary = _summary(str(error))
    return FailureKind.CRASH, f"{type(error).__name__}: {summary}" if summary else type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """True if an allocation failed."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # torch has no type of its own for most of them, on a CPU for none
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _OUT_OF_MEMORY)


def _summary(message: str) -> str:
    """The line of a message that says what happened: usually the first, before advice and details."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if "(most recent call last)" in message:  # a quoted traceback, which ends with the error
        return lines[-1]
    is_heading = len(lines) > 1 and lines[0].endswith(":")
    return " ".join(lines[: 2 if is_heading else 1])
