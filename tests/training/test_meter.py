import pytest
import torch

from competition.training.checkpoint import Position
from competition.training.dataset import Draw
from competition.training.failures import NotFiniteError
from competition.training.meter import LossMeter


def test_the_mean_goes_over_images_not_over_batches() -> None:
    position = Position()
    meter = LossMeter(position)
    meter.add(torch.tensor(1.0), Draw(0, 0, ("a", "b", "c")))
    assert meter.read() == 1.0
    meter.add(torch.tensor(5.0), Draw(0, 1, ("d",)))
    assert meter.read() == meter.read() == 2.0
    assert (position.loss_sum, position.images) == (8.0, 4)


def test_the_first_batch_without_a_number_is_named() -> None:
    meter = LossMeter(Position())
    for step, value in enumerate([1.0, float("nan"), float("inf")]):
        meter.add(torch.tensor(value), Draw(2, step, (f"image{step}",)))
    with pytest.raises(NotFiniteError, match="not a number in epoch 3, batch 2, on the images image1"):
        meter.read()
