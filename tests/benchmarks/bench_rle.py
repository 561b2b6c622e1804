"""How fast run lengths are encoded and decoded, against pycocotools: `python tests/benchmarks/bench_rle.py`.

From a bool mask (H, W) in numpy's usual order to a string, and back to a bool mask. comp writes Kaggle's decimal numbers,
pycocotools COCO's compressed string.
"""

import timeit
from collections.abc import Callable

import numpy as np
from pycocotools import mask as coco

from competition.ensemble.writers import rle

SIZES = [(101, 101), (256, 256), (512, 512), (1280, 1918)]


def main() -> None:
    print(f"{'mask':>10}{'size':>12}{'runs':>8}{'encode':>12}{'pycoco':>12}{'ratio':>7}{'decode':>12}{'pycoco':>12}{'ratio':>7}")
    worst = min(compare(kind, size) for kind in MASKS for size in SIZES)
    print(f"worst ratio {worst:.2f}, wanted 1")
    if worst < 1:
        raise SystemExit(1)


def blobs(size: tuple[int, int]) -> np.ndarray:
    """A few smooth objects, as a model predicts them."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[: size[0], : size[1]]
    mask = np.zeros(size, bool)
    for _ in range(6):
        row, column = generator.uniform(0, size[0]), generator.uniform(0, size[1])
        mask |= (rows - row) ** 2 + (columns - column) ** 2 < (generator.uniform(0.05, 0.2) * min(size)) ** 2
    return mask


def ragged(size: tuple[int, int]) -> np.ndarray:
    """The same with a noisy outline and holes."""
    return blobs(size) ^ (np.random.default_rng(1).random(size) < 0.005)


def empty(size: tuple[int, int]) -> np.ndarray:
    """No object, the commonest case of all with many classes."""
    return np.zeros(size, bool)


MASKS: dict[str, Callable[[tuple[int, int]], np.ndarray]] = {"blobs": blobs, "ragged": ragged, "empty": empty}


def compare(kind: str, size: tuple[int, int]) -> float:
    """How many times as fast comp is at the slower of the two ways; results are compared first."""
    mask = MASKS[kind](size)
    text = rle.encode(mask)
    compressed = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    assert np.array_equal(rle.decode(text, size), coco.decode(compressed).astype(bool))
    encode = seconds(lambda: rle.encode(mask))
    encode_theirs = seconds(lambda: coco.encode(np.asfortranarray(mask, dtype=np.uint8)))
    decode = seconds(lambda: rle.decode(text, size))
    decode_theirs = seconds(lambda: coco.decode(compressed).astype(bool))
    ratios = encode_theirs / encode, decode_theirs / decode
    print(
        f"{kind:>10}{'x'.join(map(str, size)):>12}{len(text.split()) // 2:>8}"
        f"{1e6 * encode:>9.0f} us{1e6 * encode_theirs:>9.0f} us{ratios[0]:>7.2f}"
        f"{1e6 * decode:>9.0f} us{1e6 * decode_theirs:>9.0f} us{ratios[1]:>7.2f}"
    )
    return min(ratios)


def seconds(work: Callable[[], object]) -> float:
    """The best of several rounds."""
    timer = timeit.Timer(work)
    number = max(1, int(0.05 / max(timer.timeit(1), 1e-6)))
    return min(timer.repeat(7, number)) / number


if __name__ == "__main__":
    main()
