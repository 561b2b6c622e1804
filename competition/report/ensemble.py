"""The pictures of an ensemble: how far its members differ, and the images that it changed most."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from competition.config.settings import Settings
from competition.data.images import Pixels
from competition.ensemble.explain import ChangedImage
from competition.ensemble.make import MadeEnsemble
from competition.files import write_bytes
from competition.report.overlay import overlay, shrink_image, shrink_labels
from competition.report.palette import Colour, class_colours
from competition.report.sheet import gallery
from competition.report.theme import LIGHT, Theme, draw
from competition.store.engine import Store
from competition.wording import percent

_NUMBERED = 12
"""Up to so many members, each cell bears its number."""


def write_pictures(store: Store, settings: Settings, made: MadeEnsemble) -> None:
    """Draw what an ensemble's budget and explanation found, where it has any, into the ensemble's folder."""
    paths = store.paths.ensemble(made.name)
    if made.budget is not None:
        points = [(point.seconds, 100 * point.score, len(point.experiments)) for point in made.budget.front]
        chosen = (made.budget.chosen.seconds, 100 * made.budget.chosen.score)
        write_bytes(paths.front, front_png(points, limit_s=made.budget.limit_s, chosen=chosen))
    if made.explanation is not None:
        found = made.explanation
        write_bytes(paths.disagreement, disagreement_png(found.names, found.disagreement))
        if made.changed:
            write_bytes(paths.changes, changes_png(made.changed, class_colours(settings), single=found.best))


def disagreement_png(names: Sequence[str], shares: NDArray[np.float64]) -> bytes:
    """The matrix of how many pixels two members name differently, as a PNG file.

    Args:
        shares: (M, M), from 0 to 1.
    """

    def picture(theme: Theme) -> Figure:
        side = 1.8 + 0.5 * len(names)
        figure = Figure(figsize=(max(side, 4.6) + 0.6, max(side, 3.4)), layout="compressed")
        axes = figure.subplots()
        shades = LinearSegmentedColormap.from_list("share", [theme.paper, theme.first])
        values = 100 * shares
        shown = axes.imshow(values, cmap=shades, vmin=0, vmax=max(float(values.max()), 1e-9))
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), names)
        if len(names) <= _NUMBERED:
            for row, column in np.ndindex(values.shape):
                shade = theme.paper if values[row, column] > values.max() / 2 else theme.ink
                axes.text(column, row, f"{values[row, column]:.1f}", ha="center", va="center", fontsize=8, color=shade)
        else:
            figure.colorbar(shown, ax=axes, shrink=0.8)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title("% of the pixels named differently", fontsize=9)
        return figure

    return draw(picture, LIGHT)


def front_png(points: Sequence[tuple[float, float, int]], *, limit_s: float, chosen: tuple[float, float]) -> bytes:
    """Score by inference time, a step line through the best blends, as a PNG file.

    Args:
        points: seconds, score in percent and number of members of each, the quickest first.
        limit_s: seconds that inference may take.
        chosen: seconds and score in percent of the blend that was chosen.
    """

    def picture(theme: Theme) -> Figure:
        figure = Figure(figsize=(5.6, 3.2), layout="constrained")
        axes = figure.subplots()
        seconds, scores = [p[0] for p in points], [p[1] for p in points]
        axes.step(seconds, scores, where="post", color=theme.first, linewidth=1.4)
        axes.scatter(seconds, scores, s=26, color=theme.first, zorder=3)
        axes.scatter(*chosen, s=80, facecolors="none", edgecolors=theme.second, linewidths=1.8, zorder=4)
        axes.axvline(limit_s, color=theme.second, linestyle="--", linewidth=1.2)
        allowed = f" {limit_s:g} s allowed"
        at_the_line = ("data", "axes fraction")
        axes.annotate(allowed, (limit_s, 0.03), xycoords=at_the_line, color=theme.second, fontsize=9)
        for second, score, experiments in points:
            axes.annotate(
                f"{experiments}", (second, score), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=8.5
            )
        axes.set_xlabel("inference, seconds")
        axes.set_ylabel("score, %")
        axes.set_title("best score by inference time; numbers say how many experiments")
        axes.margins(0.12)
        axes.set_xlim(left=0)
        axes.grid()
        return figure

    return draw(picture, LIGHT)


def changes_png(changed: Sequence[ChangedImage], colours: Sequence[Colour], *, single: str) -> bytes:
    """A row for each image, its truth, what the best single member and what the blend say, as a PNG file."""
    rows = [(f"{each.id}  {percent(each.change, signed=True)}", _row(each, colours)) for each in changed]
    return gallery(("truth", single, "blend"), rows)


def _row(changed: ChangedImage, colours: Sequence[Colour]) -> list[Pixels]:
    small = shrink_image(changed.image)
    return [overlay(small, shrink_labels(labels), colours) for labels in (changed.truth, changed.single, changed.blend)]
