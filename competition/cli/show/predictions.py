"""Stored predictions on the terminal: what they take on disk, and the pseudo-labels that are made from them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from competition.cli.show import output

if TYPE_CHECKING:
    from competition.ensemble.pseudo import MadePseudoLabels
    from competition.predictions.retention import Kept


def show_kept(found: "Sequence[Kept]") -> None:
    """Print the stored probabilities of each experiment."""
    table = output.table(
        "experiment",
        "rank",
        "MiB",
        "shards",
        "archived",
        "needed by",
        right=("rank", "MiB", "shards", "archived"),
        wrap=("experiment", "needed by"),
    )
    for kept in found:
        rank = output.NOTHING if kept.rank is None else kept.rank
        needed = ", ".join([*kept.needed_by, *(["a running job"] if kept.is_running else [])]) or output.NOTHING
        shards = len(kept.raw) + len(kept.archived)
        output.add_row(table, kept.experiment, rank, mib(kept.bytes), shards, len(kept.archived), needed)
    output.out().print(table)
    output.say(f"{mib(sum(kept.bytes for kept in found))} MiB in all.")


def mib(number: int) -> str:
    """Bytes in MiB, with one decimal."""
    return f"{number / 2**20:.1f}"


def show_pseudo_labels(made: "MadePseudoLabels") -> None:
    """Print how many pixels of each class are labelled."""
    folds = len(made.images)
    table = output.table("class", "predicted", "kept", "share", right=("predicted", "kept", "share"), wrap=("class",))
    predicted, kept = made.predicted.sum(axis=0) / folds, made.kept.sum(axis=0) / folds
    for label, of_class, sure in zip(made.labels.facts.classes, predicted, kept, strict=True):
        share = f"{100 * sure / of_class:.1f} %" if of_class else output.NOTHING
        output.add_row(table, label, f"{of_class:.0f}", f"{sure:.0f}", share)
    output.out().print(table)
    output.out().print()
    most, fewest = max(made.images), min(made.images)
    images = str(most) if most == fewest else f"{fewest} to {most}"
    each = f" in each of {folds} folds (pixels above: the mean)" if folds > 1 else ""
    output.print_lines(f"{made.labels.pinned}: {images} test images{each}.")
