"""The recipe of one job: data, model, optimiser; for epoch, for batch; evaluate; save. It reads from top to bottom."""

import math
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from competition.config.experiment import BatchNorm, KeptEpoch
from competition.data.rare_classes import find_rare_classes
from competition.files import write_json
from competition.jobspec import JobSpec, Succeeded
from competition.lifecycle import JobKind
from competition.predictions.shards import Shard
from competition.scoring import metrics
from competition.training import batchnorm, checkpoint, gate, hardware, history, outputs, seeds
from competition.training.augmenting.checks import check_randomness
from competition.training.checkpoint import Checkpoint, Position
from competition.training.dataset import Batch, TrainingImages, load_batches, plan_batches, steps_per_epoch
from competition.training.failures import NotFiniteError
from competition.training.history import Row
from competition.training.job_data import JobData, load_job_data
from competition.training.learner import Learner
from competition.training.loss_meter import LossMeter
from competition.training.network.model import Segmenter, build_network, normalisation
from competition.training.network.precision import resolve_precision
from competition.training.outputs import Predictor
from competition.training.predict import without_tta
from competition.training.record import job_facts, write_record
from competition.training.reporting import Reporter
from competition.training.sampling import Sampling
from competition.training.throughput import Stopwatch, Throughput
from competition.training.tracking import LogEpoch, tracking


class Outcome(NamedTuple):
    """The outcome of a job.

    Args:
        rows: the trained epochs.
        score: of the kept model, over the validation pixels.
        facts: device, speed, versions and choices, for the job's result.
    """

    rows: list[Row]
    score: float
    facts: dict[str, object]


def train(spec: JobSpec, reporter: Reporter) -> Succeeded:
    """Run a job from its start or its checkpoint; its files are on disk when this returns.

    Raises:
        StoppedError: the job was asked to stop; its progress is saved.
        CompError: the data, the model or the loss is unusable.
    """
    with seeds.nondeterministic_operations() as operations, tracking(spec) as log_epoch:
        if spec.trained is None:
            outcome = learn(spec, reporter, log_epoch)
        else:
            outcome = predict_again(spec, reporter, spec.trained)
    outcome.facts["nondeterministic"] = operations
    return _finish(spec, outcome)


def learn(spec: JobSpec, reporter: Reporter, log_epoch: LogEpoch) -> Outcome:
    """Train, validate after each epoch, and predict; `log_epoch` gets each epoch's row.

    The last epoch's model is kept unless the configuration asks for the best: a score is optimistic if it also chose
    the epoch. A job that was stopped and resumed ends with the same weights, bit for bit, as one that was not.

    Raises:
        StoppedError: the job was asked to stop; its progress is saved.
        CompError: the data, the model or the loss is unusable.
    """
    config, paths, is_fold = spec.config, spec.job_paths, spec.kind is JobKind.FOLD
    device = torch.device(spec.device)
    seeds.seed_everything(config.seed, config.train.deterministic)
    identity = checkpoint.identity_of(spec)
    resumed = checkpoint.load(paths, identity=identity)
    position = resumed.position if resumed else Position()

    # Data.
    data = load_job_data(spec, reporter)
    rare = find_rare_classes(data.train_items, spec.settings.classes, config.sampling.rare)
    images = TrainingImages(data.cache, config, rare=rare, epochs=data.epochs, same_epochs=data.same_epochs)
    check_randomness(config.augment, images.augment, config.train_size)
    plan = partial(
        plan_batches,
        data.train,
        seed=config.seed,
        batch_size=config.train.images_per_step,
        sampling=Sampling.of(config.sampling, data.train_items, config.data.size, same_epochs=data.same_epochs),
    )
    steps = steps_per_epoch(len(data.train), config.train.images_per_step)
    remaining = plan(epochs=data.epochs, first=(position.epoch, position.step))
    batches = load_batches(images, remaining, workers=config.train.workers, device=device)
    hardware.bind(device)  # not earlier: the loader's workers are forks, and CUDA does not survive a fork

    # Model and optimiser.
    segmenter = _segmenter(spec, device)
    learner = Learner(
        segmenter, config, epochs=data.epochs, steps=steps, device=device, class_weights=data.class_weights
    )
    write_record(spec, precision=segmenter.precision, device=device, resumed=resumed is not None)
    if resumed:
        learner.restore(resumed.learner)
    best = resumed.best if resumed else {}
    picks_best = is_fold and config.train.checkpoint is KeptEpoch.BEST
    patience = config.train.patience if is_fold else 0
    throughput = Throughput(
        reporter,
        epochs=data.epochs,
        steps=steps * data.epochs,
        steps_done=steps * position.epoch + position.step,
        device=device,
    )
    predictor = Predictor(spec, data, device, throughput)
    _log_start(data, segmenter, device, position)

    # A debug job compares each batch of its first epoch before and after training.
    first_epoch = list(plan(epochs=1))
    if not (is_fold or position.untrained):
        tick = throughput.ticker("measure", 1)
        position.untrained = gate.measure_losses(learner, images, first_epoch, tick=tick)

    while position.epoch < data.epochs and not history.patience_is_over(position.rows, patience=patience):
        epoch = position.epoch + 1
        learner.start_epoch(position.epoch, position.rows)
        watch = Stopwatch()
        _train_epoch(learner, batches, position, throughput, steps=steps, watch=watch)
        checkpoint.save(paths, Checkpoint(position, learner.state(), best), identity=identity)
        reporter.raise_if_stopping()

        learner.end_epoch(position.epoch)
        model = learner.evaluated
        is_measured = batchnorm.needs_measuring(
            config.train.batch_norm, model, steps=steps * epoch, averaged=model is not segmenter
        )
        if is_measured:
            tick = throughput.ticker("measure", epoch)
            batchnorm.measure(model, data.cache, data.train, config, device=device, tick=tick)
        # Only the model that is kept is predicted in full, and only the last one is known to be kept in advance.
        is_final = epoch == data.epochs and not picks_best
        predict = config.predict if is_final else without_tta(config.predict)
        matrices = predictor.validate(model, predict, epoch=epoch, keep=is_fold and is_final)
        throughput.validation_s = watch.lap()
        score = metrics.score(spec.settings.metric, matrices)
        throughput.score = None if math.isnan(score) else score
        position.next_epoch(_row(position, score, learner.learning_rate(position.epoch, steps - 1)))
        if not picks_best or history.best_row(position.rows) is position.rows[-1]:
            position.measured = is_measured
            best = _copy(model) if picks_best else best
        history.write(paths.history, position.rows)
        log_epoch(position.rows[-1])
        print(position.rows[-1].log_line(data.epochs, memory_mib=hardware.peak_memory_mib(device)), flush=True)

    # Evaluate and save.
    print(throughput.summary(), flush=True)
    model = learner.evaluated
    if best:
        model.network.load_state_dict(best)
    if is_fold:
        if not is_final:  # patience ended the loop, or another epoch may be the best
            matrices = predictor.validate(model, config.predict, epoch=position.epoch, keep=True)
            score = metrics.score(spec.settings.metric, matrices)
        predictor.predict_test(model, epoch=position.epoch)
        outputs.save_model(paths.model, model)
    else:
        tick = throughput.ticker("measure", position.epoch)
        gate.check(position, gate.measure_losses(learner, images, first_epoch, tick=tick))
    kept = history.best_row(position.rows) if picks_best else position.rows[-1]
    facts = job_facts(model, throughput, device) | {
        "checkpoint": config.train.checkpoint.value,
        "epoch": kept.epoch,
        "stopped_after": len(position.rows),
        "batch_norm": (BatchNorm.MEASURED if position.measured else BatchNorm.RUNNING).value,
        "micro_batch": learner.micro_batch,
        "compiled": learner.is_compiled,
        "pseudo_images": data.pseudo_images,
    }
    return Outcome(position.rows, score, facts)


def predict_again(spec: JobSpec, reporter: Reporter, trained: Path) -> Outcome:
    """Run a fold job that changes only how its parent predicts: evaluate the parent's weights in the new way.

    Raises:
        StoppedError: the job was asked to stop; the next attempt starts from the beginning.
        CompError: the data or the weights are unusable.
    """
    device = torch.device(spec.device)
    seeds.seed_everything(spec.config.seed, spec.config.train.deterministic)
    data = load_job_data(spec, reporter)
    hardware.bind(device)
    segmenter = _segmenter(spec, device, trained).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    write_record(spec, precision=segmenter.precision, device=device)
    print(f"Using the weights in {trained.relative_to(spec.root)}: only the prediction differs.", flush=True)
    throughput = Throughput(reporter, epochs=data.epochs, steps=0, steps_done=0, device=device)
    predictor = Predictor(spec, data, device, throughput)
    matrices = predictor.validate(segmenter, spec.config.predict, epoch=data.epochs, keep=True)
    predictor.predict_test(segmenter, epoch=data.epochs)
    outputs.save_model(spec.job_paths.model, segmenter)
    score = metrics.score(spec.settings.metric, matrices)
    return Outcome([], score, job_facts(segmenter, throughput, device))


def _train_epoch(
    learner: Learner,
    batches: Iterator[Batch],
    position: Position,
    throughput: Throughput,
    *,
    steps: int,
    watch: Stopwatch,
) -> None:
    """Train the rest of the current epoch, or as much as fits in before the job is asked to stop.

    Raises:
        NotFiniteError: the loss or the weights are not finite, or the loss exploded.
    """
    reporter, losses = throughput.reporter, LossMeter(position)
    for batch in islice(batches, steps - position.step):
        waited_s = watch.lap()
        losses.add(learner.step(batch), batch.plan)
        position.step += 1
        if reporter.is_due:
            # Reading waits until a GPU has finished its steps, so it is inside the lap that counts as training.
            throughput.loss = losses.read()
            throughput.lr = learner.learning_rate(position.epoch, position.step - 1)
        seconds = waited_s + watch.lap()
        position.train_s += seconds
        throughput.add_step(len(batch.plan.ids), seconds=seconds, waited_s=waited_s)
        throughput.report("train", epoch=position.epoch + 1, done=position.step, total=steps)
        if reporter.stopping:
            break
    throughput.loss = losses.read()
    device_s = watch.lap()
    position.train_s += device_s
    throughput.add_device_wait(device_s)
    # Before the checkpoint is saved: one with ruined weights would fail in every later attempt.
    if not learner.is_finite:
        raise NotFiniteError.of_weights(epoch=position.epoch + 1, batch=position.step, ids=losses.last_ids)


def _segmenter(spec: JobSpec, device: torch.device, trained: Path | None = None) -> Segmenter:
    """The model with its first weights, or with the weights in `trained`."""
    # with `trained`, the first weights are not loaded at all: their file may be gone by now
    model = spec.config.model if trained is None else spec.config.model.model_copy(update={"weights": str(trained)})
    network = build_network(
        model,
        classes=len(spec.settings.classes),
        root=spec.root,
        size=spec.config.train_size,
        fold=spec.fold,
        code=spec.code,
    )
    normal = normalisation(model, root=spec.root, fold=spec.fold)
    return Segmenter(network, normal, resolve_precision(spec.config.train.precision, device))


def _copy(model: Segmenter) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.network.state_dict().items()}


def _row(position: Position, score: float, lr: float) -> Row:
    images_per_s = position.images / position.train_s
    return Row(position.epoch + 1, position.mean_loss, score, lr, position.train_s, images_per_s)


def _finish(spec: JobSpec, outcome: Outcome) -> Succeeded:
    """The job's result, also written to disk, where it outlives a worker that is gone by now."""
    paths = spec.job_paths
    rows, score, facts = outcome
    is_fold = spec.kind is JobKind.FOLD
    if is_fold:
        facts["uncertain_share"] = Shard.open(paths.oof).uncertain_share
    result = Succeeded(
        token=spec.token,
        score=score if is_fold else None,
        first_loss=rows[0].train_loss if rows else None,
        last_loss=rows[-1].train_loss if rows else None,
        train_s=sum(row.seconds for row in rows),
        artifacts=outputs.hashes(spec),
        facts=facts,
    )
    write_json(paths.result, result.to_json())
    checkpoint.remove(paths)
    return result


def _log_start(data: JobData, segmenter: Segmenter, device: torch.device, position: Position) -> None:
    pseudo = f" ({data.pseudo_images} with pseudo-labels)" if data.pseudo_images else ""
    print(
        f"{len(data.train)} images to train on{pseudo}, {len(data.valid)} to validate on, {len(data.test)} to predict; "
        f"{segmenter.precision} on {hardware.device_name(device)}."
    )
    if position.epoch or position.step:
        print(f"Resuming at epoch {position.epoch + 1}, batch {position.step + 1}.", flush=True)
