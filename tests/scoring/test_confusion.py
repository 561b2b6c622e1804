from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from competition.config.settings import IGNORE_INDEX
from competition.errors import DataError
from competition.scoring import confusion


def test_rows_are_the_truth_and_columns_the_prediction() -> None:
    truth = np.array([[0, 0, 1], [1, 2, 2]], np.uint8)
    prediction = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    assert confusion.count(prediction, truth, 3).tolist() == [[1, 1, 0], [0, 2, 0], [2, 0, 0]]


def test_void_pixels_count_nowhere() -> None:
    truth = np.array([[0, IGNORE_INDEX, 7]], np.uint8)
    prediction = np.array([[0, 1, 1]], np.uint8)
    assert confusion.count(prediction, truth, 2).tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize("classes", [2, 11, 15, 16, 254])
def test_equals_counting_one_by_one(classes: int) -> None:
    generator = np.random.default_rng(classes)
    truth = generator.integers(0, classes, (40, 30)).astype(np.uint8)
    truth[generator.random(truth.shape) < 0.1] = IGNORE_INDEX
    prediction = generator.integers(0, classes, (40, 30)).astype(np.uint8)
    expected = np.zeros((classes, classes), np.int64)
    for t, p in zip(truth.ravel(), prediction.ravel(), strict=True):
        if t < classes:
            expected[t, p] += 1
    counted = confusion.count(prediction, truth, classes)
    assert counted.dtype == np.int64
    assert np.array_equal(counted, expected)


@given(npst.arrays(np.uint8, npst.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 4)))
def test_a_perfect_prediction_is_diagonal(truth: np.ndarray) -> None:
    counted = confusion.count(truth, truth, 5)
    assert np.array_equal(counted, np.diag(np.bincount(truth.ravel(), minlength=5)))


def test_inputs_stay_as_they_are() -> None:
    truth = np.array([[1, IGNORE_INDEX]], np.uint8)
    prediction = np.array([[1, 0]], np.uint8)
    confusion.count(prediction, truth, 2)
    assert truth.tolist() == [[1, IGNORE_INDEX]]
    assert prediction.tolist() == [[1, 0]]


def test_a_predicted_value_that_is_no_class_is_a_bug() -> None:
    with pytest.raises(ValueError, match="predicted class 2 of 2"):
        confusion.count(np.array([[2]], np.uint8), np.array([[0]], np.uint8), 2)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shape"):
        confusion.count(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), 2)


@pytest.mark.parametrize("ids", [["a", "scene 3 über", "사진"], []])
def test_saves_and_loads(tmp_path: Path, ids: list[str]) -> None:
    matrices = np.arange(len(ids) * 4, dtype=np.int64).reshape(len(ids), 2, 2) * 10**12
    confusion.save(tmp_path / "confusion.npz", ids, matrices)
    loaded_ids, loaded = confusion.load(tmp_path / "confusion.npz")
    assert loaded_ids == ids
    assert loaded.dtype == np.int64
    assert np.array_equal(loaded, matrices)
    assert [p.name for p in tmp_path.glob("*") if p.is_file()] == ["confusion.npz"]


def test_a_missing_file_names_itself_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"confusion\.npz does not exist") as caught:
        confusion.load(tmp_path / "confusion.npz")
    assert "comp retry" in (caught.value.hint or "")


@pytest.mark.parametrize("keep", [0, 10, 100, 300])
def test_a_truncated_file_is_damaged(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "confusion.npz"
    confusion.save(path, ["a"], np.ones((1, 2, 2), np.int64))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="is damaged"):
        confusion.load(path)


def test_a_bare_array_is_damaged(tmp_path: Path) -> None:
    with (tmp_path / "confusion.npz").open("wb") as file:
        np.save(file, np.ones((1, 2, 2), np.int64))
    with pytest.raises(DataError, match="is damaged"):
        confusion.load(tmp_path / "confusion.npz")


def test_a_flipped_byte_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "confusion.npz"
    confusion.save(path, ["a"], np.arange(400, dtype=np.int64).reshape(1, 20, 20))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DataError, match="is damaged"):
        confusion.load(path)


@pytest.mark.parametrize(
    "arrays",
    [
        {"ids": np.array(["a", "b"]), "matrices": np.ones((1, 2, 2), np.int64)},
        {"ids": np.array(["a"]), "matrices": np.ones((1, 2, 3), np.int64)},
        {"ids": np.array(["a"]), "matrices": np.ones((1, 2, 2), np.float64)},
        {"ids": np.array([1]), "matrices": np.ones((1, 2, 2), np.int64)},
        {"ids": np.array(["a"])},
    ],
)
def test_somebody_elses_arrays_are_damaged(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "confusion.npz", **arrays)
    with pytest.raises(DataError, match="is damaged"):
        confusion.load(tmp_path / "confusion.npz")
