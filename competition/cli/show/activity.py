"""What goes on now, on one screen: the devices, the queue below them, and what happened last."""

import socket
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from competition.api import Competition
from competition.api.queue import next_jobs
from competition.cli.show import history, output
from competition.cli.show.jobs import stage_of, upcoming_table
from competition.lifecycle import JobState
from competition.queue.devices import Device, memory_mib
from competition.queue.processes import memory_of_group
from competition.store import events
from competition.store.queue import jobs, pauses, slots
from competition.store.queue.jobs import Job
from competition.store.queue.slots import HeldSlot

EVENTS = 6
FEWEST = 3
"""Rows of the queue, however low the screen is."""
Cells = tuple[object, ...]


def activity(opened: Competition, devices: Sequence[Device], *, height: int) -> RenderableType:
    """Three tables that fit 80 columns and, where the devices leave room, `height` lines.

    Args:
        devices: those of this machine that are shown although nothing runs on them.
    """
    held = slots.held(opened.store)
    running = jobs.in_states(opened.store, [state for state in JobState if state.is_live])
    rows = list(_rows(devices, held, {job.id: job for job in running}))
    floor = output.table(
        "device",
        "experiment",
        "job",
        "member",
        "epoch",
        "score",
        "memory",
        "ETA",
        right=("epoch", "score", "memory", "ETA"),
        wrap=("experiment", "member"),
    )
    for cells in rows:
        output.add_row(floor, *cells)
    happened = events.history(opened.store, most=EVENTS)[::-1]
    paused = [Text(f"{pause}.") for pause in pauses.every(opened.store)]
    left = height - (len(rows) + 1) - (len(happened) + 1) - len(paused)
    left -= 4  # two blank lines, the header of the queue, and how many more wait
    waiting = upcoming_table(next_jobs(opened, most=max(FEWEST, left)))
    return Group(floor, "", *paused, waiting, "", history.table(happened, wrap=False))


def _rows(devices: Sequence[Device], held: Sequence[HeldSlot], running: Mapping[int, Job]) -> Iterator[Cells]:
    """Each device with what holds it, then what runs elsewhere."""
    here = socket.gethostname()
    left = sorted(held, key=lambda slot: (slot.worker.host, slot.device, slot.slot))
    for device in devices:
        own = [slot for slot in left if (slot.worker.host, slot.device) == (here, device.name)]
        left = [slot for slot in left if slot not in own]
        if not own:
            yield device.label, "idle", *("",) * 4, _taken(device), ""
        for slot in own:
            yield _row(device.label, slot, running.get(slot.job_id), _taken(device) or _resident(slot))
    for slot in left:
        is_here = slot.worker.host == here
        name = slot.device if is_here else f"{slot.worker.host}:{slot.device}"
        yield _row(name[:14], slot, running.get(slot.job_id), _resident(slot) if is_here else "")


def _row(device: str, slot: HeldSlot, job: Job | None, memory: str) -> Cells:
    experiment = output.clipped(slot.experiment)
    if job is None or not slot.is_live:
        return device, experiment, slot.label, "", "ends", "", memory, ""
    progress = job.progress or {}
    stage = stage_of(progress) if progress else "starts"
    return (
        device,
        experiment,
        slot.label,
        output.clipped(job.member),
        job.state.value if job.state is JobState.SUSPECT else stage,
        output.percent(progress.get("score")),
        memory,
        output.duration(progress.get("eta_s")),
    )


def _taken(device: Device) -> str:
    """What is in use on a GPU, whoever uses it, of all there is; nothing for a CPU."""
    found = memory_mib(device)
    return "" if found is None else f"{found[0] / 1024:.1f}/{found[1] / 1024:.0f}G"


def _resident(slot: HeldSlot) -> str:
    """What a job's processes take of this machine's memory."""
    return "" if slot.child is None else f"{memory_of_group(slot.child) / 1024:.1f}G"
