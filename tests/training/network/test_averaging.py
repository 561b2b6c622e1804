import pytest
import torch
from torch import nn

from competition.config.experiment import Average, TrainConfig
from competition.errors import ConfigError
from competition.training.network.averaging import Averaging
from competition.training.network.model import IMAGENET, Segmenter
from competition.training.network.precision import Precision


class Walk:
    """A segmenter of one weight that is set to one value after the other, and its average."""

    def __init__(self, *, epochs: int = 1, **config: object) -> None:
        network = nn.Conv2d(3, 1, 1, bias=False)
        self.segmenter = Segmenter(network, IMAGENET, Precision.FP32)
        self.weight = network.weight
        self.averaging = Averaging(self.segmenter, TrainConfig.model_validate(config), epochs=epochs)

    def to(self, value: float) -> None:
        with torch.no_grad():
            self.weight.fill_(value)

    @property
    def average(self) -> float | None:
        averaged = self.averaging.averaged
        return None if averaged is None else next(averaged.network.parameters()).mean().item()


def test_what_cannot_be_copied_is_named() -> None:
    with pytest.warns(FutureWarning, match="weight_norm"):
        network = nn.utils.weight_norm(nn.Conv2d(3, 1, 1))
    segmenter = Segmenter(network, IMAGENET, Precision.FP32)
    segmenter(torch.zeros(1, 8, 8, 3, dtype=torch.uint8))
    with pytest.raises(ConfigError, match=r"train\.average=ema: Conv2d cannot be copied: "):
        Averaging(segmenter, TrainConfig(average=Average.EMA), epochs=1)


def test_none_averages_nothing() -> None:
    walk = Walk()
    walk.averaging.after_step(walk.segmenter, 0)
    walk.averaging.after_epoch(walk.segmenter, 0)
    assert walk.average is None
    assert walk.averaging.state() == {}


def test_ema_by_hand() -> None:
    """Decays: the first is copied, then 2/11 and 3/12 of the rule, then the 0.25 of the configuration."""
    walk = Walk(average="ema", average_decay=0.25)
    expected = 0.0
    for step, (value, decay) in enumerate([(1.0, 0.0), (2.0, 2 / 11), (4.0, 0.25), (8.0, 0.25)]):
        walk.to(value)
        walk.averaging.after_step(walk.segmenter, step)
        walk.averaging.after_epoch(walk.segmenter, step)
        expected = decay * expected + (1 - decay) * value
        assert walk.average == pytest.approx(expected)
    assert walk.weight.mean().item() == 8.0


def test_swa_is_the_mean_over_the_last_quarter() -> None:
    walk = Walk(epochs=8, average="swa", swa_start=0.75)
    averages = []
    for epoch in range(8):
        walk.to(float(epoch))
        walk.averaging.after_step(walk.segmenter, epoch)
        walk.averaging.after_epoch(walk.segmenter, epoch)
        averages.append(walk.average)
    assert averages == [*[None] * 6, 6.0, 6.5]


def test_swa_of_a_single_epoch_is_that_epoch() -> None:
    walk = Walk(epochs=1, average="swa")
    walk.to(3.0)
    walk.averaging.after_epoch(walk.segmenter, 0)
    assert walk.average == 3.0


@pytest.mark.parametrize("average", ["ema", "swa"])
def test_an_average_goes_on_from_its_state(average: str) -> None:
    def go(walk: Walk, steps: range) -> None:
        for step in steps:
            walk.to(1.1**step)
            walk.averaging.after_step(walk.segmenter, step)
            walk.averaging.after_epoch(walk.segmenter, step)

    whole, stopped, resumed = (Walk(epochs=6, average=average, swa_start=0.0) for _ in range(3))
    go(whole, range(6))
    go(stopped, range(3))
    resumed.averaging.restore(stopped.averaging.state())
    go(resumed, range(3, 6))
    assert resumed.average == whole.average
