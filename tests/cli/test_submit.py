import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.data.manifest import Manifest
from competition.data.probabilities import ShardWriter
from competition.paths import Paths
from competition.store import experiments, splits, submissions
from competition.store.engine import open_store
from tests.conftest import Comp

CLASSES = ("background", "square", "disc")


@pytest.fixture
def predicted(comp: Comp, ready: Path) -> Path:
    """The competition with an experiment `b1` whose two fold models have predicted: no training, made-up maps."""
    comp.ok("run", "--as", "ann", "--detach", "--json")
    paths = Paths(ready)
    store = open_store(paths)
    split = splits.current(store)
    experiments.set_score(store, experiments.find(store, "b1"), score=0.5, class_iou=[0.5, 0.5, 0.5])
    store.close()
    assert split is not None
    manifest = Manifest.read(paths.manifest(split.fingerprint))
    for fold in range(split.folds):
        job = paths.job("b1", fold)
        job.folder.mkdir(parents=True, exist_ok=True)
        for path, part, ids in (
            (job.oof, "oof", [item.id for item in manifest.items][fold::2]),
            (job.test, "test", [item.id for item in manifest.test]),
        ):
            shard = ShardWriter(path, classes=CLASSES, part=part, split_hash=split.hash, fingerprint=split.fingerprint)
            with shard:
                for image_id in ids:
                    shard.add(image_id, np.eye(3, dtype=np.float32)[labels_of(image_id)].transpose(2, 0, 1))
    return ready


def labels_of(image_id: str) -> np.ndarray:
    """What every model predicts, intp (32, 32); it differs from image to image."""
    return np.random.default_rng(len(image_id) * 100 + ord(image_id[-1])).integers(0, 3, (32, 32))


def rows(path: str) -> list[list[str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_png_is_the_default(comp: Comp, predicted: Path) -> None:
    folder = Path(comp.ok("submit", "b1", "--as", "ann").strip())
    names = sorted(p.name for p in folder.iterdir())
    assert names == ["g0_0.png", "g0_1.png"]
    with Image.open(folder / "g0_0.png") as image:
        assert np.array_equal(np.asarray(image), labels_of("g0_0"))


def test_a_sample_decides_and_is_checked(comp: Comp, predicted: Path) -> None:
    Path("sample.csv").write_text(
        "id,class,segmentation\ng0_1.png,disc,\ng0_0.png,disc,\ng0_1.png,square,\ng0_0.png,square,\n"
    )
    arguments = ("submit", "b1", "--as", "ann", "--format", "rle-csv")
    ran = comp(*arguments, "--sample", "sample.csv", "--check", "sample.csv", "--json")
    assert ran.code == 0, ran.err
    assert "every mask decodes" in ran.err
    made = json.loads(ran.out)
    assert (made["images"], made["format"], made["checked"]) == (2, "rle-csv", "sample.csv")
    header, *written = rows(made["path"])
    assert header == ["id", "class", "segmentation"]
    assert [row[:2] for row in written] == [[i, c] for c in ("disc", "square") for i in ("g0_1.png", "g0_0.png")]


def test_a_submission_that_does_not_fit_is_not_counted(comp: Comp, predicted: Path) -> None:
    Path("sample.csv").write_text("ImageId,ClassId,EncodedPixels\ng0_1,1,\ng0_0,1,\n")
    error = comp.error("submit", "b1", "--as", "ann", "--format", "rle-csv", "--check", "sample.csv")
    assert "must not be handed in" in error
    assert "it has a row too many for g0_0, 2; g0_1, 2." in error
    assert "--sample sample.csv" in error
    store = open_store(Paths(predicted))
    assert submissions.count(store) == 0
    store.close()


def test_labels_at_a_given_size(comp: Comp, predicted: Path) -> None:
    path = comp.ok("submit", "b1", "--as", "ann", "--format", "labels-csv", "--size", "32x32").strip()
    (_, *written) = rows(path)
    assert [row[0] for row in written] == ["g0_0.png", "g0_1.png"]
    assert [int(c) for c in written[1][1].split()] == labels_of("g0_1").ravel().tolist()


def test_coco_results(comp: Comp, predicted: Path) -> None:
    path = comp.ok("submit", "b1", "--as", "ann", "--format", "coco-json").strip()
    assert path.endswith("b1-coco-json.json")
    entries = json.loads(Path(path).read_text())
    assert [(e["image_id"], e["category_id"]) for e in entries] == [("g0_0", 1), ("g0_0", 2), ("g0_1", 1), ("g0_1", 2)]


def test_what_cannot_be_written_is_explained(comp: Comp, predicted: Path) -> None:
    Path("sample.csv").write_text("id,class,rle\ng7_0,1,\n")
    for arguments, why in [
        (["--format", "rle"], "no format 'rle'"),
        (["--format", "color-png"], "'background' has no colour"),
        (["--format", "png", "--sample", "sample.csv"], "--sample says nothing to png"),
        (["--format", "rle-csv", "--size", "8x8"], "--size says nothing to rle-csv"),
        (["--format", "labels-csv", "--size", "8"], "'8' is no size"),
        (["--format", "labels-csv", "--size", "0x8"], "'0x8' is no size"),
        (["--format", "rle-csv", "--sample", "sample.csv"], "'g7_0' is no test image"),
        (["--format", "rle-csv", "--sample", "nowhere.csv"], "nowhere.csv cannot be read"),
    ]:
        assert why in comp.error("submit", "b1", "--as", "ann", *arguments)
    assert not list(Path("runs").glob("submissions/*"))
