"""Work on many files at once, in threads."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

Progress = Callable[[int, int], None]
"""Called with the number of items done and the number of all items."""

StepProgress = Callable[[str, int, int], None]
"""Called with the name of a step, the number of its items done and the number of all its items."""


def of_step(progress: StepProgress | None, step: str) -> Progress | None:
    """The progress of one step, reported to `progress`."""
    return None if progress is None else partial(progress, step)


def in_threads(work: Callable[[In], Out], items: Sequence[In], *, progress: Progress | None = None) -> list[Out]:
    """The results of `work` for every item, in order, on all cores.

    Threads are enough: reading, hashing and Pillow's decoding all release the interpreter's lock. If `work` raises,
    items that have not begun are dropped, and the error goes to the caller.
    """
    results: list[Out] = []
    pool = ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0)))
    try:
        for result in pool.map(work, items):
            results.append(result)
            if progress is not None:
                progress(len(results), len(items))
    finally:
        pool.shutdown(cancel_futures=True)
    return results


def passes_of(progress: Progress | None, passes: int, *, items: int) -> list[Progress | None]:
    """A progress function for each of several passes over equally many items; together they fill one bar."""

    def of(number: int) -> Progress | None:
        if progress is None:
            return None
        return lambda done, total: progress(number * items + done * items // total, passes * items)

    return [of(number) for number in range(passes)]
