"""The devices of this machine. GPUs are told apart by UUID, so that a job stays on the one it was given."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from competition.errors import CompError, UnknownNameError


@dataclass(frozen=True)
class Device:
    """Something that runs jobs, each in a slot of its own.

    Args:
        name: `cpu`, or the GPU's UUID.
        label: what people call it: `cpu`, `gpu 0`.
        torch_device: what torch calls it inside a child with `environment` set.
    """

    name: str
    label: str
    torch_device: str
    environment: dict[str, str] = field(default_factory=dict, hash=False)


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
    """What is free on a GPU now, whoever has taken the rest; None for a CPU, or if the driver does not say."""
    memory = _memory(device)
    return None if memory is None else int(memory.free) // 2**20


def memory_mib(device: Device) -> tuple[int, int] | None:
    """What is in use on a GPU now, by whomever, and what there is; None for a CPU, or if the driver does not say."""
    memory = _memory(device)
    return None if memory is None else (int(memory.used) // 2**20, int(memory.total) // 2**20)


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
    """What the driver says of a GPU's memory, in bytes: `free`, `used` and `total`."""
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
    """Whether there is a driver to ask, while the block runs."""
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
