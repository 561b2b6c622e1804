"""A blend that is killed goes on where it was, and ends with the same bytes."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from competition.ensemble import resume
from competition.ensemble.inputs import BlendedExperiment
from competition.ensemble.postprocess import Postprocessing
from competition.ensemble.predict import Predictions
from competition.ensemble.resume import FinishedMap, resumable
from competition.ensemble.source import Blend
from competition.files import sha256_of_tree
from competition.submission.formats import Format, write
from competition.submission.layout import Layout
from tests.ensemble.conftest import CLASSES, Makes, noisy, random_truth

IDS = [f"t{n}" for n in range(30)]
SLOWLY = """
import sys, time
from pathlib import Path
from tests.ensemble.test_resume import all_of, members_in
for image_id, labels in all_of(members_in(Path(sys.argv[1])), Path(sys.argv[2])):
    print(image_id, flush=True)
    time.sleep(0.02)
"""


def members_in(folder: Path) -> list[BlendedExperiment]:
    return [BlendedExperiment(n, (folder / n / "fold0/oof.u8",), (folder / n / "fold0/test.u8",)) for n in ("a", "b")]


def all_of(experiments: list[BlendedExperiment], keep: Path | None, *, least: int = 3) -> Predictions:
    settings = Postprocessing((least,) * 3, (2,) * 3, (False,) * 3, (12, 18, 8))
    return Predictions(Blend(experiments, {"a": 0.7, "b": 0.3}, postprocessing=settings), keep=keep)


def written(predictions: Iterable[tuple[str, np.ndarray]], target: Path) -> str:
    named = ((image_id, f"{image_id}.png", labels) for image_id, labels in predictions)
    write(Format.PNG, named, target, Layout(CLASSES, {i: f"{i}.png" for i in IDS}))
    return sha256_of_tree(target)


@pytest.fixture
def experiments(experiment: Makes) -> list[BlendedExperiment]:
    oof = noisy(random_truth("o"), seed=0, noise=1)
    sizes = [(n % 7 + 5, n % 4 + 9) for n in range(len(IDS))]
    for seed, name in enumerate("ab"):
        test = {i: noisy(random_truth(i, size=size), seed=seed, noise=2)[i] for i, size in zip(IDS, sizes, strict=True)}
        experiment(name, [oof], [test])
    return []


def test_a_blend_that_was_killed_goes_on(tmp_path: Path, experiments: list[BlendedExperiment]) -> None:
    experiments = members_in(tmp_path)
    keep = tmp_path / "kept"
    reference = all_of(experiments, None)
    wanted = written(reference, tmp_path / "reference")
    program = [sys.executable, "-c", SLOWLY, str(tmp_path), str(keep)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        seen = [child.stdout.readline().strip() for _ in range(7)]
        os.kill(child.pid, signal.SIGKILL)
    assert seen == IDS[:7]
    assert child.returncode == -signal.SIGKILL
    again = all_of(experiments, keep)
    assert written(again, tmp_path / "again") == wanted
    assert 7 <= again.taken_over < len(IDS)
    assert again.undecided_share == reference.undecided_share


def test_another_blend_takes_nothing_over(tmp_path: Path, experiments: list[BlendedExperiment]) -> None:
    keep = tmp_path / "kept"
    first = all_of(members_in(tmp_path), keep)
    list(first)
    same, other = all_of(members_in(tmp_path), keep), all_of(members_in(tmp_path), keep, least=4)
    list(same)
    list(other)
    assert (first.taken_over, same.taken_over, other.taken_over) == (0, len(IDS), 0)


def made(ids: Sequence[str]) -> Iterable[FinishedMap]:
    return [(np.full((2, 3), int(i), np.uint8), int(i)) for i in ids]


@pytest.mark.parametrize("spoil", [1, 20, 40])
def test_a_record_that_is_cut_short_or_damaged_is_made_again(tmp_path: Path, spoil: int) -> None:
    path, ids = tmp_path / "kept", list("12345")
    wanted = [(labels.tolist(), undecided) for labels, undecided in made(ids)]

    def taken() -> int:
        found = list(resumable(made, ids, path=path, key="k"))
        assert [(labels.tolist(), undecided) for (labels, undecided), _ in found] == wanted
        return sum(was_there for _, was_there in found)

    assert taken() == 0
    whole = path.read_bytes()
    assert taken() == 5
    path.write_bytes(whole[:-spoil])
    assert 3 <= taken() < 5
    assert path.read_bytes() == whole
    path.write_bytes(whole[:-spoil] + bytes([whole[-spoil] ^ 1]) + whole[len(whole) - spoil + 1 :])
    assert taken() < 5


def test_two_at_once_do_not_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    first = resumable(made, ["1", "2"], path=path, key="k")
    next(first)
    assert len(list(resumable(made, ["1", "2"], path=path, key="k"))) == 2
    assert len(list(first)) == 1
    assert sum(was_there for _, was_there in resumable(made, ["1", "2"], path=path, key="k")) == 2


def test_a_file_that_another_process_writes_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "unfinished"
    resume.remove(path)
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        resume.remove(path)
        assert path.exists()
    resume.remove(path)
    assert not path.exists()
