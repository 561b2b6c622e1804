"""The recipe of one job: data, model, optimiser; for epoch, for batch; evaluate; save. It reads from top to bottom."""

import math
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from competition.config.experiment import BatchNorm, Chosen
from competition.data.rarity import find_rare
from competition.files import write_json
from competition.jobspec import JobSpec, Succeeded
from competition.lifecycle import JobKind
from competition.predictions.shards import Shard
from competition.scoring import metrics
from competition.training import checkpoint, gate, hardware, history, outputs, seeds, selection
from competition.training.augmenting.selfcheck import check_randomness
from competition.training.checkpoint import Checkpoint, Position
from competition.training.dataset import TrainingImages, draws, load_batches, steps_per_epoch
from competition.training.facts import facts_of
from competition.training.failures import NotFiniteError
from competition.training.history import Row
from competition.training.job_data import JobData, job_data_of
from competition.training.learner import Learner
from competition.training.loss_meter import LossMeter
from competition.training.network import batchnorm
from competition.training.network.model import Segmenter, build, normalisation
from competition.training.network.precision import resolve
from competition.training.predict import quick
from competition.training.record import write_record
from competition.training.reporting import Reporter
from competition.training.sampling import Sampling
from competition.training.throughput import Pace, Stopwatch
from competition.training.tracking import Sink, tracking


class Outcome(NamedTuple):
    """What came of a job.

    Args:
        rows: the epochs that were trained.
        score: of what was kept, over the validation pixels.
        facts: what is worth recording.
    """

    rows: list[Row]
    score: float
    facts: dict[str, object]


def train(spec: JobSpec, reporter: Reporter) -> Succeeded:
    """Run a job from its start or its checkpoint; its files are on disk when this returns.

    Raises:
        StoppedError: it was asked to stop; what it has done is saved.
        CompError: the data, the model or the loss is not what it must be.
    """
    with seeds.nondeterministic_operations() as unordered, tracking(spec) as track:
        outcome = learn(spec, reporter, track) if spec.trained is None else predict_again(spec, reporter, spec.trained)
    outcome.facts["nondeterministic"] = unordered
    return _finish(spec, outcome)


def learn(spec: JobSpec, reporter: Reporter, track: Sink) -> Outcome:
    """Train, validate after each epoch, which `track` is told of, and predict.

    The model is that of the last epoch, unless the configuration asks for the best: choosing an epoch by its score on
    the validation fold, and then reporting that score, is choosing luck. A job that was stopped and resumed ends with
    the same weights, bit for bit, as one that was not.

    Raises:
        StoppedError: it was asked to stop; what it has done is saved.
        CompError: the data, the model or the loss is not what it must be.
    """
    config, paths, is_fold = spec.config, spec.job_paths, spec.kind is JobKind.FOLD
    device = torch.device(spec.device)
    seeds.fix(config.seed, config.train.deterministic)
    work = job_data_of(spec, reporter)
    identity = checkpoint.identity_of(spec)
    resumed = checkpoint.load(paths, identity=identity)
    at = resumed.position if resumed else Position()

    sampling = Sampling.of(config.sampling, work.train_items, config.data.size, still=work.still)
    rare = find_rare(work.train_items, spec.settings.classes, config.sampling.rare)
    images = TrainingImages(work.cache, config, rare=rare, epochs=work.epochs, still=work.still)
    check_randomness(config.augment, images.augment, config.train_size)
    step_size = config.train.images_per_step
    steps = steps_per_epoch(len(work.train), step_size)
    order = partial(draws, work.train, seed=config.seed, batch_size=step_size, sampling=sampling)
    wanted = order(epochs=work.epochs, first=(at.epoch, at.step))
    batches = load_batches(images, wanted, workers=config.train.workers, device=device)
    hardware.bind(device)  # only now: the loader's workers are forks, which must not inherit a device in use

    segmenter = _segmenter(spec, device)
    learner = Learner(
        segmenter, config, epochs=work.epochs, steps=steps, device=device, class_weights=work.class_weights
    )
    write_record(spec, precision=segmenter.precision, device=device, resumed=resumed is not None)
    if resumed:
        learner.restore(resumed.learner)
    best = resumed.best if resumed else {}
    picks_best = is_fold and config.train.checkpoint is Chosen.BEST
    patience = config.train.patience if is_fold else 0
    pace = Pace(
        reporter, epochs=work.epochs, steps=steps * work.epochs, steps_done=steps * at.epoch + at.step, device=device
    )
    _say_start(work, segmenter, device, at)

    first_epoch = list(order(epochs=1))
    if not (is_fold or at.untrained):
        at.untrained = gate.losses(learner, images, first_epoch, tick=_Ticker(pace, reporter, "measure", 1))

    while at.epoch < work.epochs and not selection.has_stopped(at.rows, patience=patience):
        learner.start_epoch(at.epoch, at.rows)
        losses = LossMeter(at)
        watch = Stopwatch()
        for batch in islice(batches, steps - at.step):
            waited_s = watch.lap()
            losses.add(learner.step(batch), batch.draw)
            at.step += 1
            if reporter.is_due:  # a GPU has to finish its steps first, which is time spent training
                pace.loss, pace.lr = losses.read(), learner.learning_rate(at.epoch, at.step - 1)
            seconds = waited_s + watch.lap()
            at.train_s += seconds
            pace.trained(len(batch.draw.ids), seconds=seconds, waited_s=waited_s)
            pace.tell("train", epoch=at.epoch + 1, done=at.step, total=steps)
            if reporter.stopping:
                break
        pace.loss = losses.read()
        waited_s = watch.lap()
        at.train_s += waited_s
        pace.settled(waited_s)
        if not learner.is_finite:
            raise NotFiniteError.of_weights(epoch=at.epoch + 1, batch=at.step, ids=losses.last_ids)
        checkpoint.save(paths, Checkpoint(at, learner.state(), best), identity=identity)
        reporter.raise_if_stopping()

        learner.end_epoch(at.epoch)
        model = learner.evaluated
        measured = batchnorm.needs_measuring(
            config.train.batch_norm, model, steps=steps * (at.epoch + 1), averaged=model is not segmenter
        )
        if measured:
            tick = _Ticker(pace, reporter, "measure", at.epoch + 1)
            batchnorm.measure(model, work.cache, work.train, config, device=device, tick=tick)
        tick = _Ticker(pace, reporter, "validate", at.epoch + 1)
        last = at.epoch == work.epochs - 1
        kept = is_fold and last and not picks_best
        look = config.predict if last and not picks_best else quick(config.predict)
        matrices = outputs.validate(
            spec, work, model, device, config=look, keep=kept, tick=tick, inferred=pace.inferred
        )
        pace.validation_s = watch.lap()
        score = metrics.score(spec.settings.metric, matrices)
        pace.score = None if math.isnan(score) else score
        at.next_epoch(_row(at, score, learner.learning_rate(at.epoch, steps - 1)))
        is_kept = not picks_best or selection.best(at.rows) is at.rows[-1]
        if is_kept:
            at.measured = measured
        if is_kept and picks_best:
            best = _copy(model)
        history.write(paths.history, at.rows)
        track(at.rows[-1])
        print(at.rows[-1].sentence(work.epochs, memory_mib=hardware.peak_memory_mib(device)), flush=True)

    print(pace.summary(), flush=True)
    model = learner.evaluated
    if best:
        model.network.load_state_dict(best)
    if is_fold:
        if not kept:
            tick = _Ticker(pace, reporter, "validate", at.epoch)
            matrices = outputs.validate(
                spec, work, model, device, config=config.predict, keep=True, tick=tick, inferred=pace.inferred
            )
            score = metrics.score(spec.settings.metric, matrices)
        if work.test:
            tick = _Ticker(pace, reporter, "predict", at.epoch)
            outputs.predict_test(spec, work, model, device, tick=tick, inferred=pace.inferred)
        outputs.save_model(paths.model, model)
    else:
        tick = _Ticker(pace, reporter, "measure", at.epoch)
        gate.check(at, gate.losses(learner, images, first_epoch, tick=tick))
    chosen = selection.best(at.rows) if picks_best else at.rows[-1]
    facts = facts_of(model, pace, device) | {
        "checkpoint": config.train.checkpoint.value,
        "epoch": chosen.epoch,
        "stopped_after": len(at.rows),
        "batch_norm": (BatchNorm.MEASURED if at.measured else BatchNorm.RUNNING).value,
        "micro_batch": learner.micro_batch,
        "compiled": learner.is_compiled,
        "pseudo_images": work.pseudo_images,
    }
    return Outcome(at.rows, score, facts)


def predict_again(spec: JobSpec, reporter: Reporter, trained: Path) -> Outcome:
    """Run a fold job whose training another experiment has done: evaluate its weights, the way this one predicts.

    Raises:
        StoppedError: it was asked to stop; it starts anew the next time.
        CompError: the data or the weights are not what they must be.
    """
    device = torch.device(spec.device)
    seeds.fix(spec.config.seed, spec.config.train.deterministic)
    work = job_data_of(spec, reporter)
    hardware.bind(device)
    segmenter = _segmenter(spec, device, trained).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    write_record(spec, precision=segmenter.precision, device=device)
    print(f"Using the weights in {trained.relative_to(spec.root)}: nothing but how they predict is new.", flush=True)
    pace = Pace(reporter, epochs=work.epochs, steps=0, steps_done=0, device=device)
    tick = _Ticker(pace, reporter, "validate", work.epochs)
    matrices = outputs.validate(
        spec, work, segmenter, device, config=spec.config.predict, keep=True, tick=tick, inferred=pace.inferred
    )
    if work.test:
        tick = _Ticker(pace, reporter, "predict", work.epochs)
        outputs.predict_test(spec, work, segmenter, device, tick=tick, inferred=pace.inferred)
    outputs.save_model(spec.job_paths.model, segmenter)
    score = metrics.score(spec.settings.metric, matrices)
    return Outcome([], score, facts_of(segmenter, pace, device))


@dataclass(frozen=True)
class _Ticker:
    """Passes on how far a pass over images is, and ends it when the job shall stop: a resume does it again."""

    pace: Pace
    reporter: Reporter
    phase: str
    epoch: int

    def __call__(self, done: int, total: int) -> None:
        self.reporter.raise_if_stopping()
        self.pace.tell(self.phase, epoch=self.epoch, done=done, total=total)


def _segmenter(spec: JobSpec, device: torch.device, trained: Path | None = None) -> Segmenter:
    """The model with its first weights, or with those in `trained`, which need no other first."""
    model = spec.config.model if trained is None else spec.config.model.model_copy(update={"weights": str(trained)})
    network = build(
        model,
        classes=len(spec.settings.classes),
        root=spec.root,
        size=spec.config.train_size,
        fold=spec.fold,
        code=spec.code,
    )
    normal = normalisation(model, root=spec.root, fold=spec.fold)
    return Segmenter(network, normal, resolve(spec.config.train.precision, device))


def _copy(model: Segmenter) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.network.state_dict().items()}


def _row(at: Position, score: float, lr: float) -> Row:
    return Row(at.epoch + 1, at.mean_loss, score, lr, at.train_s, at.images / at.train_s)


def _finish(spec: JobSpec, outcome: Outcome) -> Succeeded:
    """Say how it went, on disk too, so that the result outlives a worker that cannot hear it any more."""
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


def _say_start(work: JobData, segmenter: Segmenter, device: torch.device, at: Position) -> None:
    pseudo = f" ({work.pseudo_images} with pseudo-labels)" if work.pseudo_images else ""
    print(
        f"{len(work.train)} images to train on{pseudo}, {len(work.valid)} to validate on, {len(work.test)} to predict; "
        f"{segmenter.precision} on {hardware.device_name(device)}."
    )
    if at.epoch or at.step:
        print(f"Going on from epoch {at.epoch + 1}, batch {at.step + 1}.", flush=True)
