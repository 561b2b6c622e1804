"""The meaning of the values in a mask file: class indices, 0 and 255, or colours."""

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
"""The value of the object in binary masks, by bit depth; one data set may mix them."""

_NOT_LISTED = IGNORE_INDEX - 1
"""Marks values without a meaning; the settings allow no class with this index."""


class Encoding(Protocol):
    """A way to write labels into a mask file."""

    def decode(self, data: bytes, path: Path) -> tuple[Pixels, dict[str, int]]:
        """The labels, uint8 (H, W), and the number of pixels of each value without a meaning.

        Args:
            path: the name of the file in errors.

        Raises:
            DataError: the bytes are not such a mask.
        """
        ...


@dataclass(frozen=True)
class Values:
    """One number per pixel; `labels` maps it to a label."""

    labels: Mapping[int, int]

    def decode(self, data: bytes, path: Path) -> tuple[Pixels, dict[str, int]]:
        """See `Encoding`."""
        pixels, unknown = translate(decode_mask(data, path), self.labels)
        return pixels, {f"value {value}": count for value, count in unknown.items()}


@dataclass(frozen=True)
class Colors:
    """One colour per pixel; `labels` maps it, as 0xrrggbb, to a label.

    Args:
        tolerance: the largest difference per channel to a listed colour, 0..255; the nearest listed colour counts.
    """

    labels: Mapping[int, int]
    tolerance: int = 0

    def decode(self, data: bytes, path: Path) -> tuple[Pixels, dict[str, int]]:
        """See `Encoding`. Of a palette image, the colours count here, not the indices."""
        rgb = decode_image(data, path).astype(np.int32)
        packed = rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]
        pixels, unknown = translate(packed, self.labels)
        if unknown and self.tolerance:
            near = {color: label for color in unknown if (label := self._nearest(color)) is not None}
            pixels, unknown = translate(packed, {**self.labels, **near})
        return pixels, {f"colour #{color:06x}": count for color, count in unknown.items()}

    def _nearest(self, color: int) -> int | None:
        difference = np.abs(_channels(np.array([color])) - self._listed)
        allowed = np.flatnonzero(difference.max(axis=1) <= self.tolerance)
        if not len(allowed):
            return None
        nearest = allowed[(difference[allowed] ** 2).sum(axis=1).argmin()]
        return list(self.labels.values())[int(nearest)]

    @cached_property
    def _listed(self) -> NDArray[np.int64]:
        return _channels(np.array(list(self.labels)))


def encoding_of(settings: Settings) -> Encoding:
    """The encoding of the competition's mask files."""
    data, classes = settings.data, settings.classes
    if data.colors is not None:
        label = {VOID: IGNORE_INDEX} | {name: index for index, name in enumerate(classes)}
        return Colors({int(color[1:], 16): label[name] for color, name in data.colors.items()}, data.tolerance)
    labels = {0: 0, **dict.fromkeys(FOREGROUND, 1)} if data.binary else {i: i for i in range(len(classes))}
    return Values(labels if settings.void is None else {**labels, settings.void: IGNORE_INDEX})


def read_mask_file(path: Path, encoding: Encoding) -> Labels:
    """The labels in a mask file.

    Raises:
        DataError: the file cannot be read; names it and the reason.
    """
    data = read_bytes(path)
    pixels, unknown = encoding.decode(data, path)
    return Labels(pixels, hashlib.sha256(data).hexdigest(), unknown)


def translate(raw: NDArray[np.integer], labels: Mapping[int, int]) -> tuple[Pixels, dict[int, int]]:
    """The label of every value, uint8 (H, W), and the number of pixels of each value that `labels` lacks.

    Args:
        raw: the values of a mask (H, W). Values that `labels` lacks become IGNORE_INDEX.
    """
    if _are_labels(raw, labels):
        return raw.astype(np.uint8), {}
    if raw.dtype.kind == "u" and raw.dtype.itemsize <= 2:
        # A table of all 256 or 65536 values is much faster than a search.
        table = np.full(2 ** (8 * raw.dtype.itemsize), _NOT_LISTED, dtype=np.uint8)
        listed = [value for value in labels if value < len(table)]
        table[listed] = [labels[value] for value in listed]
        translated: Pixels = np.take(table, raw)
    else:
        translated = _look_up(raw, labels)
    missing = translated == _NOT_LISTED
    if not missing.any():
        return translated, {}
    values, counts = np.unique(raw[missing], return_counts=True)
    translated[missing] = IGNORE_INDEX
    return translated, dict(zip(values.tolist(), counts.tolist(), strict=True))


def _are_labels(raw: NDArray[np.integer], labels: Mapping[int, int]) -> bool:
    """True if every value is its own label, as in most competitions' masks: these need no table."""
    identity = all(labels.get(value) == value for value in range(len(labels)))
    return identity and raw.dtype == np.uint8 and raw.max(initial=0) < len(labels)


def _look_up(raw: NDArray[np.integer], labels: Mapping[int, int]) -> Pixels:
    """`translate` for values too large for a table: a binary search among the listed ones."""
    values = np.array(sorted(labels), dtype=np.int64)
    position = np.minimum(np.searchsorted(values, raw), len(values) - 1)
    translated: Pixels = np.array([labels[value] for value in values.tolist()], dtype=np.uint8)[position]
    translated[values[position] != raw] = _NOT_LISTED
    return translated


def _channels(packed: NDArray[np.int64]) -> NDArray[np.int64]:
    """The red, green and blue of colours 0xrrggbb (N,), as int64 (N, 3)."""
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=1).astype(np.int64)
