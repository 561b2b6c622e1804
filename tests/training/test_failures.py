import errno

import pytest
import torch
from torch import nn

from competition.errors import ConfigError, DataError
from competition.lifecycle import FailureKind
from competition.training.failures import GateError, NotFiniteError, classify

CUDA_ERROR = """CUDA error: device-side assert triggered
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.
"""
CAUGHT_ELSEWHERE = """Caught ValueError in pin memory thread for device 0.
Original Traceback (most recent call last):
  File "pin_memory.py", line 40, in do_one_step
    data = pin_memory(data, device)
ValueError: what went wrong
"""
ANNOUNCED = """Error(s) in loading state_dict for Unet:
\tsize mismatch for head.weight: copying a param with shape [1], the shape in current model is [2].
\tsize mismatch for head.bias: copying a param with shape [1], the shape in current model is [2].
"""


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (GateError.no_fall_between_epochs(1.0, 2.0), FailureKind.GATE, "1.0000 in epoch 1, 2.0000 in the last"),
        (
            NotFiniteError.of_loss(float("nan"), epoch=3, batch=7, ids=("a", "b")),
            FailureKind.NAN,
            "not a number in epoch 3, batch 7, on the images a, b",
        ),
        (NotFiniteError.of_loss(float("inf"), epoch=1, batch=1, ids=("a",)), FailureKind.NAN, "infinite"),
        (
            NotFiniteError.of_explosion(5e4, 1.5, epoch=2, batch=1, ids=("a", "b")),
            FailureKind.NAN,
            "exploded: 1.5 on the first batch, 5e+04 in epoch 2, batch 1, on the images a, b",
        ),
        (
            GateError.batch_loss_rose(2.5),
            FailureKind.GATE,
            "the loss of one batch was 2.5 times as high as before training",
        ),
        (
            GateError.no_fall_overall(1.0, 2.0),
            FailureKind.GATE,
            "1.0000 before the first step and 2.0000 after the last",
        ),
        (DataError("x.png is broken", hint="mend it"), FailureKind.DATA, "x.png is broken\nmend it"),
        (ConfigError("no such encoder"), FailureKind.USER, "no such encoder"),
        (torch.OutOfMemoryError("CUDA out of memory"), FailureKind.MEMORY, "train.batch_size"),
        (MemoryError(), FailureKind.MEMORY, "train.batch_size"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), FailureKind.MEMORY, "train.batch_size"),
        (
            RuntimeError(CUDA_ERROR.replace("device-side assert triggered", "out of memory")),
            FailureKind.MEMORY,
            "smaller",
        ),
        (RuntimeError("CUDA driver error: out of memory"), FailureKind.MEMORY, "train.batch_size"),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
            FailureKind.MEMORY,
            "train.batch_size",
        ),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), FailureKind.MEMORY, "train.batch_size"),
        (
            RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
            FailureKind.MEMORY,
            "train.batch_size",
        ),
        (ValueError("error: out of memory"), FailureKind.CRASH, "ValueError: error: out of memory"),
        (OSError(errno.ENOSPC, "No space left on device"), FailureKind.DISK, "comp retry"),
        (OSError(errno.EFBIG, "File too large"), FailureKind.DISK, "comp retry"),
        (OSError(errno.EACCES, "Permission denied"), FailureKind.CRASH, "PermissionError: [Errno 13]"),
        (RuntimeError("\nfirst line\nlast line"), FailureKind.CRASH, "RuntimeError: first line"),
        (RuntimeError("what follows:"), FailureKind.CRASH, "RuntimeError: what follows:"),
        (RuntimeError(CUDA_ERROR), FailureKind.CRASH, "RuntimeError: CUDA error: device-side assert triggered"),
        (RuntimeError(CAUGHT_ELSEWHERE), FailureKind.CRASH, "RuntimeError: ValueError: what went wrong"),
        (RuntimeError(ANNOUNCED), FailureKind.CRASH, "state_dict for Unet: size mismatch for head.weight: copying"),
        (AssertionError(), FailureKind.CRASH, "AssertionError"),
    ],
)
def test_each_error_has_its_kind_and_its_words(error: Exception, kind: FailureKind, text: str) -> None:
    actual, reason = classify(error)
    assert actual is kind
    assert text in reason
    assert "DSA" not in reason
    assert "head.bias" not in reason


def test_a_network_that_cannot_train_on_one_image_is_for_people_to_change() -> None:
    with pytest.raises(ValueError, match="more than 1 value") as raised:
        nn.BatchNorm2d(2)(torch.zeros(1, 2, 1, 1))
    kind, reason = classify(raised.value)
    assert kind is FailureKind.USER
    assert "train.batch_size of at least 2" in reason
    assert "model.architecture" in reason
