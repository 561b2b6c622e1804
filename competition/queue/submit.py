"""From what somebody asks for to an experiment with its jobs: the rules of comp are kept here."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from competition import yamlfile
from competition.conditions import check_one_condition, conditions_between, default_name
from competition.config import Config, read_config, with_overrides
from competition.errors import ConfigError, RefusedError, all_problems
from competition.files import write_text
from competition.paths import Paths
from competition.queue import snapshot
from competition.settings import Settings
from competition.store import baselines, competition, experiments, members, splits
from competition.store.engine import Store
from competition.store.experiments import Plan, Submitted
from competition.store.splits import SplitVersion


@dataclass(frozen=True)
class Wish:
    """What somebody asked `comp run` for.

    Args:
        parent: the experiment to start from; None for the current baseline.
        assignments: `KEY=VALUE` overrides of the parent's configuration.
        together: why several conditions are changed at once.
        folds: which folds to train; None for all of the split.
        debug_only: run the debug job and no fold.
    """

    member: str
    name: str | None = None
    parent: str | None = None
    assignments: tuple[str, ...] = ()
    together: str | None = None
    folds: tuple[int, ...] | None = None
    seed: int | None = None
    debug_only: bool = False
    note: str = ""


def submit(store: Store, settings: Settings, wish: Wish, *, check_model: Callable[[Config], None]) -> Submitted:
    """Make the experiment that `wish` describes, or name the one that exists with the same configuration.

    Args:
        check_model: raises a CompError if the model cannot be built; asked only where no job has built it yet.

    Raises:
        CompError: a rule forbids it (one condition, unknown fold, changed files, …); nothing has been queued.
    """
    split = _current_split(store)
    folds = _folds(wish, split.folds)
    member = members.find(store, wish.member)
    baseline = current_baseline(store)
    parent = baseline if wish.parent is None else experiments.find(store, wish.parent).config
    config = _changed(parent, wish)
    conditions = conditions_between(parent, config)
    check_one_condition(conditions, together=wish.together)
    if experiments.of_config(store, config.sha256, split.version) is None:
        _check_model_once(store, config, check_model)
    competition.lock(store, settings)
    founded = baselines.found(store, baseline, actor=member.name)
    plan = Plan(
        name=wish.name or default_name(conditions, otherwise=wish.parent or founded.name),
        name_given=wish.name is not None,
        member_id=member.id,
        member=member.name,
        split_version=split.version,
        baseline_version=founded.version,
        config=config,
        parent_sha256=parent.sha256 if conditions else None,
        conditions=conditions,
        confounded=wish.together if len(conditions) > 1 else None,
        note=wish.note,
    )

    def prepare(name: str) -> None:
        write_text(store.paths.experiment_config(name), yamlfile.dump(config))
        code = store.paths.experiment_code(name)
        snapshot.take(snapshot.named_modules(settings), root=store.paths.root, folder=code)

    return experiments.submit(store, plan, folds=folds, prepare=prepare)


def current_baseline(store: Store) -> Config:
    """The baseline that experiments start from now: the newest promoted one, else what baseline.yaml says.

    Raises:
        ConfigError: baseline.yaml is wrong, or was edited after experiments had started from it.
    """
    written = read_config(store.paths.baseline)
    founded = baselines.current(store)
    if founded is None:
        return written
    edited = conditions_between(founded.config, written)
    if edited:
        raise ConfigError(
            all_problems(f"baseline.yaml is no longer {founded.name}", [str(c) for c in edited]),
            hint="Run a change as an experiment (`comp run --set KEY=VALUE`), and put the file back with\n"
            "`comp baseline show --yaml > baseline.yaml`.",
        )
    return founded.config


def write_baseline(paths: Paths, config: Config) -> None:
    """Replace baseline.yaml."""
    write_text(paths.baseline, yamlfile.dump(config))


def _changed(parent: Config, wish: Wish) -> Config:
    assignments = list(wish.assignments)
    if wish.seed is not None:
        assignments.append(f"seed={wish.seed}")
    return with_overrides(parent, assignments)


def _current_split(store: Store) -> SplitVersion:
    split = splits.require_current(store)
    if split.fingerprint != competition.fingerprint(store):
        raise RefusedError(
            f"The data was indexed anew after split v{split.version} was made.", hint="`comp split` splits it again."
        )
    return split


def _folds(wish: Wish, available: int) -> tuple[int, ...]:
    if wish.debug_only:
        return ()
    if wish.folds is None:
        return tuple(range(available))
    for fold in wish.folds:
        if not 0 <= fold < available:
            raise RefusedError(f"There is no fold {fold}: the split has folds 0 to {available - 1}.")
    return tuple(sorted(set(wish.folds)))


def _check_model_once(store: Store, config: Config, check_model: Callable[[Config], None]) -> None:
    """A model that a job has trained already needs no second proof."""
    section = json.dumps(config.model.model_dump(mode="json"), sort_keys=True)
    if section not in experiments.proven_models(store):
        check_model(config)
