"""Finding jobs whose process has died without saying so, and slots whose processes have gone."""

import json
import time

from competition.files import last_lines
from competition.jobspec import Succeeded
from competition.paths import JobPaths
from competition.queue.processes import is_gone, kill_group, this_process
from competition.store.engine import Store
from competition.store.queue import attempts, slots
from competition.store.queue.slots import HeldSlot

LEASE_S = 60.0
"""A heartbeat older than this makes a job suspect."""


def reap(store: Store) -> int:
    """Queue again every job of this host whose worker is proven dead; the number of such jobs.

    A child that outlives its worker is ended first, so that no job ever runs twice at once. A job that had finished
    all the same keeps its result. One whose heartbeat is overdue is suspect while nobody has seen its worker dead: it
    hangs, or it is another machine's. An ended attempt's slot is free once its processes are gone.
    """
    me = this_process()
    reaped = 0
    for slot in slots.held(store):
        is_dead = slot.worker.host == me.host and is_gone(slot.worker)
        if slot.is_live and not is_dead:
            overdue = time.time() - slot.heartbeat_at
            if overdue > LEASE_S:
                attempts.suspect(store, slot.token, why=f"no heartbeat for {overdue:.0f} s")
        elif slot.worker.host == me.host and _is_cleared(slot, is_dead=is_dead):
            reaped += _settle(store, slot)
    return reaped


def finished_result(paths: JobPaths, token: str) -> Succeeded | None:
    """What the attempt with this token left when it had finished; None if it had not."""
    try:
        raw = json.loads(paths.result.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Succeeded(**raw) if raw.get("token") == token else None


def _is_cleared(slot: HeldSlot, *, is_dead: bool) -> bool:
    """End what is left of the attempt; False where its processes may still be there, or be started yet."""
    return kill_group(slot.child) if slot.child is not None else is_dead


def _settle(store: Store, slot: HeldSlot) -> bool:
    paths = store.paths.job(slot.experiment, slot.fold, slot.repeat)
    result = finished_result(paths, slot.token)
    settled = False
    if result is not None:
        settled = attempts.succeed(store, result)
    elif slot.is_live:
        why = f"its worker (pid {slot.worker.pid}) died"
        settled = attempts.lose(store, slot.token, why=why, log_tail=last_lines(paths.log))
    slots.free(store, slot.token)
    return settled
