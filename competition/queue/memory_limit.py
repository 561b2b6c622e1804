"""The places of a worker's devices where a job fits, and how much memory a job may take there."""

from collections.abc import Iterable
from dataclasses import dataclass

from competition.queue.devices import Device, free_memory_mib

CONTEXT_MIB = 600
"""What CUDA takes for every process beside what torch counts."""

SLACK_PERCENT = 110
"""Torch's peak leaves out what its allocator holds in reserve."""


@dataclass(frozen=True)
class Slot:
    """One of the jobs that a device runs at once; `number` counts from 0."""

    device: Device
    number: int


@dataclass(frozen=True)
class MemoryLimit:
    """What a job may take in a slot.

    Args:
        free_mib: the peak that still fits; None where nobody can say.
        known_only: whether only a job whose peak is known may have it.
    """

    free_mib: int | None
    known_only: bool


def slots_of(devices: Iterable[Device], per_device: int) -> list[Slot]:
    """Every slot: the first of each device, then the second of each, so that jobs spread before they share."""
    devices = list(devices)
    return [Slot(device, number) for number in range(per_device) for device in devices]


def room_in(slot: Slot, *, is_shared: bool) -> MemoryLimit:
    """The room of a free slot.

    A job that nobody has measured gets a device to itself; one that shares must be known to fit into what is free now,
    other people's processes counted.

    Args:
        is_shared: whether another job runs on the device.
    """
    free = free_memory_mib(slot.device)
    if free is None:
        return MemoryLimit(None, known_only=False)
    return MemoryLimit(max(0, (free - CONTEXT_MIB) * 100 // SLACK_PERCENT), known_only=is_shared)
