"""`comp split`: which images validate which model."""

from typing import TYPE_CHECKING, Annotated

import typer

from competition.cli.options import (
    AsOption,
    DirOption,
    ForceOption,
    JsonOption,
    actor_name,
    open_competition,
)

if TYPE_CHECKING:
    from competition.data.manifest import Manifest
    from competition.data.splits import Split
    from competition.settings import Settings


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
    seed: Annotated[int, typer.Option(min=0)] = 42,
    force: ForceOption = False,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Split the images into folds, once for everybody."""
    from competition.cli import output
    from competition.data.manifest import Manifest
    from competition.data.splits import make_split, parse_scheme, straddling_groups
    from competition.store import competition, splits
    from competition.store.splits import SplitVersion

    opened = open_competition(folder)
    grouped = opened.settings.data.has_groups
    chosen = parse_scheme(scheme or ("stratified-group" if grouped else "stratified"))
    fingerprint = competition.fingerprint(opened.store)
    manifest = Manifest.read(opened.paths.manifest(fingerprint))
    made = make_split(manifest, scheme=chosen, folds=folds, valid_fraction=valid_fraction, seed=seed)
    current = splits.current(opened.store)
    if current is not None and current.hash == made.hash:
        version = current.version
    else:
        version = splits.next_version(opened.store, force=force)
        made.write(opened.paths.folds(fingerprint, version))
        record = SplitVersion(
            version=version,
            fingerprint=fingerprint,
            scheme=made.scheme,
            folds=made.folds,
            valid_fraction=valid_fraction if made.folds == 1 else None,
            seed=seed,
            hash=made.hash,
            created_at=0.0,
        )
        splits.save(opened.store, record, actor=actor_name(as_member))
    _show(opened.settings, manifest, made, version, as_json=as_json)
    straddling = straddling_groups(manifest, made)
    if straddling:
        output.say(
            f"Warning: {straddling} groups stand on two sides of a fold, so scores will look better than they are. "
            "Use --scheme stratified-group."
        )


def _show(settings: "Settings", manifest: "Manifest", made: "Split", version: int, *, as_json: bool) -> None:
    from competition.cli import output
    from competition.data.splits import summarise

    folds = summarise(manifest, made)
    if as_json:
        output.print_json(
            {
                "version": version,
                "scheme": made.scheme,
                "seed": made.seed,
                "hash": made.hash,
                "folds": [
                    {
                        "fold": f.fold,
                        "images": f.images,
                        "groups": f.groups,
                        "class_share": dict(zip(settings.classes, f.class_share, strict=True)),
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
    for index, name in enumerate(settings.classes):
        output.add_row(table, f"{name} %", *(f"{100 * f.class_share[index]:.2f}" for f in folds))
    output.out().print(table)
    output.say(f"Split v{version}: {made.scheme}, seed {made.seed}, hash {made.hash[:12]}. Next: `comp run`.")
