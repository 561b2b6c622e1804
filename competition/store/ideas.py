"""Ideas of members, and the experiments that tried them."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from competition.errors import UnknownNameError
from competition.store import events, schema
from competition.store.engine import Store
from competition.store.experiments import Experiment


@dataclass(frozen=True)
class Idea:
    """Something to try. `source` says where it comes from (a URL, a paper); `experiments` tried it, oldest first."""

    id: int
    text: str
    source: str | None
    member: str
    created_at: float
    experiments: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "experiments": list(self.experiments)}


def add(store: Store, text: str, *, source: str | None, member_id: int, member: str) -> Idea:
    """Write an idea down."""
    with store.write() as tx:
        values = {"text": text, "source": source, "member_id": member_id, "created_at": time.time()}
        key = tx.execute(insert(schema.ideas).values(values)).inserted_primary_key
        assert key is not None
        events.record(tx, actor=member, subject=f"idea {key[0]}", action="idea", why=text)
        return next(idea for idea in _all(tx) if idea.id == key[0])


def every(store: Store) -> list[Idea]:
    """All ideas, oldest first."""
    with store.read() as tx:
        return _all(tx)


def find(store: Store, idea_id: int) -> Idea:
    """The idea of this number.

    Raises:
        UnknownNameError: there is none.
    """
    known = {idea.id: idea for idea in every(store)}
    if idea_id not in known:
        raise UnknownNameError.among("idea", str(idea_id), map(str, known), hint="`comp idea list` shows them.")
    return known[idea_id]


def link(store: Store, idea: Idea, experiment: Experiment, *, actor: str) -> bool:
    """Record that an experiment tries the idea; False if that is recorded already."""
    table = schema.trials
    with store.write() as tx:
        known = select(table).where(table.c.idea_id == idea.id, table.c.experiment_id == experiment.id)
        if tx.execute(known).one_or_none() is not None:
            return False
        tx.execute(insert(table).values(idea_id=idea.id, experiment_id=experiment.id))
        events.record(tx, actor=actor, subject=experiment.name, action=f"tries idea {idea.id}", why=idea.text)
        return True


def _all(tx: Connection) -> list[Idea]:
    ideas, members, trials, experiments = schema.ideas, schema.members, schema.trials, schema.experiments
    tried: dict[int, list[str]] = {}
    linked = select(trials.c.idea_id, experiments.c.name).join(experiments, experiments.c.id == trials.c.experiment_id)
    for row in tx.execute(linked.order_by(experiments.c.id)):
        tried.setdefault(row.idea_id, []).append(row.name)
    query = select(ideas, members.c.name.label("member")).join(members, members.c.id == ideas.c.member_id)
    return [_from_row(row, tried.get(row.id, [])) for row in tx.execute(query.order_by(ideas.c.id))]


def _from_row(row: Row[Any], experiments: list[str]) -> Idea:
    return Idea(row.id, row.text, row.source, row.member, row.created_at, tuple(experiments))
