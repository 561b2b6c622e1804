"""What a job leaves behind: scores, probabilities, weights, history, result."""

import csv
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from competition.data.manifest import Item
from competition.data.probabilities import Part, ShardWriter
from competition.files import replacing, sha256_of, write_json
from competition.jobspec import Succeeded
from competition.lifecycle import JobKind
from competition.paths import header_of
from competition.scoring import confusion
from competition.scoring.confusion import Matrices
from competition.training import predict
from competition.training.checkpoint import Position
from competition.training.facts import machine_facts, peak_memory_mib
from competition.training.job import Work
from competition.training.predict import Predictor

Stop = Callable[[], bool]


def evaluate(work: Work, predictor: Predictor, stop: Stop, *, keep: bool) -> Matrices:
    """Confusion matrices int64 (N, C, C) of the validation images, at each mask's own size.

    Args:
        keep: also write them, and the out-of-fold probabilities, to the job's folder (never for a debug job).
    """
    classes = len(work.spec.settings.classes)
    kept = keep and work.spec.kind is JobKind.FOLD
    matrices = []
    with ExitStack() as stack:
        shard = stack.enter_context(_shard(work, work.spec.job_paths.oof, "oof")) if kept else None
        for number, logits in enumerate(predictor.logits(work.valid_image, _sizes(work.valid), stop=stop)):
            matrices.append(confusion.count(predict.labels(logits), work.truth(number), classes))
            if shard is not None:
                shard.add(work.valid[number].id, predict.probabilities(logits))
    stacked = np.stack(matrices)
    if kept:
        confusion.save(work.spec.job_paths.confusion, [item.id for item in work.valid], stacked)
    return stacked


def finish(work: Work, predictor: Predictor, position: Position, stop: Stop) -> Succeeded:
    """Predict the test images, and write the weights, the history and the result. The checkpoint has done its duty."""
    paths = work.spec.job_paths
    if work.test:
        with _shard(work, paths.test, "test") as shard:
            for number, logits in enumerate(predictor.logits(work.test_image, _sizes(work.test), stop=stop)):
                shard.add(work.test[number].id, predict.probabilities(logits))
    state = {name: tensor.contiguous() for name, tensor in predictor.model.state_dict().items()}
    with replacing(paths.model) as aside:
        save_file(state, aside)
    _write_history(paths.history, position)
    debug = work.spec.kind is JobKind.DEBUG
    last = position.history[-1]
    result = Succeeded(
        token=work.spec.token,
        score=None if debug else last["score"],
        first_loss=position.history[0]["train_loss"],
        last_loss=last["train_loss"],
        train_s=position.train_s,
        artifacts=_hashes([paths.model, paths.history, paths.confusion, paths.oof, paths.test]),
        facts={
            **machine_facts(predictor.device),
            "precision": predictor.precision.value,
            "parameters": sum(p.numel() for p in predictor.model.parameters()),
            "images_per_s": round(position.images_per_s, 2),
            "wait_share": round(position.wait_s / max(position.train_s, 1e-9), 4),
            "peak_memory_mib": peak_memory_mib(predictor.device),
        },
    )
    write_json(paths.result, result.to_json())
    paths.checkpoint.unlink(missing_ok=True)
    return result


def epoch_line(row: dict[str, float], epochs: int) -> str:
    """What the log says of a finished epoch."""
    return (
        f"epoch {row['epoch']:.0f}/{epochs}  loss {row['train_loss']:.4f}  score {100 * row['score']:.2f}  "
        f"{row['images_per_s']:.1f} images/s"
    )


def _shard(work: Work, path: Path, part: Part) -> ShardWriter:
    spec = work.spec
    return ShardWriter(
        path, classes=spec.settings.classes, part=part, split_hash=spec.split_hash, fingerprint=spec.fingerprint
    )


def _sizes(items: list[Item]) -> list[tuple[int, int]]:
    return [(item.height, item.width) for item in items]


def _write_history(path: Path, position: Position) -> None:
    with replacing(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(position.history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(position.history)


def _hashes(paths: list[Path]) -> dict[str, str]:
    """sha256 by name of the files that are there, and of the headers beside them."""
    candidates = [file for path in paths for file in (path, header_of(path))]
    return {file.name: sha256_of(file) for file in candidates if file.is_file()}
