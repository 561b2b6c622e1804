"""Versions of the split. The newest is the current one; results on older ones never rank with it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from competition.errors import RefusedError
from competition.store import events, schema
from competition.store.engine import Store
from competition.team.roles import Right


@dataclass(frozen=True)
class SplitVersion:
    """How the images were split; `folds` is the number of fold jobs an experiment has (1 for a hold-out).

    `leaks_allowed` says why the split leaks all the same; None where it does not.
    """

    version: int
    fingerprint: str
    scheme: str
    folds: int
    valid_fraction: float | None
    seed: int
    hash: str
    created_at: float
    leaks_allowed: str | None = None


def current(store: Store) -> SplitVersion | None:
    """The newest version, or None before the first split."""
    versions = every(store)
    return versions[-1] if versions else None


def require_current(store: Store) -> SplitVersion:
    """The newest version.

    Raises:
        RefusedError: the images have not been split yet.
    """
    found = current(store)
    if found is None:
        raise RefusedError(
            "The images are not split into folds yet.",
            hint="`comp split --scheme stratified --folds 5` (or stratified-group where images belong together).",
        )
    return found


def every(store: Store) -> list[SplitVersion]:
    """All versions, oldest first."""
    with store.read() as tx:
        return list(by_version(tx).values())


def by_version(tx: Connection) -> dict[int, SplitVersion]:
    """All versions by number, oldest first, seen by a transaction."""
    rows = tx.execute(select(schema.splits).order_by(schema.splits.c.version))
    return {row.version: SplitVersion(**row._mapping) for row in rows}


def of_version(store: Store, version: int) -> SplitVersion:
    """The split of this version, which exists (every experiment names one)."""
    with store.read() as tx:
        return by_version(tx)[version]


def next_version(store: Store, *, force: bool) -> int:
    """The number that a new split would get.

    Raises:
        RefusedError: experiments stand on the current split and `force` is not given.
    """
    latest = current(store)
    if latest is None:
        return 1
    table = schema.experiments
    with store.read() as tx:
        query = select(func.count()).select_from(table).where(table.c.split_version == latest.version)
        standing = tx.scalar(query) or 0
    if not standing:
        return latest.version
    if not force:
        noun = "experiment stands" if standing == 1 else "experiments stand"
        raise RefusedError(
            f"{standing} {noun} on split v{latest.version}; another split makes their scores incomparable.",
            hint=f"--force starts split v{latest.version + 1}; the old results stay on v{latest.version}.",
        )
    return latest.version + 1


def save(store: Store, split: SplitVersion, *, actor: str) -> None:
    """Make `split` the current version; a version that no experiment stands on is replaced.

    What somebody had to force for it is recorded as an event of its own.
    """
    values = {**split.__dict__, "created_at": time.time()}
    table = schema.splits
    with store.write() as tx:
        for right, why in _forced(split, tx.scalars(select(table.c.version)).all()):
            events.record(tx, actor=actor, subject=f"split v{split.version}", action="forced", why=f"{right}: {why}")
        tx.execute(table.delete().where(table.c.version == split.version))
        tx.execute(insert(table).values(**values))
        what = f"{split.scheme}, {split.folds} folds, seed {split.seed}"
        what += f"; leaks allowed: {split.leaks_allowed}" if split.leaks_allowed else ""
        events.record(tx, actor=actor, subject=f"split v{split.version}", action="split", why=what)


def _forced(split: SplitVersion, known: Sequence[int]) -> Iterator[tuple[Right, str]]:
    """What nobody may do to a split without saying so, and why it was done; `known` are the versions before it."""
    if known and split.version not in known:
        yield Right.REPLACE_SPLIT, f"scores on split v{max(known)} rank with it no more"
    if split.leaks_allowed:
        yield Right.SPLIT_WITH_LEAKS, split.leaks_allowed
