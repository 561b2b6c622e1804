"""Trained models that serve again: an experiment that changes how they predict does not train them anew."""

from pathlib import Path

from competition.config.conditions import changes_prediction_only
from competition.lifecycle import JobKind, JobState
from competition.store import experiments
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.queue import jobs
from competition.store.queue.attempts import Claim


def trained_model(store: Store, experiment: Experiment, claim: Claim) -> Path | None:
    """The weights of the parent's model of the same fold and seed, if nothing changes but how it predicts.

    None for a debug job, and where the parent has not trained this fold on this split or its file is gone: the job
    then trains, to the same weights.
    """
    if claim.kind is JobKind.DEBUG or not changes_prediction_only(experiment.conditions):
        return None
    assert experiment.parent_sha256 is not None
    parent = experiments.of_config(store, experiment.parent_sha256, experiment.split_version)
    if parent is None:
        return None
    wanted = (JobKind.FOLD, claim.fold, claim.repeat)
    done = [j for j in jobs.of_experiment(store, parent.name) if (j.kind, j.fold, j.repeat) == wanted]
    model = store.paths.job(parent.name, claim.fold, claim.repeat).model
    return model if done and done[0].state is JobState.SUCCEEDED and model.is_file() else None
