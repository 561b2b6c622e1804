"""Ways in which a job ends early, each with the kind of failure it is handed in as."""

from collections.abc import Callable

from competition.lifecycle import FailureKind


class StoppedError(Exception):
    """Somebody asked the job to stop; it has saved itself."""


class JobError(Exception):
    """The job cannot go on."""

    kind = FailureKind.CRASH


class GateError(JobError):
    """A debug job whose training loss did not fall."""

    kind = FailureKind.GATE


class NotFiniteError(JobError):
    """The loss became infinite or not a number."""

    kind = FailureKind.NAN


def stop_if_asked(stop: Callable[[], bool]) -> None:
    """Do nothing unless somebody has asked the job to stop.

    Raises:
        StoppedError: somebody has.
    """
    if stop():
        raise StoppedError
