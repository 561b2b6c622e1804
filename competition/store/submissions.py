"""Submissions that were written, with the hash of what was written."""

import time
from dataclasses import dataclass

from sqlalchemy import func, insert, select

from competition.store import events, schema
from competition.store.engine import Store


@dataclass(frozen=True)
class Submission:
    """A submission file (or folder), and the ensemble or experiment it was made from."""

    source: str
    format: str
    path: str
    sha256: str
    images: int
    member: str | None


def record(store: Store, submission: Submission) -> None:
    """Remember that a submission was written."""
    with store.write() as tx:
        tx.execute(insert(schema.submissions).values(**submission.__dict__, created_at=time.time()))
        events.record(
            tx,
            actor=submission.member or events.SYSTEM,
            subject=submission.source,
            action=f"submission {submission.format}",
            why=submission.path,
        )


def sources(store: Store) -> list[str]:
    """The ensembles and experiments that submissions were made from."""
    with store.read() as tx:
        return list(tx.scalars(select(schema.submissions.c.source).distinct().order_by(schema.submissions.c.source)))


def count(store: Store) -> int:
    """How many submissions were written."""
    with store.read() as tx:
        return tx.scalar(select(func.count()).select_from(schema.submissions)) or 0
