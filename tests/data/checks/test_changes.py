from pathlib import Path

import numpy as np

from competition.data.checks.changes import check_changes
from competition.data.checks.finding import Severity
from competition.data.index import index
from tests.data.making import make_data, make_settings, save


def test_changed_and_missing_files_are_named(tmp_path: Path) -> None:
    make_data(tmp_path, ("a", "b", "c", "d"))
    save(np.full((5, 7), 9, np.uint8), tmp_path / "test" / "t.png")
    settings = make_settings(test_images="test")
    manifest = index(settings, tmp_path)
    assert check_changes(manifest, settings, tmp_path) == []
    save(np.full((4, 6, 3), 99, np.uint8), tmp_path / "images" / "a.png")
    save(np.zeros((4, 6), np.uint8), tmp_path / "masks" / "b.png")
    (tmp_path / "test" / "t.png").unlink()
    (found,) = check_changes(manifest, settings, tmp_path)
    assert (found.severity, found.count) == (Severity.ERROR, 3)
    assert all(name in example for name, example in zip(("a.png", "b.png", "t.png"), found.examples, strict=True))
