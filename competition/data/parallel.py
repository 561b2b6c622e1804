"""Work on many files at once."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

StepProgress = Callable[[str, int, int], None]
"""Called with the name of a step, how many of its items are done, and how many there are."""


def of_step(progress: StepProgress | None, step: str) -> Progress | None:
    """The progress of one step, reported to `progress`."""
    return None if progress is None else partial(progress, step)


def in_threads(
    work: Callable[[Given], Made], items: Sequence[Given], *, progress: Progress | None = None
) -> list[Made]:
    """`work` of every item, in order, on all cores.

    Threads are enough: reading, hashing and Pillow's decoding all release the interpreter. Where `work` raises, what
    has not begun is dropped and the error goes on to the caller.
    """
    results: list[Made] = []
    pool = ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0)))
    try:
        for made in pool.map(work, items):
            results.append(made)
            if progress is not None:
                progress(len(results), len(items))
    finally:
        pool.shutdown(cancel_futures=True)
    return results


def passes_of(progress: Progress | None, passes: int, *, items: int) -> list[Progress | None]:
    """The progress of each of several passes over as many items, told to `progress` as that of one."""

    def of(which: int) -> Progress | None:
        if progress is None:
            return None
        return lambda done, total: progress(which * items + done * items // total, passes * items)

    return [of(which) for which in range(passes)]
