import math

import pytest
import torch

from competition.config import LossConfig
from competition.settings import IGNORE_INDEX
from competition.training.losses import SegmentationLoss

CROSS_ENTROPY = SegmentationLoss(LossConfig(cross_entropy=1, dice=0))
DICE = SegmentationLoss(LossConfig(cross_entropy=0, dice=1))


def logits_of(*probabilities: tuple[float, ...]) -> torch.Tensor:
    """Logits (1, C, 1, W) of an image of one row, from each pixel's class probabilities."""
    return torch.tensor(probabilities).log().T[None, :, None, :]


def mask_of(*labels: int) -> torch.Tensor:
    return torch.tensor([[labels]], dtype=torch.uint8)


def test_cross_entropy_is_the_mean_over_the_pixels() -> None:
    logits = logits_of((0.8, 0.2), (0.4, 0.6))
    assert CROSS_ENTROPY(logits, mask_of(0, 1)).item() == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)


def test_void_does_not_count_in_cross_entropy() -> None:
    logits = logits_of((0.8, 0.2), (0.4, 0.6))
    assert CROSS_ENTROPY(logits, mask_of(0, IGNORE_INDEX)).item() == pytest.approx(-math.log(0.8))


def test_dice_by_hand() -> None:
    # Class 0: 2 x 0.8 / (1 + 0.8 + 0.4); class 1: 2 x 0.6 / (1 + 0.2 + 0.6).
    logits = logits_of((0.8, 0.2), (0.4, 0.6))
    expected = 1 - (1.6 / 2.2 + 1.2 / 1.8) / 2
    assert DICE(logits, mask_of(0, 1)).item() == pytest.approx(expected, rel=1e-5)


def test_void_does_not_count_in_dice() -> None:
    # One pixel of class 0 counts: 2 x 0.8 / (1 + 0.8). Class 1 is absent and adds 0 to the mean.
    logits = logits_of((0.8, 0.2), (0.4, 0.6))
    expected = (1 - 1.6 / 1.8) / 2
    assert DICE(logits, mask_of(0, IGNORE_INDEX)).item() == pytest.approx(expected, rel=1e-5)


def test_dice_goes_over_the_whole_batch() -> None:
    logits = torch.cat([logits_of((0.8, 0.2)), logits_of((0.4, 0.6))])
    masks = torch.cat([mask_of(0), mask_of(1)])
    expected = 1 - (1.6 / 2.2 + 1.2 / 1.8) / 2
    assert DICE(logits, masks).item() == pytest.approx(expected, rel=1e-5)


def test_the_terms_are_weighted() -> None:
    logits, masks = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4), dtype=torch.uint8)
    both = SegmentationLoss(LossConfig(cross_entropy=0.5, dice=2))(logits, masks)
    assert both.item() == pytest.approx(0.5 * CROSS_ENTROPY(logits, masks).item() + 2 * DICE(logits, masks).item())


def test_a_batch_of_void_has_no_loss_and_no_gradient() -> None:
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    loss = SegmentationLoss(LossConfig())(logits, torch.full((1, 2, 2), IGNORE_INDEX, dtype=torch.uint8))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_half_precision_logits_are_judged_at_full_precision() -> None:
    logits = torch.randn(1, 3, 4, 4).bfloat16()
    masks = torch.randint(0, 3, (1, 4, 4), dtype=torch.uint8)
    assert CROSS_ENTROPY(logits, masks).dtype is torch.float32
