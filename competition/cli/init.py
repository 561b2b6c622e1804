"""`comp init`: from folders of images and masks to a competition."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from competition.cli.options import SetOption
from competition.cli.places import places, written
from competition.errors import CompError

if TYPE_CHECKING:
    from competition.config.experiment import Config
    from competition.config.settings import Settings
    from competition.data.manifest import Manifest
    from competition.data.readers.detect import Detected
    from competition.paths import Paths

LARGEST_DEFAULT_SIDE = 512


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(
        epilog="Example: comp init --images images --masks masks --classes classes.txt --void 255 --size 256x320"
    )(init)


def init(
    images: Annotated[Path | None, typer.Option(help="Folder of training images.", show_default=False)] = None,
    masks: Annotated[
        Path | None, typer.Option(help="Folder of masks, same stems; or a COCO JSON or RLE CSV.", show_default=False)
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option(help="Text file: one class name a line; line 1 is value 0.", show_default="from the labels"),
    ] = None,
    test_images: Annotated[Path | None, typer.Option(help="Folder of test images.")] = None,
    void: Annotated[int | None, typer.Option(help="Mask value that counts in no score.")] = None,
    binary: Annotated[
        bool, typer.Option("--binary", help="Masks hold 0 and 255.", show_default="where they do")
    ] = False,
    colors: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Masks hold colours: lines of name,#rrggbb.")
    ] = None,
    tolerance: Annotated[int, typer.Option(metavar="N", help="Take colours so near for a listed one.")] = 0,
    mask_pattern: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Stem of a mask: {stem}_Annotation.", show_default="{stem}")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Columns image, mask (files) and perhaps group.")
    ] = None,
    rle_csv: Annotated[Path | None, typer.Option(metavar="CSV", help="Labels as run lengths.")] = None,
    image_column: Annotated[
        str | None, typer.Option(metavar="COL", help="Its images.", show_default="detected")
    ] = None,
    rle_column: Annotated[str | None, typer.Option(metavar="COL", help="Its runs.", show_default="detected")] = None,
    class_column: Annotated[
        str | None, typer.Option(metavar="COL", help="Its classes.", show_default="detected, or none")
    ] = None,
    coco: Annotated[Path | None, typer.Option(metavar="JSON", help="Labels as COCO annotations.")] = None,
    test_coco: Annotated[Path | None, typer.Option(metavar="JSON", help="COCO list of the test images.")] = None,
    ignore: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A picture per image: where it is 0, nothing counts.")
    ] = None,
    ignore_pattern: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Stem of such a picture.", show_default="{stem}")
    ] = None,
    metric: Annotated[str, typer.Option(help="What ranks: miou, dice, … or package.module:function.")] = "miou",
    group_regex: Annotated[
        str | None, typer.Option(metavar="RE", help="Takes an image's group from its file stem.")
    ] = None,
    meta: Annotated[Path | None, typer.Option(metavar="CSV", help="A row per image, with its group.")] = None,
    group_column: Annotated[str | None, typer.Option(metavar="COL", help="The column of --meta to group by.")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="HxW", help="What the model sees.", show_default="from the images")
    ] = None,
    strategy: Annotated[str, typer.Option(help="shared or independent.")] = "shared",
    name: Annotated[str | None, typer.Option(help="The competition's name.", show_default="the folder's")] = None,
    assignments: SetOption = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="Where to set it up.", show_default="here")] = None,
) -> None:
    """Set up a competition from images and their labels.

    The labels are mask files (--masks, --pairs), run lengths (--rle-csv) or COCO annotations (--coco). Indexes the
    data and writes competition.yaml, baseline.yaml and runs/; or writes nothing and names every problem.

    In a folder that has a competition.yaml (a clone of a team's repository), `comp init` alone indexes its data and
    makes the database.
    """
    from competition.config.settings import read_settings
    from competition.paths import Paths

    paths = Paths((folder or Path.cwd()).resolve())
    labels = {"masks": masks, "pairs": pairs, "rle_csv": rle_csv, "coco": coco}
    if paths.competition.is_file():
        if images or classes or any(labels.values()):
            raise CompError(
                f"{paths.competition} exists already.",
                hint="`comp init` alone sets it up on this machine; a new competition needs another folder.",
            )
        _set_up_existing(paths, read_settings(paths.competition))
        return
    files = {
        **places(images, labels, test_images, test_coco),
        "test_coco": test_coco,
        "ignore": ignore,
        "meta": meta,
    }
    data = {key: written(path, paths.root) for key, path in files.items()} | {
        "binary": binary or None,
        "colors": _read_colors(colors),
        "tolerance": tolerance or None,
        "mask_pattern": mask_pattern,
        "image_column": image_column,
        "rle_column": rle_column,
        "class_column": class_column,
        "ignore_pattern": ignore_pattern,
        "group_column": group_column,
        "group_regex": group_regex,
    }
    detected = _detect(data, paths, _read_classes(classes), void)
    raw: dict[str, object] = {
        "name": name or paths.root.name or "competition",
        "classes": detected.classes,
        "void": void,
        "metric": metric,
        "strategy": strategy,
        "data": detected.data,
    }
    _set_up_new(paths, raw, size=size, assignments=assignments or [], notes=detected.notes)


def _detect(data: dict[str, Any], paths: "Paths", classes: list[str] | None, void: int | None) -> "Detected":
    from competition.data.readers.detect import detect

    given = {key: value for key, value in data.items() if value is not None}
    return detect(given, paths.root, classes=classes, void=void)


def _set_up_new(
    paths: "Paths", raw: dict[str, object], *, size: str | None, assignments: list[str], notes: tuple[str, ...]
) -> None:
    from competition.config import yamlfile
    from competition.config.experiment import Config, with_overrides
    from competition.config.settings import Settings, with_own_metric
    from competition.files import write_text
    from competition.scoring import metrics

    settings = yamlfile.build(raw, Settings, source="comp init")
    metrics.check(with_own_metric(settings, paths.root).metric, classes=len(settings.classes))
    with_overrides(Config(), assignments)
    manifest = _index(settings, paths, notes)
    given = [] if size is None else [f"data.size={size}"]
    default = with_overrides(Config(), [f"data.size={_default_size(manifest)}"])
    config = with_overrides(default, [*given, *assignments])
    _keep(manifest, paths)
    write_text(paths.baseline, yamlfile.dump(config))
    write_text(paths.competition, yamlfile.dump(settings, nulls=False))
    _report(settings, manifest, config, paths)


def _set_up_existing(paths: "Paths", settings: "Settings") -> None:
    from competition.config.experiment import read_config

    config = read_config(paths.baseline)
    manifest = _index(settings, paths, ())
    _keep(manifest, paths)
    _report(settings, manifest, config, paths)


def _index(settings: "Settings", paths: "Paths", notes: tuple[str, ...]) -> "Manifest":
    """Look at everything; what was understood without being said is said here."""
    from competition.cli.show import output
    from competition.data.index import index_data

    with output.progress_bar("Indexing images") as progress:
        indexed = index_data(settings, paths.root, journal=paths.index_journal, progress=progress)
    for note in (*notes, *indexed.notes):
        output.say(note)
    return indexed.manifest


def _keep(manifest: "Manifest", paths: "Paths") -> None:
    from competition.store.competition import set_up
    from competition.store.engine import create_store

    store = create_store(paths)
    set_up(store, manifest.fingerprint)
    manifest.write(paths.manifest(manifest.fingerprint))


def _report(settings: "Settings", manifest: "Manifest", config: "Config", paths: "Paths") -> None:
    from competition.cli.show import output

    total = sum(sum(item.pixels) for item in manifest.items)
    table = output.table("class", "pixels", "images", right=("pixels", "images"))
    for index, name in enumerate(settings.classes):
        pixels = sum(item.pixels[index] for item in manifest.items)
        images = sum(item.pixels[index] > 0 for item in manifest.items)
        output.add_row(table, name, f"{100 * pixels / max(total, 1):.2f} %", images)
    output.out().print(table)
    groups = len({item.group for item in manifest.items if item.group})
    height, width = config.data.size
    facts = f"{len(manifest.items)} labelled images, {len(manifest.test)} test images"
    output.say(f"{facts}{f', {groups} groups' if groups else ''}; the model sees {height}x{width}.")
    output.say(f"Wrote {paths.competition.name}, {paths.baseline.name} and {paths.runs.name}/ in {paths.root}.")
    output.say("Next: `comp assign MEMBER ROLE`, then `comp split`.")


def _default_size(manifest: "Manifest") -> str:
    """The median size of the images, scaled to at most 512 on the longer side, in multiples of 32."""
    from statistics import median

    height = median(item.height for item in manifest.items)
    width = median(item.width for item in manifest.items)
    scale = min(1.0, LARGEST_DEFAULT_SIDE / max(height, width))
    return "x".join(str(max(32, round(side * scale / 32) * 32)) for side in (height, width))


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


def _read_colors(path: Path | None) -> dict[str, str] | None:
    from competition.data.readers.colors import read_colors

    return None if path is None else read_colors(path)
