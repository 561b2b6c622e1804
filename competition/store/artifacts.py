"""Artifacts: the sha256 of each file that a job left and that comp relies on."""

from sqlalchemy import Connection, bindparam, delete, insert, select

from competition.lifecycle import JobKind, job_label
from competition.store import schema
from competition.store.engine import Store

_artifacts = schema.artifacts
_FORGET = delete(_artifacts).where(_artifacts.c.job_id == bindparam("the_job"))


def of_experiment(store: Store, experiment: str) -> dict[tuple[str, str], str]:
    """sha256 by (job label, file name) of everything that an experiment's jobs left."""
    jobs, experiments = schema.jobs, schema.experiments
    query = (
        select(_artifacts.c.name, _artifacts.c.sha256, jobs.c.kind, jobs.c.fold, jobs.c.repeat)
        .join(jobs, jobs.c.id == _artifacts.c.job_id)
        .join(experiments, experiments.c.id == jobs.c.experiment_id)
        .where(experiments.c.name == experiment)
    )
    with store.read() as tx:
        return {(job_label(JobKind(r.kind), r.fold, r.repeat), r.name): r.sha256 for r in tx.execute(query)}


def owner(store: Store, sha256: str) -> tuple[str, str] | None:
    """The first experiment, and the label of its job, that left a file with this content; None if none did."""
    jobs, experiments = schema.jobs, schema.experiments
    query = (
        select(experiments.c.name, jobs.c.kind, jobs.c.fold, jobs.c.repeat)
        .join(jobs, jobs.c.experiment_id == experiments.c.id)
        .join(_artifacts, _artifacts.c.job_id == jobs.c.id)
        .where(_artifacts.c.sha256 == sha256)
        .order_by(experiments.c.id, jobs.c.id)
        .limit(1)
    )
    with store.read() as tx:
        found = tx.execute(query).first()
    return None if found is None else (found.name, job_label(JobKind(found.kind), found.fold, found.repeat))


def record(tx: Connection, job_id: int, artifacts: dict[str, str]) -> None:
    """Remember what a job left (sha256 by file name), instead of what an earlier attempt of it had left."""
    tx.execute(_FORGET, {"the_job": job_id})
    if artifacts:
        rows = [{"job_id": job_id, "name": name, "sha256": sha256} for name, sha256 in artifacts.items()]
        tx.execute(insert(_artifacts), rows)
