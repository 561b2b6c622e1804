"""How a child ended: what it said, what it left on disk, or what its exit code tells."""

import signal

from competition.jobspec import Failed, Interrupted, Succeeded
from competition.lifecycle import FailureKind
from competition.queue.children import Child
from competition.queue.processes import kills_for_memory
from competition.queue.reaper import finished_result

_LOST_STATUS = 255
"""What multiprocessing says of a child whose fork server died before it could tell how the child ended."""


def ending_of(child: Child) -> Succeeded | Failed | Interrupted:
    """How a child that is gone ended."""
    return child.outcome or finished_result(child.spec.job_paths, child.spec.token) or _died(child)


def _died(child: Child) -> Failed:
    """What to say of a child that ended without a word."""
    kind, reason = _cause(child.process.exitcode, child.memory_kills)
    return Failed(child.spec.token, kind, reason)


def _cause(code: int | None, memory_kills: int | None) -> tuple[FailureKind, str]:
    if code is None or code == _LOST_STATUS:
        return FailureKind.LOST, "its process ended, and so did the one that would know how"
    if code >= 0:
        return FailureKind.CRASH, f"its process ended with exit code {code} and no result"
    name = signal.Signals(-code).name
    if name not in ("SIGKILL", "SIGTERM"):
        return FailureKind.CRASH, f"its process crashed with {name}"
    now = kills_for_memory()
    if name == "SIGKILL" and (now is None or memory_kills is None or now > memory_kills):
        return FailureKind.MEMORY, "its process was ended by SIGKILL, most likely for lack of memory"
    return FailureKind.LOST, f"its process was ended from outside by {name}"
