"""Ensembles: their members' weights and the score they were given."""

import time
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from sqlalchemy import insert, select

from competition.store import events, schema
from competition.store.engine import Store


@dataclass(frozen=True)
class Ensemble:
    """A blend of experiments; `weights` sum to 1, `score` is cross-fitted where weights were fitted.

    A member has one weight, or one for each class. `postprocessing` says by class what is done to label maps; None for
    nothing.
    """

    name: str
    split_version: int
    method: str
    weights: dict[str, float | list[float]]
    score: float
    created_at: float
    postprocessing: dict[str, Any] | None = None

    @property
    def shares(self) -> dict[str, float]:
        """Each member's share of the whole blend: the mean over the classes where each has its own."""
        return {name: fmean(w) if isinstance(w, list) else w for name, w in self.weights.items()}


def save(store: Store, ensemble: Ensemble, *, actor: str) -> None:
    """Record an ensemble; one of the same name is replaced."""
    table = schema.ensembles
    with store.write() as tx:
        tx.execute(table.delete().where(table.c.name == ensemble.name))
        tx.execute(insert(table).values(**{**ensemble.__dict__, "created_at": time.time()}))
        members = ", ".join(f"{name} {share:.2f}" for name, share in ensemble.shares.items())
        events.record(tx, actor=actor, subject=ensemble.name, action=f"ensemble {ensemble.method}", why=members)


def every(store: Store) -> list[Ensemble]:
    """All ensembles, oldest first."""
    table = schema.ensembles
    with store.read() as tx:
        rows = tx.execute(select(table).order_by(table.c.created_at, table.c.id))
        return [
            Ensemble(r.name, r.split_version, r.method, r.weights, r.score, r.created_at, r.postprocessing)
            for r in rows
        ]
