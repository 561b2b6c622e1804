"""The baselines of an opened competition: the current one, a lineage of one's own, and promoting an experiment."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from competition.config.experiment import Config, read_config, with_contents, with_overrides
from competition.config.settings import Strategy
from competition.errors import RefusedError
from competition.experiments.baseline import current_baseline, pinned, write_baseline
from competition.store import baselines, members
from competition.store.baselines import Baseline
from competition.team.roles import Right

if TYPE_CHECKING:
    from competition.api.opened import Competition


@dataclass(frozen=True)
class CurrentBaseline:
    """The configuration that experiments start from; `version` is None until an experiment has started from it."""

    config: Config
    version: Baseline | None

    @property
    def name(self) -> str:
        """`b1`, `b2`, …"""
        return self.version.name if self.version else "b1"


def current(opened: "Competition", member: str | None = None) -> CurrentBaseline:
    """The baseline of the team, or that of a member who has one."""
    version = baselines.of_member(opened.store, opened.settings, member) if member else baselines.current(opened.store)
    return CurrentBaseline(version.config if version else read_config(opened.paths.baseline), version)


def start_lineage(
    opened: "Competition", member: str, *, assignments: Sequence[str] = (), file: Path | None = None
) -> Baseline:
    """Start a lineage of a member's own; its first baseline.

    Args:
        assignments: `KEY=VALUE` overrides.
        file: a whole configuration; None starts from the team's baseline.

    Raises:
        RefusedError: the strategy is shared, or the member has a lineage already.
    """
    person = members.find(opened.store, member)
    if opened.settings.strategy is not Strategy.INDEPENDENT:
        raise RefusedError(
            "The strategy is shared: the whole team moves one baseline forward.",
            hint="`comp baseline promote EXPERIMENT`. Lineages need `strategy: independent` in competition.yaml.",
        )
    team = current_baseline(opened.store, opened.settings, person.name)
    config = with_overrides(read_config(file) if file else team, list(assignments))
    config = pinned(with_contents(config, opened.paths.root), opened.paths, like=team)
    if baselines.current(opened.store, person.name) is None:
        baselines.record_first(opened.store, team, actor=person.name)
    return baselines.start(opened.store, config, person)


def promote(opened: "Competition", name: str, *, member: str, force: bool = False) -> Baseline:
    """Make a complete experiment the next baseline of its lineage; baseline.yaml follows the team's.

    Args:
        force: promote it although the member may not, or it is not complete; that is recorded.

    Raises:
        RefusedError: it is the baseline already, is not complete, or the member may not promote it.
    """
    experiment, person = opened.experiment(name), members.find(opened.store, member)
    owner = baselines.of_version(opened.store, experiment.baseline_version).owner
    newest = baselines.current(opened.store, owner)
    if newest is not None and newest.config == experiment.config:
        raise RefusedError(f"{name} is the baseline already ({newest.name}).")
    if owner != person.name:
        members.require_right(opened.store, person, Right.PROMOTE_BASELINE, force=force)
    if experiment.score is None and not force:
        raise RefusedError(
            f"{name} is not complete, so it is not known whether it is better.",
            hint=f"`comp run {name}` finishes it; --force promotes it as it is.",
        )
    promoted = baselines.promote(
        opened.store,
        experiment.config,
        experiment_id=experiment.id,
        member_id=person.id,
        actor=person.name,
        forced=force,
    )
    if promoted.owner is None:
        write_baseline(opened.paths, promoted.config)
    return promoted
