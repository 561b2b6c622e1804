"""From what somebody asks for to an experiment with its jobs: the rules of comp are kept here."""

from collections.abc import Callable
from dataclasses import dataclass

from competition.config import owncode, trackers, weightfile, yamlfile
from competition.config.conditions import check_effects, check_one_condition, conditions_between, default_name
from competition.config.experiment import OF_EXPERIMENT, Config, read_config, with_contents, with_overrides
from competition.config.settings import Settings
from competition.data import pseudo
from competition.data.rarity import class_indices
from competition.errors import ConfigError, RefusedError, all_problems
from competition.experiments import snapshot
from competition.files import sha256_of, write_text
from competition.names import check_name
from competition.paths import Paths
from competition.store import artifacts, baselines, competition, experiments, members, plans, splits
from competition.store.baselines import Baseline
from competition.store.engine import Store
from competition.store.plans import Plan, Submitted
from competition.store.splits import SplitVersion


@dataclass(frozen=True)
class RunRequest:
    """One call of `comp run`: the parent, the changes, the folds and the seeds.

    Args:
        parent: the experiment to start from; None for the member's current baseline.
        baseline: the version of the baseline to start from instead.
        assignments: `KEY=VALUE` overrides of the parent's configuration.
        together: why several conditions are changed at once.
        folds: which folds to train; None for all of the split.
        seeds: with how many seeds to train each fold; the first is the configuration's own.
        debug_only: run the debug job and no fold.
    """

    member: str
    name: str | None = None
    parent: str | None = None
    baseline: int | None = None
    assignments: tuple[str, ...] = ()
    together: str | None = None
    folds: tuple[int, ...] | None = None
    seed: int | None = None
    seeds: int = 1
    debug_only: bool = False
    note: str = ""


def submit(
    store: Store, settings: Settings, request: RunRequest, *, check_model: Callable[[Config], None]
) -> Submitted:
    """Make the experiment that `request` describes, or name the one that exists with the same configuration.

    Args:
        check_model: raises a CompError if the model cannot be built; asked only where no job has built it yet.

    Raises:
        CompError: a rule forbids it (one condition, unknown fold, changed files, …); nothing has been queued.
    """
    if request.name is not None:
        check_name("an experiment", request.name)
    split = _current_split(store)
    folds = _folds(request, split.folds)
    member = members.find(store, request.member)
    started_from = None if request.parent is None else experiments.find(store, request.parent)
    baseline = current_baseline(store, settings, request)
    parent = started_from.config if started_from else baseline
    config = pinned(with_contents(_changed(parent, request), store.paths.root), store.paths, like=parent)
    conditions = conditions_between(parent, config)
    check_one_condition(conditions, together=request.together)
    check_effects(conditions, parent, config)
    class_indices(config.sampling.rare, settings.classes)
    trackers.require(settings.log)
    _check_class_weights(config, settings)
    _check_source(store, config, split)
    _check_pseudo(store, config, settings, split)
    if experiments.of_config(store, config.sha256, split.version) is None:
        _check_weight_file(store, config)
        _check_model_once(store, config, check_model)
    competition.lock(store, settings)
    founded = _baseline(store, settings, request) or baselines.found(store, baseline, actor=member.name)
    plan = Plan(
        name=request.name or default_name(conditions, otherwise=request.parent or founded.name),
        name_given=request.name is not None,
        member_id=member.id,
        member=member.name,
        split_version=split.version,
        baseline_version=started_from.baseline_version if started_from else founded.version,
        config=config,
        parent_sha256=parent.sha256 if conditions else None,
        conditions=conditions,
        confounded=request.together if len(conditions) > 1 else None,
        note=request.note,
    )

    def prepare(name: str) -> None:
        write_text(store.paths.experiment_config(name), yamlfile.dump(config))
        code = store.paths.experiment_code(name)
        snapshot.take(snapshot.named_modules(settings, config), root=store.paths.root, folder=code)

    return plans.submit(store, plan, folds=folds, seeds=request.seeds, prepare=prepare)


def current_baseline(store: Store, settings: Settings, request: RunRequest) -> Config:
    """What a request starts from unless it names an experiment: the member's baseline, else what baseline.yaml says.

    Raises:
        ConfigError: baseline.yaml is wrong, or was edited after experiments had started from it.
    """
    founded = _baseline(store, settings, request)
    if founded is not None and founded.owner is not None:
        return founded.config
    newest = team_baseline(store)
    return founded.config if founded else newest


def team_baseline(store: Store) -> Config:
    """The newest baseline of the team, which baseline.yaml must agree with; before the first, what baseline.yaml says.

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


def _baseline(store: Store, settings: Settings, request: RunRequest) -> Baseline | None:
    """The baseline that a request is about; None before the first."""
    if request.baseline is not None:
        return baselines.of_version(store, request.baseline)
    return baselines.of_member(store, settings, request.member)


def write_baseline(paths: Paths, config: Config) -> None:
    """Replace baseline.yaml."""
    write_text(paths.baseline, yamlfile.dump(config))


def _changed(parent: Config, request: RunRequest) -> Config:
    assignments = list(request.assignments)
    if request.seed is not None:
        assignments.append(f"seed={request.seed}")
    return with_overrides(parent, assignments)


def _current_split(store: Store) -> SplitVersion:
    split = splits.require_current(store)
    if split.fingerprint != competition.fingerprint(store):
        raise RefusedError(
            f"The data was indexed anew after split v{split.version} was made.", hint="`comp split` splits it again."
        )
    return split


def _folds(request: RunRequest, available: int) -> tuple[int, ...]:
    if request.debug_only:
        return ()
    if request.folds is None:
        return tuple(range(available))
    for fold in request.folds:
        if not 0 <= fold < available:
            raise RefusedError(f"There is no fold {fold}: the split has folds 0 to {available - 1}.")
    return tuple(sorted(set(request.folds)))


def pinned(config: Config, paths: Paths, *, like: Config | None = None) -> Config:
    """With the hashes of the team's own model code, of a file of weights and of the pseudo-labels as they are now.

    Args:
        like: what it started from; a value that is the same there stays as it is.
    """
    target, weights, labels = config.model.target, config.model.weights, config.data.pseudo
    pins = []
    if target is not None and not (like and like.model.target == target):
        pins.append(f"model.target={owncode.pinned(target, paths.root, what='model.target')}")
    if weightfile.is_file(weights) and not (like and like.model.weights == weights):
        pins.append(f"model.weights={weightfile.pinned(weights, paths.root)}")
    if labels is not None and not (like and like.data.pseudo == labels):
        pins.append(f"data.pseudo={pseudo.find_pinned(paths, labels).pinned}")
    return with_overrides(config, pins)


def _check_weight_file(store: Store, config: Config) -> None:
    """One fold's model is no start for all folds: it has seen what the others validate on."""
    if not weightfile.is_file(config.model.weights):
        return
    path = weightfile.located(config.model.weights, store.paths.root)
    owner = artifacts.owner(store, sha256_of(path))
    if owner is not None:
        raise RefusedError(
            f"model.weights={config.model.weights}: that file is the model of {owner[0]}, {owner[1]}. As the start of "
            "every fold, it would have seen what other folds validate on.",
            hint=f"--set model.weights={OF_EXPERIMENT}{owner[0]} starts each fold from the model of the same fold.",
        )


def _check_source(store: Store, config: Config, split: SplitVersion) -> None:
    """Each fold starts from the same fold of another experiment, so that one must have them all, on this split."""
    if not config.model.weights.startswith(OF_EXPERIMENT):
        return
    source = experiments.find(store, config.model.weights.removeprefix(OF_EXPERIMENT))
    if source.split_version != split.version:
        raise RefusedError(
            f"model.weights={config.model.weights}: {source.name} was trained on split v{source.split_version}, and "
            f"this is v{split.version}: its models have seen images that this split validates on.",
            hint="Take an experiment on the same split; `comp leaderboard` lists them.",
        )
    missing = [k for k in range(split.folds) if not store.paths.job(source.name, k).model.is_file()]
    if missing:
        raise RefusedError(
            f"model.weights={config.model.weights}: {source.name} has no model of fold {', '.join(map(str, missing))}.",
            hint=f"`comp run {source.name}` trains what is missing.",
        )


def _check_pseudo(store: Store, config: Config, settings: Settings, split: SplitVersion) -> None:
    """Each fold trains on labels from models that never saw its validation images, which another split deals anew."""
    if config.data.pseudo is None:
        return
    facts = pseudo.find_pinned(store.paths, config.data.pseudo).facts
    if (facts.fingerprint, facts.split_hash, facts.classes) != (split.fingerprint, split.hash, settings.classes):
        raise RefusedError(
            f"data.pseudo={config.data.pseudo}: the models that gave these labels ran on other data or another split "
            f"than v{split.version}, so they have seen images that it validates on.",
            hint="Make a set from experiments on this split: `comp pseudo ENSEMBLE`.",
        )


def _check_class_weights(config: Config, settings: Settings) -> None:
    given = config.loss.class_weights
    if isinstance(given, tuple) and len(given) != len(settings.classes):
        raise ConfigError(
            f"loss.class_weights has {len(given)} weights, and the competition has {len(settings.classes)} classes: "
            f"{', '.join(settings.classes)}.",
            hint="Give one weight for each class in that order, or let comp find them: loss.class_weights=median.",
        )


def _check_model_once(store: Store, config: Config, check_model: Callable[[Config], None]) -> None:
    """A model that a job has trained already, with the same optimiser, needs no second proof.

    An augmentation that somebody wrote does.
    """
    proven = experiments.model_of(config.model_dump(mode="json")) in experiments.proven_models(store)
    if config.augment.is_own or not proven:
        check_model(config)
