"""`comp split`: which images validate which model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import Competition, open_competition
from competition.cli.options import AsOption, DirOption, ForceOption, JsonOption, actor_name
from competition.errors import CompError, RefusedError, all_problems

if TYPE_CHECKING:
    from competition.data.checks.finding import Finding
    from competition.data.manifest import Manifest
    from competition.data.split.folds import Split


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp split --scheme stratified-group --folds 5")(split)


def split(
    scheme: Annotated[
        str | None,
        typer.Option(
            help="holdout, kfold, stratified, group or stratified-group.",
            show_default="stratified-group with groups, else stratified",
        ),
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="How many folds (hold-out has one).")] = 5,
    valid_fraction: Annotated[float, typer.Option(help="Hold-out: the share of images to validate on.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 42,
    split_column: Annotated[
        str | None, typer.Option(metavar="COL", help="Take the split from this column of data.meta.")
    ] = None,
    folds_csv: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Take it from a file with the columns id and fold.")
    ] = None,
    allow_leaks: Annotated[
        str | None, typer.Option(metavar="REASON", help="Take a split that leaks; the leaderboard shows the reason.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Write the current split to this file; make none.")
    ] = None,
    force: ForceOption = False,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Split the images into folds, once for everybody.

    Images that are alike stay together, and groups do where the scheme is about them. A split that puts on two sides
    what belongs together is refused.
    """
    from competition.cli.image_checks import check_before_split, read_manifest, study_pictures
    from competition.cli.show import output
    from competition.data.split.folds import parse_scheme
    from competition.data.split.make_folds import make_split
    from competition.store import splits

    if allow_leaks is not None and not allow_leaks.strip():
        raise CompError("--allow-leaks needs a reason: the leaderboard shows it forever.")
    opened = open_competition(folder)
    if export is not None:
        _export(opened, export)
        return
    manifest = read_manifest(opened)
    if sum(option is not None for option in (scheme, split_column, folds_csv)) > 1:
        raise CompError("--scheme, --split-column and --folds-csv are three ways to split.", hint="Give one of them.")
    chosen = parse_scheme(scheme or ("stratified-group" if opened.settings.data.has_groups else "stratified"))
    studied = study_pictures(opened, manifest)
    if splits.current(opened.store) is None:
        check_before_split(opened, studied)
    made = _given(opened, manifest, split_column, folds_csv)
    if made is None:
        dealt = make_split(
            manifest,
            studied.alike.labelled,
            scheme=chosen,
            folds=folds,
            valid_fraction=valid_fraction,
            seed=seed,
        )
        made = dealt.split
        if dealt.unevenness():
            output.say(f"Note: {dealt.unevenness()}")
    leaks = studied.leaks(made)
    _refuse(leaks, allow_leaks)
    version = _keep(
        opened,
        manifest,
        made,
        valid_fraction=valid_fraction,
        leaks_allowed=allow_leaks if leaks else None,
        force=force,
        actor=actor_name(as_member),
    )
    _show(opened, manifest, made, version, leaks, as_json=as_json)


def _given(
    opened: Competition, manifest: "Manifest", split_column: str | None, folds_csv: Path | None
) -> "Split | None":
    """The split that somebody else made, if one was named."""
    from competition.data.split.imported_split import split_by_column, split_by_file

    if folds_csv is not None:
        return split_by_file(manifest, folds_csv)
    if split_column is None:
        return None
    if opened.settings.data.meta is None:
        raise CompError(
            f"--split-column {split_column} is a column of data.meta, and competition.yaml names no such table.",
            hint="Give the folds as a file: --folds-csv FILE (columns id and fold).",
        )
    return split_by_column(manifest, opened.paths.root / opened.settings.data.meta, split_column)


def _refuse(leaks: "tuple[Finding, ...]", allow_leaks: str | None) -> None:
    """Do nothing if nothing leaks, or if somebody says why it may."""
    from competition.cli.show import output

    if leaks and allow_leaks is None:
        problems = [f"{leak.what} First: {'; '.join(leak.examples)}." for leak in leaks]
        raise RefusedError(all_problems("This split leaks, so its scores would flatter", problems), hint=leaks[0].mend)
    if allow_leaks is not None and not leaks:
        output.say("Nothing leaks, so --allow-leaks is not recorded.")


def _keep(
    opened: Competition,
    manifest: "Manifest",
    made: "Split",
    *,
    valid_fraction: float,
    leaks_allowed: str | None,
    force: bool,
    actor: str,
) -> int:
    """Make the split the current one, unless it is already; its version."""
    from competition.data.split.folds import Scheme
    from competition.store import splits
    from competition.store.splits import SplitVersion

    current = splits.current(opened.store)
    if current is not None and current.hash == made.hash:
        return current.version
    version = splits.next_version(opened.store, force=force)
    made.write(opened.paths.folds(manifest.fingerprint, version))
    record = SplitVersion(
        version=version,
        fingerprint=manifest.fingerprint,
        scheme=made.scheme,
        folds=made.folds,
        valid_fraction=valid_fraction if made.scheme is Scheme.HOLDOUT else None,
        seed=made.seed,
        hash=made.hash,
        created_at=0.0,
        leaks_allowed=leaks_allowed,
    )
    splits.save(opened.store, record, actor=actor)
    return version


def _export(opened: Competition, path: Path) -> None:
    from competition.cli.show import output
    from competition.data.split.folds import Split
    from competition.files import write_text
    from competition.store import splits

    version = splits.require_current(opened.store)
    folds = opened.paths.folds(version.fingerprint, version.version)
    split = Split.read(folds)
    write_text(path, folds.read_text(encoding="utf-8"))
    output.say(f"Wrote split v{version.version} ({len(split.assignment)} images, hash {split.hash[:12]}) to {path}.")
    output.say(f"`comp split --folds-csv {path}` makes the same split again.")


def _show(
    opened: Competition,
    manifest: "Manifest",
    made: "Split",
    version: int,
    leaks: "tuple[Finding, ...]",
    *,
    as_json: bool,
) -> None:
    from competition.cli.show import output
    from competition.data.split.folds import summarise

    classes = opened.settings.classes
    folds = summarise(manifest, made)
    if as_json:
        output.print_json(
            {
                "version": version,
                "scheme": made.scheme,
                "seed": made.seed,
                "hash": made.hash,
                "leaks": [leak.to_json() for leak in leaks],
                "folds": [
                    {
                        "fold": f.fold,
                        "images": f.images,
                        "groups": f.groups,
                        "class_share": dict(zip(classes, f.class_share, strict=True)),
                    }
                    for f in folds
                ],
            }
        )
        return
    names = [f"fold {f.fold}" if f.fold >= 0 else "train only" for f in folds]
    table = output.table("", *names, right=tuple(names))
    output.add_row(table, "images", *(f.images for f in folds))
    output.add_row(table, "groups", *(f.groups for f in folds))
    for index, name in enumerate(classes):
        output.add_row(table, f"{name} %", *(f"{100 * f.class_share[index]:.2f}" for f in folds))
    output.out().print(table)
    for leak in leaks:
        output.say(f"Leak, allowed: {leak.what}")
    output.say(f"Split v{version}: {made.scheme}, seed {made.seed}, hash {made.hash[:12]}. Next: `comp run`.")
