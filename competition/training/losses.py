"""What training minimises: a weighted sum of terms, in none of which void counts."""

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

    Whatever the terms: void pixels change nothing, a class that the batch lacks adds nothing, and a batch that is all
    void has loss 0 and gradient 0. The terms look at the whole batch, not at each image.

    Args:
        class_weights: (C,), for the cross-entropy and focal terms; None weighs all classes the same.
    """

    class_weights: Tensor | None

    def __init__(self, config: LossConfig, class_weights: Sequence[float] | None = None) -> None:
        super().__init__()
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("class_weights", weights, persistent=False)
        self._config = config
        self._lovasz, self._mcc = _Lovasz(), _MultiClassMCC()

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        """The loss, a float32 scalar.

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
        """The mean over the pixels that count, each with its class's weight, or over the hardest of them.

        torch's own mean is 0 / 0 for a batch that is all void, and SMP's SoftCrossEntropyLoss counts void in it.
        The hardest pixels: Shrivastava et al., CVPR 2016.
        """
        smoothing, weights, void = self._config.smoothing, self.class_weights, IGNORE_INDEX
        if smoothing:  # log-probabilities are logits of themselves
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
        """Lin et al., ICCV 2017, over softmax probabilities, as those are what comp predicts with.

        (SMP's FocalLoss is over one sigmoid per class, and is not a number for a batch that is all void.)
        """
        surprise = F.nll_loss(log_p, target, ignore_index=IGNORE_INDEX, reduction="none")
        weight = self._weight_of(target)
        # p < 1: at p = 1 an exponent below 1 has an infinite gradient, which void pixels would turn into 0 x infinity.
        missing = (1 - (-surprise).exp()).clamp(min=1e-6)
        return _over((weight * missing**self._config.focal_gamma * surprise).sum(), weight.sum())

    def _weight_of(self, target: Tensor) -> Tensor:
        """Each pixel's weight, float32 (N, H, W); void has 0."""
        counted = target != IGNORE_INDEX
        if self.class_weights is None:
            return counted.float()
        return self.class_weights[target * counted] * counted


class Overlap(NamedTuple):
    """How predictions and truth overlap over a batch: sums of probabilities, float32 (C,), in which void is left out.

    The same values as SMP's Dice, Jaccard and Tversky losses, in half the time and without their int64 array of
    N x H x W x C: `tests/benchmarks/bench_losses.py`.
    """

    hit: Tensor
    predicted: Tensor
    true: Tensor

    @classmethod
    def of(cls, probabilities: Tensor, masks: Tensor) -> "Overlap":
        """Of probabilities (N, C, H, W), float32, with masks (N, H, W), uint8: class indices and IGNORE_INDEX."""
        classes = torch.arange(probabilities.shape[1], dtype=masks.dtype, device=masks.device)
        truth = masks[:, None] == classes[:, None, None]
        counted = (masks != IGNORE_INDEX)[:, None]
        over = (0, 2, 3)
        hit, predicted = ((probabilities * where).sum(over) for where in (truth, counted))
        return cls(hit, predicted, truth.sum(over))

    def loss(self, false_positives: float, false_negatives: float) -> Tensor:
        """1 - TP / (TP + a FP + b FN) of each class that the batch holds, as mean over all (Salehi et al., 2017).

        With a = b = 1/2 it is the Dice loss (Milletari et al., 2016), with a = b = 1 the Jaccard loss.
        """
        wrong = false_positives * (self.predicted - self.hit) + false_negatives * (self.true - self.hit)
        return ((1 - _over(self.hit, self.hit + wrong)) * (self.true > 0)).mean()


class _Lovasz(nn.Module):
    """SMP's Lovász-Softmax (Berman et al., CVPR 2018) over the classes that the batch holds.

    SMP gives an empty tensor, not 0, for a batch that is all void.
    """

    def __init__(self) -> None:
        super().__init__()
        self._of_batch = LovaszLoss("multiclass", ignore_index=IGNORE_INDEX)

    def forward(self, log_p: Tensor, target: Tensor) -> Tensor:
        loss: Tensor = self._of_batch(log_p, target).sum()
        return loss


class _MultiClassMCC(nn.Module):
    """1 - the Matthews correlation of each class against the rest (Abhishek and Hamarneh, ISBI 2021), as mean over all.

    SMP's loss takes two classes and knows no void: a void pixel would count as a true negative, so that only pixels
    that count are handed on.
    """

    def __init__(self) -> None:
        super().__init__()
        self._of_class = MCCLoss()

    def forward(self, log_p: Tensor, target: Tensor) -> Tensor:
        counted = target != IGNORE_INDEX
        probabilities = log_p.exp().movedim(1, 0)[:, counted]
        truth = F.one_hot(target[counted], log_p.shape[1]).T.to(probabilities.dtype)
        occurs = truth.sum(1) > 0
        losses = torch.stack([self._of_class(p[None], t[None]) for p, t in zip(probabilities, truth, strict=True)])
        return (losses * occurs).mean()


def _hardest(losses: Tensor, counted: Tensor, *, share: float) -> Tensor:
    """Where the highest `share` of the losses lie that count, bool (N, H, W): one pixel at least, and all ties."""
    ranked = losses.masked_fill(~counted, -1.0).flatten().sort(descending=True).values
    last = (counted.sum() * share).ceil().long().clamp(min=1) - 1
    return (losses >= ranked.gather(0, last[None])) & counted  # an index that is a tensor would be waited for


def _over(total: Tensor, weight: Tensor) -> Tensor:
    """Their quotient; 0 where nothing counts."""
    return total / weight.clamp(min=torch.finfo(torch.float32).tiny)
