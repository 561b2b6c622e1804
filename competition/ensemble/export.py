"""A folder that predicts without comp: the models, how to use them, and a program that does it."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from competition.config import owncode
from competition.config.experiment import Config, Determinism
from competition.config.settings import Settings
from competition.data.parallel import Progress, StepProgress, of_step
from competition.ensemble.blend import Count, Weight, counts_at_all, of_models, weighting_of
from competition.ensemble.methods import Method
from competition.ensemble.postprocess import Postprocessing
from competition.ensemble.source import find_source
from competition.ensemble.thresholds import with_factors
from competition.errors import CompError, DataError, retry_hint
from competition.experiments import snapshot
from competition.files import replacing_folder, sha256_of, write_json, write_text
from competition.paths import JobPaths
from competition.store import experiments
from competition.store.engine import Store

PACKAGES = ("torch", "segmentation-models-pytorch", "numpy", "pillow", "timm", "safetensors", "torchvision")
"""What predict.py imports; torchvision comes with them, and decides what a model computes as they do."""

_PREDICT = Path(__file__).with_name("exported") / "predict.py"


@dataclass(frozen=True)
class ExportPaths:
    """The files of a folder that `comp export` writes."""

    folder: Path

    @property
    def config(self) -> Path:
        """Everything that `predict.py` must know beside the weights."""
        return self.folder / "config.json"

    @property
    def predict(self) -> Path:
        """The program."""
        return self.folder / "predict.py"

    @property
    def requirements(self) -> Path:
        """The packages that it needs, in the versions that were installed."""
        return self.folder / "requirements.txt"

    def code(self, name: str) -> Path:
        """The folder of the team's own modules (`model.target`) that an experiment was trained with."""
        return self.folder / "code" / name

    def model(self, name: str, fold: int) -> Path:
        """The weights of one fold of an experiment."""
        return self.folder / "models" / f"{name}-fold{fold}.safetensors"


@dataclass(frozen=True)
class Trained:
    """An experiment whose models are to be exported.

    Args:
        jobs: its folds, in order.
        code: the folder that its jobs imported the team's own code from.
    """

    name: str
    config: Config
    jobs: Sequence[JobPaths]
    code: Path

    @property
    def module(self) -> str | None:
        """The module of `model.target`; None where the model is one of the library's."""
        target = self.config.model.target
        return None if target is None else target.partition(":")[0]


@dataclass(frozen=True)
class Exported:
    """What was written: models, their bytes, and the packages that predict.py needs (`name==version`)."""

    models: int
    bytes: int
    requirements: tuple[str, ...]


def export_source(
    store: Store, settings: Settings, source: str, target: Path, *, progress: StepProgress | None = None
) -> Exported:
    """Write the models of an ensemble or experiment, and a program that predicts with them, to `target`.

    Raises:
        UnknownNameError: there is no ensemble or experiment called `source`.
        CompError, DataError, ConfigError: see `export`.
    """
    blend = find_source(store, settings, source).blend
    trained = [
        Trained(
            experiment.name,
            experiments.find(store, experiment.name).config,
            [store.paths.job(experiment.name, fold) for fold in range(len(experiment.oof))],
            snapshot.folder_of(store.paths, experiment.name),
        )
        for experiment in blend.experiments
    ]
    return export(
        target,
        trained,
        blend.weights,
        method=blend.method,
        classes=settings.classes,
        postprocessing=blend.postprocessing,
        progress=of_step(progress, "Copying models"),
    )


def export(
    target: Path,
    trained: Sequence[Trained],
    weights: Mapping[str, Weight],
    *,
    method: Method,
    classes: Sequence[str],
    postprocessing: Postprocessing | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write the folder `target`: whole, or not at all.

    Experiments and models that count for nothing are left out.

    Args:
        weights: by experiment, as the ensemble has them.

    Raises:
        CompError: there is something in `target` already.
        DataError: a model, or the record of how it was trained, is missing or has changed.
        ConfigError: own code has changed since it was trained.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CompError(f"{target} exists already, and is not empty.", hint="Name a folder that is not there yet.")
    weighting = weighting_of([weights[each.name] for each in trained])
    if postprocessing is not None:
        weighting = with_factors(weighting, postprocessing.factor)
    counts = of_models(weighting, [len(each.jobs) for each in trained])
    folds = [(each, fold) for each in trained for fold in range(len(each.jobs))]
    counted = [(*pair, count) for pair, count in zip(folds, counts, strict=True) if counts_at_all(count)]
    with replacing_folder(target) as folder:
        paths = ExportPaths(folder)
        packages = _copy_code(paths, {each.name: each for each, _, _ in counted}.values())
        described = [_describe(paths, each, fold, count) for each, fold, count in counted]
        for done, ((each, fold, _), description) in enumerate(zip(counted, described, strict=True), start=1):
            file = folder / description["file"]
            file.parent.mkdir(exist_ok=True)
            shutil.copyfile(each.jobs[fold].model, file)
            if progress is not None:
                progress(done, len(counted))
        requirements = [f"{name}=={version(name).partition('+')[0]}" for name in dict.fromkeys((*PACKAGES, *packages))]
        config = {
            "classes": list(classes),
            "method": str(method),
            "postprocessing": None if postprocessing is None else postprocessing.to_json(classes),
            "models": described,
        }
        write_json(paths.config, config)
        write_text(paths.requirements, "\n".join(requirements) + "\n")
        shutil.copyfile(_PREDICT, paths.predict)
    size = sum(each.jobs[fold].model.stat().st_size for each, fold, _ in counted)
    return Exported(len(counted), size, tuple(requirements))


def _copy_code(paths: ExportPaths, trained: Iterable[Trained]) -> list[str]:
    """Copy the own code that each experiment was trained with; the installed packages that the rest comes from.

    Raises:
        ConfigError: the module of a `model.target` is not the file that it was.
    """
    packages: set[str] = set()
    for each in trained:
        if each.module is not None:
            owncode.check_pinned(str(each.config.model.target), each.code, what="model.target")
            snapshot.take({each.module}, root=each.code, folder=paths.code(each.name))
            if not paths.code(each.name).is_dir():
                packages.update(packages_distributions().get(each.module.partition(".")[0], []))
    return sorted(packages)


def _describe(paths: ExportPaths, trained: Trained, fold: int, count: Count) -> dict[str, Any]:
    """What predict.py must know of a model; its file is checked on the way."""
    config, job = trained.config, trained.jobs[fold]
    again = retry_hint(trained.name, fold)
    try:
        record = json.loads(job.record.read_text(encoding="utf-8"))
        kept = json.loads(job.result.read_text(encoding="utf-8"))["artifacts"][job.model.name]
        with safe_open(job.model, framework="numpy") as file:
            normalisation = json.loads((file.metadata() or {})["normalisation"])
        computed = {"device": record["device_type"], "precision": record["precision"], "threads": record["threads"]}
    except FileNotFoundError as error:
        raise DataError(
            f"{error.filename or job.model} is missing, and {trained.name} needs it.", hint=again
        ) from error
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise DataError(f"{job.folder} does not say how its model was trained: {error}.", hint=again) from error
    if sha256_of(job.model) != kept:
        raise DataError(f"{job.model} has other contents than when it was trained.", hint=again)
    code = paths.code(trained.name)
    return {
        "file": str(paths.model(trained.name, fold).relative_to(paths.folder)),
        "weight": count,
        "target": None if config.model.target is None else config.model.target.partition("@")[0],
        "architecture": config.model.architecture,
        "encoder": config.model.encoder,
        "normalisation": normalisation,
        "size": config.data.size,
        "train_size": config.train_size,
        "batch_size": config.train.batch_size,
        "deterministic": config.train.deterministic is Determinism.STRICT,
        **config.predict.model_dump(),
        **computed,
        **({"code": str(code.relative_to(paths.folder))} if code.is_dir() else {}),
    }
