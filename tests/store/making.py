"""What tests of the queue's store share: a worker, results, and what must hold of a database at any moment."""

from collections import Counter
from pathlib import Path

from sqlalchemy import select

from competition.config.experiment import Config, with_overrides
from competition.jobspec import Succeeded
from competition.lifecycle import JobState
from competition.paths import Paths
from competition.store import baselines, competition, members, schema
from competition.store.engine import Store, create_store
from competition.store.queue.attempts import Process
from competition.team.roles import Role
from tests.conftest import record_split

WORKER = Process("host", "boot", 1, 1.0)
MEMBERS = ("ann", "bob")


def make_store(root: Path, *, folds: int = 2) -> Store:
    """A database with two members, a split and a baseline."""
    made = create_store(Paths(root))
    competition.set_up(made, "f" * 16)
    for name in MEMBERS:
        members.assign(made, name, [Role.TRAINING], actor=name)
    record_split(made, version=1, folds=folds)
    baselines.record_first(made, Config(), actor="ann")
    return made


def config(number: int) -> Config:
    """A configuration of its own for every number."""
    return with_overrides(Config(), [f"seed={number}"])


def result(token: str, score: float | None = None, *, peak_mib: int | None = None) -> Succeeded:
    """What a job hands in that has ended well."""
    facts = {} if peak_mib is None else {"peak_memory_mib": peak_mib}
    return Succeeded(
        token, score, first_loss=2.0, last_loss=1.0, train_s=1.0, artifacts={"log.txt": "0" * 64}, facts=facts
    )


def check_invariants(store: Store) -> None:
    """What holds after every transaction, whatever was broken off before."""
    with store.read() as tx:
        jobs = tx.execute(select(schema.jobs)).all()
        attempts = tx.execute(select(schema.attempts)).all()
        events = tx.execute(select(schema.events).order_by(schema.events.c.id)).all()
        names = dict(tx.execute(select(schema.experiments.c.id, schema.experiments.c.name)).all())
    live = Counter(a.job_id for a in attempts if a.ended_at is None)
    for job in jobs:
        state = JobState(job.state)
        assert live[job.id] == int(state.is_live), f"job {job.id} is {state} with {live[job.id]} live attempts"
        assert state is not JobState.LOST, "a lost job is queued again in the same transaction"
        assert (job.finished_at is not None) == state.is_finished
        label = "debug" if job.kind == "debug" else f"fold {job.fold}"
        told = [e.action for e in events if e.subject == names[job.experiment_id] and e.action.startswith(f"{label}: ")]
        moves = [
            action.removeprefix(f"{label}: ") for action in told if "priority" not in action and "late" not in action
        ]
        assert moves[-1].rpartition("-> ")[2] == state, "the history ends where the job stands"
    debug = {job.experiment_id: job.state for job in jobs if job.kind == "debug"}
    for job in jobs:
        if job.kind == "fold" and job.state in ("queued", "running", "suspect"):
            assert debug[job.experiment_id] == JobState.SUCCEEDED, "a fold is let go only by its debug job"
    slots = Counter((a.host, a.device, a.slot) for a in attempts if a.freed_at is None)
    assert all(count == 1 for count in slots.values()), "one attempt in a slot"
    for attempt in attempts:
        assert attempt.freed_at is None or attempt.ended_at is not None, "no slot is free while its token counts"
        assert (attempt.outcome is None) == (attempt.ended_at is None)
