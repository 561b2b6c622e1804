"""Which arithmetic the forward pass uses."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

from competition.config.experiment import Precision
from competition.training.network.depthwise import FloatBackward

_DTYPES = {Precision.FP32: torch.float32, Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}


def resolve(wanted: Precision, device: torch.device) -> Precision:
    """What `wanted` means on this device; `auto` is the fastest arithmetic that it computes natively.

    That is bfloat16 on GPUs from Ampere on and on CPUs with AVX512-BF16 or AMX, float16 (with a scaled loss) on older
    GPUs, and float32 elsewhere: a CPU without these instructions emulates bfloat16, many times slower.
    """
    if wanted is not Precision.AUTO:
        return wanted
    if device.type == "cuda":
        return Precision.BF16 if torch.cuda.get_device_capability(device) >= (8, 0) else Precision.FP16
    return Precision.BF16 if _cpu_computes_bfloat16() else Precision.FP32


@contextmanager
def arithmetic(precision: Precision, device: torch.device) -> Iterator[None]:
    """The context of a forward pass."""
    narrow = torch.autocast(device.type, dtype=_DTYPES[precision], enabled=precision is not Precision.FP32)
    slow_backward = device.type == "cpu" and precision is Precision.BF16 and torch.is_grad_enabled()
    with narrow, FloatBackward() if slow_backward else nullcontext():
        yield


def loss_scaler(precision: Precision, device: torch.device) -> torch.amp.GradScaler:
    """Keeps float16 gradients from vanishing; does nothing at any other precision."""
    return torch.amp.GradScaler(device.type, enabled=precision is Precision.FP16)


def _cpu_computes_bfloat16() -> bool:
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
