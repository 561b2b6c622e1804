"""What is worth recording about where and with what a job ran."""

import platform
from importlib.metadata import version
from typing import Any

import torch

from competition.training import hardware
from competition.training.network.model import Segmenter
from competition.training.throughput import Pace

PACKAGES = ("torch", "torchvision", "segmentation-models-pytorch", "timm", "albumentations", "numpy")


def facts_of(segmenter: Segmenter, pace: Pace, device: torch.device) -> dict[str, Any]:
    """The device, the arithmetic, the speed of this attempt, and the versions that decide a result."""
    return {
        "device": hardware.device_name(device),
        "precision": segmenter.precision.value,
        "parameters": sum(p.numel() for p in segmenter.network.parameters()),
        "epochs": pace.epochs,
        "images_per_s": round(pace.images_per_s, 2),
        "inference_ms": round(pace.inference_ms, 3),
        "wait_share": round(pace.wait_share, 4),
        "peak_memory_mib": hardware.peak_memory_mib(device),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }
