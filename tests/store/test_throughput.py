"""Many workers at once; tests/benchmarks/bench_queue.py measures what this only checks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from competition.experiments.leaderboard import leaderboard, standings
from competition.lifecycle import JobState
from competition.paths import Paths
from competition.store.engine import Store, open_store
from competition.store.queue import jobs, order
from tests.benchmarks.bench_queue import check_drained, claims, fill, work_with
from tests.store.making import make_store


def test_eight_workers_do_every_job_once(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    jobs = fill(store, experiments=200, folds=0, queued=200)
    store.close()
    claimed, _ = work_with(Paths(tmp_path), 8, most=jobs, wait_s=0.0)
    assert len(claimed) == jobs == 200
    store = open_store(Paths(tmp_path))
    check_drained(store, jobs)
    store.close()


def test_a_claim_walks_down_the_index_and_sorts_nothing(tmp_path: Path) -> None:
    """However long the queue is: no step of the plan reads the whole table, or sorts the jobs of a member."""
    store = make_store(tmp_path)
    fill(store, experiments=40, folds=1, queued=30)
    (chosen,) = (text for text in traced(store, lambda store: claims(store, repeats=1))[0] if "AS picked" in text)
    with store.read() as tx:
        plan = [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {chosen}")]
    assert any("ix_jobs_claim" in step for step in plan), plan
    assert not any(step.startswith(("SCAN jobs", "USE TEMP B-TREE")) for step in plan), plan
    assert len(claims(store, repeats=3)) == 3
    store.close()


def traced(store: Store, work: Callable[[Store], object]) -> tuple[list[str], int]:
    """The statements that somebody executes, with their values, and the steps of SQLite's machine, in hundreds."""
    statements: list[str] = []
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    with store.read() as tx:
        raw: Any = tx.connection.driver_connection
    raw.set_trace_callback(statements.append)
    raw.set_progress_handler(step, 100)
    work(store)
    raw.set_trace_callback(None)
    raw.set_progress_handler(None, 0)
    assert statements, "another connection did the work"
    return statements, steps


def cost(store: Store, work: Callable[[Store], object]) -> tuple[int, int]:
    """How many statements somebody executes, and how many hundreds of steps these take."""
    statements, steps = traced(store, work)
    return len(statements), steps


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    """The same competition with 50 and with 400 experiments, a tenth of the jobs queued."""
    made = []
    for experiments in (50, 400):
        store = make_store(tmp_path_factory.mktemp("size"), folds=4)
        fill(store, experiments=experiments, folds=4, queued=experiments // 2)
        made.append(store)
    yield made[0], made[1]
    for store in made:
        store.close()


def test_a_claim_costs_the_same_in_a_long_queue(sizes: tuple[Store, Store]) -> None:
    small, large = (cost(store, lambda store: claims(store, repeats=3)) for store in sizes)
    assert large[0] == small[0]
    assert large[1] <= small[1] + 3


@pytest.mark.parametrize(
    "listing",
    [
        lambda store: standings(store, most=10),
        leaderboard,
        order.waiting,
        lambda store: jobs.in_states(store, [JobState.QUEUED]),
    ],
    ids=["top", "all", "waiting", "queued"],
)
def test_a_listing_executes_as_many_statements_for_many_rows_and_its_work_grows_no_faster(
    sizes: tuple[Store, Store], listing: Callable[[Store], object]
) -> None:
    small, large = (cost(store, listing) for store in sizes)
    assert large[0] == small[0]
    assert large[1] <= 12 * (small[1] + 1)
