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
_NO_MEMORY = (
    "can't allocate memory",
    "error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
)
"""What a RuntimeError says when an allocation failed: on a CPU, in CUDA, in cuBLAS, and in cuDNN before 9 and since."""
_ONE_VALUE = "Expected more than 1 value per channel when training"
"""What batch normalisation says of a single image whose feature map is one pixel."""
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
    def of_weights(cls, *, epoch: int, batch: int, ids: Sequence[str]) -> "NotFiniteError":
        """The error for weights that a step has ruined though its loss was finite; they are looked at now and then."""
        return cls(
            f"The weights are not numbers any more after epoch {epoch}, batch {batch}, on the images {', '.join(ids)}.",
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
    if _ONE_VALUE in str(error):
        return FailureKind.USER, (
            "This network cannot train on a single image: it normalises over a feature map of one pixel.\n"
            "Choose a train.batch_size of at least 2, a smaller data.size if memory ran out before, or another "
            "model.architecture."
        )
    gist = _gist(str(error))
    return FailureKind.CRASH, f"{type(error).__name__}: {gist}" if gist else type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed. Often torch says so in words alone."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def _gist(message: str) -> str:
    """What of a message says what happened: its first line, which advice and details may follow.

    A line that ends in a colon announces the next, and of a traceback that is quoted the last line counts.
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if "(most recent call last)" in message:
        return lines[-1]
    announces = len(lines) > 1 and lines[0].endswith(":")
    return " ".join(lines[: 2 if announces else 1])
