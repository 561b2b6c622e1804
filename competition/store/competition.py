"""The one row that says which data the competition runs on, and whether its settings are locked."""

import time

from sqlalchemy import insert, select, update

from competition.config.settings import Settings
from competition.errors import ConfigError, RefusedError, StoreError, all_problems
from competition.store import schema
from competition.store.engine import Store


def set_up(store: Store, fingerprint: str) -> None:
    """Record the data's fingerprint in the database, which may be new.

    Raises:
        RefusedError: experiments have run on other data.
    """
    table = schema.competition
    with store.write() as tx:
        before = tx.scalar(select(table.c.fingerprint))
        used = tx.scalar(select(schema.experiments.c.id).limit(1)) is not None
        if used and before != fingerprint:
            raise RefusedError(
                f"{store.paths.database} holds experiments on other data ({before}; these are {fingerprint}).",
                hint="Put the old data back, or start another competition in another folder.",
            )
        if before is None:
            tx.execute(insert(table).values(id=1, fingerprint=fingerprint, created_at=time.time()))
        else:
            tx.execute(update(table).values(fingerprint=fingerprint))


def fingerprint(store: Store) -> str:
    """The fingerprint of the data that the competition runs on.

    Raises:
        StoreError: the set-up was broken off.
    """
    with store.read() as tx:
        found = tx.scalar(select(schema.competition.c.fingerprint))
    if found is None:
        raise StoreError(
            f"{store.paths.database} holds no competition: its set-up was broken off.",
            hint=f"Remove {store.paths.database} and run `comp init` there again.",
        )
    return str(found)


def lock(store: Store, settings: Settings) -> None:
    """Make sure that experiments run on the settings that the first experiment ran on; the first locks them.

    Raises:
        ConfigError: competition.yaml has been changed since; each changed key is named.
    """
    now = settings.locked
    table = schema.competition
    with store.write() as tx:
        locked = tx.scalar(select(table.c.locked_settings))
        if locked is None:
            tx.execute(update(table).values(locked_settings=now))
    check(store, settings)


def check(store: Store, settings: Settings) -> None:
    """Make sure that the settings are those that the first experiment ran on, where there is one.

    Raises:
        ConfigError: competition.yaml has been changed since; each changed key is named.
    """
    now = settings.locked
    with store.read() as tx:
        locked = tx.scalar(select(schema.competition.c.locked_settings))
    if locked is None:
        return
    changed = [f"{key}: {locked.get(key)} -> {now[key]}" for key in now if now[key] != locked.get(key)]
    if changed:
        raise ConfigError(
            all_problems("competition.yaml was changed after experiments had run on it", changed),
            hint="Put the old values back, or start another competition in another folder.",
        )
