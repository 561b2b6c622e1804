"""The versions of the baseline: b1 is what baseline.yaml held at the first experiment, the rest were promoted."""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, Row, insert, select

from competition.config import Config, config_from
from competition.store import events, schema
from competition.store.engine import Store


@dataclass(frozen=True)
class Baseline:
    """A configuration that experiments start from."""

    version: int
    config: Config
    promoted_from: str | None
    created_at: float

    @property
    def name(self) -> str:
        """`b1`, `b2`, …"""
        return f"b{self.version}"


def current(store: Store) -> Baseline | None:
    """The newest baseline, or None before the first experiment."""
    with store.read() as tx:
        return _newest(tx)


def found(store: Store, config: Config, *, actor: str) -> Baseline:
    """Make `config` b1, unless a baseline exists; the current one either way."""
    with store.write() as tx:
        existing = _newest(tx)
        if existing is not None:
            return existing
        return _add(tx, config, version=1, promoted_from=None, member_id=None, actor=actor)


def promote(store: Store, config: Config, *, experiment_id: int, member_id: int, actor: str, forced: bool) -> Baseline:
    """Make an experiment's configuration the next baseline."""
    with store.write() as tx:
        newest = _newest(tx)
        version = newest.version + 1 if newest else 1
        return _add(
            tx,
            config,
            version=version,
            promoted_from=experiment_id,
            member_id=member_id,
            actor=actor,
            forced=forced,
        )


def _add(
    tx: Connection,
    config: Config,
    *,
    version: int,
    promoted_from: int | None,
    member_id: int | None,
    actor: str,
    forced: bool = False,
) -> Baseline:
    tx.execute(
        insert(schema.baselines).values(
            version=version,
            config=config.model_dump(mode="json"),
            config_sha256=config.sha256,
            promoted_from=promoted_from,
            member_id=member_id,
            forced=int(forced),
            created_at=time.time(),
        )
    )
    made = _newest(tx)
    assert made is not None
    why = f"from {made.promoted_from}" if made.promoted_from else "from baseline.yaml"
    events.record(tx, actor=actor, subject=made.name, action="forced promotion" if forced else "baseline", why=why)
    return made


def _newest(tx: Connection) -> Baseline | None:
    table, source = schema.baselines, schema.experiments
    query = (
        select(table, source.c.name.label("promoted_name"))
        .outerjoin(source, source.c.id == table.c.promoted_from)
        .order_by(table.c.version.desc())
        .limit(1)
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else _from_row(row)


def _from_row(row: Row[tuple[object, ...]]) -> Baseline:
    config = config_from(row.config, source=f"baseline b{row.version} in the database")
    return Baseline(row.version, config, row.promoted_name, row.created_at)
