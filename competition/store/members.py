"""Members and the roles they hold or held."""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from competition.errors import RefusedError, UnknownNameError
from competition.store import events, schema
from competition.store.engine import Store
from competition.team.roles import Right, Role, check_right


@dataclass(frozen=True)
class Member:
    """A person and the roles they hold now, in the order of `Role`."""

    id: int
    name: str
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Tenure:
    """Who held a role from when until when (seconds since the epoch; None: still)."""

    member: str
    role: Role
    granted_at: float
    revoked_at: float | None


def everyone(store: Store) -> list[Member]:
    """All members by name, those without a role included."""
    with store.read() as tx:
        return _members(tx)


def find(store: Store, name: str) -> Member:
    """The member called `name`.

    Raises:
        UnknownNameError: nobody is; the members are listed.
    """
    team = everyone(store)
    for member in team:
        if member.name == name:
            return member
    known = [m.name for m in team]
    hint = None if known else "Nobody is assigned yet: `comp assign MEMBER ROLE`"
    raise UnknownNameError.among("member", name, known, hint=hint)


def assign(store: Store, name: str, roles: list[Role], *, actor: str) -> Member:
    """Give `name` the roles (those already held stay as they are); a new name becomes a member."""
    now = time.time()
    with store.write() as tx:
        known = {m.name for m in _members(tx)}
        if name not in known:
            tx.execute(insert(schema.members).values(name=name, joined_at=now))
        member = _named(tx, name)
        for role in dict.fromkeys(roles):
            if role not in member.roles:
                tx.execute(insert(schema.roles).values(member_id=member.id, role=role, granted_at=now))
                events.record(tx, actor=actor, subject=name, action=f"assigned {role}")
        return _named(tx, name)


def remove_role(store: Store, name: str, role: Role, *, actor: str) -> Member:
    """Take a role from a member; the history keeps that it was held.

    Raises:
        UnknownNameError: there is no such member.
        RefusedError: the member does not hold the role.
    """
    member = find(store, name)
    if role not in member.roles:
        held = ", ".join(member.roles) or "no role"
        raise RefusedError(f"{name} does not hold the role {role} (holds {held}).")
    table = schema.roles
    with store.write() as tx:
        tx.execute(
            update(table)
            .where(table.c.member_id == member.id, table.c.role == role, table.c.revoked_at.is_(None))
            .values(revoked_at=time.time())
        )
        events.record(tx, actor=actor, subject=name, action=f"removed {role}")
        return _named(tx, name)


def tenures(store: Store) -> list[Tenure]:
    """Who held which role when, oldest first."""
    query = (
        select(schema.members.c.name, schema.roles)
        .join(schema.roles, schema.roles.c.member_id == schema.members.c.id)
        .order_by(schema.roles.c.granted_at, schema.roles.c.id)
    )
    with store.read() as tx:
        return [Tenure(r.name, Role(r.role), r.granted_at, r.revoked_at) for r in tx.execute(query)]


def require_right(store: Store, member: Member, right: Right, *, force: bool) -> None:
    """Check that the member may; with `force`, a member who may not does it all the same, and it is recorded.

    Raises:
        RefusedError: no role of the member carries the right, and `force` is not given.
    """
    try:
        check_right(member.name, member.roles, right)
    except RefusedError as error:
        if not force:
            raise
        with store.write() as tx:
            events.record(tx, actor=member.name, subject=member.name, action="forced", why=error.message)


def _named(tx: Connection, name: str) -> Member:
    return next(m for m in _members(tx) if m.name == name)


def _members(tx: Connection) -> list[Member]:
    held: dict[int, set[str]] = {}
    for row in tx.execute(select(schema.roles).where(schema.roles.c.revoked_at.is_(None))):
        held.setdefault(row.member_id, set()).add(row.role)
    rows = tx.execute(select(schema.members).order_by(schema.members.c.name))
    return [Member(r.id, r.name, tuple(x for x in Role if x in held.get(r.id, ()))) for r in rows]
