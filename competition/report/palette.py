"""The colour of each class, the same in every picture."""

import colorsys

from competition.config.settings import Settings

Colour = tuple[int, int, int]

VOID: Colour = (127, 127, 127)

_DISTINCT = (
    "#e6194b", "#3cb44b", "#4363d8", "#f5a31c", "#911eb4", "#2ec4d6", "#f032e6", "#b8d432",
    "#0b8a83", "#9a6324", "#f4a6c0", "#800000", "#7f7fff", "#808000", "#ffd8b1", "#000075",
)  # fmt: skip
_GOLDEN_ANGLE = 0.381966
_NOTHING = frozenset({"background", "bg", "none", "other", "unlabelled", "unlabeled"})


def class_colours(settings: Settings) -> tuple[Colour, ...]:
    """RGB, 0..255, of every class: the data's own colours where it has them, else ones that are easy to tell apart."""
    own = {name: colour for colour, name in (settings.data.colors or {}).items()}
    return tuple(
        parse(own[name]) if name in own else _made(index - leading_background(settings))
        for index, name in enumerate(settings.classes)
    )


def leading_background(settings: Settings) -> bool:
    """Whether class 0 is what is left when all else is named; pictures show such pixels as they are."""
    return settings.classes[0].strip().lower() in _NOTHING


def parse(text: str) -> Colour:
    """`#rrggbb` as RGB, 0..255."""
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def written(colour: Colour) -> str:
    """RGB, 0..255, as `#rrggbb`."""
    return "#" + bytes(colour).hex()


def _made(index: int) -> Colour:
    """The colour of the class with this number; -1 is a background."""
    if index < 0:
        return 70, 74, 82
    if index < len(_DISTINCT):
        return parse(_DISTINCT[index])
    lightness = (0.45, 0.6, 0.35)[index % 3]
    red, green, blue = colorsys.hls_to_rgb(index * _GOLDEN_ANGLE % 1, lightness, 0.75)
    return round(red * 255), round(green * 255), round(blue * 255)
