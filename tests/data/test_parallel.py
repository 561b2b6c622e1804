import threading

import pytest

from competition.data.parallel import in_threads


def test_results_come_in_order_with_progress() -> None:
    seen: list[tuple[int, int]] = []
    assert in_threads(lambda x: x * x, [3, 1, 2], progress=lambda *p: seen.append(p)) == [9, 1, 4]
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_an_error_drops_what_has_not_begun() -> None:
    begun: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> int:
        with lock:
            begun.append(number)
        if number == 0:
            raise ValueError("no")
        threading.Event().wait(0.002)
        return number

    with pytest.raises(ValueError, match="no"):
        in_threads(work, list(range(2000)))
    assert len(begun) < 2000
