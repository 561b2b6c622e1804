"""The debug gate: fold jobs start only if the debug job's loss fell."""

from collections.abc import Callable, Sequence

from competition.training.checkpoint import Position
from competition.training.dataset import BatchPlan, TrainingImages
from competition.training.failures import GateError
from competition.training.learner import Learner

MAX_RISE = 1.25


def measure_losses(
    learner: Learner, images: TrainingImages, epoch: Sequence[BatchPlan], *, tick: Callable[[int, int], None]
) -> list[float]:
    """The loss of each batch of the first epoch with the weights as they are; trains nothing.

    Args:
        tick: called after each batch with the number of batches done and of all batches; may raise to stop.
    """
    learner.start_epoch(0, [])
    losses = []
    for done, plan in enumerate(epoch, start=1):
        losses.append(learner.loss(images[plan]))
        tick(done, len(epoch))
    return losses


def check(position: Position, after: Sequence[float]) -> None:
    """Do nothing if the run learned.

    1. The mean training loss must fall from the first epoch to the last: both see the same images.
    2. No batch of the first epoch may rise above 1.25 times the loss that it had before the first step.
    3. The mean loss over these batches must be lower after the last step than before the first.

    Each batch is compared with itself, so hard images do not look like a failure.

    Args:
        position: of the finished run.
        after: the loss of each batch of the first epoch, with the last weights.

    Raises:
        GateError: one of the three does not hold.
    """
    first, last = position.rows[0].train_loss, position.rows[-1].train_loss
    # `not a < b` instead of `a >= b`: a NaN must fail
    if not last < first:
        raise GateError.no_fall_between_epochs(first, last)
    # A rate far too high passes the test above: the loss blows up in the first epoch, and is lower in the second.
    if position.worst_rise > MAX_RISE:
        raise GateError.batch_loss_rose(position.worst_rise)
    mean_before, mean_after = (sum(losses) / len(losses) for losses in (position.untrained, after))
    if not mean_after < mean_before:
        raise GateError.no_fall_overall(mean_before, mean_after)
