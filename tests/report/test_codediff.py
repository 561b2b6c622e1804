import json
from pathlib import Path
from typing import Any

import pytest

from competition.paths import Paths
from competition.report.codediff import code_diff


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path)


def snapshot(paths: Paths, name: str, **files: str) -> None:
    folder = paths.experiment_code(name)
    folder.mkdir(parents=True)
    for module, text in files.items():
        (folder / f"{module}.py").write_text(text, encoding="utf-8")


def record(paths: Paths, name: str, **facts: Any) -> None:
    place = paths.job(name, 0).record
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"config": {"seed": 1}, "fold": 0, **facts}), encoding="utf-8")


def test_own_modules_are_compared_line_by_line(paths: Paths) -> None:
    snapshot(paths, "a", net="one\ntwo\n", same="x\n", gone="old\n")
    snapshot(paths, "b", net="one\nzwei\n", same="x\n", made="new\n")
    found = {file.path: file.text for file in code_diff(paths, "a", "b").files}
    assert sorted(found) == ["gone.py", "made.py", "net.py"]
    assert found["net.py"].splitlines() == ["--- a/net.py", "+++ b/net.py", "@@ -1,2 +1,2 @@", " one", "-two", "+zwei"]
    assert found["made.py"].endswith("+new")
    assert found["gone.py"].endswith("-old")


def test_commits_versions_and_what_was_not_committed(paths: Paths) -> None:
    packages = {"torch": "2.1"}
    record(paths, "a", git={"commit": "1" * 40, "diff_sha256": "x", "diff": "-old"}, packages=packages, device="cpu")
    record(
        paths,
        "b",
        git={"commit": "2" * 40, "diff_sha256": "y", "diff": "+new"},
        packages={"torch": "2.2"},
        device="cpu",
    )
    found = code_diff(paths, "a", "b")
    assert [(f.what, f.a, f.b) for f in found.recorded] == [
        ("commit", "1" * 40, "2" * 40),
        ("packages.torch", "2.1", "2.2"),
    ]
    assert found.uncommitted == ("-old", "+new")


def test_equal_code_and_unwritten_records_are_no_difference(paths: Paths) -> None:
    assert not code_diff(paths, "a", "b")
    git = {"commit": "1" * 40, "diff_sha256": "x", "diff": "-old"}
    record(paths, "a", git=git)
    assert not code_diff(paths, "a", "b")
    record(paths, "b", git=git, config={"seed": 2}, fold=1)
    assert not code_diff(paths, "a", "b")
    paths.job("b", 0).record.write_text("{damaged")
    assert not code_diff(paths, "a", "b")
