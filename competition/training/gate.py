"""Whether a debug run has learned."""

from collections.abc import Callable, Sequence

from competition.training.checkpoint import Position
from competition.training.dataset import Draw, TrainingImages
from competition.training.failures import GateError
from competition.training.learner import Learner

MOST_RISE = 1.25


def losses(
    learner: Learner, images: TrainingImages, epoch: Sequence[Draw], *, tick: Callable[[int, int], None]
) -> list[float]:
    """What the weights as they are lose on each batch of the first epoch; nothing is trained."""
    learner.start_epoch(0, [])
    found = []
    for done, draw in enumerate(epoch, start=1):
        found.append(learner.loss(images[draw]))
        tick(done, len(epoch))
    return found


def check(at: Position, after: Sequence[float]) -> None:
    """Do nothing if the run learned.

    The mean loss must fall from the first epoch to the last: both see the same images. That is not enough: a learning
    rate that is far too high blows the loss up in the first epoch, and whatever comes after is less. So the first
    epoch's batches are measured before any step and after the last. Their mean must fall between the two, and while
    they were trained on, none may have lost a quarter more than before any step. Each batch is compared with itself,
    so that it does not matter which are hard.

    Args:
        at: the finished position.
        after: the losses of the first epoch's batches with the last weights.

    Raises:
        GateError: it did not.
    """
    first, last = at.rows[0].train_loss, at.rows[-1].train_loss
    if not last < first:
        raise GateError.between_epochs(first, last)
    if at.worst_rise > MOST_RISE:
        raise GateError.on_the_way(at.worst_rise)
    mean_before, mean_after = (sum(found) / len(found) for found in (at.untrained, after))
    if not mean_after < mean_before:
        raise GateError.in_all(mean_before, mean_after)
