from dataclasses import replace

import numpy as np

from competition.ensemble.postprocess import UNIT, Postprocessing

LABELS = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0, 2, 0],
        [0, 1, 0, 1, 0, 0, 0],
        [0, 1, 1, 1, 0, 1, 1],
        [0, 0, 0, 0, 0, 1, 1],
    ],
    np.uint8,
)


def changed(**settings: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Rows, columns and new classes of the pixels that change."""
    nothing = {"min_size": (0,) * 3, "hole_size": (0,) * 3, "largest_only": (False,) * 3, "factor": (UNIT,) * 3}
    after = Postprocessing(**(nothing | settings)).apply(LABELS)  # type: ignore[arg-type]
    return [(int(y), int(x), int(after[y, x])) for y, x in np.argwhere(after != LABELS)]


def test_nothing() -> None:
    assert np.array_equal(Postprocessing.nothing(3).apply(LABELS), LABELS)


def test_small_regions_go_by_class() -> None:
    assert changed(min_size=(0, 0, 2)) == [(1, 5, 0)]
    assert changed(min_size=(0, 0, 1)) == []
    assert changed(min_size=(0, 5, 0)) == [(3, 5, 0), (3, 6, 0), (4, 5, 0), (4, 6, 0)]


def test_holes_are_filled_up_to_a_size() -> None:
    assert changed(hole_size=(0, 1, 0)) == [(2, 2, 1)]
    assert changed(hole_size=(1, 0, 0)) == [(1, 5, 0)]


def test_the_largest_alone_stays() -> None:
    assert changed(largest_only=(False, True, True)) == [(3, 5, 0), (3, 6, 0), (4, 5, 0), (4, 6, 0)]


def test_json_names_only_what_is_done() -> None:
    settings = Postprocessing((0, 16, 0), (4, 0, 0), (False, False, True), (18, 12, 12))
    value = settings.to_json(("background", "paper", "glass"))
    regions = {"min_size": {"paper": 16}, "hole_size": {"background": 4}, "largest_only": ["glass"]}
    assert value == {"thresholds": {"background": 0.4}, **regions}
    assert Postprocessing.from_json(value, ("background", "paper", "glass")) == settings
    older = Postprocessing.from_json(regions, ("background", "paper", "glass"))
    assert older == replace(settings, factor=(UNIT,) * 3)
