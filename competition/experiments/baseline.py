"""The configuration that experiments start from: the recorded baseline, which baseline.yaml has to agree with."""

from collections.abc import Callable

from competition.config import owncode, weightfile, yamlfile
from competition.config.conditions import conditions_between
from competition.config.experiment import Config, read_config, with_overrides
from competition.config.settings import Settings
from competition.data import pseudo
from competition.errors import CompError, ConfigError, all_problems, together
from competition.files import write_text
from competition.paths import Paths
from competition.store import baselines
from competition.store.baselines import Baseline
from competition.store.engine import Store


def recorded_baseline(store: Store, settings: Settings, member: str, *, version: int | None = None) -> Baseline | None:
    """The baseline that a member's experiments start from, or the one of this version; None before the first."""
    return baselines.of_member(store, settings, member) if version is None else baselines.of_version(store, version)


def current_baseline(store: Store, settings: Settings, member: str, *, version: int | None = None) -> Config:
    """The configuration of the `recorded_baseline`; before the first, that of baseline.yaml.

    Raises:
        ConfigError: baseline.yaml is wrong, or was edited after experiments had started from it.
    """
    recorded = recorded_baseline(store, settings, member, version=version)
    if recorded is not None and recorded.owner is not None:
        return recorded.config
    team = team_baseline(store)
    return recorded.config if recorded else team


def team_baseline(store: Store) -> Config:
    """The newest baseline of the team, which baseline.yaml has to agree with; before the first, baseline.yaml itself.

    Raises:
        ConfigError: baseline.yaml is wrong, or was edited after experiments had started from it.
    """
    newest = baselines.current(store)
    like = None if newest is None else newest.config
    written = pinned(read_config(store.paths.baseline), store.paths, like=like)
    if newest is None:
        return written
    edited = conditions_between(newest.config, written)
    if edited:
        raise ConfigError(
            all_problems(f"baseline.yaml is no longer {newest.name}", [str(c) for c in edited]),
            hint="Run a change as an experiment (`comp run --set KEY=VALUE`), and put the file back with\n"
            "`comp baseline show --yaml > baseline.yaml`.",
        )
    return newest.config


def write_baseline(paths: Paths, config: Config) -> None:
    """Replace baseline.yaml."""
    write_text(paths.baseline, yamlfile.dump(config))


def pinned(config: Config, paths: Paths, *, like: Config | None = None) -> Config:
    """`config` with the hash of each file that it names: the team's own model code, weights, pseudo-labels.

    Args:
        like: the configuration that it started from; a value that is the same there stays unchanged.

    Raises:
        CompError: a file is missing, or changed since it was pinned; all such files are named.
    """
    target, weights, labels = config.model.target, config.model.weights, config.data.pseudo
    pins: list[str] = []
    problems: list[CompError] = []

    def pin(key: str, value: Callable[[], str]) -> None:
        try:
            pins.append(f"{key}={value()}")
        except CompError as problem:
            problems.append(problem)

    if target is not None and not (like and like.model.target == target):
        pin("model.target", lambda: owncode.pinned(target, paths.root, what="model.target"))
    if weightfile.is_file(weights) and not (like and like.model.weights == weights):
        pin("model.weights", lambda: weightfile.pinned(weights, paths.root))
    if labels is not None and not (like and like.data.pseudo == labels):
        pin("data.pseudo", lambda: pseudo.find_pinned(paths, labels).pinned)
    if problems:
        raise together(problems)
    return with_overrides(config, pins)
