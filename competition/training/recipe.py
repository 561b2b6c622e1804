"""The recipe: data, model, optimiser; for epoch, for batch; evaluate; save. It reads from top to bottom.

The model of a fold is the one after the last epoch: choosing the epoch by its score on the validation fold, and then
reporting that score, would be choosing luck.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from competition.config import Precision
from competition.jobspec import JobSpec, Progress, Succeeded
from competition.lifecycle import JobKind
from competition.scoring import metrics
from competition.training import checkpoint, outputs
from competition.training.augment import Augmentation
from competition.training.checkpoint import Position
from competition.training.dataset import BatchOrder, TrainSet, make_loader
from competition.training.failures import GateError, NotFiniteError, StoppedError, stop_if_asked
from competition.training.job import prepare
from competition.training.losses import SegmentationLoss
from competition.training.model import build
from competition.training.optim import learning_rate, make_optimizer
from competition.training.pace import Pace
from competition.training.precision import autocast, resolve
from competition.training.predict import Predictor
from competition.training.seeds import derive, seed_everything
from competition.training.weights import normalisation

Report = Callable[[Progress], None]
Stop = Callable[[], bool]


def train(spec: JobSpec, *, report: Report, stop: Stop) -> Succeeded:
    """Run one job to its end: its files are on disk when this returns.

    Args:
        report: told of the progress, now and then.
        stop: asked between batches; when it says so, the job saves itself and ends.

    Raises:
        StoppedError: `stop` said so; the next call goes on to the same result, bit for bit.
        GateError: it was a debug job and its loss did not fall.
        NotFiniteError: the loss is infinite or not a number.
        CompError: the data or the model is not what it must be.
    """
    config = spec.config
    seed_everything(config.seed)
    work = prepare(spec)
    kit = _set_up(spec)
    samples = TrainSet(work.cache, work.train, Augmentation(config.augment), config.seed)
    order = BatchOrder(len(work.train), config.train.batch_size, config.seed)
    loader = make_loader(samples, order, workers=config.train.workers, pin=kit.device.type == "cuda")
    position = checkpoint.load(spec.job_paths.checkpoint, spec, kit.saved_parts, device=kit.device)
    pace = Pace(report, epochs=work.epochs, batches=len(order))
    print(f"{len(work.train)} images to train on, {len(work.valid)} to score, {kit.predictor.precision}, {kit.device}.")

    try:
        while position.epoch < work.epochs:
            order.epoch, order.start = position.epoch, position.step
            kit.model.train()
            before = time.perf_counter()
            for images, masks, numbers in loader:
                fetched = time.perf_counter()
                step = position.epoch * len(order) + position.step
                rate = learning_rate(
                    step,
                    config=config.schedule,
                    peak=config.optimizer.lr,
                    steps=work.epochs * len(order),
                    steps_per_epoch=len(order),
                )
                torch.manual_seed(derive(config.seed, "step", step))
                loss = _step(kit, images, masks, rate)
                if not math.isfinite(loss):
                    raise NotFiniteError(_where(loss, position, [work.train[int(n)] for n in numbers]))
                now = time.perf_counter()
                position.add_batch(images=len(images), loss=loss, train_s=now - before, wait_s=fetched - before)
                before = now
                pace.tell(position)
                stop_if_asked(stop)
            matrices = outputs.evaluate(work, kit.predictor, stop, keep=position.epoch == work.epochs - 1)
            pace.score = metrics.score(spec.settings.metric, matrices)
            position.end_epoch(score=pace.score, lr=kit.optimizer.param_groups[0]["lr"])
            print(outputs.epoch_line(position.history[-1], work.epochs))
            checkpoint.save(spec.job_paths.checkpoint, spec, position, kit.saved_parts)
        if spec.kind is JobKind.DEBUG:
            _check_gate(position.history)
        return outputs.finish(work, kit.predictor, position, stop)
    except StoppedError:
        checkpoint.save(spec.job_paths.checkpoint, spec, position, kit.saved_parts)
        raise


@dataclass(frozen=True)
class _Kit:
    """The parts that a step needs."""

    model: torch.nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    loss_of: SegmentationLoss
    predictor: Predictor
    device: torch.device

    @property
    def saved_parts(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"model": self.model, "optimizer": self.optimizer, "scaler": self.scaler}


def _set_up(spec: JobSpec) -> _Kit:
    config, device = spec.config, torch.device(spec.device)
    precision = resolve(config.train.precision, device)
    model = build(config.model, len(spec.settings.classes))
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean, std = normalisation(config.model)
    return _Kit(
        model=model,
        optimizer=make_optimizer(config.optimizer, model.parameters()),
        scaler=torch.amp.GradScaler(device.type, enabled=precision is Precision.FP16),
        loss_of=SegmentationLoss(config.loss),
        predictor=Predictor(model, device, precision, mean, std, config.train.batch_size),
        device=device,
    )


def _step(kit: _Kit, images: torch.Tensor, masks: torch.Tensor, rate: float) -> float:
    """One step of the optimiser on a batch; the loss. A loss that is not finite changes no weight."""
    for group in kit.optimizer.param_groups:
        group["lr"] = rate
    kit.optimizer.zero_grad(set_to_none=True)
    with autocast(kit.predictor.precision, kit.device):
        logits = kit.model(kit.predictor.normalise(images))
    loss = kit.loss_of(logits, masks.to(kit.device, torch.long, non_blocking=True))
    value = float(loss.detach())
    if math.isfinite(value):
        kit.scaler.scale(loss).backward()
        kit.scaler.step(kit.optimizer)
        kit.scaler.update()
    return value


def _check_gate(history: list[dict[str, float]]) -> None:
    """The same images went through both epochs of a debug job, so the losses can be compared."""
    first, last = history[0]["train_loss"], history[-1]["train_loss"]
    if not last < first:
        raise GateError(f"the training loss did not fall: {first:.4f} in epoch 1, {last:.4f} in epoch {len(history)}")


def _where(loss: float, position: Position, ids: list[str]) -> str:
    return f"the loss is {loss} in epoch {position.epoch + 1}, batch {position.step + 1}: {', '.join(ids)}"
