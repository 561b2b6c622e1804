"""The states of a job and the only legal moves between them."""

from enum import StrEnum


class JobKind(StrEnum):
    """The purpose of a job: `debug` tests the experiment on 5 % of the data, `fold` trains one fold in full."""

    DEBUG = "debug"
    FOLD = "fold"


def job_label(kind: JobKind, fold: int, repeat: int = 0) -> str:
    """The label of a job: `debug`, `fold 2`, or `fold 2 repeat 1` for the second seed (repeat 0 is the first)."""
    if kind is JobKind.DEBUG:
        return "debug"
    return f"fold {fold} repeat {repeat}" if repeat else f"fold {fold}"


class JobState(StrEnum):
    """The state of a job."""

    WAITING = "waiting"
    """Its debug job has not passed yet."""
    QUEUED = "queued"
    RUNNING = "running"
    SUSPECT = "suspect"
    """Its heartbeat is overdue, yet its process is not proven gone."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    """Its process is proven gone, and it left no result."""
    CANCELLED = "cancelled"

    @property
    def is_finished(self) -> bool:
        """Whether the job stays as it is until a command changes it."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)

    @property
    def is_live(self) -> bool:
        """Whether a device may be working on it."""
        return self in (JobState.RUNNING, JobState.SUSPECT)

    @property
    def is_pending(self) -> bool:
        """Whether it will run without another command."""
        return self in (JobState.WAITING, JobState.QUEUED, JobState.LOST)


_S = JobState

LEGAL_MOVES: dict[JobState, frozenset[JobState]] = {
    _S.WAITING: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.QUEUED: frozenset({_S.RUNNING, _S.CANCELLED, _S.SUCCEEDED}),  # succeeded: by a result that came late
    _S.RUNNING: frozenset({_S.SUCCEEDED, _S.FAILED, _S.QUEUED, _S.SUSPECT, _S.LOST, _S.CANCELLED}),
    _S.SUSPECT: frozenset({_S.RUNNING, _S.SUCCEEDED, _S.FAILED, _S.QUEUED, _S.LOST, _S.CANCELLED}),
    _S.LOST: frozenset({_S.QUEUED, _S.SUCCEEDED, _S.CANCELLED}),
    _S.FAILED: frozenset({_S.QUEUED}),
    _S.CANCELLED: frozenset({_S.QUEUED, _S.WAITING}),
    _S.SUCCEEDED: frozenset({_S.QUEUED}),
}


class IllegalMoveError(RuntimeError):
    """A move that is not in the table: a bug in comp, never a mistake of the user."""


def check_move(old: JobState, new: JobState) -> None:
    """Check that a job may go from `old` to `new`.

    Raises:
        IllegalMoveError: it may not.
    """
    if new not in LEGAL_MOVES[old]:
        raise IllegalMoveError(f"a {old} job cannot become {new}")


MOST_ATTEMPTS = 3
"""The number of failed attempts after which the job fails. Interruptions and lost machines do not count."""


class FailureKind(StrEnum):
    """The cause of a failed attempt, as far as the next step depends on it."""

    USER = "user error"
    DATA = "data"
    GATE = "gate"
    """The debug run's loss did not fall."""
    MEMORY = "out of memory"
    NAN = "loss is not finite"
    DISK = "disk full"
    CRASH = "crash"
    LOST = "lost"
    """Its process was ended from outside, or vanished with its machine."""

    @property
    def blames_machine(self) -> bool:
        """Whether another attempt may succeed, because the cause may be the machine and not the experiment."""
        return self in (FailureKind.MEMORY, FailureKind.DISK, FailureKind.CRASH, FailureKind.LOST)


class ExperimentState(StrEnum):
    """The state of an experiment, which follows from its jobs."""

    COMPLETE = "complete"
    """Every fold of the split has succeeded, for every seed asked for. That gives a score, and a score a rank."""
    RUNNING = "running"
    QUEUED = "queued"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARTIAL = "partial"
    """Every job asked for has succeeded, but not every fold was asked for."""
    DEBUG = "debug"
    """Only the debug job was asked for, and it passed."""


FoldStates = dict[tuple[int, int], JobState]
"""State of the fold jobs by (fold, repeat); repeat 0 has the configuration's own seed, 1 the second seed, …"""


def repeats_asked_for(folds: FoldStates) -> tuple[int, ...]:
    """The repeats (seeds) to finish: the first, and every other one without a cancelled fold."""
    repeats = sorted({0, *(repeat for _, repeat in folds)})
    withdrawn = {repeat for (_, repeat), state in folds.items() if state is JobState.CANCELLED}
    return tuple(r for r in repeats if r == 0 or r not in withdrawn)


def experiment_state(debug: JobState | None, folds: FoldStates, *, needed: int) -> ExperimentState:
    """The state of an experiment with these jobs on a split with `needed` folds."""
    states = [*folds.values(), *([debug] if debug else [])]
    done = {key for key, state in folds.items() if state is JobState.SUCCEEDED}
    if done >= {(fold, repeat) for fold in range(needed) for repeat in repeats_asked_for(folds)}:
        return ExperimentState.COMPLETE
    if any(s.is_live for s in states):
        return ExperimentState.RUNNING
    if JobState.FAILED in states:
        return ExperimentState.FAILED
    if any(s.is_pending for s in states):
        return ExperimentState.QUEUED
    if JobState.CANCELLED in states:
        return ExperimentState.CANCELLED
    return ExperimentState.PARTIAL if done else ExperimentState.DEBUG
