import hashlib
import io
import os
from pathlib import Path

import pytest
import torch

from competition.paths import JobPaths
from competition.training import checkpoint
from competition.training.checkpoint import Checkpoint, Position, identity_of
from competition.training.history import Row
from tests.training.conftest import Specs

IDENTITY = {"config": "a", "split": "b"}
ROW = Row(epoch=1, train_loss=1.5, score=0.25, lr=1e-3, seconds=2.0, images_per_s=4.5)


def at_step(step: int) -> Checkpoint:
    weights = {"weight": torch.tensor([1.0, step])}
    return Checkpoint(Position(1, step, 3.5, 8, 1.25, 2.0, rows=[ROW]), {"network": weights}, best=weights)


@pytest.fixture
def paths(tmp_path: Path) -> JobPaths:
    return JobPaths(tmp_path / "job")


def save(paths: JobPaths, *steps: int) -> None:
    for step in steps:
        checkpoint.save(paths, at_step(step), identity=IDENTITY)


def step_of(loaded: Checkpoint | None) -> int:
    assert loaded is not None
    return loaded.position.step


def damage(path: Path, *, keep: float) -> None:
    """Cut a file off after so many bytes, or after that share of them."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if 0 < keep < 1 else int(keep)])


def test_round_trip(paths: JobPaths) -> None:
    save(paths, 2)
    loaded = checkpoint.load(paths, identity=IDENTITY)
    assert loaded is not None
    assert loaded.position == at_step(2).position
    assert torch.equal(loaded.learner["network"]["weight"], torch.tensor([1.0, 2.0]))
    assert torch.equal(loaded.best["weight"], torch.tensor([1.0, 2.0]))
    assert [p.name for p in paths.folder.iterdir()] == ["checkpoint.pt"]


def test_there_may_be_none(paths: JobPaths, capsys: pytest.CaptureFixture[str]) -> None:
    assert checkpoint.load(paths, identity=IDENTITY) is None
    assert capsys.readouterr().out == ""


def test_two_are_kept_and_both_removed(paths: JobPaths) -> None:
    save(paths, 1, 2, 3)
    assert {p.name for p in paths.folder.iterdir()} == {"checkpoint.pt", "checkpoint.previous.pt"}
    assert step_of(checkpoint.load(paths, identity=IDENTITY)) == 3
    paths.checkpoint.unlink()
    assert step_of(checkpoint.load(paths, identity=IDENTITY)) == 2
    checkpoint.remove(paths)
    assert list(paths.folder.iterdir()) == []


def test_another_jobs_is_left_out(paths: JobPaths, capsys: pytest.CaptureFixture[str]) -> None:
    save(paths, 1)
    assert checkpoint.load(paths, identity={**IDENTITY, "split": "c"}) is None
    assert "another split" in capsys.readouterr().out


@pytest.mark.parametrize("keep", [0, 10, 32, 0.5, 0.99])
def test_a_damaged_one_gives_way_to_the_one_before(
    keep: float, paths: JobPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    save(paths, 1, 2)
    damage(paths.checkpoint, keep=keep)
    assert step_of(checkpoint.load(paths, identity=IDENTITY)) == 1
    assert "checkpoint.pt is damaged" in capsys.readouterr().out
    damage(paths.previous_checkpoint, keep=keep)
    assert checkpoint.load(paths, identity=IDENTITY) is None


def test_one_flipped_bit_is_noticed(paths: JobPaths) -> None:
    save(paths, 1, 2)
    whole = bytearray(paths.checkpoint.read_bytes())
    place = whole.index(torch.tensor([1.0, 2.0]).numpy().tobytes())
    whole[place] ^= 1
    paths.checkpoint.write_bytes(whole)
    assert step_of(checkpoint.load(paths, identity=IDENTITY)) == 1


def test_a_disk_that_is_full_leaves_the_last_one_whole(paths: JobPaths) -> None:
    """The write fails for real, in a process that may not write files of more than 64 bytes."""
    save(paths, 1, 2)
    child = os.fork()
    if child == 0:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
        try:
            save(paths, 3)
        except OSError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert step_of(checkpoint.load(paths, identity=IDENTITY)) == 2
    assert {p.name for p in paths.folder.iterdir()} == {"checkpoint.pt", "checkpoint.previous.pt"}


class Evil:
    """What a pickle could do to whoever reads it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("pwned",)


def test_code_in_one_is_not_run(paths: JobPaths) -> None:
    saved = io.BytesIO()
    torch.save({"identity": IDENTITY, "position": Evil(), "learner": {}, "best": {}}, saved)
    paths.folder.mkdir()
    paths.checkpoint.write_bytes(hashlib.sha256(saved.getbuffer()).digest() + saved.getvalue())
    assert checkpoint.load(paths, identity=IDENTITY) is None
    assert not Path("pwned").exists()


def test_identity_changes_with_the_config_and_not_with_the_attempt(spec_of: Specs) -> None:
    assert identity_of(spec_of(token="a")) == identity_of(spec_of(token="b"))
    assert identity_of(spec_of()) != identity_of(spec_of("seed=1"))
