from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.config.settings import IGNORE_INDEX
from competition.data import pseudo
from competition.data.manifest import Item, Manifest
from competition.ensemble.inputs import BlendedExperiment
from competition.ensemble.pseudo import confident, write_pseudo_labels
from competition.errors import DataError, RefusedError
from competition.paths import Paths
from competition.predictions.probabilities import ShardWriter, quantise

CLASSES = ("background", "object")
MANIFEST = Manifest(
    items=(Item("x", "x.png", "x.png", "", 4, 4, "a", "b", (8, 8), 0),),
    test=tuple(Item(i, f"{i}.png", "", "", 4, 6, i, "", (), 0) for i in ("x", "y")),
)


def shard(path: Path, part: str, images: dict[str, np.ndarray]) -> Path:
    """A shard of the probabilities of class 1, each (H, W)."""
    with ShardWriter(path, classes=CLASSES, part=part, split_hash="s" * 8, fingerprint=MANIFEST.fingerprint) as written:  # type: ignore[arg-type]
        for image_id, of_object in images.items():
            written.add(image_id, np.stack([1 - of_object, of_object]).astype(np.float32))
    return path


def experiment(folder: Path, name: str, *by_fold: np.ndarray) -> BlendedExperiment:
    """An experiment whose fold k is as sure of the object, in every pixel of test image x, as `by_fold[k]` says.

    It is sure of the background in all of y.
    """
    oof = [shard(folder / name / f"oof{k}", "oof", {f"o{k}": np.zeros((4, 4))}) for k in range(len(by_fold))]
    test = [
        shard(folder / name / f"test{k}", "test", {"x": of_fold, "y": np.zeros((4, 6))})
        for k, of_fold in enumerate(by_fold)
    ]
    return BlendedExperiment(name, tuple(oof), tuple(test))


def filled(value: float) -> np.ndarray:
    return np.full((4, 6), value)


def made(folder: Path, *experiments: BlendedExperiment, threshold: float = 0.8) -> pseudo.PseudoLabels:
    paths = Paths(folder)
    return write_pseudo_labels("p1", paths.pseudo("p1"), experiments, MANIFEST, source="e1", threshold=threshold).labels


def test_a_pixel_is_labelled_where_the_mean_probability_reaches_the_threshold() -> None:
    first = quantise(np.array([[[0.9, 0.9, 0.6, 0.0]], [[0.1, 0.1, 0.4, 1.0]]], np.float32))
    second = quantise(np.array([[[0.9, 0.6, 0.6, 0.4]], [[0.1, 0.4, 0.4, 0.6]]], np.float32))
    labels, named = confident([first, second], threshold=0.8)
    assert labels.tolist() == [[0, IGNORE_INDEX, IGNORE_INDEX, 1]]  # means 0.9, 0.75, 0.6 and 0.8
    assert named.tolist() == [3, 1]


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.6, 0.9, 1.0])
def test_the_threshold_itself_is_enough(threshold: float) -> None:
    level = round(threshold * 255)
    views = np.array([[[level, level - 1]], [[0, 0]]], np.uint8)
    least = np.ceil(threshold * 255 - 1e-9)
    expected = [0 if value >= least else IGNORE_INDEX for value in (level, level - 1)]
    assert confident([views] * 3, threshold=threshold)[0].tolist() == [expected]


def test_each_fold_gets_the_labels_of_its_own_models(tmp_path: Path) -> None:
    """Fold 0's models see the object everywhere, fold 1's are unsure on the left."""
    unsure = filled(0.9)
    unsure[:, :2] = 0.5
    labels = made(
        tmp_path, experiment(tmp_path, "a", filled(1.0), unsure), experiment(tmp_path, "b", filled(0.9), unsure)
    )
    (x0, y0), (x1, _) = labels.items(0), labels.items(1)
    assert (x0.id, x0.image, y0.id) == ("test:x", "x.png", "test:y")
    assert (labels.labels(0, x0) == 1).all()
    assert (labels.labels(0, y0) == 0).all()
    expected = np.ones((4, 6), np.uint8)
    expected[:, :2] = IGNORE_INDEX
    assert np.array_equal(labels.labels(1, x1), expected)
    assert (x0.pixels, x0.void) == ((0, 24), 0)
    assert (x1.pixels, x1.void) == ((0, 16), 8)
    with Image.open(tmp_path / "runs" / "pseudo" / "p1" / "fold1" / "x.png") as picture:
        assert np.array_equal(np.asarray(picture), expected)


def test_what_another_folds_models_say_changes_nothing(tmp_path: Path) -> None:
    """They were trained on the images that this fold validates on."""
    one, other = tmp_path / "one", tmp_path / "other"
    before = made(one, experiment(one, "a", filled(0.9), filled(0.9)))
    after = made(other, experiment(other, "a", filled(0.9), filled(0.0)))
    assert before.items(0) == after.items(0)
    assert before.facts.folds[0] == after.facts.folds[0]
    assert before.facts.folds[1] != after.facts.folds[1]
    assert before.pinned != after.pinned


def test_an_image_without_a_label_is_left_out(tmp_path: Path) -> None:
    labels = made(tmp_path, experiment(tmp_path, "a", filled(0.6)))
    assert [item.id for item in labels.items(0)] == ["test:y"]


def test_what_is_counted(tmp_path: Path) -> None:
    half = filled(0.6)
    half[:, 3:] = 1.0
    experiments = [experiment(tmp_path, "a", half, filled(1.0))]
    found = write_pseudo_labels("p1", Paths(tmp_path).pseudo("p1"), experiments, MANIFEST, source="a", threshold=0.9)
    assert found.predicted.tolist() == [[24, 24], [24, 24]]
    assert found.kept.tolist() == [[24, 12], [24, 24]]
    assert found.images == (2, 2)


def test_a_threshold_that_nothing_reaches_leaves_no_trace(tmp_path: Path) -> None:
    unsure = BlendedExperiment(
        "a", (shard(tmp_path / "oof", "oof", {"o": filled(0)}),), (shard(tmp_path / "t", "test", {"x": filled(0.6)}),)
    )
    with pytest.raises(RefusedError, match=r"No pixel of any test image reaches the threshold 0\.8 in fold 0"):
        made(tmp_path, unsure)
    assert not (tmp_path / "runs" / "pseudo" / "p1").exists()


def test_other_data_is_refused(tmp_path: Path) -> None:
    grown = Manifest(MANIFEST.items, MANIFEST.test[:1])
    with pytest.raises(RefusedError, match="e1 ran on other data"):
        write_pseudo_labels(
            "p1",
            Paths(tmp_path).pseudo("p1"),
            [experiment(tmp_path, "a", filled(1))],
            grown,
            source="e1",
            threshold=0.8,
        )


def test_a_damaged_shard_is_noticed(tmp_path: Path) -> None:
    damaged = experiment(tmp_path, "a", filled(1.0))
    content = bytearray(damaged.test[0].read_bytes())
    content[0] ^= 1
    damaged.test[0].write_bytes(content)
    with pytest.raises(DataError, match="has changed since it was written"):
        made(tmp_path, damaged)


def test_labels_that_somebody_changed_are_refused(tmp_path: Path) -> None:
    labels = made(tmp_path, experiment(tmp_path, "a", filled(1.0)))
    item = labels.items(0)[0]
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(labels.paths.labels(0) / item.mask)
    with pytest.raises(DataError, match="has changed since `comp pseudo` wrote it"):
        labels.labels(0, item)
    rows = labels.paths.manifest(0)
    rows.write_text(rows.read_text().replace("test:y", "test:z"))
    with pytest.raises(DataError, match="damaged"):
        labels.items(0)
