from pathlib import Path

from competition.training import history
from competition.training.history import Row


def test_one_line_per_epoch(tmp_path: Path) -> None:
    row = Row(epoch=1, train_loss=1.23456789, score=0.5, lr=1e-3, seconds=12.0, images_per_s=8.25)
    history.write(tmp_path / "history.csv", [row])
    assert (tmp_path / "history.csv").read_text() == (
        "epoch,train_loss,score,lr,seconds,images_per_s\n1,1.23457,0.5,0.001,12,8.25\n"
    )
    said = "epoch 1/3: loss 1.2346, score 0.5000, lr 0.001, 8.2 images/s, 812 MiB"
    assert row.sentence(3, memory_mib=812) == said
