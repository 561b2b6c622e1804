"""What test predictions are made from: an ensemble or a single experiment, and the probabilities behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from competition.config.settings import Settings
from competition.ensemble.blend import Weight
from competition.ensemble.inputs import BlendedExperiment
from competition.ensemble.methods import Method
from competition.ensemble.postprocess import Postprocessing
from competition.errors import RefusedError, UnknownNameError
from competition.store import competition, ensembles, experiments, splits
from competition.store.engine import Store
from competition.store.experiments import Experiment


@dataclass(frozen=True)
class Blend:
    """What makes test predictions: experiments, the weight of each by its name, and what is done with them."""

    experiments: Sequence[BlendedExperiment]
    weights: Mapping[str, Weight]
    method: Method = Method.MEAN
    postprocessing: Postprocessing | None = None


@dataclass(frozen=True)
class Source:
    """An ensemble or an experiment.

    Args:
        shares: the share of each experiment in the whole blend; they sum to 1.
        cv: the out-of-fold score, a fraction.
    """

    name: str
    blend: Blend
    shares: dict[str, float]
    split_version: int
    cv: float | None


def find_source(store: Store, settings: Settings, name: str) -> Source:
    """The ensemble called `name`, else the experiment.

    Raises:
        UnknownNameError: there is none.
        RefusedError: an experiment in it is not complete.
        ConfigError: competition.yaml was changed since its experiments ran (other classes, say).
    """
    competition.check(store, settings)
    known = {ensemble.name: ensemble for ensemble in ensembles.every(store)}
    if name in known:
        return _of_ensemble(store, settings, known[name])
    if experiments.exists(store, name):
        alone = experiments.find(store, name)
        blend = Blend([stored_experiment(store, settings, alone)], {name: 1.0})
        return Source(name, blend, {name: 1.0}, alone.split_version, alone.score)
    raise UnknownNameError.among("ensemble or experiment", name, [*known, *experiments.names(store)])


def stored_experiment(store: Store, settings: Settings, experiment: Experiment) -> BlendedExperiment:
    """The probability shards of a complete experiment.

    Raises:
        RefusedError: it is not complete.
    """
    if experiment.score is None:
        raise RefusedError(
            f"{experiment.name} is not complete, so some images have no out-of-fold prediction.",
            hint=f"`comp run {experiment.name}` trains the folds that are missing.",
        )
    folds = splits.of_version(store, experiment.split_version).folds
    jobs = [store.paths.job(experiment.name, fold) for fold in range(folds)]
    test = tuple(job.test for job in jobs) if settings.data.test_images else ()
    return BlendedExperiment(experiment.name, tuple(job.oof for job in jobs), test, settings.classes)


def _of_ensemble(store: Store, settings: Settings, ensemble: ensembles.Ensemble) -> Source:
    blended = [stored_experiment(store, settings, experiments.find(store, name)) for name in ensemble.weights]
    stored = ensemble.postprocessing
    postprocessing = None if stored is None else Postprocessing.from_json(stored, settings.classes)
    blend = Blend(blended, ensemble.weights, Method(ensemble.method), postprocessing)
    return Source(ensemble.name, blend, ensemble.shares, ensemble.split_version, ensemble.score)
