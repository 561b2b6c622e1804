"""The pictures of one experiment: how its folds learned, and where its out-of-fold predictions are right and wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from competition.config.settings import IGNORE_INDEX, Settings
from competition.data.images import Pixels
from competition.data.load import Loader, open_loader
from competition.data.manifest import Manifest
from competition.errors import with_retry_hint
from competition.files import replacing
from competition.paths import Paths
from competition.predictions.shards import Shard
from competition.report.figures import WIDTH
from competition.report.learning import read_history
from competition.report.overlay import faded, overlay, shrink_image, shrink_labels
from competition.report.palette import Colour, class_colours, leading_background
from competition.report.sheet import LONGEST, gallery
from competition.report.theme import LIGHT, Theme, draw
from competition.scoring import confusion, metrics

EACH = 3
"""So many of the best images, of those in the middle, and of the worst."""

_WRONG = (224, 30, 45)
_MARKERS = "os^vD"
_TITLES = ("image", "truth", "prediction", "errors")
Histories = Mapping[int, Sequence[Mapping[str, float]]]
"""By fold, the rows of history.csv."""


@dataclass(frozen=True)
class Scored:
    """An out-of-fold image and what it scores by itself."""

    id: str
    fold: int
    score: float


def draw_experiment(paths: Paths, settings: Settings, manifest: Manifest, name: str, folds: int) -> list[Path]:
    """Draw the pictures of a complete experiment into its folder; the files.

    `curves.png` is left out where the experiment trained nothing.

    Raises:
        DataError: an image has changed, or predictions are damaged.
    """
    histories = {k: rows for k in range(folds) if (rows := read_history(paths.job(name, k).history))}
    drawn = []
    if histories:
        drawn.append(_write(paths.curves(name), draw(lambda theme: curves(histories, settings.metric, theme), LIGHT)))
    shown = chosen(_scored(paths, settings, name, folds))
    loader = open_loader(settings, paths.root)
    pictured = [(_caption(scored), _pictures(paths, loader, manifest, settings, name, scored)) for scored in shown]
    drawn.append(_write(paths.gallery(name), gallery(_TITLES, pictured)))
    return drawn


def curves(histories: Histories, metric: str, theme: Theme) -> Figure:
    """Training loss and validation score over the epochs, a line for each fold."""
    figure = Figure(figsize=(2 * WIDTH, 3.2), layout="constrained")
    loss, score = figure.subplots(1, 2)
    for fold, rows in histories.items():
        epochs = [row["epoch"] for row in rows]
        style = {
            "color": theme.first,
            "alpha": 1 - 0.6 * fold / max(1, len(histories) - 1),
            "marker": _MARKERS[fold % 5],
        }
        loss.plot(epochs, [row["train_loss"] for row in rows], **style)
        score.plot(epochs, [100 * row["score"] for row in rows], label=f"fold {fold}", **style)
    loss.set_title("training loss")
    score.set_title(f"validation {metric}, %")
    for axes in (loss, score):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y")
    score.legend()
    return figure


def chosen(scored: Sequence[Scored], each: int = EACH) -> list[Scored]:
    """The best images, those around the median, and the worst, from the best to the worst; no image twice."""
    order = sorted((s for s in scored if not np.isnan(s.score)), key=lambda s: (-s.score, s.id))
    if len(order) <= 3 * each:
        return order
    middle = (len(order) - each) // 2
    return order[:each] + order[middle : middle + each] + order[-each:]


def errors(image: Pixels, truth: Pixels, predicted: Pixels) -> Pixels:
    """The image (H, W, 3) in pale grey, with the wrong pixels in red; void is never wrong."""
    picture = faded(image)
    picture[(truth != predicted) & (truth != IGNORE_INDEX)] = _WRONG
    return picture


def _scored(paths: Paths, settings: Settings, name: str, folds: int) -> list[Scored]:
    found = []
    for fold in range(folds):
        with with_retry_hint(name, fold):
            ids, matrices = confusion.load(paths.job(name, fold).confusion)
        scores = metrics.score_each(settings.metric, matrices)
        found += [Scored(i, fold, float(s)) for i, s in zip(ids, scores, strict=True)]
    return found


def _pictures(
    paths: Paths, loader: Loader, manifest: Manifest, settings: Settings, name: str, scored: Scored
) -> list[Pixels]:
    item = manifest.item(scored.id)
    image, truth = loader.image(item), loader.labels(item)
    with with_retry_hint(name, scored.fold):
        probabilities = Shard.open(paths.job(name, scored.fold).oof)[scored.id]
    predicted = np.asarray(probabilities).argmax(axis=0).astype(np.uint8)
    image = shrink_image(image, longest=LONGEST)
    truth, predicted = (shrink_labels(labels, longest=LONGEST) for labels in (truth, predicted))
    colours: Sequence[Colour] = class_colours(settings)
    clear = 0 if leading_background(settings) else None
    masked = [overlay(image, labels, colours, clear=clear) for labels in (truth, predicted)]
    return [image, *masked, errors(image, truth, predicted)]


def _caption(scored: Scored) -> str:
    return f"{scored.id}   {100 * scored.score:.2f}   fold {scored.fold}"


def _write(path: Path, data: bytes) -> Path:
    with replacing(path) as aside:
        aside.write_bytes(data)
    return path
