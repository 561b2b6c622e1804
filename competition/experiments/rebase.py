"""The same condition once more, on a baseline that has moved on."""

import json

from competition.errors import RefusedError
from competition.experiments.request import RunRequest
from competition.store import baselines
from competition.store.engine import Store
from competition.store.experiments import Experiment


def rebased(store: Store, experiment: Experiment, *, member: str, name: str | None = None) -> RunRequest:
    """The request to run an experiment's condition on the newest baseline of its lineage.

    Of an experiment that started from another one, it is only the condition of its own.

    Raises:
        RefusedError: it has no condition, or the newest baseline is its parent or holds the condition already.
    """
    owner = baselines.of_version(store, experiment.baseline_version).owner
    newest = baselines.current(store, owner)
    assert newest is not None
    if not experiment.conditions:
        raise RefusedError(f"{experiment.name} is a baseline itself, so there is no condition to bring along.")
    if experiment.parent_sha256 == newest.config.sha256:
        raise RefusedError(f"{experiment.name} starts from {newest.name} already, and that is the newest.")
    held = newest.config.leaves()
    missing = [c for c in experiment.conditions if held.get(c.key) != c.new]
    if not missing:
        what = "; ".join(f"{c.key}: {c.new}" for c in experiment.conditions)
        raise RefusedError(f"{newest.name} holds the condition of {experiment.name} already ({what}).")
    return RunRequest(
        member=member,
        name=name or f"{experiment.name}@{newest.name}",
        baseline=newest.version,
        assignments=tuple(f"{c.key}={json.dumps(c.new)}" for c in missing),
        together=experiment.confounded,
        note=f"{experiment.name} on {newest.name}",
    )
