"""The one device that a job runs on."""

import ctypes
import os
import platform
import resource
from pathlib import Path

import cv2
import torch

_CPU_INFO = Path("/proc/cpuinfo")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h
_LARGEST_MMAP_THRESHOLD = 32 * 2**20
_NEVER = 2**31 - 1


def bind(device: torch.device) -> None:
    """Make this process compute on the device.

    On a CPU all cores compute, or as many as OMP_NUM_THREADS says: preparing a batch costs a hundredth of training on
    it, so the loader's workers fit in between. On a GPU, products of float32 matrices are computed in TF32, as torch's
    convolutions are anyway: as repeatable as in float32.
    """
    cv2.setNumThreads(0)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")
    else:
        wanted = os.environ.get("OMP_NUM_THREADS", "")
        torch.set_num_threads(int(wanted) if wanted.isdecimal() else len(os.sched_getaffinity(0)))
        _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Let malloc keep what is freed, where it is glibc's.

    It would give the activations of each step back to the system, which hands them out again page by page, zeroed: a
    tenth of a training step.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, _NEVER)


def device_name(device: torch.device) -> str:
    """What the maker calls it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = _CPU_INFO.read_text().splitlines() if _CPU_INFO.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def peak_memory_mib(device: torch.device) -> int:
    """The most memory that was in use at once: of the GPU by torch, or of the machine by this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) // 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**10
