"""The history: who did what to what, when and why."""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from competition.store import schema
from competition.store.engine import Store

_INSERT = insert(schema.events)
SYSTEM = "comp"
"""The actor of what nobody asked for: reaping, gates."""


@dataclass(frozen=True)
class Event:
    """One thing that happened; `at` is in seconds since the epoch."""

    at: float
    actor: str
    subject: str
    action: str
    why: str | None


def record(
    tx: Connection, *, actor: str, subject: str, action: str, why: str | None = None, at: float | None = None
) -> None:
    """Append one event in the transaction that makes the change."""
    moment = time.time() if at is None else at
    values = {"at": moment, "actor": actor, "subject": subject, "action": action, "why": why}
    tx.execute(_INSERT, values)


def note(store: Store, *, actor: str, subject: str, action: str, why: str | None = None) -> None:
    """Append an event about something that changed outside the database."""
    with store.write() as tx:
        record(tx, actor=actor, subject=subject, action=action, why=why)


def history(store: Store, *, subject: str | None = None, most: int = 100) -> list[Event]:
    """The newest events first, of one subject or of all."""
    table = schema.events
    query = select(table).order_by(table.c.id.desc()).limit(most)
    if subject is not None:
        query = query.where(table.c.subject == subject)
    with store.read() as tx:
        return [Event(r.at, r.actor, r.subject, r.action, r.why) for r in tx.execute(query)]
