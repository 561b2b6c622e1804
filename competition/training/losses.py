"""The loss: a weighted sum of terms, all of which ignore void."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from segmentation_models_pytorch.losses import LovaszLoss, MCCLoss
from torch import Tensor, nn
from torch.nn import functional as F

from competition.config.optimisation import LossConfig
from competition.config.settings import IGNORE_INDEX


class SegmentationLoss(nn.Module):
    """Weighted sum of the terms that the configuration turns on.

    In every term void pixels change nothing, a class that the batch lacks adds nothing, and a batch of void alone has
    loss 0 and gradient 0. The terms are over the whole batch, not over each image.

    Args:
        class_weights: (C,), for the cross-entropy and focal terms; None for equal weights.
    """

    class_weights: Tensor | None

    def __init__(self, config: LossConfig, class_weights: Sequence[float] | None = None) -> None:
        super().__init__()
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("class_weights", weights, persistent=False)
        self._config = config
        self._lovasz, self._mcc = _Lovasz(), _MultiClassMCC()

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        """The loss, a float32 scalar, whatever the precision of the forward pass.

        Args:
            logits: (N, C, H, W), float.
            masks: (N, H, W), uint8: class indices, and IGNORE_INDEX for void.
        """
        log_p, target, config = logits.float().log_softmax(1), masks.long(), self._config
        loss = log_p.new_zeros(())
        if config.cross_entropy:
            loss = loss + config.cross_entropy * self._cross_entropy(log_p, target)
        if config.focal:
            loss = loss + config.focal * self._focal(log_p, target)
        if config.dice or config.jaccard or config.tversky:
            overlap = Overlap.of(log_p.exp(), masks)
            loss = loss + config.dice * overlap.loss(0.5, 0.5)
            loss = loss + config.jaccard * overlap.loss(1.0, 1.0)
            loss = loss + config.tversky * overlap.loss(1 - config.tversky_beta, config.tversky_beta)
        if config.lovasz:
            loss = loss + config.lovasz * self._lovasz(log_p, target)
        if config.mcc:
            loss = loss + config.mcc * self._mcc(log_p, target)
        return loss

    def _cross_entropy(self, log_p: Tensor, target: Tensor) -> Tensor:
        """The mean over the pixels that are not void, weighted by class, or over the hardest of them.

        Hardest pixels (online hard example mining): Shrivastava et al., CVPR 2016.
        """
        # Summed here, because torch's mean is 0 / 0 for a batch of void, and SMP's SoftCrossEntropyLoss divides by the
        # void pixels too.
        smoothing, weights, void = self._config.smoothing, self.class_weights, IGNORE_INDEX
        if smoothing:  # cross_entropy takes logits; log-probabilities are logits of the same softmax
            pixels = F.cross_entropy(
                log_p, target, weights, ignore_index=void, reduction="none", label_smoothing=smoothing
            )
        else:
            pixels = F.nll_loss(log_p, target, weights, ignore_index=void, reduction="none")
        weight = self._weight_of(target)
        if self._config.ohem < 1:
            weight = weight * _hardest(pixels.detach(), target != IGNORE_INDEX, share=self._config.ohem)
            pixels = pixels * (weight > 0)
        return _over(pixels.sum(), weight.sum())

    def _focal(self, log_p: Tensor, target: Tensor) -> Tensor:
        """The focal loss of Lin et al., ICCV 2017, over softmax probabilities."""
        # Not SMP's FocalLoss: it takes a sigmoid per class, while comp predicts with a softmax; and it is NaN for
        # a batch of void.
        surprise = F.nll_loss(log_p, target, ignore_index=IGNORE_INDEX, reduction="none")
        weight = self._weight_of(target)
        # At p = 1 an exponent below 1 has an infinite gradient, which void pixels would turn into 0 x infinity = NaN.
        missing = (1 - (-surprise).exp()).clamp(min=1e-6)
        return _over((weight * missing**self._config.focal_gamma * surprise).sum(), weight.sum())

    def _weight_of(self, target: Tensor) -> Tensor:
        """The weight of each pixel, float32 (N, H, W); 0 for void."""
        counted = target != IGNORE_INDEX
        if self.class_weights is None:
            return counted.float()
        return self.class_weights[target * counted] * counted  # void is class 0 for the look-up, then weighs 0


class Overlap(NamedTuple):
    """Overlap of predictions and truth over a batch: sums of probabilities without void, float32 (C,).

    The values of SMP's Dice, Jaccard and Tversky losses, in half the time and without their int64 array of
    N x H x W x C (`tests/benchmarks/bench_losses.py`).
    """

    hit: Tensor
    predicted: Tensor
    true: Tensor

    @classmethod
    def of(cls, probabilities: Tensor, masks: Tensor) -> "Overlap":
        """The overlap of probabilities, float32 (N, C, H, W), with masks, uint8 (N, H, W), IGNORE_INDEX for void."""
        classes = torch.arange(probabilities.shape[1], dtype=masks.dtype, device=masks.device)
        truth = masks[:, None] == classes[:, None, None]
        counted = (masks != IGNORE_INDEX)[:, None]
        over = (0, 2, 3)
        hit, predicted = ((probabilities * where).sum(over) for where in (truth, counted))
        return cls(hit, predicted, truth.sum(over))

    def loss(self, false_positives: float, false_negatives: float) -> Tensor:
        """1 - TP / (TP + a FP + b FN), as a mean over all classes; a class that the batch lacks adds 0.

        The Tversky loss (Salehi et al., 2017). With a = b = 1/2 it is the Dice loss (Milletari et al., 2016), with
        a = b = 1 the Jaccard loss.

        Args:
            false_positives: a.
            false_negatives: b.
        """
        wrong = false_positives * (self.predicted - self.hit) + false_negatives * (self.true - self.hit)
        return ((1 - _over(self.hit, self.hit + wrong)) * (self.true > 0)).mean()


class _Lovasz(nn.Module):
    """SMP's Lovász-Softmax (Berman et al., CVPR 2018) over the classes that occur in the batch."""

    def __init__(self) -> None:
        super().__init__()
        self._of_batch = LovaszLoss("multiclass", ignore_index=IGNORE_INDEX)

    def forward(self, log_p: Tensor, target: Tensor) -> Tensor:
        loss: Tensor = self._of_batch(log_p, target).sum()  # SMP gives an empty tensor for a batch of void: sum is 0
        return loss


class _MultiClassMCC(nn.Module):
    """1 - Matthews correlation of each class against the rest (Abhishek and Hamarneh, ISBI 2021), as a mean over all.

    SMP's loss is for two classes, so it is called once per class.
    """

    def __init__(self) -> None:
        super().__init__()
        self._of_class = MCCLoss()

    def forward(self, log_p: Tensor, target: Tensor) -> Tensor:
        counted = target != IGNORE_INDEX  # SMP's loss would count void pixels as true negatives
        probabilities = log_p.exp().movedim(1, 0)[:, counted]
        truth = F.one_hot(target[counted], log_p.shape[1]).T.to(probabilities.dtype)
        occurs = truth.sum(1) > 0
        losses = torch.stack([self._of_class(p[None], t[None]) for p, t in zip(probabilities, truth, strict=True)])
        return (losses * occurs).mean()


def _hardest(losses: Tensor, counted: Tensor, *, share: float) -> Tensor:
    """Mask of the highest `share` of the counted losses, bool (N, H, W): at least one pixel, and all ties."""
    ranked = losses.masked_fill(~counted, -1.0).flatten().sort(descending=True).values
    last = (counted.sum() * share).ceil().long().clamp(min=1) - 1
    # gather, because ranked[last] would make the CPU wait for the GPU
    return (losses >= ranked.gather(0, last[None])) & counted


def _over(total: Tensor, weight: Tensor) -> Tensor:
    """The quotient; 0 if the weight is 0, which is so only if the total is 0 too."""
    return total / weight.clamp(min=torch.finfo(torch.float32).tiny)
