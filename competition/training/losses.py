"""What training minimises."""

from segmentation_models_pytorch.losses import DiceLoss
from torch import Tensor, nn
from torch.nn import functional as F

from competition.config import LossConfig
from competition.settings import IGNORE_INDEX


class SegmentationLoss(nn.Module):
    """Weighted sum of cross-entropy and Dice loss; void pixels count in neither.

    Cross-entropy is the mean over all pixels of the batch that are not void. Dice is 1 - 2 TP / (2 TP + FP + FN) with
    probabilities for counts, over the whole batch, as the mean over all classes; a class that the batch lacks adds 0.
    A batch that is all void has loss 0 and gradient 0.
    """

    def __init__(self, config: LossConfig) -> None:
        super().__init__()
        self._weights = (config.cross_entropy, config.dice)
        self._dice = DiceLoss("multiclass", from_logits=True, ignore_index=IGNORE_INDEX)

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        """The loss, a float32 scalar.

        Args:
            logits: (N, C, H, W), float.
            masks: (N, H, W), uint8: class indices, and IGNORE_INDEX for void.
        """
        logits, target = logits.float(), masks.long()
        cross_entropy, dice = self._weights
        loss = logits.new_zeros(())
        if cross_entropy:
            loss = loss + cross_entropy * _cross_entropy(logits, target)
        if dice:
            loss = loss + dice * self._dice(logits, target)
        return loss


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """torch's own mean divides by the number of pixels that count, which is 0 for a batch that is all void."""
    total = F.cross_entropy(logits, target, ignore_index=IGNORE_INDEX, reduction="sum")
    return total / (target != IGNORE_INDEX).sum().clamp(min=1)
