"""The files of a job: scores, probabilities and weights, each written aside and renamed."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from competition.config.experiment import PredictConfig
from competition.data.manifest import Item
from competition.files import replacing, sha256_of
from competition.jobspec import JobSpec
from competition.paths import header_of
from competition.predictions.probabilities import Part, ShardWriter
from competition.scoring import confusion
from competition.scoring.confusion import Matrices
from competition.training.job_data import JobData
from competition.training.network.model import Segmenter, normalisation_metadata
from competition.training.predict import labels, predictions, probabilities
from competition.training.throughput import Stopwatch, Throughput

Predictions = Iterable[tuple[Item, Tensor]]
"""Images with their logits, float32 (C, H, W) at the image's own size."""


@dataclass(frozen=True)
class Predictor:
    """Predicts the validation and test images of a job, and writes the predictions that the job keeps.

    Args:
        throughput: gets the progress, and the time that kept predictions take.
    """

    spec: JobSpec
    data: JobData
    device: torch.device
    throughput: Throughput

    def validate(self, segmenter: Segmenter, config: PredictConfig, *, epoch: int, keep: bool) -> Matrices:
        """Confusion matrices, int64 (N, C, C), of the validation images, each at its mask's own size.

        Args:
            epoch: from 1, for progress messages.
            keep: True to write the matrices and the out-of-fold probabilities to the job's folder.

        Raises:
            StoppedError: the job was asked to stop.
            NotFiniteError: a prediction is not finite.
        """
        cache, items = self.data.cache, self.data.valid
        images: Predictions = predictions(
            segmenter,
            cache.images,
            cache.index,
            items,
            batch_size=self.spec.config.train.batch_size,
            device=self.device,
            config=config,
            tick=self.throughput.ticker("validate", epoch),
        )
        with ExitStack() as stack:
            if keep:
                images = self._writing(images, stack.enter_context(self._shard(self.spec.job_paths.oof, "oof")))
            classes = len(self.spec.settings.classes)
            counts = [
                confusion.count(labels(logits), self.data.loader.labels(item), classes) for item, logits in images
            ]
        matrices = np.stack(counts)
        if keep:
            confusion.save(self.spec.job_paths.confusion, [item.id for item in items], matrices)
        return matrices

    def predict_test(self, segmenter: Segmenter, *, epoch: int) -> None:
        """Write the probabilities of the test images, each at its own size; no file if there are none.

        Raises:
            StoppedError: the job was asked to stop.
            NotFiniteError: a prediction is not finite.
        """
        cache, items = self.data.cache, self.data.test
        if not items:
            return
        images = predictions(
            segmenter,
            cache.test_images,
            cache.test_index,
            items,
            batch_size=self.spec.config.train.batch_size,
            device=self.device,
            config=self.spec.config.predict,
            tick=self.throughput.ticker("predict", epoch),
        )
        with self._shard(self.spec.job_paths.test, "test") as shard:
            for _ in self._writing(images, shard):
                pass

    def _writing(self, images: Predictions, shard: ShardWriter) -> Iterator[tuple[Item, Tensor]]:
        """The same images, each after its probabilities were added to the shard."""
        number, seconds, watch = 0, 0.0, Stopwatch()
        for item, logits in images:
            of_classes = probabilities(logits)
            number, seconds = number + 1, seconds + watch.lap()
            shard.add(item.id, of_classes)
            yield item, logits
            watch.lap()  # writing the shard and reading the truth are not inference
        self.throughput.add_predictions(number, seconds)

    def _shard(self, path: Path, part: Part) -> ShardWriter:
        spec = self.spec
        return ShardWriter(
            path, classes=spec.settings.classes, part=part, split_hash=spec.split_hash, fingerprint=spec.fingerprint
        )


def save_model(path: Path, segmenter: Segmenter) -> None:
    """Write the network's weights as safetensors, with its normalisation in the file's metadata."""
    # Clones: safetensors refuses tensors that share memory, and any layout but the default one.
    state = {
        name: tensor.cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in segmenter.network.state_dict().items()
    }
    with replacing(path) as aside:
        aside.write_bytes(save(state, metadata=normalisation_metadata(segmenter.normalisation)))


def hashes(spec: JobSpec) -> dict[str, str]:
    """The sha256 of each file that a finished job leaves, by file name; without the log, which is still growing."""
    paths = spec.job_paths
    shards = [file for shard in (paths.oof, paths.test) for file in (shard, header_of(shard))]
    files = [paths.model, paths.history, paths.confusion, *shards]
    return {file.name: sha256_of(file) for file in files if file.is_file()}
