"""Types of configuration values."""

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

STRIDE = 32
"""Encoders halve the image five times, so both sides are multiples of 2**5."""

NONE = "none"
"""The value that switches a key off."""


def parse_size(value: object) -> object:
    """`"192x256"` as (height, width) in pixels; values of other types are returned for pydantic to check.

    Raises:
        ValueError: the text has another form, or a side is not a positive multiple of 32.
    """
    if isinstance(value, list):
        value = tuple(value)
    if isinstance(value, str | int):
        value = str(value)
        height, cross, width = value.lower().partition("x")
        if not (cross and height.strip().isdecimal() and width.strip().isdecimal()):
            raise ValueError("a size is written HEIGHTxWIDTH, such as 192x256")
        value = (int(height), int(width))
    if isinstance(value, tuple) and all(isinstance(side, int) for side in value):
        wrong = [side for side in value if side <= 0 or side % STRIDE]
        if wrong:
            raise ValueError(f"both sides must be positive multiples of {STRIDE}, not {wrong[0]}")
    return value


Size = Annotated[
    tuple[int, int],
    BeforeValidator(parse_size),
    PlainSerializer(lambda size: f"{size[0]}x{size[1]}", return_type=str, when_used="json"),
]
Window = Annotated[
    tuple[int, int] | None,
    BeforeValidator(lambda value: None if value == NONE else parse_size(value)),
    PlainSerializer(lambda w: f"{w[0]}x{w[1]}" if w else NONE, return_type=str, when_used="json"),
]
Probability = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Scale = Annotated[float, Field(ge=0.25, le=4)]
PinnedName = Annotated[
    Annotated[str, Field(pattern=r"^[^@]+(@[0-9a-f]{12})?$")] | None,
    BeforeValidator(lambda value: None if value == NONE else value),
    PlainSerializer(lambda name: name or NONE, return_type=str, when_used="json"),
]
