"""The experiments of an ensemble, and whether they may be blended at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from competition.data.parallel import Progress, in_threads
from competition.errors import DataError, RefusedError, with_retry_hint
from competition.predictions.probabilities import Bytes, Part
from competition.predictions.shards import Shard


@dataclass(frozen=True)
class BlendedExperiment:
    """An experiment's shards.

    Args:
        oof: one per fold, in the order of the folds.
        test: one per fold; empty where the competition has no test images.
        classes: those of the competition, which the shards must have in this order; empty where nobody says.
    """

    name: str
    oof: tuple[Path, ...]
    test: tuple[Path, ...] = ()
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpenExperiments:
    """Members whose shards fit together; `oof` and `test` hold a tuple of shards (by fold) for each member."""

    names: tuple[str, ...]
    oof: tuple[tuple[Shard, ...], ...]
    test: tuple[tuple[Shard, ...], ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the channels."""
        return self.oof[0][0].classes

    @cached_property
    def fold_of(self) -> dict[str, int]:
        """The fold that every out-of-fold image belongs to, fold after fold."""
        return {image_id: fold for fold, shard in enumerate(self.oof[0]) for image_id in shard.ids}

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The out-of-fold images, fold after fold."""
        return tuple(self.fold_of)

    @property
    def test_ids(self) -> tuple[str, ...]:
        """The test images."""
        return self.test[0][0].ids if self.test else ()

    def verify(self, part: Part, *, progress: Progress | None = None) -> None:
        """Compare the contents of every shard of one part with its checksum.

        Raises:
            DataError: one has changed since it was written.
        """
        shards = [
            (name, fold, shard)
            for name, its_shards in zip(self.names, self.oof if part == "oof" else self.test, strict=True)
            for fold, shard in enumerate(its_shards)
        ]

        def check(named: tuple[str, int, Shard]) -> None:
            with with_retry_hint(named[0], named[1]):
                named[2].verify()

        in_threads(check, shards, progress=progress)

    def oof_views(self, image_id: str) -> list[Bytes]:
        """Each member's out-of-fold probabilities of an image, uint8 (C, H, W)."""
        return [shards[self.fold_of[image_id]][image_id] for shards in self.oof]


def open_experiments(experiments: Sequence[BlendedExperiment]) -> OpenExperiments:
    """Open every shard of the members and see that they belong together.

    Raises:
        RefusedError: they ran on different data, classes or splits, or cover different images; says who differs.
        DataError: a shard is missing or damaged.
    """
    names = [experiment.name for experiment in experiments]
    if not names:
        raise RefusedError("An ensemble needs at least one experiment.", hint="`comp leaderboard` lists them.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RefusedError(f"Named twice: {', '.join(twice)}.", hint="Name each experiment once; weights are fitted.")
    oof = tuple(_open(experiment.name, experiment.oof, "oof") for experiment in experiments)
    test = tuple(_open(experiment.name, experiment.test, "test") for experiment in experiments)
    _check_origin(names, oof, test)
    _check_classes(experiments, oof[0][0].classes)
    _check_folds(names, oof)
    _check_test(names, test)
    return OpenExperiments(tuple(names), oof, test if any(test) else ())


def _open(name: str, paths: Sequence[Path], part: Part) -> tuple[Shard, ...]:
    opened = []
    for fold, path in enumerate(paths):
        with with_retry_hint(name, fold):
            shard = Shard.open(path)
            if shard.part != part:
                raise DataError(f"{path} holds {shard.part} predictions, not {part}.")
        opened.append(shard)
    return tuple(opened)


def _again(name: str) -> str:
    return f"`comp run --from {name}` trains it again, on the current data and split."


def _check_origin(names: Sequence[str], oof: Sequence[tuple[Shard, ...]], test: Sequence[tuple[Shard, ...]]) -> None:
    """Every shard has the classes, data and split of the first member's first."""
    first = oof[0][0]
    for name, shards in _by_member(names, oof, test):
        for shard in shards:
            if shard.fingerprint != first.fingerprint:
                raise RefusedError(
                    f"{name} ran on other data ({shard.fingerprint}) than {names[0]} ({first.fingerprint}).",
                    hint=_again(name),
                )
            if shard.classes != first.classes:
                raise RefusedError(
                    f"{name} has the classes {', '.join(shard.classes)}, and {names[0]} has "
                    f"{', '.join(first.classes)}: a channel would mean one class here and another there.",
                    hint=_again(name),
                )
            if shard.split_hash != first.split_hash:
                raise RefusedError(
                    f"{name} ran on another split ({shard.split_hash[:12]}) than {names[0]} ({first.split_hash[:12]}), "
                    "so what one of them never saw the other was trained on.",
                    hint=_again(name),
                )


def _check_classes(experiments: Sequence[BlendedExperiment], stored: Sequence[str]) -> None:
    """The competition has the classes that the shards were written with, in that order."""
    for experiment in experiments:
        if experiment.classes and experiment.classes != tuple(stored):
            raise RefusedError(
                f"{experiment.name} predicted the classes {', '.join(stored)}, and the competition's are now "
                f"{', '.join(experiment.classes)}: a channel would mean another class than it was trained for.",
                hint=f"Give `classes` in competition.yaml the old names and order, or train it again: "
                f"`comp run --from {experiment.name}`.",
            )


def _check_folds(names: Sequence[str], oof: Sequence[tuple[Shard, ...]]) -> None:
    """Every member predicted the same images in the same fold, each image once."""
    for name, shards in zip(names, oof, strict=True):
        if len(shards) != len(oof[0]):
            lacking = min((len(shards), name), (len(oof[0]), names[0]))[1]
            raise RefusedError(
                f"{name} has {len(shards)} folds, and {names[0]} has {len(oof[0])}.",
                hint=f"`comp run {lacking}` trains the folds that are missing.",
            )
        ids = [image_id for shard in shards for image_id in shard.ids]
        if len(set(ids)) < len(ids):
            twice = next(i for i in ids if ids.count(i) > 1)
            raise RefusedError(
                f"{name} predicted {twice} in two folds, so one of them had trained on it.", hint=_again(name)
            )
        for fold, (shard, first) in enumerate(zip(shards, oof[0], strict=True)):
            _check_same_images(name, fold, shard, names[0], first)


def _check_test(names: Sequence[str], test: Sequence[tuple[Shard, ...]]) -> None:
    """Every fold model of every member predicted the same test images, or none of the members did."""
    if not any(test):
        return
    without = [name for name, shards in zip(names, test, strict=True) if not shards]
    if without:
        raise RefusedError(
            f"No test predictions from {', '.join(without)}, but from the others.", hint=_again(without[0])
        )
    for name, shards in zip(names, test, strict=True):
        for fold, shard in enumerate(shards):
            _check_same_images(name, fold, shard, names[0], test[0][0])


def _check_same_images(name: str, fold: int, shard: Shard, reference: str, first: Shard) -> None:
    differing = set(shard.sizes.items()) ^ set(first.sizes.items())
    if differing:
        ids = sorted({image_id for image_id, _ in differing})
        raise RefusedError(
            f"{name}, fold {fold}, covers other {shard.part} images than {reference}, or at other sizes: "
            f"{len(ids)} differ, such as {ids[0]}.",
            hint=_again(name),
        )


def _by_member(
    names: Sequence[str], oof: Sequence[tuple[Shard, ...]], test: Sequence[tuple[Shard, ...]]
) -> Iterator[tuple[str, tuple[Shard, ...]]]:
    for name, its_oof, its_test in zip(names, oof, test, strict=True):
        yield name, its_oof + its_test
