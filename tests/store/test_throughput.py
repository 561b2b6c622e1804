"""Many workers at once; tests/benchmarks/bench_queue.py measures what this only checks."""

from pathlib import Path

from competition.paths import Paths
from competition.store.engine import open_store
from tests.benchmarks.bench_queue import check_drained, claims, drain_with, fill
from tests.store.making import make_store


def test_eight_workers_do_every_job_once(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    jobs = fill(store, experiments=200, folds=0, queued=200)
    store.close()
    _, done = drain_with(Paths(tmp_path), 8)
    assert done == jobs == 200
    store = open_store(Paths(tmp_path))
    check_drained(store, jobs)
    store.close()


def test_a_claim_walks_down_the_index(tmp_path: Path) -> None:
    """However long the queue is: no step of the plan reads the whole table."""
    from competition.store import order

    store = make_store(tmp_path)
    fill(store, experiments=40, folds=1, queued=30)
    with store.read() as tx:
        text = str(order._FIRST_OF_EACH.compile(tx.engine, compile_kwargs={"literal_binds": True}))
        plan = [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    assert any("ix_jobs_order" in step for step in plan), plan
    assert not any(step.startswith("SCAN jobs") for step in plan), plan
    assert len(claims(store, repeats=3)) == 3
    store.close()
