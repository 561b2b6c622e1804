"""Finding jobs whose process has died without saying so."""

import json
import time

from competition.jobspec import Succeeded
from competition.paths import JobPaths
from competition.queue.processes import is_gone, kill_group, this_process
from competition.store import attempts
from competition.store.attempts import LiveAttempt
from competition.store.engine import Store

LEASE_S = 60.0
"""A heartbeat older than this makes a job suspect."""


def reap(store: Store) -> int:
    """Queue again every job of this host whose worker is proven dead; the number of such jobs.

    A child that outlives its worker is ended first, so that no job ever runs twice at once. A job that had
    finished all the same keeps its result. One whose heartbeat is overdue while its worker lives is suspect.
    """
    reaped = 0
    for attempt in attempts.live(store, host=this_process().host):
        if not is_gone(attempt.worker):
            overdue = time.time() - attempt.heartbeat_at
            if overdue > LEASE_S:
                attempts.suspect(store, attempt.token, why=f"no heartbeat for {overdue:.0f} s")
            continue
        if attempt.child is None or kill_group(attempt.child):
            reaped += _settle(store, attempt)
    return reaped


def finished_result(paths: JobPaths, token: str) -> Succeeded | None:
    """What the attempt with this token left when it had finished; None if it had not."""
    try:
        raw = json.loads(paths.result.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Succeeded(**raw) if raw.get("token") == token else None


def _settle(store: Store, attempt: LiveAttempt) -> bool:
    result = finished_result(store.paths.job(attempt.experiment, attempt.fold, attempt.repeat), attempt.token)
    if result is not None:
        return attempts.succeed(store, result)
    return attempts.lose(store, attempt.token, why=f"its worker (pid {attempt.worker.pid}) died")
