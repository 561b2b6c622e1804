"""Randomness as a function of a key, so that it depends on no order, process or interruption."""

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

_NONDETERMINISTIC_WARNING = re.compile(r"(\S+) does not have a deterministic implementation")


def derive(*key: int | str) -> int:
    """A 32-bit seed that depends on the key alone: (seed, epoch, image id), (seed, epoch, step), …"""
    # BLAKE2, not hash(): python salts the hashes of strings in each process.
    digest = hashlib.blake2b(repr(key).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little")


def seed_everything(seed: int, determinism: Determinism) -> None:
    """Seed python, numpy and torch (all devices), and choose kernels as `determinism` says.

    Operations without a deterministic kernel warn instead of failing; `nondeterministic_operations` collects their
    names.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    strict = determinism is Determinism.STRICT
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when the device is first used
    torch.backends.cudnn.deterministic = strict
    torch.backends.cudnn.benchmark = not strict  # a benchmark may choose another algorithm in each process
    torch.use_deterministic_algorithms(strict, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a debugging aid, slow


@contextmanager
def fast_inference() -> Iterator[None]:
    """Compute without gradients, and with the fast kernels: only a backward pass needs the deterministic ones.

    For example torch's bilinear interpolation on a GPU: its fast forward kernel gives the same bits every time, in a
    fraction of the time and memory. cuDNN's kernels stay as `seed_everything` chose them.
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
    """The names of the operations that warn in this block that they are not deterministic, in order of first use."""
    names: list[str] = []
    show = warnings.showwarning

    def collect(message: Warning | str, *rest: Any, **named: Any) -> None:
        match = _NONDETERMINISTIC_WARNING.match(str(message))
        if match is None:
            show(message, *rest, **named)
        elif match[1] not in names:
            names.append(match[1])

    with warnings.catch_warnings():
        warnings.filterwarnings("always", message=_NONDETERMINISTIC_WARNING.pattern)
        warnings.showwarning = collect
        yield names
