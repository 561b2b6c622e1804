from competition.queue.waiting import Turn, forecast
from competition.store.queue.order import Waiting


def job(
    number: int, *, member: int = 1, priority: int = 0, paused: bool = False, takes: float | None = 10.0
) -> Waiting:
    return Waiting(number, member, priority, float(number), paused, takes)


def order(turns: dict[int, Turn]) -> list[int]:
    return sorted(turns, key=lambda number: turns[number].place)


def test_members_take_turns_by_what_they_have_used() -> None:
    jobs = [job(1), job(2), job(3), job(4, member=2), job(5, member=2)]
    assert order(forecast(jobs, {1: 0.0, 2: 15.0}, [])) == [1, 2, 4, 3, 5]


def test_priority_goes_first_and_paused_jobs_have_no_turn() -> None:
    jobs = [job(1), job(2, priority=1), job(3, paused=True)]
    assert order(forecast(jobs, {}, [])) == [2, 1]


def test_jobs_start_when_a_slot_is_free() -> None:
    turns = forecast([job(n) for n in range(1, 5)], {}, [5.0, 20.0])
    assert [turns[n].starts_in_s for n in range(1, 5)] == [5.0, 15.0, 20.0, 25.0]


def test_nobody_knows_without_a_slot_or_without_history() -> None:
    assert forecast([job(1)], {}, [])[1] == Turn(1, None)
    turns = forecast([job(1, takes=None), job(2)], {}, [5.0])
    assert [turns[n].starts_in_s for n in (1, 2)] == [5.0, None]
    assert forecast([job(1)], {}, [None])[1] == Turn(1, None)
