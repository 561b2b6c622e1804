"""The devices of this machine, their slots, and the memory that is free there.

A GPU is known by its UUID: its number may change with a restart, and a job must stay on the GPU that it got.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from competition.errors import CompError, UnknownNameError

CONTEXT_MIB = 600
"""Memory that CUDA takes in each process; torch does not count it."""
SLACK_PERCENT = 110
"""Torch's peak leaves out what its allocator holds in reserve."""


@dataclass(frozen=True)
class Device:
    """A CPU or a GPU; it runs jobs, each in a slot of its own.

    Args:
        name: `cpu`, or the GPU's UUID.
        label: its name for people: `cpu`, `gpu 0`.
        torch_device: its name for torch, inside a child with `environment` set.
    """

    name: str
    label: str
    torch_device: str
    environment: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Slot:
    """A place for one job on a device that runs several at once; `number` counts from 0."""

    device: Device
    number: int


@dataclass(frozen=True)
class MemoryLimit:
    """The jobs that a slot can take now.

    Args:
        free_mib: the largest peak that fits, in MiB; None if it is not known.
        known_only: only jobs whose peak was measured fit.
    """

    free_mib: int | None
    known_only: bool


CPU = Device("cpu", "cpu", "cpu", {"CUDA_VISIBLE_DEVICES": ""})


def find_gpus() -> list[Device]:
    """The NVIDIA GPUs in PCI bus order; none where there is no driver."""
    import pynvml

    with _driver() as has_driver:
        if not has_driver:
            return []
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        return [_gpu(index, str(pynvml.nvmlDeviceGetUUID(handle))) for index, handle in enumerate(handles)]


def free_memory_mib(device: Device) -> int | None:
    """Memory that is free on a GPU now, other people's processes counted; None for a CPU, or if the driver fails."""
    memory = _memory(device)
    return None if memory is None else int(memory.free) // 2**20


def memory_mib(device: Device) -> tuple[int, int] | None:
    """Memory of a GPU that is in use now, by anybody, and its total; None for a CPU, or if the driver fails."""
    memory = _memory(device)
    return None if memory is None else (int(memory.used) // 2**20, int(memory.total) // 2**20)


def slots_of(devices: Iterable[Device], per_device: int) -> list[Slot]:
    """Every slot: the first of each device, then the second of each, so that jobs spread before they share a device."""
    devices = list(devices)
    return [Slot(device, number) for number in range(per_device) for device in devices]


def memory_limit(slot: Slot, *, is_shared: bool) -> MemoryLimit:
    """The jobs that a free slot can take, by the memory that is free now.

    A job whose peak is not known gets a device to itself. A job that shares one must be known to fit.

    Args:
        is_shared: whether another job runs on the device.
    """
    free = free_memory_mib(slot.device)
    if free is None:
        return MemoryLimit(None, known_only=False)
    return MemoryLimit(max(0, (free - CONTEXT_MIB) * 100 // SLACK_PERCENT), known_only=is_shared)


def choose(text: str | None) -> list[Device]:
    """The devices that `text` names: `cpu`, or GPU numbers such as `0,1`; without it every GPU, else the CPU.

    Raises:
        UnknownNameError: a number that no GPU has.
        CompError: neither `cpu` nor numbers.
    """
    if text == "cpu":
        return [CPU]
    gpus = find_gpus()
    if text is None:
        return gpus or [CPU]
    wanted = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in wanted):
        raise CompError(f"--devices {text!r} is neither `cpu` nor GPU numbers such as 0,1.")
    known = {str(i): gpu for i, gpu in enumerate(gpus)}
    for part in wanted:
        if part not in known:
            hint = None if known else "This machine has no NVIDIA GPU that its driver shows: use --devices cpu."
            raise UnknownNameError.among("GPU", part, known, hint=hint)
    return [known[part] for part in dict.fromkeys(wanted)]


def _memory(device: Device) -> Any:
    """The driver's answer about a GPU's memory, in bytes: `free`, `used` and `total`."""
    import pynvml

    if device is CPU:
        return None
    with _driver() as has_driver:
        if not has_driver:
            return None
        try:
            return pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByUUID(device.name))
        except pynvml.NVMLError:
            return None


@contextmanager
def _driver() -> Iterator[bool]:
    """Open the NVIDIA driver while the block runs; False if there is none."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield False
        return
    try:
        yield True
    finally:
        pynvml.nvmlShutdown()


def _gpu(index: int, uuid: str) -> Device:
    environment = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": uuid}
    return Device(uuid, f"gpu {index}", "cuda:0", environment)
