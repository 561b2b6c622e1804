"""Resolving a request: reads from the database and from files everything that the rules need."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from competition.config import trackers, weightfile
from competition.config.conditions import Condition, conditions_between
from competition.config.experiment import OF_EXPERIMENT, Config, with_contents, with_overrides
from competition.config.settings import Settings
from competition.data import pseudo
from competition.errors import CompError, StoreError
from competition.experiments.baseline import current_baseline, pinned, recorded_baseline
from competition.files import sha256_of
from competition.store import artifacts, competition, experiments, members, splits
from competition.store.baselines import Baseline
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.members import Member
from competition.store.splits import SplitVersion

if TYPE_CHECKING:
    from competition.experiments.request import RunRequest

Found = TypeVar("Found")


@dataclass(frozen=True)
class Source:
    """The experiment whose models are the start of each fold (`model.weights=experiment:NAME`)."""

    name: str
    split_version: int
    missing_folds: tuple[int, ...]


@dataclass(frozen=True)
class Facts:
    """Facts about the competition and its files that the rules need, in addition to the configuration.

    Args:
        fingerprint: of the data as it is indexed now.
        is_new: whether no experiment on this split has the configuration.
        needs_model_check: whether the model is to be built once before anything is queued: no job has trained one
            like it with the same optimiser and views, or somebody wrote the augmentation.
        name_is_taken: whether the name asked for belongs to another experiment.
        source: the experiment that the models start from, if the configuration names one.
        pseudo: the facts of its set of pseudo-labels, if it names one.
        weights_owner: experiment and job that left the file of weights that it names, if any did.
        problems: files, sets and experiments that the request names and that are missing, damaged or changed.
    """

    fingerprint: str
    is_new: bool
    needs_model_check: bool
    name_is_taken: bool
    source: Source | None
    pseudo: pseudo.PseudoFacts | None
    weights_owner: tuple[str, str] | None
    problems: tuple[CompError, ...]


@dataclass(frozen=True)
class Candidate:
    """A request with everything that it refers to; the rules check it, and the plan is made from it.

    Args:
        baseline: the recorded baseline of the member, or the one that the request names; None before the first.
        started_from: the experiment that it starts from; None if it starts from the baseline.
        parent: the configuration of that experiment or baseline.
    """

    request: "RunRequest"
    settings: Settings
    member: Member
    split: SplitVersion
    baseline: Baseline | None
    started_from: Experiment | None
    parent: Config
    config: Config
    conditions: tuple[Condition, ...]
    facts: Facts


def resolve(store: Store, settings: Settings, request: "RunRequest") -> Candidate:
    """Look up what a request refers to.

    Raises:
        CompError: there is no split, an unknown member or parent, a wrong `KEY=VALUE`, or an edited baseline.yaml.
    """
    split = splits.require_current(store)
    member = members.find(store, request.member)
    started_from = None if request.parent is None else experiments.find(store, request.parent)
    baseline = recorded_baseline(store, settings, member.name, version=request.baseline)
    current = current_baseline(store, settings, member.name, version=request.baseline)
    parent = started_from.config if started_from else current
    changed = with_contents(_changed(parent, request), store.paths.root)
    look_up = _LookUp()
    exact = look_up(lambda: pinned(changed, store.paths, like=parent))
    config = exact or changed
    return Candidate(
        request=request,
        settings=settings,
        member=member,
        split=split,
        baseline=baseline,
        started_from=started_from,
        parent=parent,
        config=config,
        conditions=conditions_between(parent, config),
        facts=_facts(store, settings, request, split, config, look_up, has_files=exact is not None),
    )


def _changed(parent: Config, request: "RunRequest") -> Config:
    seed = [] if request.seed is None else [f"seed={request.seed}"]
    return with_overrides(parent, [*request.assignments, *seed])


@dataclass
class _LookUp:
    """Looks things up, and collects the problems instead of raising the first."""

    problems: list[CompError] = field(default_factory=list)

    def __call__(self, get: Callable[[], Found]) -> Found | None:
        """The result of `get`; None if it raised, which adds a problem."""
        try:
            return get()
        except StoreError:
            raise  # the database failed, not the request
        except CompError as problem:
            self.problems.append(problem)
            return None


def _facts(
    store: Store,
    settings: Settings,
    request: "RunRequest",
    split: SplitVersion,
    config: Config,
    look_up: _LookUp,
    *,
    has_files: bool,
) -> Facts:
    """`has_files` is False if a file that the configuration names is missing, which is a problem already."""
    is_new = experiments.of_config(store, config.sha256, split.version) is None
    weights, labels = config.model.weights, config.data.pseudo
    source = labels_found = owner = None
    if weights.startswith(OF_EXPERIMENT):
        source = look_up(lambda: _source(store, weights, split))
    if has_files and labels is not None:
        labels_found = look_up(lambda: pseudo.find_pinned(store.paths, labels).facts)
    if has_files and is_new and weightfile.is_file(weights):
        owner = look_up(lambda: artifacts.owner(store, sha256_of(weightfile.located(weights, store.paths.root))))
    look_up(lambda: competition.check(store, settings))
    return Facts(
        fingerprint=competition.fingerprint(store),
        is_new=is_new,
        needs_model_check=is_new and (config.augment.is_own or not experiments.is_proven(store, config)),
        name_is_taken=is_new and has_files and request.name is not None and experiments.exists(store, request.name),
        source=source,
        pseudo=labels_found,
        weights_owner=owner,
        problems=(*look_up.problems, *trackers.not_installed(settings.log)),
    )


def _source(store: Store, weights: str, split: SplitVersion) -> Source:
    source = experiments.find(store, weights.removeprefix(OF_EXPERIMENT))
    missing = (k for k in range(split.folds) if not store.paths.job(source.name, k).model.is_file())
    return Source(source.name, source.split_version, tuple(missing))
