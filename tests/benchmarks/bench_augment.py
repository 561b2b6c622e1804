"""What seeding costs per sample, and what each preset costs: `python -m tests.benchmarks.bench_augment`.

The other side is albumentations' own way: `Compose.set_random_seed`, then the pipeline. Both do the same transforms, in
one process, on one thread, in turns. Times are of the processor, so that a busy machine spoils little. `seeding` is the
baseline's pipeline with every probability 0.
"""

import statistics
import time
from collections.abc import Callable

import albumentations
import cv2
import numpy as np
import torch

from competition.config.augmentation import PRESETS, AugmentConfig, Engine
from competition.training.augmenting.augmenter import Augmenter
from competition.training.augmenting.pipeline import build_transforms
from competition.training.augmenting.presets import pipeline_entries

SIZE = (192, 256)
ROUNDS, SAMPLES = 9, 40
WANTED = 1.5


def main() -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    print(f"{'seeding and augmenting':<26}{'comp':>11}{'albumentations':>17}{'ratio':>8}")
    never = {"horizontal_flip": 0.0, "vertical_flip": 0.0, "brightness_contrast": 0.0}
    seeding = compare("seeding", AugmentConfig(**never))  # type: ignore[arg-type]
    ratios = {name: compare(name, AugmentConfig(pipeline=name)) for name in PRESETS if name != "none"}
    print(f"\n{'torchvision':<26}{'comp':>11}")
    for name in PRESETS:
        augment = Augmenter(AugmentConfig(engine=Engine.TORCHVISION, pipeline=name))
        print(f"{name:<26}{1000 * median(lambda seed, augment=augment: on(augment, seed)):>8.3f} ms")
    print(f"\nratio for seeding {seeding:.1f}, for basic {ratios['basic']:.2f}; wanted for both {WANTED:g}")
    if min(seeding, ratios["basic"]) < WANTED:
        raise SystemExit(1)


def compare(name: str, config: AugmentConfig) -> float:
    """How many times as fast comp augments a sample with a preset of albumentations; prints both medians."""
    augment = Augmenter(config)
    theirs = albumentations.Compose(
        build_transforms(pipeline_entries(config), Engine.ALBUMENTATIONS, source="benchmark")
    )

    def their_way(seed: int) -> None:
        theirs.set_random_seed(seed)
        theirs(image=IMAGE, mask=MASK)

    ours, others = medians(lambda seed: on(augment, seed), their_way)
    print(f"{name:<26}{1000 * ours:>8.3f} ms{1000 * others:>14.3f} ms{others / ours:>8.2f}")
    return others / ours


def on(augment: Augmenter, seed: int) -> None:
    augment(IMAGE, MASK, seed=seed)


def median(work: Callable[[int], None]) -> float:
    """Seconds per sample."""
    return statistics.median(once(work, number) for number in range(3))


def medians(one: Callable[[int], None], other: Callable[[int], None]) -> tuple[float, float]:
    """Seconds per sample of both, measured in turns."""
    times = [(once(one, number), once(other, number)) for number in range(ROUNDS)]
    return statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)


def once(work: Callable[[int], None], number: int) -> float:
    start = time.process_time()
    for seed in range(number * SAMPLES, (number + 1) * SAMPLES):
        work(seed)
    return (time.process_time() - start) / SAMPLES


_RNG = np.random.default_rng(0)
IMAGE = cv2.GaussianBlur(_RNG.integers(0, 256, (*SIZE, 3), np.uint8), (0, 0), 3)
MASK = _RNG.integers(0, 11, SIZE, np.uint8)

if __name__ == "__main__":
    main()
