import numpy as np
import pytest

from competition.ensemble.methods import Method
from competition.ensemble.predict import Predictions
from competition.ensemble.source import Blend
from competition.errors import DataError, RefusedError
from tests.ensemble.conftest import Makes, answering, noisy, random_truth

OOF = noisy(random_truth("a", "b"), seed=0, noise=1)
FOLDS = [{"a": OOF["a"]}, {"b": OOF["b"]}]


def one_pixel(*probabilities: float) -> np.ndarray:
    return np.array(probabilities, np.float32).reshape(3, 1, 1)


def test_the_mean_over_fold_models_by_hand(experiment: Makes) -> None:
    made = experiment("b1", FOLDS, [{"t": one_pixel(0.6, 0.4, 0)}, {"t": one_pixel(0.1, 0.5, 0.4)}])
    # (0.35, 0.45, 0.2)
    [(image_id, labels)] = Predictions(Blend([made], {"b1": 1.0}))
    assert (image_id, labels.dtype, labels.tolist()) == ("t", np.uint8, [[1]])


def test_weights_between_members_by_hand(experiment: Makes) -> None:
    first = experiment("b1", FOLDS, [{"t": one_pixel(0.6, 0.4, 0)}, {"t": one_pixel(0.5, 0.5, 0)}])
    second = experiment("b2", FOLDS, [{"t": one_pixel(0, 0.4, 0.6)}, {"t": one_pixel(0, 0.2, 0.8)}])

    def label(weight: float) -> int:
        weights = {"b1": weight, "b2": 1 - weight}
        return int(next(iter(Predictions(Blend([first, second], weights))))[1][0, 0])

    # b1 means (0.55, 0.45, 0), b2 means (0, 0.3, 0.7).
    assert [label(weight) for weight in (0.0, 0.4, 0.8, 0.9, 1.0)] == [2, 2, 0, 0, 0]
    assert label(0.56) == 1  # (0.308, 0.384, 0.308)


def test_many_images_of_many_sizes_stay_in_order(experiment: Makes) -> None:
    wanted = {f"t{n}": np.full((n % 5 + 1, n % 3 + 2), n % 3, np.uint8) for n in range(40)}
    test = {image_id: answering(labels) for image_id, labels in wanted.items()}
    told: list[tuple[int, int]] = []
    labels = Predictions(
        Blend([experiment("b1", FOLDS, [test, test])], {"b1": 1.0}),
        progress=lambda done, total: told.append((done, total)),
    )
    for (image_id, found), (expected_id, expected) in zip(labels, wanted.items(), strict=True):
        assert image_id == expected_id
        assert np.array_equal(found, expected)
    assert told == [(n, 40) for n in range(1, 41)]


def test_a_member_without_weight_does_not_count(experiment: Makes) -> None:
    first = experiment("b1", FOLDS, [{"t": one_pixel(1, 0, 0)}] * 2)
    second = experiment("b2", FOLDS, [{"t": one_pixel(0, 0, 1)}] * 2)
    [(_, labels)] = Predictions(Blend([first, second], {"b1": 0.0, "b2": 1.0}))
    assert labels.tolist() == [[2]]


def test_refuses_before_anything_is_written(experiment: Makes) -> None:
    with pytest.raises(RefusedError, match="no test predictions"):
        Predictions(Blend([experiment("b1", FOLDS)], {"b1": 1.0}))


def test_counts_the_pixels_that_rounding_may_have_decided(experiment: Makes) -> None:
    # Stored 128, 127, 0 (a lead of one level) and 140, 115, 0.
    pixels = np.array([[0.501, 0.499, 0], [0.55, 0.45, 0]], np.float32).T.reshape(3, 1, 2)
    made = Predictions(Blend([experiment("b1", FOLDS, [{"t": pixels}] * 2)], {"b1": 1.0}))
    assert made.undecided_share is None
    list(made)
    assert made.undecided_share == 0.5
    votes = Predictions(Blend([experiment("b2", FOLDS, [{"t": pixels}] * 2)], {"b2": 1.0}, Method.VOTE))
    list(votes)
    assert votes.undecided_share is None


def test_an_altered_shard_is_refused_before_anything_is_predicted(experiment: Makes) -> None:
    made = experiment("b1", FOLDS, [{"t": one_pixel(1, 0, 0)}] * 2)
    made.test[1].write_bytes(b"\x00\x00\xff")
    with pytest.raises(DataError, match="checksum is another"):
        Predictions(Blend([made], {"b1": 1.0}))
