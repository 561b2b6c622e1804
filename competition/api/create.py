"""A new competition: from folders of images and labels to settings, baseline, manifest and database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from competition.config import yamlfile
from competition.config.experiment import Config, read_config, with_overrides
from competition.config.settings import Settings, read_settings, with_own_metric
from competition.data.index import index_data
from competition.data.manifest import Manifest
from competition.data.parallel import Progress
from competition.data.readers.colors import read_colors
from competition.data.readers.detect import detect
from competition.errors import CompError
from competition.files import write_text
from competition.paths import Paths
from competition.scoring import metrics
from competition.store.competition import set_up
from competition.store.engine import create_store

LARGEST_DEFAULT_SIDE = 512


@dataclass(frozen=True)
class DataFiles:
    """Where images and labels lie. A file that lists images also says where they lie, unless `images` does.

    Args:
        masks: a folder of masks; a `.json` file is taken as `coco`, a `.csv` file as `rle_csv`.
        pairs: a table of images and their masks.
        ignore: a folder of ignore masks, 0 where a pixel counts in no score.
        meta: a table with a row per image.
    """

    images: Path | None = None
    masks: Path | None = None
    pairs: Path | None = None
    rle_csv: Path | None = None
    coco: Path | None = None
    test_images: Path | None = None
    test_coco: Path | None = None
    ignore: Path | None = None
    meta: Path | None = None

    def located(self) -> dict[str, Path | None]:
        """Every path by its key in competition.yaml, those that follow from others filled in.

        Raises:
            CompError: images or labels are missing, or there are several forms of labels.
        """
        labels = self._labels()
        forms = [f"--{key.replace('_', '-')}" for key, path in labels.items() if path]
        if len(forms) > 1 and set(forms) != {"--masks", "--pairs"}:
            raise CompError(
                f"{' and '.join(forms)} are different forms of labels.", hint="Give only the form that you want to use."
            )
        listing = labels["coco"] or labels["pairs"]
        images = self.images or (listing.parent if listing else None)
        if images is None or not forms:
            missing = [*([] if images else ["--images"]), *([] if forms else ["--masks"])]
            raise CompError(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing.",
                hint="`comp init --images DIR --masks DIR --classes FILE`; or --pairs, --rle-csv, --coco for --masks.",
            )
        if labels["pairs"] and not labels["masks"]:
            labels["masks"] = labels["pairs"].parent
        test_images = self.test_images or (images if self.test_coco else None)
        others = {"test_images": test_images, "test_coco": self.test_coco, "ignore": self.ignore, "meta": self.meta}
        return {"images": images, **labels, **others}

    def _labels(self) -> dict[str, Path | None]:
        labels = {"masks": self.masks, "pairs": self.pairs, "rle_csv": self.rle_csv, "coco": self.coco}
        key = {".json": "coco", ".csv": "rle_csv"}.get(self.masks.suffix.lower()) if self.masks else None
        if key is None or labels[key]:
            return labels
        return {**labels, "masks": None, key: self.masks}


@dataclass(frozen=True)
class CreateRequest:
    """A competition to set up.

    Args:
        classes: a text file with a class name per line; None takes the classes from the labels.
        colors: a table of the colours that masks hold for each class.
        reading: other keys of `data` in competition.yaml that say how to read the files.
        size: what the model sees, `HxW`; None takes it from the images.
        assignments: `KEY=VALUE` overrides of the baseline.
    """

    files: DataFiles
    classes: Path | None = None
    colors: Path | None = None
    reading: Mapping[str, object] = field(default_factory=dict)
    name: str | None = None
    void: int | None = None
    metric: str = "miou"
    strategy: str = "shared"
    size: str | None = None
    assignments: Sequence[str] = ()


@dataclass(frozen=True)
class Created:
    """A competition that is set up on this machine; `notes` say what was read from the data without being told."""

    paths: Paths
    settings: Settings
    config: Config
    manifest: Manifest
    notes: tuple[str, ...]


def create(paths: Paths, request: CreateRequest, *, progress: Progress | None = None) -> Created:
    """Index the data and write competition.yaml, baseline.yaml and the database; or write nothing.

    Raises:
        CompError: a file or a value is wrong; every problem is named.
    """
    if paths.competition.is_file():
        raise CompError(
            f"{paths.competition} exists already.",
            hint="`comp init` alone sets it up on this machine; a new competition needs another folder.",
        )
    data = {key: _spelled(path, paths.root) for key, path in request.files.located().items()} | dict(request.reading)
    data["colors"] = None if request.colors is None else read_colors(request.colors)
    given = {key: value for key, value in data.items() if value is not None}
    detected = detect(given, paths.root, classes=_read_classes(request.classes), void=request.void)
    raw: dict[str, object] = {
        "name": request.name or paths.root.name or "competition",
        "classes": detected.classes,
        "void": request.void,
        "metric": request.metric,
        "strategy": request.strategy,
        "data": detected.data,
    }
    settings = yamlfile.build(raw, Settings, source="comp init")
    metrics.check(with_own_metric(settings, paths.root).metric, classes=len(settings.classes))
    overrides = [*([f"data.size={request.size}"] if request.size else []), *request.assignments]
    with_overrides(Config(), overrides)  # a wrong one is an error before the images are read
    indexed = index_data(settings, paths.root, resume_file=paths.index_resume, progress=progress)
    default = with_overrides(Config(), [f"data.size={_default_size(indexed.manifest)}"])
    config = with_overrides(default, overrides)
    _record(indexed.manifest, paths)
    write_text(paths.baseline, yamlfile.dump(config))
    write_text(paths.competition, yamlfile.dump(settings, nulls=False))
    return Created(paths, settings, config, indexed.manifest, (*detected.notes, *indexed.notes))


def set_up_existing(paths: Paths, *, progress: Progress | None = None) -> Created:
    """Index the data of an existing competition.yaml and make the database, as on a teammate's machine.

    Raises:
        CompError: competition.yaml, baseline.yaml or the data are wrong.
    """
    settings, config = read_settings(paths.competition), read_config(paths.baseline)
    indexed = index_data(settings, paths.root, resume_file=paths.index_resume, progress=progress)
    _record(indexed.manifest, paths)
    return Created(paths, settings, config, indexed.manifest, indexed.notes)


def _record(manifest: Manifest, paths: Paths) -> None:
    set_up(create_store(paths), manifest.fingerprint)
    manifest.write(paths.manifest(manifest.fingerprint))


def _default_size(manifest: Manifest) -> str:
    """The median size of the images, scaled to at most 512 on the longer side, in multiples of 32."""
    height = median(item.height for item in manifest.items)
    width = median(item.width for item in manifest.items)
    scale = min(1.0, LARGEST_DEFAULT_SIDE / max(height, width))
    return "x".join(str(max(32, round(side * scale / 32) * 32)) for side in (height, width))


def _spelled(path: Path | None, root: Path) -> str | None:
    """A path as competition.yaml spells it: relative to its folder where it lies inside, else absolute."""
    if path is None:
        return None
    resolved = path.resolve()
    return str(resolved.relative_to(root)) if resolved.is_relative_to(root) else str(resolved)


def _read_classes(path: Path | None) -> list[str] | None:
    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise CompError(f"--classes {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CompError(f"--classes {path} is not a UTF-8 text file.") from error
    return [line.strip() for line in lines if line.strip()]
