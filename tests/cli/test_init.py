import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.conftest import INIT, Comp, draw_images, save


def nothing_was_written() -> bool:
    return not any(Path(name).exists() for name in ("competition.yaml", "baseline.yaml", "runs"))


def test_init_writes_the_settings_the_baseline_and_the_database(comp: Comp) -> None:
    draw_images(Path.cwd())
    out = comp.ok(*INIT)
    assert "square" in out
    settings = yaml.safe_load(Path("competition.yaml").read_text())
    assert settings["classes"] == ["background", "square", "disc"]
    assert settings["data"]["images"] == "images"
    baseline = yaml.safe_load(Path("baseline.yaml").read_text())
    assert (baseline["model"]["encoder"], baseline["data"]["size"], baseline["train"]["epochs"]) == (
        "resnet18",
        "32x32",
        2,
    )
    assert Path("runs/comp.db").is_file()
    assert len(list(Path("runs/data").glob("*/manifest.csv"))) == 1


def test_every_problem_is_named_at_once_and_nothing_is_written(comp: Comp) -> None:
    draw_images(Path.cwd())
    Path("masks/g0_0.png").unlink()
    save(Path("masks/extra.png"), np.zeros((32, 32), np.uint8))
    save(Path("masks/g0_1.png"), np.full((32, 32), 7, np.uint8))
    save(Path("masks/g0_2.png"), np.zeros((16, 32), np.uint8))
    Path("images/g1_3.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    message = comp.error(*INIT)
    for part in ("g0_0", "extra", "7", "g0_1.png", "g0_2", "16", "g1_3.png"):
        assert part in message, part
    assert nothing_was_written()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["--images", "nowhere"], "nowhere"),
        (["--images", "empty"], "empty"),
        (["--classes", "nowhere.txt"], "nowhere.txt"),
        (["--classes", "images/g0_0.png"], "UTF-8"),
        (["--classes", "twice.txt"], "twice"),
        (["--void", "1"], "void 1 is the index of class 'square'"),
        (["--metric", "iou"], "a metric is one of miou"),
        (["--strategy", "alone"], "'shared' or 'independent'"),
        (["--size", "100x100"], "multiples of 32"),
        (["--set", "trian.epochs=1"], "train.epochs"),
        (["--group-regex", "(["], "(["),
        (["--group-regex", "nomatch_(.*)"], "nomatch"),
        (["--meta", "nowhere.csv", "--group-column", "x"], "group_regex"),
    ],
)
def test_a_wrong_option_is_one_clear_error_and_writes_nothing(comp: Comp, change: list[str], complaint: str) -> None:
    draw_images(Path.cwd())
    Path("empty").mkdir()
    Path("twice.txt").write_text("a\na\n")
    assert complaint in comp.error(*INIT, *change)
    assert nothing_was_written()


def test_a_second_init_does_not_touch_the_first(comp: Comp, ready: Path) -> None:
    before = Path("competition.yaml").read_text()
    assert "exists already" in comp.error(*INIT)
    assert Path("competition.yaml").read_text() == before


def test_init_in_a_clone_sets_up_the_same_data(comp: Comp, ready: Path) -> None:
    fingerprint = [p.name for p in Path("runs/data").iterdir()]
    for path in sorted(Path("runs").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    Path("runs").rmdir()
    assert "comp init" in comp.error("leaderboard")
    comp.ok("init")
    assert [p.name for p in Path("runs/data").iterdir()] == fingerprint


def test_without_options_it_says_what_is_missing(comp: Comp) -> None:
    assert "--images and --masks are missing" in comp.error("init")
    draw_images(Path.cwd())
    assert "--classes is missing" in comp.error("init", "--images", "images", "--masks", "masks")
    assert nothing_was_written()


def test_masks_of_0_and_255_need_no_classes(comp: Comp) -> None:
    for number in range(2):
        save(Path(f"images/{number}.png"), np.zeros((32, 32, 3), np.uint8))
        save(Path(f"masks/{number}.png"), np.eye(32, dtype=np.uint8) * 255)
    ran = comp("init", "--images", "images", "--masks", "masks")
    assert ran.code == 0
    assert "object" in ran.out
    assert "The masks in masks hold 0 and 255: background and object." in ran.err
    assert yaml.safe_load(Path("competition.yaml").read_text())["data"]["binary"] is True


def test_a_coco_file_is_all_that_init_needs(comp: Comp) -> None:
    names = ["batch_01/0001.png", "batch_02/0001.png", "batch_02/0002.png"]
    for name in names:
        save(Path("dataset") / name, np.zeros((32, 32, 3), np.uint8))
    categories = [{"id": 2, "name": "paper"}, {"id": 1, "name": "metal"}]
    square = {"id": 0, "image_id": 0, "category_id": 2, "segmentation": [[0, 0, 16, 0, 16, 16, 0, 16]]}
    for part, listed, objects in (("train", names[:2], [square]), ("test", names[2:], [])):
        images = [{"id": n, "file_name": name, "height": 32, "width": 32} for n, name in enumerate(listed)]
        raw = {"images": images, "categories": categories, "annotations": objects}
        Path(f"dataset/{part}.json").write_text(json.dumps(raw))
    ran = comp("init", "--coco", "dataset/train.json", "--test-coco", "dataset/test.json")
    assert ran.code == 0, ran.err
    assert "Images without an object in train.json: 1. All their pixels are background." in ran.err
    assert "2 labelled images, 1 test images" in ran.err
    written = yaml.safe_load(Path("competition.yaml").read_text())
    assert written["classes"] == ["background", "metal", "paper"]
    assert written["data"] | {"images": "dataset", "test_images": "dataset"} == written["data"]
    rows = next(Path("runs/data").glob("*/manifest.csv")).read_text().splitlines()
    assert [row.split(",")[:3] for row in rows[1:]] == [
        ["train", "batch_01/0001", "batch_01/0001.png"],
        ["train", "batch_02/0001", "batch_02/0001.png"],
        ["test", "0002", "batch_02/0002.png"],
    ]


def test_masks_may_name_a_csv_of_run_lengths(comp: Comp) -> None:
    draw_images(Path.cwd(), images=1)
    Path("train.csv").write_text("id,rle\ng0_0,1 32\n")
    assert "3.12 %" in comp.ok("init", "--images", "images", "--masks", "train.csv")
    assert yaml.safe_load(Path("competition.yaml").read_text())["data"]["rle_csv"] == "train.csv"


def test_an_interrupted_init_goes_on(comp: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_images(Path.cwd())
    with monkeypatch.context() as patched:
        patched.setattr("competition.data.index_resume.ResumeFile.add", interrupt)
        assert comp(*INIT).code == 130
    assert Path("runs/data/.index.jsonl").is_file()
    comp.ok(*INIT)
    assert not Path("runs/data/.index.jsonl").exists()


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_metric_of_ones_own_is_tried_before_anything_is_written(comp: Comp) -> None:
    draw_images(Path.cwd())
    Path("teammetric.py").write_text(
        "def score(matrices):\n    return float(matrices.trace(axis1=1, axis2=2).mean())\n"
    )
    assert "no function 'scores'" in comp.error(*INIT, "--metric", "teammetric:scores")
    assert "no module 'nowhere'" in comp.error(*INIT, "--metric", "nowhere:score")
    assert nothing_was_written()
    comp.ok(*INIT, "--metric", "teammetric:score")
