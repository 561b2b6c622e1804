"""The pictures of the page about the data, each a matplotlib figure of what the survey found."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from competition.data.eda.appearance import NAMES
from competition.data.eda.survey import Survey
from competition.report.palette import Colour, written
from competition.report.theme import Theme

WIDTH = 5.6
"""Inches; narrow enough that the text can still be read on a phone."""

MOST_CLASSES = 24
"""Pictures with a part for each class show the classes with the most pixels, up to this many."""

_NUMBERED_CELLS = 12
_KINDS = ("#5b93f5", "#ef9440", "#4fb560", "#c96bd8", "#e0566a", "#2fb5b5")
"""Colours that are told apart on white and on black; as many as there can be clusters."""


def class_shares(survey: Survey, colours: Sequence[Colour], theme: Theme) -> Figure:
    """Bars: share of the pixels, and of the images that hold the class."""
    order = shown_classes(survey)[::-1]
    names = [survey.classes[c].name for c in order]
    figure = Figure(figsize=(WIDTH, 0.8 + 0.27 * len(order)), layout="constrained")
    pixels, images = figure.subplots(1, 2, sharey=True)
    shades = [written(colours[c]) for c in order]
    shares = [100 * survey.classes[c].share for c in order]
    presence = [100 * survey.classes[c].images / len(survey.sizes) for c in order]
    for axes, values, title in (
        (pixels, shares, "share of the pixels, %"),
        (images, presence, "share of the images, %"),
    ):
        axes.barh(names, values, color=shades, height=0.72)
        axes.set_title(title)
        axes.set_xlim(0, max(*values, 1) * 1.22)
        for place, value in enumerate(values):
            axes.text(value, place, f" {_percent(value)}", va="center", fontsize=8.5)
        _bare(axes)
    return figure


def together(survey: Survey, theme: Theme) -> Figure:
    """A matrix: of the images with the row's class, how many have the column's."""
    order = shown_classes(survey)
    names = [survey.classes[c].name for c in order]
    values = 100 * survey.together[np.ix_(order, order)]
    side = 1.6 + 0.34 * len(order)
    figure = Figure(figsize=(max(side, 3.2) + 0.5, max(side, 3.0)), layout="compressed")
    axes = figure.subplots()
    shades = LinearSegmentedColormap.from_list("share", [theme.paper, theme.first])
    axes.imshow(values, cmap=shades, vmin=0, vmax=100)
    axes.set_xticks(range(len(order)), names, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(order)), names)
    if len(order) <= _NUMBERED_CELLS:
        for row, column in np.ndindex(values.shape):
            if np.isfinite(values[row, column]):
                shade = theme.paper if values[row, column] > 50 else theme.ink
                axes.text(column, row, f"{values[row, column]:.0f}", ha="center", va="center", fontsize=8, color=shade)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("% of the images with the row's class that also hold the column's", fontsize=9)
    return figure


def places(survey: Survey, theme: Theme) -> Figure:
    """A heat map for each class: where in the frame it lies."""
    order = [c for c in shown_classes(survey) if np.nanmax(survey.maps[c], initial=0) > 0]
    columns = min(4, max(len(order), 1))
    rows = -(-len(order) // columns)
    height, width = np.median(survey.sizes, axis=0)
    shape = float(np.clip(height / width, 0.3, 1.4))
    figure = Figure(figsize=(WIDTH, rows * (WIDTH / columns * shape + 0.22)), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, label in zip(grid.flat, order, strict=False):
        heat = survey.maps[label]
        axes.imshow(heat, cmap="magma", vmin=0, aspect=shape, interpolation="bilinear")
        axes.set_title(f"{survey.classes[label].name}  ≤{_percent(100 * np.nanmax(heat))}%", fontsize=8.5)
    return figure


def objects(survey: Survey, colours: Sequence[Colour], theme: Theme) -> Figure:
    """Boxes: how long the objects of each class are."""
    order = classes_with_objects(survey)[::-1]
    figure = Figure(figsize=(WIDTH, 0.9 + 0.28 * len(order)), layout="constrained")
    axes = figure.subplots()
    boxes = axes.boxplot(
        [survey.objects[c].sides for c in order],
        orientation="horizontal",
        whis=(5, 95),
        showfliers=False,
        widths=0.6,
        patch_artist=True,
        medianprops={"color": theme.ink, "linewidth": 1.4},
        whiskerprops={"color": theme.ink},
        capprops={"color": theme.ink},
    )
    for patch, label in zip(boxes["boxes"], order, strict=True):
        patch.set(facecolor=written(colours[label]), edgecolor=theme.ink, alpha=0.85)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(1, len(order) + 1), [_counted(survey, c) for c in order])
    axes.set_xlabel("longer side, pixels")
    axes.grid(axis="x")
    axes.tick_params(length=0)
    return figure


def sizes(survey: Survey, theme: Theme) -> Figure:
    """Dots: the sizes of the images, larger where more have it."""
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    for values, colour, label in (
        (survey.test_sizes, theme.second, "test"),
        (survey.sizes, theme.first, "labelled"),
    ):
        if len(values):
            found, times = np.unique(values, axis=0, return_counts=True)
            area = 20 + 280 * times / times.max()
            axes.scatter(found[:, 1], found[:, 0], s=area, color=colour, alpha=0.55, label=label, linewidths=0)
    axes.set_xlabel("width, pixels")
    axes.set_ylabel("height, pixels")
    axes.grid()
    axes.margins(0.15)
    if len(survey.test_sizes):
        for handle in axes.legend(loc="upper left").legend_handles:
            handle.set_sizes([40])  # type: ignore[union-attr]
    return figure


def looks(survey: Survey, theme: Theme) -> Figure:
    """Histograms of how the images look; test images as a line."""
    shown = ("brightness", "contrast", "saturation", "red - green", "blue - yellow", "sharpness")
    figure = Figure(figsize=(WIDTH, 3.5), layout="constrained")
    grid = figure.subplots(2, 3)
    for axes, name in zip(grid.flat, shown, strict=True):
        column = NAMES.index(name)
        _histogram(axes, survey.features[:, column], survey.test_features[:, column], theme)
        axes.set_title(name)
    return figure


def kinds(survey: Survey, theme: Theme) -> Figure:
    """Dots: the two directions in which the images' looks differ most, coloured by kind."""
    spread = survey.features.std(axis=0)
    scaled = (survey.features - survey.features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    _, _, directions = np.linalg.svd(scaled, full_matrices=False)
    flat = scaled @ directions[:2].T
    place = {item.id: number for number, item in enumerate(survey.sample)}
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    for number, cluster in enumerate(survey.clusters):
        members = flat[[place[image_id] for image_id in cluster.members]]
        label = f"{cluster.words} ({cluster.images})"
        axes.scatter(members[:, 0], members[:, 1], s=16, alpha=0.75, linewidths=0, color=_KINDS[number], label=label)
    axes.set(xticks=[], yticks=[])
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=1)
    return figure


def shown_classes(survey: Survey) -> list[int]:
    """The classes that pictures show, those with the most pixels first."""
    return sorted(range(len(survey.classes)), key=lambda c: (-survey.classes[c].pixels, c))[:MOST_CLASSES]


def classes_with_objects(survey: Survey) -> list[int]:
    """Those of the shown classes that form objects."""
    return [c for c in shown_classes(survey) if survey.objects[c].objects]


def _histogram(axes: Axes, train: np.ndarray, test: np.ndarray, theme: Theme) -> None:
    both = np.concatenate([train, test])
    bins = np.linspace(both.min(), max(both.max(), both.min() + 1), 25).tolist()
    share = np.full(len(train), 100 / len(train))
    axes.hist(train, bins=bins, weights=share, color=theme.first, alpha=0.75)
    if len(test):
        share = np.full(len(test), 100 / len(test))
        axes.hist(test, bins=bins, weights=share, histtype="step", color=theme.second, linewidth=1.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)


def _counted(survey: Survey, label: int) -> str:
    return f"{survey.classes[label].name}  {survey.objects[label].objects:,}"


def _percent(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
