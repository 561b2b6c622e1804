"""What the values of a mask file mean: class indices, 0 and 255, or colours."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import IGNORE_INDEX, VOID, Settings
from competition.data.images import Pixels, decode_image, decode_mask, read_bytes
from competition.data.readers.source import Labels

FOREGROUND = (1, 255, 65535)
"""What binary masks call the object, by their bit depth; several may stand in one set."""

_NOT_LISTED = IGNORE_INDEX - 1
"""Marks values that mean nothing; the settings allow no class of this index."""


class Encoding(Protocol):
    """How a mask file writes labels down."""

    def decode(self, data: bytes, path: Path) -> tuple[Pixels, dict[str, int]]:
        """The labels (H, W), and how many pixels hold each value that means nothing; `path` names the file in errors.

        Raises:
            DataError: the bytes are no such mask.
        """
        ...


@dataclass(frozen=True)
class Values:
    """One number per pixel; `labels` says which label each stands for."""

    labels: Mapping[int, int]

    def decode(self, data: bytes, path: Path) -> tuple[Pixels, dict[str, int]]:
        """See `Encoding`."""
        pixels, unknown = translate(decode_mask(data, path), self.labels)
        return pixels, {f"value {value}": count for value, count in unknown.items()}


@dataclass(frozen=True)
class Colors:
    """One colour per pixel; `labels` says which label each 0xrrggbb stands for.

    Args:
        tolerance: how far each channel may lie from a listed colour's; of several so near, the nearest is meant.
    """

    labels: Mapping[int, int]
    tolerance: int = 0

    def decode(self, data: bytes, path: Path) -> tuple[Pixels, dict[str, int]]:
        """See `Encoding`. A palette gives its colours here, not its indices."""
        rgb = decode_image(data, path).astype(np.int32)
        packed = rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]
        pixels, unknown = translate(packed, self.labels)
        if unknown and self.tolerance:
            near = {color: label for color in unknown if (label := self._nearest(color)) is not None}
            pixels, unknown = translate(packed, {**self.labels, **near})
        return pixels, {f"colour #{color:06x}": count for color, count in unknown.items()}

    def _nearest(self, color: int) -> int | None:
        apart = np.abs(_channels(np.array([color])) - self._listed)
        allowed = np.flatnonzero(apart.max(axis=1) <= self.tolerance)
        if not len(allowed):
            return None
        nearest = allowed[(apart[allowed] ** 2).sum(axis=1).argmin()]
        return list(self.labels.values())[int(nearest)]

    @cached_property
    def _listed(self) -> NDArray[np.int64]:
        return _channels(np.array(list(self.labels)))


def encoding_of(settings: Settings) -> Encoding:
    """How the competition's mask files are written."""
    data, classes = settings.data, settings.classes
    if data.colors is not None:
        label = {VOID: IGNORE_INDEX} | {name: index for index, name in enumerate(classes)}
        return Colors({int(color[1:], 16): label[name] for color, name in data.colors.items()}, data.tolerance)
    labels = {0: 0, **dict.fromkeys(FOREGROUND, 1)} if data.binary else {i: i for i in range(len(classes))}
    return Values(labels if settings.void is None else {**labels, settings.void: IGNORE_INDEX})


def read_mask_file(path: Path, encoding: Encoding) -> Labels:
    """The labels in a mask file.

    Raises:
        DataError: it cannot be read; names it and why.
    """
    data = read_bytes(path)
    pixels, unknown = encoding.decode(data, path)
    return Labels(pixels, hashlib.sha256(data).hexdigest(), unknown)


def translate(raw: NDArray[np.integer], labels: Mapping[int, int]) -> tuple[Pixels, dict[int, int]]:
    """The label of every value (H, W), IGNORE_INDEX for those not listed; and how many pixels hold each of these."""
    if _are_labels(raw, labels):
        return raw.astype(np.uint8), {}
    if raw.dtype.kind == "u" and raw.dtype.itemsize <= 2:
        table = np.full(2 ** (8 * raw.dtype.itemsize), _NOT_LISTED, dtype=np.uint8)
        listed = [value for value in labels if value < len(table)]
        table[listed] = [labels[value] for value in listed]
        meant: Pixels = np.take(table, raw)
    else:
        meant = _look_up(raw, labels)
    missing = meant == _NOT_LISTED
    if not missing.any():
        return meant, {}
    values, counts = np.unique(raw[missing], return_counts=True)
    meant[missing] = IGNORE_INDEX
    return meant, dict(zip(values.tolist(), counts.tolist(), strict=True))


def _are_labels(raw: NDArray[np.integer], labels: Mapping[int, int]) -> bool:
    """Whether every value stands for itself, as in most competitions' masks: these need no table."""
    counting = all(labels.get(value) == value for value in range(len(labels)))
    return counting and raw.dtype == np.uint8 and raw.max(initial=0) < len(labels)


def _look_up(raw: NDArray[np.integer], labels: Mapping[int, int]) -> Pixels:
    """`translate` where the values are too many for a table: a search among the listed ones."""
    values = np.array(sorted(labels), dtype=np.int64)
    place = np.minimum(np.searchsorted(values, raw), len(values) - 1)
    meant: Pixels = np.array([labels[value] for value in values.tolist()], dtype=np.uint8)[place]
    meant[values[place] != raw] = _NOT_LISTED
    return meant


def _channels(packed: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) 0xrrggbb as (N, 3)."""
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=1).astype(np.int64)
