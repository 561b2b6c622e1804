"""A folder that predicts without comp: the models, how to use them, and a program that does it."""

import ast
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
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

    @property
    def code(self) -> Path:
        """The folder of the team's own modules (`model.target`)."""
        return self.folder / "code"

    def model(self, name: str, fold: int) -> Path:
        """The weights of one fold of an experiment."""
        return self.folder / "models" / f"{name}-fold{fold}.safetensors"


@dataclass(frozen=True)
class Trained:
    """An experiment whose models are to be exported; `jobs` are its folds, in order."""

    name: str
    config: Config
    jobs: Sequence[JobPaths]


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
        )
        for experiment in blend.experiments
    ]
    return export(
        target,
        trained,
        blend.weights,
        method=blend.method,
        classes=settings.classes,
        root=store.paths.root,
        postprocessing=blend.postprocessing,
        progress=of_step(progress, "Copying models"),
    )


def export(
    target: Path,
    members: Sequence[Trained],
    weights: Mapping[str, Weight],
    *,
    method: Method,
    classes: Sequence[str],
    root: Path,
    postprocessing: Postprocessing | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write the folder `target`: whole, or not at all.

    Members and models that count for nothing are left out.

    Args:
        weights: by member, as the ensemble has them.
        root: the competition's folder, where the team's own code lies.

    Raises:
        CompError: there is something in `target` already.
        DataError: a model, or the record of how it was trained, is missing or has changed.
        ConfigError: own code has changed since it was trained.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CompError(f"{target} exists already, and is not empty.", hint="Name a folder that is not there yet.")
    weighting = weighting_of([weights[m.name] for m in members])
    if postprocessing is not None:
        weighting = with_factors(weighting, postprocessing.factor)
    counts = of_models(weighting, [len(m.jobs) for m in members])
    folds = [(member, fold) for member in members for fold in range(len(member.jobs))]
    counted = [(*pair, count) for pair, count in zip(folds, counts, strict=True) if counts_at_all(count)]
    described = [_describe(member, fold, count) for member, fold, count in counted]
    own = sorted({m.config.model.target for m, _, _ in counted if m.config.model.target is not None})
    for pinned in own:
        owncode.check_pinned(pinned, root, what="model.target")
    requirements = {name: version(name).partition("+")[0] for name in (*PACKAGES, *_packages_of(own, root))}
    listed = tuple(f"{name}=={number}" for name, number in requirements.items())
    with replacing_folder(target) as folder:
        paths = ExportPaths(folder)
        for done, ((member, fold, _), told) in enumerate(zip(counted, described, strict=True), start=1):
            file = paths.model(member.name, fold)
            file.parent.mkdir(exist_ok=True)
            shutil.copyfile(member.jobs[fold].model, file)
            told["file"] = str(file.relative_to(folder))
            if progress is not None:
                progress(done, len(counted))
        for module in _own_modules(own, root):
            copy = paths.code / module.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(module, copy)
        config = {
            "classes": list(classes),
            "method": str(method),
            "postprocessing": None if postprocessing is None else postprocessing.to_json(classes),
            "models": described,
        }
        write_json(paths.config, config)
        write_text(paths.requirements, "\n".join(listed) + "\n")
        shutil.copyfile(_PREDICT, paths.predict)
    return Exported(len(counted), sum(m.jobs[fold].model.stat().st_size for m, fold, _ in counted), listed)


def _describe(member: Trained, fold: int, count: Count) -> dict[str, Any]:
    """What predict.py must know of a model; its file is checked on the way."""
    config, job = member.config, member.jobs[fold]
    again = retry_hint(member.name, fold)
    try:
        record = json.loads(job.record.read_text(encoding="utf-8"))
        kept = json.loads(job.result.read_text(encoding="utf-8"))["artifacts"][job.model.name]
        with safe_open(job.model, framework="numpy") as file:
            normalisation = json.loads((file.metadata() or {})["normalisation"])
        computed = {"device": record["device_type"], "precision": record["precision"], "threads": record["threads"]}
    except FileNotFoundError as error:
        raise DataError(f"{error.filename or job.model} is missing, and {member.name} needs it.", hint=again) from error
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise DataError(f"{job.folder} does not say how its model was trained: {error}.", hint=again) from error
    if sha256_of(job.model) != kept:
        raise DataError(f"{job.model} has other contents than when it was trained.", hint=again)
    return {
        "file": "",
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
    }


def _own_modules(targets: Sequence[str], root: Path) -> list[Path]:
    """The files in `root` that the team's own models are made of: their modules, and what these import from there."""
    found: dict[Path, None] = {}
    names = [target.partition(":")[0] for target in targets]
    waiting = [(file, name) for name in names for file in _files_of(name, root)]
    while waiting:
        path, module = waiting.pop()
        if path not in found:
            found[path] = None
            names = [*_parents(module), *_imported(path, module)]
            waiting += [(file, name) for name in names for file in _files_of(name, root)]
    return sorted(found)


def _imported(path: Path, module: str) -> Iterator[str]:
    """The dotted names that a module may import; some are no modules but what is in them."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            yield from (*_parents(name), name)


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _files_of(module: str, root: Path) -> list[Path]:
    inside = root.joinpath(*module.split("."))
    return [file for file in (inside.with_suffix(".py"), inside / "__init__.py") if file.is_file()]


def _packages_of(targets: Sequence[str], root: Path) -> list[str]:
    """The installed packages that own models come from, where they do not lie in `root`."""
    modules = [target.partition(":")[0] for target in targets]
    outside = [module for module in modules if not _files_of(module, root)]
    owners = packages_distributions() if outside else {}
    return sorted({name for module in outside for name in owners.get(module.partition(".")[0], [])})
