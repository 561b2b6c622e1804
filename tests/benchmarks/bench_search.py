"""Searching weights for 20 models, against the same greedy search over every pixel.

    python -m tests.benchmarks.bench_search COMPETITION SCRATCH [FOLDS]

COMPETITION is a folder with finished experiments. The 20 models are not trained: each takes one of the experiments'
out-of-fold probabilities, and changes them by a temperature and by smooth noise on their logarithms, by a seed. SCRATCH
keeps them for the next time (as much disk as 20 experiments). With FOLDS, only so many folds are used.

Times are those of one run each on all cores, reading included, by the clock and of the processor. The search over every
pixel sees all pixels at every step, as Caruana's algorithm is written; its sums stay in memory.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from competition.config.settings import Metric, read_settings
from competition.data.load import open_loader
from competition.data.manifest import Manifest
from competition.data.parallel import in_threads
from competition.ensemble import search
from competition.ensemble.blend import Weighting, best_class
from competition.ensemble.build import build
from competition.ensemble.crossfit import units_of
from competition.ensemble.inputs import BlendedExperiment, OpenExperiments, open_experiments
from competition.ensemble.methods import Method
from competition.ensemble.pixel_sample import draw_sample
from competition.ensemble.score_experiments import Truth, confusions, score_experiments
from competition.paths import Paths
from competition.predictions.probabilities import LEVELS, ShardWriter
from competition.predictions.shards import Shard
from competition.scoring import confusion, metrics

MODELS = 20
FASTER, CLOSE, SECONDS = 20.0, 0.0005, 60.0


def main(competition: Path, scratch: Path, most_folds: int) -> None:
    paths, settings = Paths(competition), read_settings(competition / "competition.yaml")
    manifest = Manifest.read(next(paths.all_data.glob("*/manifest.csv")))
    loader = open_loader(settings, competition)
    items = {item.id: item for item in manifest.items}
    groups = {item.id: item.group for item in manifest.items}
    members = variants(paths, scratch, most_folds)
    opened = open_experiments(members)
    labels = dict(zip(opened.ids, in_threads(lambda i: loader.labels(items[i]), opened.ids), strict=True))
    for shards in opened.oof:
        for shard in shards:
            shard.verify()  # reads every file once, so that both sides find them in memory

    clock = Clock()
    made = build(members, truth=labels.__getitem__, metric=Metric.MIOU, method=Method.AUTO, groups=groups)
    command = clock.lap()
    found = score_experiments(opened, truth=labels.__getitem__)
    sample = draw_sample(opened, found, truth=labels.__getitem__, seed=0)
    sampled = search.greedy(search.Objective(sample, Metric.MIOU))
    quick = clock.lap()
    pixels = sum(int((each < len(opened.classes)).sum()) for each in labels.values())
    print(
        f"{len(opened.ids)} images, {pixels:,} labelled pixels, {100 * found.contested.sum() / pixels:.1f} %", end=" "
    )
    print(f"contested, {len(sample.truth):,} drawn", flush=True)
    print(f"all that `comp ensemble` does to find and score weights: {command} ({made.method})")
    print(f"greedy search on the sample, survey and drawing included: {quick}", flush=True)
    clock.lap()
    refined = search.search(sample, Metric.MIOU, units=units_of(opened.ids, groups), seed=0)[-1]
    bagged = clock.lap()
    print(f"bags and refinement on the same sample: {bagged}", flush=True)
    clock.lap()
    full, steps = on_every_pixel(opened, labels.__getitem__)
    slow = clock.lap()
    print(f"greedy search on every pixel, {steps} steps: {slow}")
    ratios = slow.wall / quick.wall, slow.processor / quick.processor
    print(f"  {ratios[0]:.1f} times as long by the clock, {ratios[1]:.1f} times the processor's time", flush=True)
    equal: Weighting = (1,) * MODELS
    scored = confusions(opened, [equal, sampled, refined, full], truth=labels.__getitem__)
    score = {weighting: metrics.score(Metric.MIOU, matrices) for weighting, matrices in scored.items()}
    print(f"exact mIoU: equal {score[equal]:.5f}, every pixel {score[full]:.5f}, sample {score[sampled]:.5f},", end=" ")
    print(f"bagged and refined {score[refined]:.5f}; cross-fitted {made.weighted_score:.5f}")
    claims = {
        f"{FASTER:g} times as fast": min(ratios) >= FASTER,
        f"the same greedy within {CLOSE:g}": score[sampled] >= score[full] - CLOSE,
        f"bagged and refined within {CLOSE:g}": score[refined] >= score[full] - CLOSE,
        f"under {SECONDS:g} s": command.wall < SECONDS,
    }
    missed = [claim for claim, reached in claims.items() if not reached]
    print("missed:", ", ".join(missed) or "nothing")
    raise SystemExit(bool(missed))


def on_every_pixel(opened: OpenExperiments, truth: Truth) -> tuple[Weighting, int]:
    """`search.greedy`, with every member tried on every pixel at every step; and how many steps it took."""
    members, classes = len(opened.names), len(opened.classes)
    sums = {i: np.sum(opened.oof_views(i), axis=0, dtype=np.uint16) for i in opened.ids}
    counts = [1] * members
    start = in_threads(lambda i: confusion.count(argmax(sums[i]), truth(i), classes), opened.ids)
    best, best_score, idle = tuple(counts), metrics.score(Metric.MIOU, np.sum(start, axis=0)), 0

    def tried(image_id: str) -> np.ndarray:
        views, labels = opened.oof_views(image_id), truth(image_id)
        return np.stack([confusion.count(argmax(sums[image_id] + view), labels, classes) for view in views])

    for _ in range(search.STEPS):
        scores = metrics.score_each(Metric.MIOU, np.sum(in_threads(tried, opened.ids), axis=0))
        chosen = int(np.argmax(scores))
        counts[chosen] += 1
        for image_id in opened.ids:
            sums[image_id] += opened.oof_views(image_id)[chosen]
        idle += 1
        if scores[chosen] > best_score:
            best, best_score, idle = tuple(counts), scores[chosen], 0
        if idle == search.PATIENCE:
            break
    return best, sum(counts) - members


def argmax(sums: np.ndarray) -> np.ndarray:
    return best_class(sums.reshape(len(sums), -1)).reshape(sums.shape[1:])


@dataclass(frozen=True)
class Took:
    """Seconds."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} s, processor {self.processor:.1f} s"


class Clock:
    """What passed since the last lap."""

    def __init__(self) -> None:
        self._last = self._now()

    def lap(self) -> Took:
        now = self._now()
        took = Took(now[0] - self._last[0], now[1] - self._last[1])
        self._last = now
        return took

    def _now(self) -> tuple[float, float]:
        return time.perf_counter(), time.process_time()


def variants(paths: Paths, scratch: Path, most_folds: int) -> list[BlendedExperiment]:
    """The 20 models, made where they are missing."""
    names = sorted({f.parent.parent.name for f in paths.runs.glob("experiments/*/fold*/oof.u8.json")})
    folds = range(min(most_folds, len(list(paths.experiment(names[0]).glob("fold*/oof.u8.json")))))
    complete = [name for name in names if all(paths.job(name, fold).oof.exists() for fold in folds)]
    print(f"20 models from {', '.join(complete)}, {len(folds)} folds", flush=True)
    made = []
    for number in range(MODELS):
        source = complete[number % len(complete)]
        shards = tuple(scratch / f"v{number:02}" / f"fold{fold}" / "oof.u8" for fold in folds)
        in_threads(lambda f, n=number, s=source, to=shards: vary(paths.job(s, f).oof, to[f], n, f), list(folds))
        made.append(BlendedExperiment(f"v{number:02}", shards))
    return made


def vary(source: Path, target: Path, number: int, fold: int) -> None:
    """Write a variant of a shard, unless it is there."""
    if target.exists():
        return
    shard = Shard.open(source)
    generator = np.random.default_rng([number, fold])
    temperature, strength = np.random.default_rng(number).uniform([0.7, 0.2], [1.4, 1.2])
    writer = ShardWriter(
        target, classes=shard.classes, part="oof", split_hash=shard.split_hash, fingerprint=shard.fingerprint
    )
    with writer:
        for image_id in shard.ids:
            stored = shard[image_id]
            classes, height, width = stored.shape
            coarse = generator.normal(0, strength, (height // 12, width // 12, classes)).astype(np.float32)
            noise = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).transpose(2, 0, 1)
            logits = LOGARITHMS[stored] / np.float32(temperature) + noise
            raised = np.exp(logits - logits.max(axis=0))
            writer.add(image_id, raised / raised.sum(axis=0))


LOGARITHMS = np.log((np.arange(LEVELS + 1) + np.float32(0.25)) / np.float32(LEVELS)).astype(np.float32)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else sys.maxsize)
