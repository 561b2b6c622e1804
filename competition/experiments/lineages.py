"""The family tree: baselines, the experiments that started from them, and promoted experiments."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from competition.experiments.leaderboard import LeaderboardRow, leaderboard
from competition.store import baselines, experiments, splits
from competition.store.baselines import Baseline
from competition.store.engine import Store


@dataclass(frozen=True)
class Node:
    """A configuration: the baselines that have it, the experiment that ran it on this split, and its children."""

    baselines: tuple[str, ...]
    experiment: LeaderboardRow | None
    children: tuple["Node", ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, nested."""
        return {
            "baselines": list(self.baselines),
            "experiment": self.experiment.to_json() if self.experiment else None,
            "children": [child.to_json() for child in self.children],
        }


@dataclass(frozen=True)
class Lineage:
    """The trees of the team's lineage (owner None) or of a member's own; `current` is its newest baseline.

    There is one tree, with the first baseline at its root, unless an experiment in between ran on an older split only.
    """

    owner: str | None
    current: str
    roots: tuple[Node, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp tree --json` prints them."""
        return {"owner": self.owner, "current": self.current, "roots": [root.to_json() for root in self.roots]}


@dataclass(frozen=True)
class _Grown:
    """An experiment with the configurations of itself and its parent, by hash."""

    config: str
    parent: str | None
    row: LeaderboardRow


def lineages(store: Store) -> list[Lineage]:
    """Every lineage, the team's first; experiments of the current split."""
    known, grown = baselines.every(store), _grown(store)
    owners = sorted({b.owner for b in known}, key=lambda owner: (owner is not None, owner or ""))
    return [
        _lineage(owner, [b for b in known if b.owner == owner], [g for g in grown if g.row.lineage == owner])
        for owner in owners
    ]


def _lineage(owner: str | None, own: list[Baseline], grown: list[_Grown]) -> Lineage:
    ran = {g.config: g.row for g in grown}
    named: dict[str, list[str]] = {}
    for baseline in own:
        named.setdefault(baseline.config.sha256, []).append(baseline.name)
    drawn: set[str] = set()

    def node(config: str) -> Node:
        drawn.add(config)
        children = [node(g.config) for g in grown if g.parent == config and g.config not in drawn]
        return Node(tuple(named.get(config, ())), ran.get(config), tuple(children))

    def roots() -> Iterator[Node]:
        """Baselines first; then experiments whose parent is not on this split, the eldest of a family first."""
        orphans = [g.config for g in grown if g.parent not in ran]
        for config in [*named, *orphans, *ran]:
            if config not in drawn:
                yield node(config)

    return Lineage(owner, own[-1].name, tuple(roots()))


def _grown(store: Store) -> list[_Grown]:
    """The experiments of the current split, oldest first."""
    split = splits.current(store)
    if split is None:
        return []
    rows = {row.name: row for row in leaderboard(store)}
    parentage = experiments.parentage(store, split.version)
    return [_Grown(config, parent, rows[name]) for name, config, parent in parentage if name in rows]
