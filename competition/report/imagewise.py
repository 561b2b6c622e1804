"""Two experiments image by image: what each scores, and the images that changed most."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from competition.config.settings import IGNORE_INDEX
from competition.data.images import Pixels
from competition.data.load import Loader
from competition.data.manifest import Manifest
from competition.report.figures import WIDTH
from competition.report.gallery import LONGEST
from competition.report.oof import Shards, labels_from
from competition.report.overlay import faded, overlay, shrink_image, shrink_labels
from competition.report.palette import class_colours, leading_background
from competition.report.theme import Theme
from competition.scoring.imagewise import ImageChange

MENDED, BROKEN, STILL_WRONG = (47, 111, 222), (224, 122, 31), (70, 74, 82)
"""RGB of pixels that only b names rightly, that only a does, and that both name wrongly, but as different classes."""


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
        layers = (loader.labels(item), *(labels_from(shards, score.id) for shards in sides))
        truth, a, b = (shrink_labels(labels, longest=LONGEST) for labels in layers)
        masked = [overlay(image, labels, colours, clear=clear) for labels in (truth, a, b)]
        caption = f"{score.id}   {100 * score.a:.2f} -> {100 * score.b:.2f}   {100 * score.delta:+.2f}"
        rows.append((caption, [image, *masked, changed_pixels(image, truth, a, b)]))
    return rows
