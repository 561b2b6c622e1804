"""Test predictions of an ensemble, one image at a time."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from competition.data.parallel import Progress
from competition.data.probabilities import Shard
from competition.ensemble.blend import blend, counts_of
from competition.ensemble.members import Member, open_members
from competition.errors import RefusedError
from competition.scoring.confusion import Labels


def test_labels(
    members: Sequence[Member],
    weights: Mapping[str, float],
    *,
    progress: Progress | None,
    order: Sequence[str] | None = None,  # noqa: PT028 - no test, in spite of its name
) -> Iterator[tuple[str, Labels]]:
    """Each test image's id and label map, uint8 (H, W) at the image's own size.

    A member's probabilities are the mean over its fold models; the members' are then averaged by their weights. Memory
    does not grow with the number of images or models.

    Args:
        order: the ids of the test images in the order wanted; by default that of the shards.

    Raises:
        RefusedError: the members do not belong together, or have no test predictions.
        DataError: a shard is missing or damaged.
    """
    opened = open_members(members)
    if not opened.test:
        raise RefusedError("There are no test predictions to blend: the competition has no test images.")
    models: list[tuple[Shard, float]] = [
        (shard, weights[name] / len(shards))
        for name, shards in zip(opened.names, opened.test, strict=True)
        for shard in shards
        if weights[name]
    ]
    counts = counts_of([weight for _, weight in models])

    def one(image_id: str) -> Labels:
        return blend([shard[image_id] for shard, _ in models], counts)

    return _in_order(one, order or opened.test_ids, progress)


def _in_order(
    work: Callable[[str], Labels], ids: Sequence[str], progress: Progress | None
) -> Iterator[tuple[str, Labels]]:
    """`work` of every id on all cores, in order; never more than a few results ahead of who asks for them."""
    cores = len(os.sched_getaffinity(0))
    ahead: deque[Future[Labels]] = deque()
    with ThreadPoolExecutor(max_workers=cores) as pool:
        coming = iter(ids)
        for done, image_id in enumerate(ids, start=1):
            while len(ahead) < 2 * cores and (following := next(coming, None)) is not None:
                ahead.append(pool.submit(work, following))
            yield image_id, ahead.popleft().result()
            if progress is not None:
                progress(done, len(ids))
