"""What is worth recording about where and with what a job ran."""

import platform
import resource
from importlib.metadata import version
from typing import Any

import torch

PACKAGES = ("torch", "segmentation-models-pytorch", "timm", "albumentations", "numpy")


def machine_facts(device: torch.device) -> dict[str, Any]:
    """The device's name and the versions of python and the packages that decide a result."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    return {"device": name, "python": platform.python_version(), **{package: version(package) for package in PACKAGES}}


def peak_memory_mib(device: torch.device) -> int:
    """The most memory that the job held at once: of the GPU, or of the process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device) // 2**20)
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**10)
