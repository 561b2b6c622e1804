from pathlib import Path

import numpy as np

from competition.data.readers.encodings import Values
from competition.data.readers.pairs import PairsReader
from tests.data.making import index, make_settings, save


def reader(root: Path, text: str) -> PairsReader:
    for name in ("in/a.png", "in/b.jpg", "out/1.png", "out/2.png"):
        save(np.zeros((2, 2), np.uint8), root / name)
    (root / "pairs.csv").write_text(text)
    return PairsReader(root / "pairs.csv", root, root, Values({0: 0}))


def test_rows_pair_files_whatever_they_are_called(tmp_path: Path) -> None:
    found = reader(tmp_path, "mask,image\nout/2.png,in/a.png\nout/1.png,in/b.jpg\n").find()
    assert found.problems == ()
    assert [(s.id, s.image, s.mask) for s in found.sources] == [
        ("a", "in/a.png", "out/2.png"),
        ("b", "in/b.jpg", "out/1.png"),
    ]


def test_every_row_that_is_wrong_is_named(tmp_path: Path) -> None:
    rows = ("in/a.png,out/1.png", "in/a.png,out/2.png", "../a.png,out/1.png", "in/b.jpg,", "in/c.png,out/1.png")
    found = reader(tmp_path, "image,mask\n" + "\n".join([*rows, "out/1.png,out/1.png"])).find()
    assert [p.replace(f"{tmp_path}/", "") for p in found.problems] == [
        "pairs.csv, line 3: the image 'in/a.png' occurs twice, or another image has the same stem.",
        "pairs.csv, line 4: '../a.png' cannot be the name of the image: it leads out of the folder.",
        "pairs.csv, line 5: '' cannot be the name of the mask: it is empty.",
        "pairs.csv, line 6: the image in/c.png does not exist.",
        "pairs.csv, line 7: 'out/1.png' is both the image and the mask.",
    ]


def test_the_list_gives_the_groups_too(tmp_path: Path) -> None:
    reader(tmp_path, "image,mask,group\nin/a.png,out/1.png,p1\nin/b.jpg,out/2.png,p2\n")
    data = {"images": ".", "masks": ".", "pairs": "pairs.csv", "meta": "pairs.csv", "group_column": "group"}
    manifest = index(make_settings(**data), tmp_path)
    assert [(i.id, i.group, i.pixels) for i in manifest.items] == [("a", "p1", (4, 0, 0)), ("b", "p2", (4, 0, 0))]
