"""What a job's child needs to know, put together from the database."""

from pathlib import Path

from competition.config.experiment import repeated
from competition.config.settings import Settings
from competition.experiments import snapshot
from competition.jobspec import JobSpec
from competition.lifecycle import JobKind
from competition.queue.devices import Device
from competition.store import splits
from competition.store.engine import Store
from competition.store.experiments import Experiment


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
