import json
from dataclasses import dataclass

import numpy as np
import pytest

from competition.config.settings import Metric
from competition.data.manifest import Item
from competition.ensemble.build import build
from competition.ensemble.explain import changed_images, explain, without
from competition.ensemble.methods import Method
from tests.ensemble.conftest import Makes, answering


@dataclass(frozen=True)
class Given:
    """A loader of labels that are given, and of pictures that do not matter."""

    truth: dict[str, np.ndarray]

    def image(self, item: Item) -> np.ndarray:
        return np.zeros((item.height, item.width, 3), np.uint8)

    def labels(self, item: Item) -> np.ndarray:
        return self.truth[item.id]


def test_by_hand(experiment: Makes) -> None:
    truth = {"a": np.array([[0, 1, 2, 2]], np.uint8), "b": np.array([[1, 1, 0, 0]], np.uint8)}
    right = {i: answering(labels, confidence=0.6) for i, labels in truth.items()}
    # It is surer of itself, and wrong at the second pixel of `a` and the last of `b`.
    wrong = {"a": np.array([[0, 2, 2, 2]]), "b": np.array([[1, 1, 0, 1]])}
    sure = {i: answering(labels, confidence=0.9) for i, labels in wrong.items()}
    experiments = [experiment("right", [right]), experiment("sure", [sure])]
    made = build(experiments, truth=truth.__getitem__, metric=Metric.PIXEL_ACCURACY, method=Method.MEAN)
    found = explain(experiments, made, truth=truth.__getitem__, metric=Metric.PIXEL_ACCURACY)
    assert found.best == "right"
    assert found.disagreement.tolist() == [[0, 0.25], [0.25, 0]]
    # The blend says what `sure` says: 6 of 8 right. Without `sure` 8 are, without `right` still 6.
    assert found.contribution == {"right": pytest.approx(0), "sure": pytest.approx(-0.25)}
    # IoU of the blend: 2 of 3, 2 of 4, 2 of 3; of `right` alone 1 each.
    assert found.class_effect[1] == pytest.approx([2 / 3 - 1, 2 / 4 - 1, 2 / 3 - 1])
    assert dict(zip(found.ids, found.change.tolist(), strict=True)) == {"a": -0.25, "b": -0.25}
    assert sorted(found.most_changed(3)) == [0, 1]
    items = {i: Item(i, i, i, "", 1, 4, "", "", (), 0) for i in truth}
    changed = changed_images(experiments, made, found, Given(truth), items)  # type: ignore[arg-type]
    assert [(image.id, image.change) for image in changed] == [("a", -0.25), ("b", -0.25)]
    assert (changed[1].single.tolist(), changed[1].blend.tolist()) == ([[1, 1, 0, 0]], [[1, 1, 0, 1]])
    json.dumps(found.to_json(), allow_nan=False)


def test_a_member_without_weight_contributes_nothing_known(experiment: Makes) -> None:
    truth = {"a": np.array([[0, 1, 2, 2]], np.uint8), "b": np.array([[1, 1, 0, 0]], np.uint8)}
    right = experiment("right", [{i: answering(labels) for i, labels in truth.items()}])
    wrong = experiment("wrong", [{i: answering((labels + 1) % 3) for i, labels in truth.items()}])
    made = build([right, wrong], truth=truth.__getitem__, metric=Metric.MIOU, method=Method.WEIGHTED)
    assert made.weights == {"right": 1.0, "wrong": 0.0}
    found = explain([right, wrong], made, truth=truth.__getitem__, metric=Metric.MIOU)
    assert np.isnan(list(found.contribution.values())).all()
    assert found.change.tolist() == [0, 0]
    assert found.most_changed(3) == []


def test_weights_without_a_member() -> None:
    assert without((2, 0, 3), 0) == (0, 0, 3)
    assert without((2, 0), 0) is None
    # Class 0 keeps the proportion 1 : 3, class 1 was the leaver's alone.
    table = ((128, 256), (32, 0), (96, 0))
    assert without(table, 0) == ((0, 0), (64, 128), (192, 128))
