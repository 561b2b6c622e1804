import math
from typing import Any

import pytest
import torch
from segmentation_models_pytorch.losses import DiceLoss, JaccardLoss, TverskyLoss
from segmentation_models_pytorch.losses._functional import softmax_focal_loss_with_logits
from torch import nn
from torch.nn import functional as F

from competition.config.optimisation import LOSS_TERMS, LossConfig
from competition.config.settings import IGNORE_INDEX as VOID
from competition.training.losses import SegmentationLoss

ALL_TERMS = dict.fromkeys(LOSS_TERMS, 0.5)
LOGITS = torch.tensor([(0.8, 0.2), (0.4, 0.6), (0.3, 0.7)]).log().T[None, :, None, :]
"""An image (1, 2, 1, 3) of three pixels, from the probabilities of its two classes."""


def loss_of(logits: torch.Tensor, *labels: int, weights: list[float] | None = None, **config: Any) -> float:
    """The loss of an image of one row; terms that are not named are off."""
    masks = torch.tensor([[labels]], dtype=torch.uint8)
    off = dict.fromkeys(LOSS_TERMS, 0.0)
    return float(SegmentationLoss(LossConfig(**{**off, **config}), weights)(logits, masks))


CE = [-math.log(0.8), -math.log(0.6), -math.log(0.3)]
"""The cross-entropy of the three pixels where the truth is 0, 1, 0."""


def mcc(tp: float, tn: float, fp: float, fn: float) -> float:
    return (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))


BY_HAND = [
    # Truth 0, 1, 0. Class 0: TP 0.8 + 0.3, FP 0.4, FN 0.2 + 0.7. Class 1: TP 0.6, FP 0.2 + 0.7, FN 0.4.
    ("cross_entropy", {}, (0, 1, 0), sum(CE) / 3),
    ("dice", {}, (0, 1, 0), 1 - (2.2 / 3.5 + 1.2 / 2.5) / 2),
    ("jaccard", {}, (0, 1, 0), 1 - (1.1 / 2.4 + 0.6 / 1.9) / 2),
    ("tversky", {"tversky_beta": 0.75}, (0, 1, 0), 1 - (1.1 / (1.1 + 0.1 + 0.675) + 0.6 / (0.6 + 0.225 + 0.3)) / 2),
    ("focal", {"focal_gamma": 2.0}, (0, 1, 0), (0.2**2 * CE[0] + 0.4**2 * CE[1] + 0.7**2 * CE[2]) / 3),
    ("mcc", {}, (0, 1, 0), 1 - mcc(1.1, 0.6, 0.4, 0.9)),  # with two classes both have the same
    # Lovász by hand: errors of class 0 are 0.7 (it), 0.4 (not), 0.2 (it); Jaccard loss grows 1/2, 2/3, 1.
    ("lovasz", {}, (0, 1, 0), (0.7 / 2 + 0.4 / 6 + 0.2 / 3 + 0.7 / 2 + 0.4 / 2 + 0.2 * 0) / 2),
    # The last pixel is void.
    ("cross_entropy", {}, (0, 1, VOID), (CE[0] + CE[1]) / 2),
    ("dice", {}, (0, 1, VOID), 1 - (1.6 / 2.2 + 1.2 / 1.8) / 2),
    ("jaccard", {}, (0, 1, VOID), 1 - (0.8 / 1.4 + 0.6 / 1.2) / 2),
    ("tversky", {"tversky_beta": 0.75}, (0, 1, VOID), 1 - (0.8 / (0.8 + 0.1 + 0.15) + 0.6 / (0.6 + 0.05 + 0.3)) / 2),
    ("focal", {"focal_gamma": 1.0}, (0, 1, VOID), (0.2 * CE[0] + 0.4 * CE[1]) / 2),
    ("mcc", {}, (0, 1, VOID), 1 - mcc(0.8, 0.6, 0.4, 0.2)),
    # Class 0: 0.4 (not), 0.2 (it): Jaccard loss 1/2, 1. Class 1: 0.4 (it), 0.2 (not): 1, 1.
    ("lovasz", {}, (0, 1, VOID), (0.4 / 2 + 0.2 / 2 + 0.4) / 2),
    # One pixel of class 0 counts; class 1 is absent and adds nothing.
    ("cross_entropy", {}, (0, VOID, VOID), CE[0]),
    ("dice", {}, (0, VOID, VOID), (1 - 1.6 / 1.8) / 2),
    ("jaccard", {}, (0, VOID, VOID), (1 - 0.8) / 2),
    ("tversky", {"tversky_beta": 0.75}, (0, VOID, VOID), (1 - 0.8 / 0.95) / 2),
    ("focal", {"focal_gamma": 0.5}, (0, VOID, VOID), math.sqrt(0.2) * CE[0]),
    ("lovasz", {}, (0, VOID, VOID), 0.2),
]


@pytest.mark.parametrize(("term", "settings", "labels", "expected"), BY_HAND)
def test_each_term_by_hand(term: str, settings: dict[str, float], labels: tuple[int, ...], expected: float) -> None:
    assert loss_of(LOGITS, *labels, **{term: 1.0}, **settings) == pytest.approx(expected, rel=1e-4)
    assert loss_of(LOGITS, *labels, **{term: 2.0}, **settings) == pytest.approx(2 * expected, rel=1e-4)


def test_mcc_counts_the_classes_that_occur() -> None:
    """A third class, absent and improbable, adds 0 to a mean that is over three now."""
    two = loss_of(LOGITS, 0, 1, 0, mcc=1.0)
    three = torch.cat([LOGITS, torch.full((1, 1, 1, 3), -30.0)], dim=1)
    assert loss_of(three, 0, 1, 0, mcc=1.0) == pytest.approx(two * 2 / 3, rel=1e-4)


@pytest.mark.parametrize("term", LOSS_TERMS)
def test_what_lies_under_void_changes_nothing(term: str) -> None:
    other = LOGITS.clone()
    other[..., 2] = torch.tensor([[5.0], [-5.0]])
    assert loss_of(other, 0, 1, VOID, **{term: 1.0}) == loss_of(LOGITS, 0, 1, VOID, **{term: 1.0})


@pytest.mark.parametrize("term", LOSS_TERMS)
def test_a_batch_of_void_has_no_loss_and_no_gradient(term: str) -> None:
    logits = torch.randn(2, 3, 2, 2, requires_grad=True)
    config = LossConfig(**{**dict.fromkeys(LOSS_TERMS, 0.0), term: 1.0}, ohem=0.5, smoothing=0.1, focal_gamma=0.5)
    loss = SegmentationLoss(config, [1.0, 2.0, 3.0])(logits, torch.full((2, 2, 2), VOID, dtype=torch.uint8))
    loss.backward()
    assert loss.shape == ()
    assert loss.item() == 0
    assert logits.grad is not None
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@pytest.mark.parametrize("term", LOSS_TERMS)
def test_certainty_has_a_finite_gradient(term: str) -> None:
    logits = torch.tensor([[200.0, -200.0], [-200.0, 200.0]]).T[None, :, None].requires_grad_()
    config = LossConfig(**{**dict.fromkeys(LOSS_TERMS, 0.0), term: 1.0}, focal_gamma=0.5)
    SegmentationLoss(config)(logits, torch.tensor([[[0, 0]]], dtype=torch.uint8)).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("term", LOSS_TERMS)
def test_each_term_falls_on_the_way_to_the_truth(term: str) -> None:
    masks = torch.randint(0, 3, (2, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    truth = F.one_hot(masks.long(), 3).movedim(-1, 1).float()
    criterion = SegmentationLoss(LossConfig(**{**dict.fromkeys(LOSS_TERMS, 0.0), term: 1.0}))
    losses = [criterion(scale * truth, masks).item() for scale in (-4, -1, 0, 1, 4, 12)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.01 < losses[0]


def test_the_terms_are_summed_with_their_weights() -> None:
    alone = [loss_of(LOGITS, 0, 1, 0, **{term: 0.5}) for term in LOSS_TERMS]
    assert loss_of(LOGITS, 0, 1, 0, **ALL_TERMS) == pytest.approx(sum(alone), rel=1e-5)


def test_region_terms_go_over_the_whole_batch() -> None:
    row = LOGITS.permute(3, 1, 2, 0)  # three images of one pixel
    masks = torch.tensor([0, 1, 0], dtype=torch.uint8).reshape(3, 1, 1)
    for term in ("dice", "jaccard", "tversky", "lovasz", "mcc"):
        config = LossConfig(**{**dict.fromkeys(LOSS_TERMS, 0.0), term: 1.0})
        assert SegmentationLoss(config)(row, masks).item() == pytest.approx(loss_of(LOGITS, 0, 1, 0, **{term: 1.0}))


@pytest.mark.parametrize(
    ("term", "library"),
    [
        ("dice", DiceLoss("multiclass", ignore_index=VOID)),
        ("jaccard", JaccardLoss("multiclass", ignore_index=VOID)),
        ("tversky", TverskyLoss("multiclass", ignore_index=VOID, alpha=0.3, beta=0.7)),
    ],
)
def test_the_overlap_terms_are_the_librarys(term: str, library: nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    masks = torch.randint(0, 4, (2, 6, 5), dtype=torch.uint8, generator=generator)  # of five classes one is absent
    masks[0, :2] = VOID
    config = LossConfig(**{**dict.fromkeys(LOSS_TERMS, 0.0), term: 1.0}, tversky_beta=0.7)
    ours, theirs = (torch.randn(2, 5, 6, 5, generator=torch.Generator().manual_seed(1)) for _ in "12")
    losses = SegmentationLoss(config)(ours.requires_grad_(), masks), library(theirs.requires_grad_(), masks.long())
    for loss in losses:
        loss.backward()
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-5)
    assert ours.grad is not None
    assert theirs.grad is not None
    assert torch.allclose(ours.grad, theirs.grad, rtol=1e-4, atol=1e-8)


def test_focal_is_the_librarys_where_nothing_is_void() -> None:
    logits, masks = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4), dtype=torch.uint8)
    config = LossConfig(cross_entropy=0, dice=0, focal=1)
    expected = softmax_focal_loss_with_logits(logits, masks.long(), gamma=2.0)
    assert SegmentationLoss(config)(logits, masks).item() == pytest.approx(expected.item(), rel=1e-5)


def test_class_weights_make_a_weighted_mean() -> None:
    expected = (CE[0] + 3 * CE[1]) / 4
    assert loss_of(LOGITS, 0, 1, VOID, cross_entropy=1.0, weights=[1, 3]) == pytest.approx(expected)
    focal = (0.2**2 * CE[0] + 3 * 0.4**2 * CE[1]) / 4
    assert loss_of(LOGITS, 0, 1, VOID, focal=1.0, weights=[1, 3]) == pytest.approx(focal, rel=1e-4)
    assert loss_of(LOGITS, 0, 1, VOID, dice=1.0, weights=[1, 3]) == loss_of(LOGITS, 0, 1, VOID, dice=1.0)


def test_smoothing_by_hand() -> None:
    """Of the first pixel's target 0.1 is spread over both classes."""
    expected = -0.95 * math.log(0.8) - 0.05 * math.log(0.2)
    assert loss_of(LOGITS, 0, VOID, VOID, cross_entropy=1.0, smoothing=0.1) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("share", "labels", "expected"),
    [
        (0.3, (0, 1, 0), CE[2]),
        (0.34, (0, 1, 0), (CE[1] + CE[2]) / 2),
        (1.0, (0, 1, 0), sum(CE) / 3),
        (0.5, (0, 1, VOID), CE[1]),
        (0.01, (0, VOID, VOID), CE[0]),
    ],
)
def test_ohem_keeps_the_hardest_of_the_pixels_that_count(
    share: float, labels: tuple[int, ...], expected: float
) -> None:
    assert loss_of(LOGITS, *labels, cross_entropy=1.0, ohem=share) == pytest.approx(expected)


def test_ohem_sends_no_gradient_to_easy_pixels() -> None:
    logits = LOGITS.clone().requires_grad_()
    config = LossConfig(dice=0, ohem=0.3)
    SegmentationLoss(config)(logits, torch.tensor([[[0, 1, 0]]], dtype=torch.uint8)).backward()
    assert logits.grad is not None
    assert logits.grad.abs().sum(dim=(0, 1, 2)).gt(0).tolist() == [False, False, True]


def test_half_precision_logits_are_judged_at_full_precision() -> None:
    logits = torch.randn(1, 3, 4, 4).bfloat16()
    masks = torch.randint(0, 3, (1, 4, 4), dtype=torch.uint8)
    assert SegmentationLoss(LossConfig(**ALL_TERMS))(logits, masks).dtype is torch.float32
