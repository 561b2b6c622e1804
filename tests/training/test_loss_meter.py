import pytest
import torch

from competition.training.checkpoint import Position
from competition.training.dataset import BatchPlan
from competition.training.failures import NotFiniteError
from competition.training.loss_meter import LossMeter


def test_the_mean_goes_over_images_not_over_batches() -> None:
    position = Position()
    meter = LossMeter(position)
    meter.add(torch.tensor(1.0), BatchPlan(0, 0, ("a", "b", "c")))
    assert meter.read() == 1.0
    meter.add(torch.tensor(5.0), BatchPlan(0, 1, ("d",)))
    assert meter.read() == meter.read() == 2.0
    assert (position.loss_sum, position.images) == (8.0, 4)


def test_the_first_batch_without_a_number_is_named() -> None:
    meter = LossMeter(Position())
    for step, value in enumerate([1.0, float("nan"), float("inf")]):
        meter.add(torch.tensor(value), BatchPlan(2, step, (f"image{step}",)))
    with pytest.raises(NotFiniteError, match="not a number in epoch 3, batch 2, on the images image1"):
        meter.read()


@pytest.mark.parametrize(
    ("first", "later", "explodes"), [(2.0, 2001.0, True), (2.0, 1999.0, False), (0.0, 999.0, False)]
)
def test_a_thousand_times_the_first_loss_is_an_explosion(first: float, later: float, explodes: bool) -> None:
    position = Position()
    meter = LossMeter(position)
    meter.add(torch.tensor(first), BatchPlan(0, 0, ("a",)))
    meter.read()
    resumed = LossMeter(position)  # the position remembers
    resumed.add(torch.tensor(later), BatchPlan(3, 1, ("b", "c")))
    if explodes:
        with pytest.raises(
            NotFiniteError, match="exploded: 2 on the first batch, 2001 in epoch 4, batch 2, on the images b, c"
        ):
            resumed.read()
    else:
        resumed.read()


def test_the_worst_rise_is_over_the_first_epoch_alone() -> None:
    position = Position(untrained=[2.0, 4.0, 0.0])
    meter = LossMeter(position)
    for epoch, step, loss in ((0, 0, 3.0), (0, 1, 4.4), (0, 2, 9.0), (1, 0, 40.0)):
        meter.add(torch.tensor(loss), BatchPlan(epoch, step, ("a",)))
    meter.read()
    assert position.worst_rise == 1.5
    without = Position()
    meter = LossMeter(without)
    meter.add(torch.tensor(3.0), BatchPlan(0, 0, ("a",)))
    meter.read()
    assert without.worst_rise == 0.0
