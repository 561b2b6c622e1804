import errno

import pytest
import torch

from competition.errors import ConfigError, DataError
from competition.lifecycle import FailureKind
from competition.training.failures import GateError, NotFiniteError, classify


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (GateError.between_epochs(1.0, 2.0), FailureKind.GATE, "1.0000 in epoch 1, 2.0000 in the last"),
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
        (GateError.on_the_way(2.5), FailureKind.GATE, "a batch lost 2.5 times what it had lost before any step"),
        (GateError.in_all(1.0, 2.0), FailureKind.GATE, "1.0000 before any step, 2.0000 after the last"),
        (DataError("x.png is broken", hint="mend it"), FailureKind.DATA, "x.png is broken\nmend it"),
        (ConfigError("no such encoder"), FailureKind.USER, "no such encoder"),
        (torch.OutOfMemoryError("CUDA out of memory"), FailureKind.MEMORY, "train.batch_size"),
        (MemoryError(), FailureKind.MEMORY, "train.batch_size"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), FailureKind.MEMORY, "train.batch_size"),
        (OSError(errno.ENOSPC, "No space left on device"), FailureKind.DISK, "comp retry"),
        (OSError(errno.EFBIG, "File too large"), FailureKind.DISK, "comp retry"),
        (OSError(errno.EACCES, "Permission denied"), FailureKind.CRASH, "PermissionError: [Errno 13]"),
        (RuntimeError("first line\nlast line"), FailureKind.CRASH, "RuntimeError: last line"),
        (AssertionError(), FailureKind.CRASH, "AssertionError"),
    ],
)
def test_each_error_has_its_kind_and_its_words(error: Exception, kind: FailureKind, says: str) -> None:
    found, reason = classify(error)
    assert found is kind
    assert says in reason
