"""Prepared statements do what SQLAlchemy would do with them."""

from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.sql import ClauseElement

from competition.lifecycle import JobState
from competition.store import schema
from competition.store.engine import Store
from competition.store.prepared import Prepared
from tests.conftest import submitted
from tests.store.making import config, make_store

JOBS = schema.jobs


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = make_store(tmp_path)
    submitted(made, config(0), folds=(0, 1), name="e0")
    return made


@pytest.mark.parametrize(
    "facts", [{"peak": 1.5, "Ω": ["한국어", None, True]}, None, {}], ids=["filled", "none", "empty"]
)
def test_values_are_stored_as_sqlalchemy_stores_them(store: Store, facts: dict[str, object] | None) -> None:
    by_id = update(JOBS).where(JOBS.c.id == bindparam("the_id"))
    values = {"the_id": 1, "facts": facts, "state": JobState.FAILED, "score": 0.25, "reason": "it's 'so'"}
    columns = select(JOBS.c.facts, JOBS.c.state, JOBS.c.score, JOBS.c.reason).where(JOBS.c.id == 1)
    found = []
    for by_hand in (True, False):
        with store.write() as tx:
            changed = Prepared(by_id).run(tx, values) if by_hand else tx.execute(by_id, values).rowcount
            assert changed == 1
        with store.read() as tx:
            found.append((tx.execute(columns).one(), Prepared(columns).all(tx, {})))
    assert found[0] == found[1]
    assert found[0][0].facts == facts


def test_rows_have_their_columns_as_attributes_and_constants_their_values(store: Store) -> None:
    query = select(JOBS.c.id, JOBS.c.state.label("where_it_stands")).where(
        JOBS.c.state == JobState.WAITING, JOBS.c.fold < bindparam("below")
    )
    prepared = Prepared(query.order_by(JOBS.c.id))
    with store.read() as tx:
        for below in (1, 2, 0):
            rows = prepared.all(tx, {"below": below})
            expected = tx.execute(query.order_by(JOBS.c.id), {"below": below}).all()
            assert [(row.id, row.where_it_stands) for row in rows] == [tuple(row) for row in expected]


@pytest.mark.parametrize("statement", [insert(schema.events), update(JOBS)], ids=["insert", "update"])
def test_what_fails_or_is_given_up_leaves_nothing(store: Store, statement: ClauseElement) -> None:
    values = {"at": 1.0, "actor": "ann", "subject": "e0", "action": "x"}
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        if statement.is_insert:  # type: ignore[attr-defined]
            Prepared(statement).run(tx, values)
        else:
            Prepared(statement).run(tx, {"score": 0.5})
        raise ZeroDivisionError
    with store.read() as tx:
        assert tx.execute(select(JOBS.c.id).where(JOBS.c.score == 0.5)).all() == []
        assert tx.execute(select(schema.events.c.id).where(schema.events.c.action == "x")).all() == []
