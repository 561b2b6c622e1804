"""How fast confusion matrices are counted, against smp: `python -m tests.benchmarks.bench_confusion`.

Both get what they are made for: comp uint8 label maps, smp int64 tensors of them. One thread each.
"""

import timeit
from collections.abc import Callable

import numpy as np
import torch
from segmentation_models_pytorch.metrics import get_stats

from competition.scoring import confusion

CASES = [(11, 180, 240), (2, 512, 512), (11, 512, 512), (19, 1024, 2048), (150, 512, 512)]
WANTED = 5.0


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'classes':>8}{'size':>12}{'comp':>12}{'smp':>12}{'ratio':>8}")
    worst = min(compare(classes, (height, width)) for classes, height, width in CASES)
    print(f"worst ratio {worst:.1f}, wanted {WANTED:g}")
    if worst < WANTED:
        raise SystemExit(1)


def compare(classes: int, size: tuple[int, int]) -> float:
    """How many times as fast comp is; both results are compared first."""
    generator = np.random.default_rng(0)
    truth = np.repeat(np.repeat(generator.integers(0, classes, (size[0] // 4 + 1, size[1] // 4 + 1)), 4, 0), 4, 1)
    truth = truth[: size[0], : size[1]].astype(np.uint8)
    prediction = np.where(generator.random(size) < 0.8, truth, generator.integers(0, classes, size)).astype(np.uint8)
    prediction_tensor, truth_tensor = (torch.from_numpy(a.astype(np.int64))[None] for a in (prediction, truth))

    def ours() -> np.ndarray:
        return confusion.count(prediction, truth, classes)

    def theirs() -> tuple[torch.Tensor, ...]:
        return get_stats(prediction_tensor, truth_tensor, mode="multiclass", num_classes=classes)

    assert np.array_equal(theirs()[0][0].numpy(), ours().diagonal())
    mine, others = seconds(ours), seconds(theirs)
    print(
        f"{classes:>8}{'x'.join(map(str, size)):>12}{1000 * mine:>9.3f} ms{1000 * others:>9.3f} ms{others / mine:>8.1f}"
    )
    return others / mine


def seconds(work: Callable[[], object]) -> float:
    """The best of several rounds."""
    timer = timeit.Timer(work)
    number = max(1, int(0.1 / max(timer.timeit(1), 1e-6)))
    return min(timer.repeat(7, number)) / number


if __name__ == "__main__":
    main()
