"""Randomness as a function of what is being done, so that it depends on no order, process or interruption."""

import hashlib
import os
import random
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from competition.config.experiment import Determinism

_NOT_DETERMINISTIC = re.compile(r"(\S+) does not have a deterministic implementation")


def derive(*parts: int | str) -> int:
    """A 32-bit seed that is a function of the parts alone: (seed, epoch, image id), (seed, epoch, step), …

    The parts go through BLAKE2, not through `hash()`, which differs from process to process.
    """
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little")


def fix(seed: int, determinism: Determinism = Determinism.STRICT) -> None:
    """Seed python, numpy and torch (all devices), and choose the kernels that `determinism` asks for.

    cuBLAS reads its setting when the device is first touched. Operations that have no deterministic form on a GPU
    warn instead of failing; `nondeterministic_operations` collects their names.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    strict = determinism is Determinism.STRICT
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.deterministic = strict
    torch.backends.cudnn.benchmark = not strict
    torch.use_deterministic_algorithms(strict, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # costs time


@contextmanager
def without_gradients() -> Iterator[None]:
    """Let operations take their plain forms where there are no gradients, whose sake the repeatable forms are for.

    torch's bilinear interpolation on a GPU is one: its plain form, forward, gives the same bits every time, and takes a
    fraction of the time and memory. The kernels of cuDNN stay as `fix` has chosen them.
    """
    strict, warn_only = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    torch.use_deterministic_algorithms(False)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.use_deterministic_algorithms(strict, warn_only=warn_only)


@contextmanager
def nondeterministic_operations() -> Iterator[list[str]]:
    """The names, in order of their first use within the block, of operations that warned of having no such form."""
    names: list[str] = []
    show = warnings.showwarning

    def collect(message: Warning | str, *rest: Any, **named: Any) -> None:
        found = _NOT_DETERMINISTIC.match(str(message))
        if found is None:
            show(message, *rest, **named)
        elif found[1] not in names:
            names.append(found[1])

    with warnings.catch_warnings():
        warnings.filterwarnings("always", message=_NOT_DETERMINISTIC.pattern)
        warnings.showwarning = collect
        yield names
