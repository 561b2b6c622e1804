"""The one device that a job runs on."""

import ctypes
import os
import platform
import resource
from pathlib import Path

import cv2
import torch

_CPU_INFO = Path("/proc/cpuinfo")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # from malloc.h
_LARGEST_MMAP_THRESHOLD = 32 * 2**20
_NEVER = 2**31 - 1


def bind(device: torch.device) -> None:
    """Make this process compute on the device.

    A CPU computes on all cores that the process may use, or on OMP_NUM_THREADS of them. A GPU multiplies float32
    matrices in TF32, as torch's convolutions do anyway; this is as deterministic as float32.
    """
    cv2.setNumThreads(0)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")
    else:
        wanted = os.environ.get("OMP_NUM_THREADS", "")
        # No core is set aside for the loader: preparing a batch costs a hundredth of training on it.
        torch.set_num_threads(int(wanted) if wanted.isdecimal() else len(os.sched_getaffinity(0)))
        _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Make glibc's malloc keep freed memory; other allocators stay as they are."""
    # By default malloc returns each step's activations to the system, and gets them back page by page, zeroed: that is
    # a tenth of a training step on a CPU.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, _NEVER)


def device_name(device: torch.device) -> str:
    """The maker's name of the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = _CPU_INFO.read_text().splitlines() if _CPU_INFO.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def peak_memory_mib(device: torch.device) -> int:
    """The peak memory so far, in MiB: of the GPU as torch counts it, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) // 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**10  # Linux gives KiB
