"""The pictures of a comparison: calibration, the score of each image, and the images that changed most."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from competition.config.settings import IGNORE_INDEX
from competition.data.images import Pixels
from competition.data.load import Loader
from competition.data.manifest import Manifest
from competition.data.parallel import Progress, in_threads
from competition.paths import Paths
from competition.predictions.shards import Shard
from competition.report.figures import WIDTH
from competition.report.overlay import faded, overlay, shrink_image, shrink_labels
from competition.report.palette import class_colours, leading_background
from competition.report.sheet import LONGEST
from competition.report.theme import Theme
from competition.scoring import calibration
from competition.scoring.calibration import BINS, Calibration
from competition.scoring.imagewise import ImageChange
from competition.wording import percent

MENDED, BROKEN, STILL_WRONG = (47, 111, 222), (224, 122, 31), (70, 74, 82)
"""RGB of pixels that only b names rightly, that only a does, and that both name wrongly, but as different classes."""


Shards = Mapping[str, Shard]
"""By image id, the shard that holds it."""


def oof_shards(paths: Paths, name: str, folds: int) -> Shards:
    """The shards of the experiment's own seed (repeat 0).

    Raises:
        DataError: one is missing or damaged.
    """
    opened = [Shard.open(paths.job(name, fold).oof) for fold in range(folds)]
    return {image_id: shard for shard in opened for image_id in shard.ids}


def calibrate(
    sides: tuple[Shards, Shards], truth: Callable[[str], Pixels], *, progress: Progress | None = None
) -> tuple[Calibration, Calibration]:
    """How well two experiments know how sure they are, over all images of both; one image is held at a time.

    Args:
        truth: the labels of the image with an id, uint8 (H, W).

    Raises:
        DataError: probabilities or labels are damaged.
    """

    def one(image_id: str) -> tuple[Calibration, Calibration]:
        labels = truth(image_id)
        first, second = (calibration.count(shards[image_id][image_id], labels) for shards in sides)
        return first, second

    found = in_threads(one, sorted(sides[0].keys() & sides[1].keys()), progress=progress)
    return calibration.total(a for a, _ in found), calibration.total(b for _, b in found)


def reliability(sides: dict[str, Calibration], theme: Theme) -> Figure:
    """Accuracy by confidence for two experiments, and how many pixels have that confidence, in percent.

    Below the line a model is surer than it may be (Niculescu-Mizil and Caruana 2005, ICML).
    """
    figure = Figure(figsize=(WIDTH, 1.25 * WIDTH), layout="constrained")
    curve, share = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    curve.plot((0, 100), (0, 100), color=theme.faint, linewidth=1, zorder=0)
    lines = {}
    for (name, found), colour, marker, shift in zip(
        sides.items(), (theme.first, theme.second), "ov", (-0.2, 0.2), strict=True
    ):
        width = 100 / BINS
        sure = [100 * b.confidence for b in found.bins]
        total = found.pixels.sum()
        (line,) = curve.plot(
            sure,
            [100 * b.accuracy for b in found.bins],
            color=colour,
            marker=marker,
        )
        lines[f"{name}: expected error {percent(found.error)}"] = line  # a label of its own might start with "_"
        middles = [width * (b.number + 0.5 + shift) for b in found.bins]
        share.bar(middles, [100 * b.pixels / total for b in found.bins], width=0.4 * width, color=colour)
    curve.set(xlim=(0, 100), ylim=(0, 100), ylabel="of them named rightly, %")
    curve.set_title("how often pixels of a confidence are right")
    curve.grid()
    curve.legend(lines.values(), lines.keys(), loc="upper left")
    share.set(xlabel="confidence: probability of the class named, %", ylabel="pixels, %")
    share.grid(axis="y")
    return figure


def scatter(images: Sequence[ImageChange], names: tuple[str, str], theme: Theme) -> Figure:
    """A dot for each image: its score in a across, in b up, percent; above the line b is better."""
    figure = Figure(figsize=(WIDTH, WIDTH), layout="constrained")
    axes = figure.subplots()
    across, up = (100 * np.array(side) for side in zip(*((i.a, i.b) for i in images), strict=True))
    better = up > across
    low, high = float(min(across.min(), up.min())), float(max(across.max(), up.max()))
    margin = 0.04 * (high - low) or 1.0
    ends = (low - margin, high + margin)
    axes.plot(ends, ends, color=theme.faint, linewidth=1, zorder=0)
    gains = ((better, theme.first, "o", "better"), (up < across, theme.second, "v", "worse"))
    for chosen, colour, marker, word in gains:
        count = int(chosen.sum())
        axes.scatter(
            across[chosen],
            up[chosen],
            s=14,
            color=colour,
            marker=marker,
            alpha=0.6,
            linewidths=0,
            label=f"{count} {word}",
        )
    same = up == across
    if same.any():
        axes.scatter(across[same], up[same], s=14, color=theme.ink, marker="x", label=f"{int(same.sum())} the same")
    axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel=names[0], ylabel=names[1])
    axes.set_title("score of each image, %")
    axes.grid()
    axes.legend(loc="upper left")
    return figure


def changed_pixels(image: Pixels, truth: Pixels, a: Pixels, b: Pixels) -> Pixels:
    """The image (H, W, 3) in pale grey with the pixels that a and b name differently; void is left pale."""
    picture = faded(image)
    differs = (a != b) & (truth != IGNORE_INDEX)
    picture[differs] = STILL_WRONG
    picture[differs & (b == truth)] = MENDED
    picture[differs & (a == truth)] = BROKEN
    return picture


def change_rows(
    images: Sequence[ImageChange], sides: tuple[Shards, Shards], loader: Loader, manifest: Manifest
) -> list[tuple[str, list[Pixels]]]:
    """For each image a caption, and image, truth, a, b and changed pixels, as `gallery` wants them.

    Raises:
        DataError: an image has changed since it was indexed, or its probabilities are damaged.
    """
    colours = class_colours(loader.settings)
    clear = 0 if leading_background(loader.settings) else None
    rows = []
    for score in images:
        item = manifest.item(score.id)
        image = shrink_image(loader.image(item), longest=LONGEST)
        layers = (loader.labels(item), *(_labels_from(shards, score.id) for shards in sides))
        truth, a, b = (shrink_labels(labels, longest=LONGEST) for labels in layers)
        masked = [overlay(image, labels, colours, clear=clear) for labels in (truth, a, b)]
        caption = f"{score.id}   {100 * score.a:.2f} -> {100 * score.b:.2f}   {100 * score.delta:+.2f}"
        rows.append((caption, [image, *masked, changed_pixels(image, truth, a, b)]))
    return rows


def _labels_from(shards: Shards, image_id: str) -> Pixels:
    """What the experiment says of an image: uint8 (H, W), the class with the largest probability."""
    named: Pixels = shards[image_id][image_id].argmax(axis=0).astype(np.uint8)
    return named
