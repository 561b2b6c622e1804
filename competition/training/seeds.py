"""Randomness as a function of what is being done, so that it depends on no order, process or interruption."""

import hashlib
import os
import random

import numpy as np
import torch


def derive(*parts: int | str) -> int:
    """A 32-bit seed that is a function of the parts alone: (seed, epoch, image id), (seed, epoch, step), …

    The parts go through BLAKE2, not through `hash()`, which differs from process to process.
    """
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little")


def fix(seed: int) -> None:
    """Seed python, numpy and torch (all devices), and make cuDNN and cuBLAS choose reproducible algorithms.

    cuBLAS reads its setting when the device is first touched. Operations that have no deterministic form on a GPU
    warn instead of failing.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # costs time
