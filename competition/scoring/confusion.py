"""Confusion matrices of single images: the one record that every score is computed from.

A matrix is int64 (C, C): rows are the truth, columns the prediction. Void pixels stand in none.
"""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from competition.errors import DataError, retry_hint
from competition.files import replacing

Labels = NDArray[np.uint8]
Matrices = NDArray[np.int64]

_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What numpy raises for an archive that is cut short, altered, or somebody else's."""


def count(prediction: Labels, truth: Labels, classes: int) -> Matrices:
    """The confusion matrix of one label map.

    Args:
        prediction: uint8 (H, W), every value below `classes`.
        truth: uint8 (H, W); pixels with a value of `classes` or more (IGNORE_INDEX among them) are void.

    Raises:
        ValueError: the shapes differ, or a predicted value is no class.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"a prediction of shape {prediction.shape} cannot be scored on a truth of {truth.shape}")
    if prediction.size and prediction.max() >= classes:
        raise ValueError(f"predicted class {prediction.max()} of {classes}")
    cells = classes * classes
    # One number per pixel says both classes; in bytes wherever they reach, as memory traffic is all the cost there is.
    code = np.dtype(np.uint8 if cells <= 255 else np.uint16)
    pairs = truth.astype(code)
    pairs *= code.type(classes)
    pairs += prediction
    pairs[truth >= classes] = cells
    return np.bincount(pairs.ravel(), minlength=cells + 1)[:cells].reshape(classes, classes)


def save(path: Path, ids: Sequence[str], matrices: Matrices) -> None:
    """Write the matrices (N, C, C) of N images, in the order of `ids`, as a compressed archive."""
    with replacing(path) as aside, aside.open("wb") as file:
        np.savez_compressed(file, ids=np.array(ids, dtype=np.str_), matrices=matrices.astype(np.int64, copy=False))


def load(path: Path) -> tuple[list[str], Matrices]:
    """The ids and matrices (N, C, C) that `save` wrote.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        with path.open("rb") as file, NpzFile(file, allow_pickle=False) as archive:
            ids, matrices = archive["ids"], archive["matrices"]
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist.", hint=retry_hint()) from error
    except _DAMAGED as error:
        raise DataError(f"{path} is damaged: {error}.", hint=retry_hint()) from error
    square = matrices.ndim == 3 and matrices.shape[1] == matrices.shape[2]
    if ids.shape != matrices.shape[:1] or ids.dtype.kind != "U" or matrices.dtype != np.int64 or not square:
        raise DataError(f"{path} is damaged: it holds other arrays than it should.", hint=retry_hint())
    return ids.tolist(), matrices
