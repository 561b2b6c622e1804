"""The page about the data: what `data.eda` found, for a team meeting."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from competition import __version__
from competition.data.eda.appearance import NAMES, SHARES
from competition.data.eda.classes import median_frequency
from competition.data.eda.survey import LONGEST_SIDE, Survey
from competition.data.images import Pixels
from competition.data.load import Loader
from competition.data.manifest import Item, Manifest
from competition.data.parallel import in_threads
from competition.paths import Paths
from competition.report import figures, sentences
from competition.report.overlay import shrink_image, thumbnail_uri
from competition.report.pages import render, write_page
from competition.report.palette import VOID, Colour, class_colours, leading_background, written
from competition.report.sheet import Tile, sheet_png, tiles
from competition.report.theme import Picture, picture

_CONTENTS = (
    ("advice", "Advice"),
    ("classes", "Classes"),
    ("places", "Places and objects"),
    ("looks", "Looks"),
    ("drift", "Training against test"),
    ("duplicates", "Near-duplicates"),
    ("sheet", "Contact sheet"),
)
_MOST_GROUPS = 6
_STRIP = 4
_NAMED_IDS = 4


def write_eda_page(survey: Survey, manifest: Manifest, loader: Loader, paths: Paths) -> None:
    """Write the page to `paths.eda_page`, and its pictures beside it.

    Raises:
        DataError: an image that is shown has changed since it was indexed.
    """
    settings = loader.settings
    colours = class_colours(settings)
    pictures = {made.name: made for made in _pictures(survey, colours)}
    sheet = _sheet(survey, manifest, loader, colours)
    html = render(
        "eda.html",
        title=f"{settings.name}: the data",
        competition=settings.name,
        scope=sentences.scope(survey),
        contents=_CONTENTS,
        facts=sentences.facts(survey, settings),
        survey=survey,
        pictures=pictures,
        most_classes=figures.MOST_CLASSES,
        rows=_rows(survey, colours),
        sizes=sentences.sizes(survey),
        looks=_looks(survey),
        longest=LONGEST_SIDE,
        kinds=_kinds(survey, manifest, loader),
        no_drift=sentences.no_drift(survey),
        near_duplicates=sentences.near_duplicates(survey),
        duplicate_groups=_duplicate_groups(survey, manifest, loader),
        legend=_legend(manifest, settings.classes, colours),
        sheet=sheet,
        version=__version__,
        fingerprint=manifest.fingerprint,
    )
    files = {f"{made.name}.png": made.light for made in pictures.values()}
    files |= {f"sheet-{name.replace(' ', '-')}.png": sheet_png(part) for name, part in sheet}
    write_page(paths.eda_page, html, files)


def _pictures(survey: Survey, colours: Sequence[Colour]) -> Iterator[Picture]:
    yield picture(
        "classes", "bars: share of pixels and images by class", partial(figures.class_shares, survey, colours)
    )
    if len(survey.classes) > 2:
        yield picture("together", "matrix: which classes share images", partial(figures.together, survey))
    if any(facts.pixels for facts in survey.classes):
        yield picture("places", "heat maps: where each class lies in the frame", partial(figures.places, survey))
    if figures.classes_with_objects(survey):
        yield picture("objects", "boxes: length of the objects by class", partial(figures.objects, survey, colours))
    yield picture("looks", "histograms: how the images look", partial(figures.looks, survey))
    if len(np.unique(np.concatenate([survey.sizes, survey.test_sizes]), axis=0)) > 1:
        yield picture("sizes", "dots: sizes of the images", partial(figures.sizes, survey))
    if len(survey.clusters) > 1:
        yield picture("kinds", "dots: kinds of images", partial(figures.kinds, survey))


def _rows(survey: Survey, colours: Sequence[Colour]) -> list[dict[str, str]]:
    """The table of classes, in their order."""
    weights = median_frequency(survey.classes)
    return [
        {
            "name": facts.name,
            "colour": written(colour),
            "share": f"{100 * facts.share:.2f}",
            "images": f"{facts.images:,}",
            "present": f"{100 * facts.share_where_present:.2f}",
            "objects": f"{found.objects:,}",
            "per_image": f"{found.per_image:.1f}",
            "length": "–" if found.median_side is None else f"{found.median_side:.0f}",
            "specks": f"{found.specks:,}",
            "weight": f"{weight:.2f}",
        }
        for facts, found, weight, colour in zip(survey.classes, survey.objects, weights, colours, strict=True)
    ]


def _looks(survey: Survey) -> list[tuple[str, list[str]]]:
    """A row for each feature: its name; the 5th, 50th and 95th percentile."""
    levels = np.percentile(survey.features, [5, 50, 95], axis=0).T.tolist()
    return [
        (name, [f"{100 * v:.1f} %" if name in SHARES else f"{v:.1f}" for v in values])
        for name, values in zip(NAMES, levels, strict=True)
    ]


def _legend(manifest: Manifest, names: Sequence[str], colours: Sequence[Colour]) -> list[tuple[str, str]]:
    legend = [(name, written(colour)) for name, colour in zip(names, colours, strict=True)]
    has_void = any(item.void for item in manifest.items)
    return [*legend, ("void (hatched)", written(VOID))] if has_void else legend


def _sheet(
    survey: Survey, manifest: Manifest, loader: Loader, colours: Sequence[Colour]
) -> list[tuple[str, list[Tile]]]:
    def load(image_id: str) -> tuple[Pixels, Pixels]:
        item = manifest.item(image_id)
        return loader.image(item), loader.labels(item)

    clear = 0 if leading_background(loader.settings) else None
    return [(name, tiles(shown, load, colours, clear=clear)) for name, shown in survey.examples.parts]


def _kinds(survey: Survey, manifest: Manifest, loader: Loader) -> list[dict[str, Any]]:
    if len(survey.clusters) < 2:
        return []
    return [
        {
            "words": kind.words,
            "images": kind.images,
            "uris": _strip([manifest.item(image_id) for image_id in kind.examples], loader),
        }
        for kind in survey.clusters
    ]


def _duplicate_groups(survey: Survey, manifest: Manifest, loader: Loader) -> list[dict[str, Any]]:
    tests = {item.id: item for item in manifest.test}
    groups = []
    for group in survey.duplicates[:_MOST_GROUPS]:
        labelled = [manifest.item(image_id) for image_id in group.labelled]
        members = [*labelled[: _STRIP - min(len(group.test), 1)], *(tests[i] for i in group.test)]
        ids = [*group.labelled, *group.test]
        named = ", ".join(ids[:_NAMED_IDS]) + (", …" if len(ids) > _NAMED_IDS else "")
        strip = _strip(members[:_STRIP], loader)
        groups.append({"size": len(ids), "exact": group.exact, "test": bool(group.test), "ids": named, "uris": strip})
    return groups


def _strip(items: Sequence[Item], loader: Loader) -> list[str]:
    """Small pictures of the images, as addresses that hold them."""
    return [thumbnail_uri(shrink_image(image, longest=200)) for image in in_threads(loader.image, items)]
