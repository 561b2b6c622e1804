"""Test predictions of an ensemble, one image at a time."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from competition.data.images import Pixels
from competition.data.parallel import Progress
from competition.ensemble import resume
from competition.ensemble.blend import best_class, blocks, of_models, total_of, weighting_of
from competition.ensemble.inputs import open_experiments
from competition.ensemble.resume import FinishedMap, resumable
from competition.ensemble.rounding_bounds import number_undecided
from competition.ensemble.source import Blend
from competition.ensemble.thresholds import with_factors
from competition.errors import RefusedError
from competition.files import replacing_folder, sha256_of_json
from competition.scoring.confusion import Labels


@dataclass(frozen=True)
class WrittenPredictions:
    """Test predictions that were written.

    Args:
        images: the number of test images.
        taken_over: how many of them an earlier call had blended before it was killed.
        doubtful_share: see `Predictions.doubtful_share`.
    """

    images: int
    taken_over: int
    undecided_share: float | None

    @property
    def taken_over_note(self) -> str:
        """A sentence that says how many images an earlier call had blended."""
        return f"{self.taken_over} of {self.images} images had been blended before, by a command that was stopped."


class Predictions:
    """Iterates over each test image's id and label map, uint8 (H, W) at the image's own size.

    An experiment's probabilities are the mean over its fold models; those of the experiments are then blended. Memory
    does not grow with the number of images or models.

    Args:
        keep: a file for the label maps made so far, which a later call with the same arguments takes over; it stays.
        order: the ids of the test images in the order wanted; by default that of the shards.
        verify: compare every shard with its checksum first.

    Raises:
        RefusedError: the experiments do not belong together, or have no test predictions.
        DataError: a shard is missing or damaged.
    """

    def __init__(
        self,
        blend: Blend,
        *,
        progress: Progress | None = None,
        order: Sequence[str] | None = None,
        keep: Path | None = None,
        verify: bool = True,
    ) -> None:
        opened = open_experiments(blend.experiments)
        if not opened.test:
            raise RefusedError("There are no test predictions to blend: the competition has no test images.")
        if verify:
            opened.verify("test")
        self._ids = order or opened.test_ids
        self._method = blend.method
        self._postprocessing = blend.postprocessing
        self._progress = progress
        self.taken_over = 0
        """How many label maps an earlier call had made."""
        self._pixels = 0
        self._doubtful = 0
        self._keep = keep
        weighting = weighting_of([blend.weights[name] for name in opened.names])
        if blend.postprocessing is not None:
            weighting = with_factors(weighting, blend.postprocessing.factor)
        shards = [shard for its_shards in opened.test for shard in its_shards]
        self._models = list(zip(shards, of_models(weighting, [len(s) for s in opened.test]), strict=True))

    @property
    def undecided_share(self) -> float | None:
        """The share of the pixels so far that rounding may have decided; None for methods that have no certificate.

        It is of the blend: what post-processing does afterwards is not counted.
        """
        return self._doubtful / self._pixels if self._method.is_convex and self._pixels else None

    def __iter__(self) -> Iterator[tuple[str, Labels]]:
        for done, (image_id, (labels, undecided)) in enumerate(zip(self._ids, self._made(), strict=True), start=1):
            self._pixels += labels.size
            self._doubtful += undecided
            yield image_id, labels
            if self._progress is not None:
                self._progress(done, len(self._ids))

    def _made(self) -> Iterator[FinishedMap]:
        if self._keep is None:
            yield from _in_order(self._blend, self._ids)
            return
        for made, was_there in resumable(
            lambda ids: _in_order(self._blend, ids), self._ids, path=self._keep, key=self._key()
        ):
            self.taken_over += was_there
            yield made

    def _key(self) -> str:
        """A hash of everything that decides the label maps."""
        done = None if self._postprocessing is None else asdict(self._postprocessing)
        models = [[shard.sha256, count] for shard, count in self._models]
        return sha256_of_json([str(self._method), done, models, list(self._ids)])

    def _blend(self, image_id: str) -> FinishedMap:
        counts = [count for _, count in self._models]
        views = [shard[image_id] for shard, _ in self._models]
        labels, undecided = [], 0
        for sums in blocks(views, counts, self._method):
            labels.append(best_class(sums))
            undecided += number_undecided(sums, total_of(counts)) if self._method.is_convex else 0
        decided = np.concatenate(labels).reshape(views[0].shape[1:])
        return decided if self._postprocessing is None else self._postprocessing.apply(decided), undecided


def _in_order(work: Callable[[str], FinishedMap], ids: Sequence[str]) -> Iterator[FinishedMap]:
    """`work` of every id on all cores, in order; never more than a few results ahead of who asks for them."""
    cores = len(os.sched_getaffinity(0))
    ahead: deque[Future[FinishedMap]] = deque()
    with ThreadPoolExecutor(max_workers=cores) as pool:
        coming = iter(ids)
        for _ in ids:
            while len(ahead) < 2 * cores and (following := next(coming, None)) is not None:
                ahead.append(pool.submit(work, following))
            yield ahead.popleft().result()


def write_predictions(
    blend: Blend,
    write: Callable[[Iterable[tuple[str, Labels]]], int],
    *,
    unfinished: Path,
    order: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> WrittenPredictions:
    """Predict the test images and hand them one after another to `write`, which says how many it wrote.

    Args:
        unfinished: a file for the label maps made so far: a call that is killed goes on where it was. Removed at the
            end.
        order: see `Predictions`.

    Raises:
        RefusedError, DataError: see `Predictions`.
    """
    predictions = Predictions(blend, progress=progress, order=order, keep=unfinished)
    images = write(predictions)
    resume.remove(unfinished)
    return WrittenPredictions(images, predictions.taken_over, predictions.undecided_share)


def write_pngs(pictures: Iterable[tuple[str, Pixels]], folder: Path) -> int:
    """Write a PNG per image, named by the image's id, to `folder`, which is replaced as a whole; the number of images.

    Args:
        pictures: ids with uint8 arrays, (H, W) for grey or (H, W, 3) for RGB; taken one at a time.
    """
    images = 0
    with replacing_folder(folder) as aside:
        for image_id, picture in pictures:
            file = aside / f"{image_id}.png"
            file.parent.mkdir(parents=True, exist_ok=True)  # an id may hold the image's folder
            Image.fromarray(picture).save(file)
            images += 1
    return images


def check_replaceable(folder: Path) -> None:
    """Check that a folder that is about to be replaced is missing or holds nothing but PNG files.

    Raises:
        RefusedError: it holds other files, which may be a person's.
    """
    other = next((path for path in folder.rglob("*") if path.is_file() and path.suffix != ".png"), None)
    if other is not None:
        raise RefusedError(
            f"{folder} holds more than label maps ({other.name}), and the folder would be replaced as a whole.",
            hint="Move that file to another folder, or name a new or empty folder with `comp submit --output`.",
        )
