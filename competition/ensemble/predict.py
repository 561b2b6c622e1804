"""Test predictions of an ensemble, one image at a time."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np

from competition.data.parallel import Progress
from competition.ensemble.blend import Weight, best_class, blocks, of_models, total_of, weighting_of
from competition.ensemble.inputs import BlendedExperiment, open_experiments
from competition.ensemble.methods import Method
from competition.ensemble.postprocess import Postprocessing
from competition.ensemble.rounding_bounds import doubtful_pixels
from competition.ensemble.spool import Made, restartable
from competition.ensemble.thresholds import with_factors
from competition.errors import RefusedError
from competition.files import sha256_of_json
from competition.scoring.confusion import Labels


class Predictions:
    """Iterates over each test image's id and label map, uint8 (H, W) at the image's own size.

    A member's probabilities are the mean over its fold models; the members' are then blended. Memory does not grow with
    the number of images or models.

    Args:
        keep: a file for the label maps made so far, which a later call with the same arguments takes over; it stays.
        order: the ids of the test images in the order wanted; by default that of the shards.
        verify: compare every shard with its checksum first.

    Raises:
        RefusedError: the members do not belong together, or have no test predictions.
        DataError: a shard is missing or damaged.
    """

    def __init__(
        self,
        members: Sequence[BlendedExperiment],
        weights: Mapping[str, Weight],
        *,
        method: Method = Method.MEAN,
        postprocessing: Postprocessing | None = None,
        progress: Progress | None = None,
        order: Sequence[str] | None = None,
        keep: Path | None = None,
        verify: bool = True,
    ) -> None:
        opened = open_experiments(members)
        if not opened.test:
            raise RefusedError("There are no test predictions to blend: the competition has no test images.")
        if verify:
            opened.verify("test")
        self._ids = order or opened.test_ids
        self._method = method
        self._postprocessing = postprocessing
        self._progress = progress
        self.taken_over = 0
        """How many label maps an earlier call had made."""
        self._pixels = 0
        self._doubtful = 0
        self._keep = keep
        weighting = weighting_of([weights[name] for name in opened.names])
        if postprocessing is not None:
            weighting = with_factors(weighting, postprocessing.factor)
        shards = [shard for its_shards in opened.test for shard in its_shards]
        self._models = list(zip(shards, of_models(weighting, [len(s) for s in opened.test]), strict=True))

    @property
    def doubtful_share(self) -> float | None:
        """The share of the pixels so far that rounding may have decided; None for methods that have no certificate.

        It is of the blend: what post-processing does afterwards is not counted.
        """
        return self._doubtful / self._pixels if self._method.is_convex and self._pixels else None

    def __iter__(self) -> Iterator[tuple[str, Labels]]:
        for done, (image_id, (labels, doubtful)) in enumerate(zip(self._ids, self._made(), strict=True), start=1):
            self._pixels += labels.size
            self._doubtful += doubtful
            yield image_id, labels
            if self._progress is not None:
                self._progress(done, len(self._ids))

    def _made(self) -> Iterator[Made]:
        if self._keep is None:
            yield from _in_order(self._blend, self._ids)
            return
        for made, was_there in restartable(
            lambda ids: _in_order(self._blend, ids), self._ids, path=self._keep, key=self._key()
        ):
            self.taken_over += was_there
            yield made

    def _key(self) -> str:
        """A hash of everything that decides the label maps."""
        done = None if self._postprocessing is None else asdict(self._postprocessing)
        models = [[shard.sha256, count] for shard, count in self._models]
        return sha256_of_json([str(self._method), done, models, list(self._ids)])

    def _blend(self, image_id: str) -> Made:
        counts = [count for _, count in self._models]
        views = [shard[image_id] for shard, _ in self._models]
        labels, doubtful = [], 0
        for sums in blocks(views, counts, self._method):
            labels.append(best_class(sums))
            doubtful += doubtful_pixels(sums, total_of(counts)) if self._method.is_convex else 0
        decided = np.concatenate(labels).reshape(views[0].shape[1:])
        return decided if self._postprocessing is None else self._postprocessing.apply(decided), doubtful


def _in_order(work: Callable[[str], Made], ids: Sequence[str]) -> Iterator[Made]:
    """`work` of every id on all cores, in order; never more than a few results ahead of who asks for them."""
    cores = len(os.sched_getaffinity(0))
    ahead: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(max_workers=cores) as pool:
        coming = iter(ids)
        for _ in ids:
            while len(ahead) < 2 * cores and (following := next(coming, None)) is not None:
                ahead.append(pool.submit(work, following))
            yield ahead.popleft().result()
