"""What test predictions are made from: an ensemble or an experiment, and its members' probabilities."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from competition.api import Competition
from competition.errors import RefusedError, UnknownNameError

if TYPE_CHECKING:
    from competition.ensemble.blend import Weight
    from competition.ensemble.inputs import BlendedExperiment
    from competition.ensemble.methods import Method
    from competition.ensemble.postprocess import Postprocessing
    from competition.store.experiments import Experiment
    from competition.store.splits import SplitVersion


@dataclass(frozen=True)
class Blend:
    """What makes the test predictions."""

    members: list["BlendedExperiment"]
    weights: Mapping[str, "Weight"]
    method: "Method"
    postprocessing: "Postprocessing | None" = None


@dataclass(frozen=True)
class Source:
    """What is submitted: an ensemble or an experiment, the share of each member, and the score out of fold."""

    name: str
    blend: Blend
    shares: dict[str, float]
    split_version: int
    cv: float | None


def find_source(opened: Competition, name: str) -> Source:
    """The ensemble or experiment called `name`.

    Raises:
        UnknownNameError: there is none.
        RefusedError: an experiment in it is not complete.
        ConfigError: competition.yaml names other classes, say, than those that its experiments ran on.
    """
    from competition.ensemble.methods import Method
    from competition.ensemble.postprocess import Postprocessing
    from competition.experiments.leaderboard import leaderboard
    from competition.store import competition, ensembles, experiments

    competition.check(opened.store, opened.settings)
    blends = {blend.name: blend for blend in ensembles.every(opened.store)}
    if name in blends:
        blend = blends[name]
        done = blend.postprocessing
        cleaning = None if done is None else Postprocessing.from_json(done, opened.settings.classes)
        found = Blend(_members(opened, blend.weights), blend.weights, Method(blend.method), cleaning)
        return Source(name, found, blend.shares, blend.split_version, blend.score)
    if experiments.exists(opened.store, name):
        alone = experiments.find(opened.store, name)
        found = Blend([member_of(opened, alone)], {name: 1.0}, Method.MEAN)
        return Source(name, found, {name: 1.0}, alone.split_version, alone.score)
    known = [*blends, *(row.name for row in leaderboard(opened.store))]
    raise UnknownNameError.among("ensemble or experiment", name, known)


def member_of(opened: Competition, experiment: "Experiment") -> "BlendedExperiment":
    """The probability shards of a complete experiment.

    Raises:
        RefusedError: it is not complete.
    """
    from competition.ensemble.inputs import BlendedExperiment

    if experiment.score is None:
        raise RefusedError(
            f"{experiment.name} is not complete, so some images have no out-of-fold prediction.",
            hint=f"`comp run {experiment.name}` trains the folds that are missing.",
        )
    folds = split_of(opened, experiment).folds
    jobs = [opened.paths.job(experiment.name, fold) for fold in range(folds)]
    test = tuple(job.test for job in jobs) if opened.settings.data.test_images else ()
    return BlendedExperiment(experiment.name, tuple(job.oof for job in jobs), test, opened.settings.classes)


def split_of(opened: Competition, experiment: "Experiment") -> "SplitVersion":
    """The split that an experiment ran on."""
    from competition.store import splits

    return splits.of_version(opened.store, experiment.split_version)


def _members(opened: Competition, names: Iterable[str]) -> "list[BlendedExperiment]":
    from competition.store import experiments

    return [member_of(opened, experiments.find(opened.store, name)) for name in names]
