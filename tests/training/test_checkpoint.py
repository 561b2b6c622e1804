import os
from pathlib import Path

import pytest
import torch

from competition.training import checkpoint
from competition.training.checkpoint import Checkpoint, Position, identity_of
from competition.training.history import Row
from tests.training.conftest import Specs

IDENTITY = {"config": "a", "split": "b"}
ROW = Row(epoch=1, train_loss=1.5, score=0.25, lr=1e-3, seconds=2.0, images_per_s=4.5)
SAVED = Checkpoint(Position(1, 2, 3.5, 8, 1.25, [ROW]), {"network": {"weight": torch.tensor([1.0, 2.0])}})


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, SAVED, identity=IDENTITY)
    found = checkpoint.load(path, identity=IDENTITY)
    assert found is not None
    assert found.position == SAVED.position
    assert torch.equal(found.learner["network"]["weight"], torch.tensor([1.0, 2.0]))
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["checkpoint.pt"]


def test_there_may_be_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checkpoint.load(tmp_path / "checkpoint.pt", identity=IDENTITY) is None
    assert capsys.readouterr().out == ""


def test_another_jobs_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, SAVED, identity=IDENTITY)
    assert checkpoint.load(path, identity={**IDENTITY, "split": "c"}) is None
    assert "another split" in capsys.readouterr().out


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_damaged_one_is_left_out(keep: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, SAVED, identity=IDENTITY)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if 0 < keep < 1 else int(keep)])
    assert checkpoint.load(path, identity=IDENTITY) is None
    assert "damaged" in capsys.readouterr().out


class Evil:
    """What a pickle could do to whoever reads it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("pwned",)


def test_code_in_one_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"identity": IDENTITY, "position": Evil(), "learner": {}}, path)
    assert checkpoint.load(path, identity=IDENTITY) is None
    assert not Path("pwned").exists()


def test_identity_changes_with_the_config_and_not_with_the_attempt(spec_of: Specs) -> None:
    assert identity_of(spec_of(token="a")) == identity_of(spec_of(token="b"))
    assert identity_of(spec_of()) != identity_of(spec_of("seed=1"))
