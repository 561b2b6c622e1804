"""The specification that a job's child gets, put together from the database."""

from pathlib import Path

from competition.config.conditions import changes_prediction_only
from competition.config.experiment import repeated
from competition.config.settings import Settings
from competition.experiments import snapshot
from competition.jobspec import JobSpec
from competition.lifecycle import JobKind, JobState
from competition.queue.devices import Device
from competition.store import experiments, splits
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.queue import jobs
from competition.store.queue.attempts import Claim


def claimed_spec(store: Store, settings: Settings, claim: Claim, device: Device) -> JobSpec:
    """The specification of a job that a worker has claimed for a device."""
    experiment = experiments.find(store, claim.experiment)
    return job_spec(
        store,
        settings,
        experiment,
        kind=claim.kind,
        fold=claim.fold,
        repeat=claim.repeat,
        token=claim.token,
        device=device,
        trained=_trained_model(store, experiment, claim),
    )


def job_spec(
    store: Store,
    settings: Settings,
    experiment: Experiment,
    *,
    kind: JobKind,
    fold: int,
    repeat: int = 0,
    token: str,
    device: Device,
    folder: Path | None = None,
    trained: Path | None = None,
) -> JobSpec:
    """One of the experiment's jobs on a device; see `JobSpec`."""
    split = splits.of_version(store, experiment.split_version)
    code = store.paths.experiment_code(experiment.name)
    return JobSpec(
        root=store.paths.root,
        token=token,
        experiment=experiment.name,
        kind=kind,
        fold=fold,
        config=repeated(experiment.config, repeat),
        repeat=repeat,
        settings=snapshot.bound(settings, code),
        code=code if code.is_dir() else None,
        fingerprint=split.fingerprint,
        split_version=split.version,
        split_hash=split.hash,
        device=device.torch_device,
        environment=device.environment,
        folder=folder,
        trained=trained,
    )


def _trained_model(store: Store, experiment: Experiment, claim: Claim) -> Path | None:
    """The parent's weights of the same fold and seed, if the experiment changes only how the model predicts.

    None for a debug job, and if the parent has not trained this fold on this split or its file is gone: the job then
    trains, to the same weights.
    """
    if claim.kind is JobKind.DEBUG or not changes_prediction_only(experiment.conditions):
        return None
    assert experiment.parent_sha256 is not None
    parent = experiments.of_config(store, experiment.parent_sha256, experiment.split_version)
    if parent is None:
        return None
    wanted = (JobKind.FOLD, claim.fold, claim.repeat)
    trained = [j for j in jobs.of_experiment(store, parent.name) if (j.kind, j.fold, j.repeat) == wanted]
    model = store.paths.job(parent.name, claim.fold, claim.repeat).model
    return model if trained and trained[0].state is JobState.SUCCEEDED and model.is_file() else None
