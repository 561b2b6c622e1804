"""How fast run lengths are encoded and decoded, against pycocotools: `python -m tests.benchmarks.bench_rle`.

From a bool mask (H, W) in numpy's usual order to a string, and back to a bool mask. comp writes Kaggle's numbers.
pycocotools writes COCO's compressed string (first ratio), which has to be turned into those numbers, and they into
COCO's counts, before they are what a competition of Kaggle's takes (second ratio, the one that is held to 1).
"""

import timeit
from collections.abc import Callable

import numpy as np
from pycocotools import mask as coco

from competition.data import rle_codec

SIZES = [(101, 101), (256, 256), (512, 512), (1280, 1918)]


def main() -> None:
    ways = "".join(f"   {way:>9}{'string':>9}{'Kaggle':>9}" for way in ("encode", "decode"))
    print(f"{'mask':>10}{'size':>12}{'runs':>8}{ways}")
    worst = min(compare(kind, size) for kind in MASKS for size in SIZES)
    print(f"pycocotools' time by comp's, for the same text; the worst ratio is {worst:.2f}, wanted 1")
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
    text = rle_codec.encode(mask)
    compressed = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    assert coco_to_kaggle(mask) == text
    assert np.array_equal(rle_codec.decode(text, size), mask)
    assert np.array_equal(kaggle_to_coco(text, size), mask)
    encode = seconds(lambda: rle_codec.encode(mask))
    encode_string = seconds(lambda: coco.encode(np.asfortranarray(mask, dtype=np.uint8)))
    encode_kaggle = seconds(lambda: coco_to_kaggle(mask))
    decode = seconds(lambda: rle_codec.decode(text, size))
    decode_string = seconds(lambda: coco.decode(compressed).astype(bool))
    decode_kaggle = seconds(lambda: kaggle_to_coco(text, size))
    ratios = encode_kaggle / encode, decode_kaggle / decode
    print(
        f"{kind:>10}{'x'.join(map(str, size)):>12}{len(text.split()) // 2:>8}"
        f"   {1e6 * encode:>6.0f} us{encode_string / encode:>9.2f}{ratios[0]:>9.2f}"
        f"   {1e6 * decode:>6.0f} us{decode_string / decode:>9.2f}{ratios[1]:>9.2f}"
    )
    return min(ratios)


def coco_to_kaggle(mask: np.ndarray) -> str:
    """Kaggle's text by way of pycocotools."""
    counts = uncompressed(coco.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"])
    ends = np.cumsum(counts)
    starts = ends[:-1:2] + 1
    return " ".join(map(str, np.column_stack([starts, counts[1::2]]).ravel().tolist()))


def kaggle_to_coco(text: str, size: tuple[int, int]) -> np.ndarray:
    """The mask of Kaggle's text by way of pycocotools."""
    numbers = np.array(text.split(), dtype=np.int64)
    starts, lengths = numbers[::2] - 1, numbers[1::2]
    ends = np.concatenate([[0], starts + lengths])
    counts = np.column_stack([starts - ends[:-1], lengths]).ravel().tolist()
    counts.append(size[0] * size[1] - int(ends[-1]))
    runs = coco.frPyObjects({"size": list(size), "counts": counts}, *size)
    return coco.decode(runs).astype(bool)


def uncompressed(string: bytes) -> np.ndarray:
    """The counts in COCO's compressed string: five bits a byte, each count but the first as a difference."""
    counts: list[int] = []
    value = shift = 0
    for byte in string:
        bits = byte - 48
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value = shift = 0
    return np.array(counts, dtype=np.int64)


def seconds(work: Callable[[], object]) -> float:
    """The best of several rounds."""
    timer = timeit.Timer(work)
    number = max(1, int(0.05 / max(timer.timeit(1), 1e-6)))
    return min(timer.repeat(7, number)) / number


if __name__ == "__main__":
    main()
