"""The versions of the baselines, in lineages.

b1 is the content of baseline.yaml at the first experiment; it starts the team's lineage. With the strategy
`independent`, a member may start a lineage of their own. Later versions are promoted experiments of the same lineage.
"""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, insert, select

from competition.config.experiment import Config, config_from
from competition.config.settings import Settings, Strategy
from competition.errors import RefusedError
from competition.store import events, schema
from competition.store.engine import Store
from competition.store.members import Member


@dataclass(frozen=True)
class Baseline:
    """A configuration that experiments start from, in the lineage of the member `owner`, or the team's (None)."""

    version: int
    config: Config
    promoted_from: str | None
    owner: str | None
    created_at: float

    @property
    def name(self) -> str:
        """`b1`, `b2`, …"""
        return f"b{self.version}"


def current(store: Store, owner: str | None = None) -> Baseline | None:
    """The newest baseline of the team's lineage, or of the lineage of `owner`; None before the first."""
    return next((b for b in reversed(every(store)) if b.owner == owner), None)


def of_member(store: Store, settings: Settings, member: str) -> Baseline | None:
    """The baseline that a member's experiments start from: their own, if they have one and the strategy allows it."""
    own = current(store, member) if settings.strategy is Strategy.INDEPENDENT else None
    return own or current(store)


def every(store: Store) -> list[Baseline]:
    """All versions of all lineages, oldest first."""
    with store.read() as tx:
        return [_from_row(row) for row in tx.execute(_SELECT)]


def of_version(store: Store, version: int) -> Baseline:
    """The baseline of this version, which exists."""
    return next(b for b in every(store) if b.version == version)


def record_first(store: Store, config: Config, *, actor: str) -> Baseline:
    """Make `config` b1 unless the team's lineage exists; the newest baseline of the team."""
    with store.write() as tx:
        existing = [b for b in map(_from_row, tx.execute(_SELECT)) if b.owner is None]
        return existing[-1] if existing else _add(tx, config, action="baseline", why="from baseline.yaml", actor=actor)


def start(store: Store, config: Config, member: Member) -> Baseline:
    """Make `config` the first baseline of a member's own lineage.

    Raises:
        RefusedError: the member has one already.
    """
    with store.write() as tx:
        own = [b for b in map(_from_row, tx.execute(_SELECT)) if b.owner == member.name]
        if own:
            raise RefusedError(
                f"{member.name} has a lineage already: its baseline is {own[-1].name}.",
                hint="`comp baseline promote EXPERIMENT` moves it forward; `comp tree` shows it.",
            )
        values = {"member_id": member.id, "owner_id": member.id}
        why = f"the lineage of {member.name}"
        return _add(tx, config, action="new lineage", why=why, actor=member.name, **values)


def promote(store: Store, config: Config, *, experiment_id: int, member_id: int, actor: str, forced: bool) -> Baseline:
    """Make an experiment's configuration the next baseline of its lineage."""
    table, experiments = schema.baselines, schema.experiments
    with store.write() as tx:
        origin = select(experiments.c.baseline_version).where(experiments.c.id == experiment_id)
        owner_id = tx.scalar(select(table.c.owner_id).where(table.c.version == origin.scalar_subquery()))
        values = {"promoted_from": experiment_id, "member_id": member_id, "owner_id": owner_id, "forced": int(forced)}
        name = tx.scalar(select(experiments.c.name).where(experiments.c.id == experiment_id))
        action = "forced promotion" if forced else "baseline"
        return _add(tx, config, action=action, why=f"from {name}", actor=actor, **values)


def _add(tx: Connection, config: Config, *, action: str, why: str, actor: str, **values: int | None) -> Baseline:
    table = schema.baselines
    version = (tx.scalar(select(func.max(table.c.version))) or 0) + 1
    row = {
        "version": version,
        "config": config.model_dump(mode="json"),
        "config_sha256": config.sha256,
        "forced": 0,
        "created_at": time.time(),
        **values,
    }
    tx.execute(insert(table).values(row))
    baseline = _from_row(tx.execute(_SELECT.where(table.c.version == version)).one())
    events.record(tx, actor=actor, subject=baseline.name, action=action, why=why)
    return baseline


_SELECT = (
    select(
        schema.baselines, schema.experiments.c.name.label("promoted_name"), schema.members.c.name.label("owner_name")
    )
    .outerjoin(schema.experiments, schema.experiments.c.id == schema.baselines.c.promoted_from)
    .outerjoin(schema.members, schema.members.c.id == schema.baselines.c.owner_id)
    .order_by(schema.baselines.c.version)
)


def _from_row(row: Row[tuple[object, ...]]) -> Baseline:
    config = config_from(row.config, source=f"baseline b{row.version} in the database")
    return Baseline(row.version, config, row.promoted_name, row.owner_name, row.created_at)
