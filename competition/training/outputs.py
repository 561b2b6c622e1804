"""What a job leaves behind: scores, probabilities and weights, each written aside and renamed."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from competition.config.experiment import PredictConfig
from competition.files import replacing, sha256_of
from competition.jobspec import JobSpec
from competition.paths import header_of
from competition.predictions.probabilities import Part, ShardWriter
from competition.scoring import confusion
from competition.scoring.confusion import Matrices
from competition.training.job_data import JobData
from competition.training.network.model import Segmenter, describe
from competition.training.predict import Tick, labels, predictions, probabilities
from competition.training.throughput import Stopwatch

Inferred = Callable[[int, float], None]
"""Told how many images were predicted in how many seconds, reading labels and writing files left out."""


def validate(
    spec: JobSpec,
    work: JobData,
    segmenter: Segmenter,
    device: torch.device,
    *,
    config: PredictConfig,
    keep: bool = False,
    tick: Tick,
    inferred: Inferred,
) -> Matrices:
    """Confusion matrices, int64 (N, C, C), of the validation images, each at its mask's own size.

    Args:
        config: how to look at the images.
        keep: also write them, and the out-of-fold probabilities, to the job's folder; and tell `inferred`.
    """
    found = predictions(
        segmenter,
        work.cache.images,
        work.cache.index,
        work.valid,
        batch_size=spec.config.train.batch_size,
        device=device,
        config=config,
        tick=tick,
    )
    matrices = []
    with ExitStack() as stack:
        shard = stack.enter_context(_shard(spec, spec.job_paths.oof, "oof")) if keep else None
        seconds, watch = 0.0, Stopwatch()
        for item, logits in found:
            if shard is not None:
                said = probabilities(logits)
                seconds += watch.lap()
                shard.add(item.id, said)
            truth = work.loader.labels(item)
            matrices.append(confusion.count(labels(logits), truth, len(spec.settings.classes)))
            watch.lap()
    if keep:
        inferred(len(matrices), seconds)
    stacked = np.stack(matrices)
    if keep:
        confusion.save(spec.job_paths.confusion, [item.id for item in work.valid], stacked)
    return stacked


def predict_test(
    spec: JobSpec, work: JobData, segmenter: Segmenter, device: torch.device, *, tick: Tick, inferred: Inferred
) -> None:
    """Write the probabilities of the test images, each at its own size."""
    found = predictions(
        segmenter,
        work.cache.test_images,
        work.cache.test_index,
        work.test,
        batch_size=spec.config.train.batch_size,
        device=device,
        config=spec.config.predict,
        tick=tick,
    )
    with _shard(spec, spec.job_paths.test, "test") as shard:
        seconds, watch = 0.0, Stopwatch()
        for item, logits in found:
            said = probabilities(logits)
            seconds += watch.lap()
            shard.add(item.id, said)
            watch.lap()
    inferred(len(work.test), seconds)


def save_model(path: Path, segmenter: Segmenter) -> None:
    """Write the network's weights, and in the file's metadata what its input must look like."""
    # Clones: safetensors takes no tensors that share memory, nor any other layout than the default.
    state = {
        name: tensor.cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in segmenter.network.state_dict().items()
    }
    with replacing(path) as aside:
        aside.write_bytes(save(state, metadata=describe(segmenter.normalisation)))


def hashes(spec: JobSpec) -> dict[str, str]:
    """The sha256 by name of each file that a finished job leaves (the log goes on growing)."""
    paths = spec.job_paths
    shards = [file for shard in (paths.oof, paths.test) for file in (shard, header_of(shard))]
    files = [paths.model, paths.history, paths.confusion, *shards]
    return {file.name: sha256_of(file) for file in files if file.is_file()}


def _shard(spec: JobSpec, path: Path, part: Part) -> ShardWriter:
    return ShardWriter(
        path, classes=spec.settings.classes, part=part, split_hash=spec.split_hash, fingerprint=spec.fingerprint
    )
