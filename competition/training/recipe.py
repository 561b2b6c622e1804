"""The recipe of one job: data, model, optimiser; for epoch, for batch; evaluate; save. It reads from top to bottom."""

import math
from dataclasses import dataclass
from itertools import islice

import torch

from competition.data.shards import Shard
from competition.files import write_json
from competition.jobspec import JobSpec, Succeeded
from competition.lifecycle import JobKind
from competition.scoring import metrics
from competition.training import checkpoint, hardware, history, outputs, seeds
from competition.training.checkpoint import Checkpoint, Position
from competition.training.dataset import TrainingImages, draws, load_batches, steps_per_epoch
from competition.training.facts import facts_of
from competition.training.failures import GateError
from competition.training.history import Row
from competition.training.job import Work, work_of
from competition.training.learner import Learner
from competition.training.meter import LossMeter
from competition.training.model import Segmenter, build, normalisation
from competition.training.pace import Pace, Stopwatch
from competition.training.precision import resolve
from competition.training.reporting import Reporter


def train(spec: JobSpec, reporter: Reporter) -> Succeeded:
    """Run a job from its start or its checkpoint; its files are on disk when this returns.

    The model is that of the last epoch: choosing an epoch by its score on the validation fold, and then reporting that
    score, would be choosing luck. A job that was stopped and resumed ends with the same weights, bit for bit, as one
    that was not.

    Raises:
        StoppedError: it was asked to stop; what it has done is saved.
        CompError: the data, the model or the loss is not what it must be.
    """
    config, paths = spec.config, spec.job_paths
    device = torch.device(spec.device)
    seeds.fix(config.seed)
    work = work_of(spec, reporter)
    identity = checkpoint.identity_of(spec)
    resumed = checkpoint.load(paths.checkpoint, identity=identity)
    at = resumed.position if resumed else Position()

    steps = steps_per_epoch(len(work.train), config.train.batch_size)
    wanted = draws(
        work.train,
        seed=config.seed,
        batch_size=config.train.batch_size,
        epochs=work.epochs,
        first=(at.epoch, at.step),
    )
    batches = load_batches(TrainingImages(work.cache, config), wanted, workers=config.train.workers, device=device)
    hardware.bind(device)  # only now: the loader's workers are forks, which must not inherit a device in use

    segmenter = _segmenter(spec, device)
    learner = Learner(segmenter, config, epochs=work.epochs, steps=steps, device=device)
    if resumed:
        learner.restore(resumed.learner)
    pace = Pace(reporter, epochs=work.epochs, steps=steps * work.epochs, steps_done=steps * at.epoch + at.step)
    _say_start(work, segmenter, device, at)

    while at.epoch < work.epochs:
        segmenter.train()
        losses = LossMeter(at)
        watch = Stopwatch()
        for batch in islice(batches, steps - at.step):
            waited_s = watch.lap()
            losses.add(learner.step(batch), batch.draw)
            at.step += 1
            seconds = waited_s + watch.lap()
            at.train_s += seconds
            pace.trained(len(batch.draw.ids), seconds=seconds, waited_s=waited_s)
            if reporter.is_due:
                pace.loss = losses.read()
                pace.tell("train", epoch=at.epoch + 1, done=at.step, total=steps)
            if reporter.stopping:
                break
        pace.loss = losses.read()
        at.train_s += watch.lap()
        checkpoint.save(paths.checkpoint, Checkpoint(at, learner.state()), identity=identity)
        reporter.raise_if_stopping()

        last = at.epoch == work.epochs - 1
        tick = _Ticker(pace, reporter, "validate", at.epoch + 1)
        keep = last and spec.kind is JobKind.FOLD
        matrices = outputs.validate(spec, work, segmenter, device, keep=keep, tick=tick)
        pace.validation_s = watch.lap()
        score = metrics.score(spec.settings.metric, matrices)
        pace.score = None if math.isnan(score) else score
        at.next_epoch(_row(at, score, learner.learning_rate(at.epoch, steps - 1)))
        history.write(paths.history, at.rows)
        print(at.rows[-1].sentence(work.epochs), flush=True)

    if spec.kind is JobKind.DEBUG:
        check_gate(at.rows)
    else:
        if work.test:
            tick = _Ticker(pace, reporter, "predict", work.epochs)
            outputs.predict_test(spec, work, segmenter, device, tick=tick)
        outputs.save_model(paths.model, segmenter)
    return _finish(spec, at, facts_of(segmenter, pace, device))


def check_gate(rows: list[Row]) -> None:
    """Do nothing if the loss fell. Both epochs of a debug job see the same images, so their losses compare.

    Raises:
        GateError: it did not.
    """
    first, last = rows[0].train_loss, rows[-1].train_loss
    if not last < first:
        raise GateError.between(first, last)


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


def _segmenter(spec: JobSpec, device: torch.device) -> Segmenter:
    config = spec.config
    network = build(config.model, classes=len(spec.settings.classes), root=spec.root)
    normal = normalisation(config.model, root=spec.root)
    return Segmenter(network, normal, resolve(config.train.precision, device))


def _row(at: Position, score: float, lr: float) -> Row:
    return Row(at.epoch + 1, at.mean_loss, score, lr, at.train_s, at.images / at.train_s)


def _finish(spec: JobSpec, at: Position, facts: dict[str, object]) -> Succeeded:
    """Say how it went, on disk too, so that the result outlives a worker that cannot hear it any more."""
    paths = spec.job_paths
    is_fold = spec.kind is JobKind.FOLD
    if is_fold:
        facts["uncertain_share"] = Shard.open(paths.oof).uncertain_share
    result = Succeeded(
        token=spec.token,
        score=at.rows[-1].score if is_fold else None,
        first_loss=at.rows[0].train_loss,
        last_loss=at.rows[-1].train_loss,
        train_s=sum(row.seconds for row in at.rows),
        artifacts=outputs.hashes(spec),
        facts=facts,
    )
    write_json(paths.result, result.to_json())
    paths.checkpoint.unlink(missing_ok=True)
    return result


def _say_start(work: Work, segmenter: Segmenter, device: torch.device, at: Position) -> None:
    print(
        f"{len(work.train)} images to train on, {len(work.valid)} to validate on, {len(work.test)} to predict; "
        f"{segmenter.precision} on {hardware.device_name(device)}."
    )
    if at.epoch or at.step:
        print(f"Going on from epoch {at.epoch + 1}, batch {at.step + 1}.", flush=True)
