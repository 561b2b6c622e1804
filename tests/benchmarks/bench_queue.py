"""How fast the queue answers: `python -m tests.benchmarks.bench_queue` (exit code 1 where a bound is missed).

1. Sixteen processes work on 50,000 queued jobs as workers do: claim, say that the job is alive, hand it in, wait a
   tick. The time of each claim, waiting for the other writers included. Then the same without the wait, which no
   worker does: how many moves a second the database takes, next to a bare loop over SQLite.
2. A database of 10,000 experiments and 50,000 jobs: `comp queue` and `comp leaderboard` as processes, and
   `comp --help` next to the import of typer, which it cannot do without.

On a machine that does other things, the processor time of a command says better than its wall time what it takes.
"""

import multiprocessing
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.synchronize import Barrier
from pathlib import Path

from sqlalchemy import insert, select

from competition.jobspec import Succeeded
from competition.lifecycle import JobState
from competition.paths import Paths
from competition.store import schema
from competition.store.engine import Store, open_store
from competition.store.plans import shape_of
from competition.store.queue import attempts
from competition.store.queue.attempts import Process
from tests.store.making import config, make_store

WORKERS, QUEUED, EXPERIMENTS, FOLDS = 16, 50_000, 10_000, 4
TICK_S = 0.2
"""A worker looks for another job this often (queue/worker.py)."""
CLAIM_S, COMMAND_S, HELP_FACTOR, HELP_EXTRA_S = 0.020, 0.6, 1.5, 0.1
"""The bounds: 99 of 100 claims; a listing as a whole process; `comp --help` over the import of typer."""


def fill(store: Store, *, experiments: int, folds: int, queued: int) -> int:
    """Experiments with a debug job and folds that have succeeded, the newest so many jobs queued; how many jobs.

    Twenty experiments each start from the same parent, and those that are complete were compared with it.
    """
    plain = config(0)
    made = plain.model_dump(mode="json")
    now = time.time()
    total = experiments * (folds + 1)
    with store.write() as tx:
        tx.execute(
            insert(schema.experiments),
            [
                {
                    "name": f"e{n}",
                    "member_id": 1 + n % 2,
                    "split_version": 1,
                    "baseline_version": 1,
                    "config": made,
                    "config_sha256": f"{n:064d}",
                    "parent_sha256": f"{n // 20:064d}" if n else None,
                    "conditions": [{"key": "seed", "old": 0, "new": n}],
                    "seed_spread": 0.004,
                    "seed_by_image": 0.002,
                    "seed_df": 10.0,
                    "note": "",
                    "created_at": now,
                    "score": 0.5 + 1e-6 * (n % 997) if (n + 1) * (folds + 1) <= total - queued else None,
                }
                for n in range(experiments)
            ],
        )
        rows = []
        for number in range(total):
            experiment, fold = divmod(number, folds + 1)
            is_queued = number >= total - queued
            rows.append(
                {
                    "experiment_id": experiment + 1,
                    "member_id": 1 + experiment % 2,
                    "kind": "debug" if fold == 0 else "fold",
                    "fold": max(0, fold - 1),
                    "state": JobState.QUEUED if is_queued else JobState.SUCCEEDED,
                    "priority": 0,
                    "queued_at": now + number * 1e-3,
                    "finished_at": None if is_queued else now,
                    "device_s": 10.0,
                    "score": None if is_queued or fold == 0 else 0.5,
                    "shape": shape_of(plain),
                }
            )
        tx.execute(insert(schema.jobs), rows)
        done = (total - queued) // (folds + 1)
        compared = [
            {"experiment_id": n + 1, "parent_id": n // 20 + 1, "se_images": 0.003, "units": 500} for n in range(1, done)
        ]
        if compared:
            tx.execute(insert(schema.comparisons), compared)
    return total


def work(paths: Paths, number: int, most: int, wait_s: float, barrier: Barrier | None = None) -> list[float]:
    """Do up to `most` jobs of a queue as worker `number`; the seconds of each claim.

    Args:
        wait_s: the pause after each job.
        barrier: what to wait for before the first claim.
    """
    store = open_store(paths)
    me = Process("host", "boot", number, 0.0)
    if barrier is not None:
        barrier.wait()
        time.sleep(wait_s * number / WORKERS)  # workers are not started in the same instant
    times = []
    for _ in range(most):
        started = time.perf_counter()
        claim = attempts.claim(store, me, device=f"gpu{number}", slot=0)
        times.append(time.perf_counter() - started)
        if claim is None:
            times.pop()
            break
        assert attempts.heartbeat(store, claim.token, None)
        assert attempts.succeed(store, Succeeded(claim.token, None, 2.0, 1.0, 0.0, {}))
        time.sleep(wait_s)
    store.close()
    return times


def work_with(paths: Paths, workers: int, *, most: int, wait_s: float) -> tuple[list[float], float]:
    """The claim times of this many processes that start together, and the seconds until the last one ended."""
    context = multiprocessing.get_context("fork")
    barrier, times = context.Barrier(workers + 1), context.SimpleQueue()

    def run(number: int) -> None:
        times.put(work(paths, number, most, wait_s, barrier))

    processes = [context.Process(target=run, args=(number,)) for number in range(workers)]
    for process in processes:
        process.start()
    barrier.wait()
    started = time.perf_counter()
    every = [claim_s for _ in processes for claim_s in times.get()]
    taken_s = time.perf_counter() - started
    for process in processes:
        process.join()
    return every, taken_s


def check_drained(store: Store, jobs: int) -> None:
    """Every job has succeeded, by one attempt."""
    with store.read() as tx:
        won = Counter(tx.scalars(select(schema.attempts.c.job_id).where(schema.attempts.c.outcome == "succeeded")))
        states = Counter(tx.scalars(select(schema.jobs.c.state)))
    assert len(won) == jobs
    assert set(won.values()) == {1}
    assert states == {"succeeded": jobs}


def bare_loop(folder: Path, *, moves: int = 4000) -> float:
    """Seconds of a loop of BEGIN IMMEDIATE, one UPDATE and COMMIT in plain sqlite3: what the disk and lock allow."""
    with sqlite3.connect(folder / "bare.db", isolation_level=None) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=NORMAL")
        raw.execute("CREATE TABLE jobs (id INTEGER PRIMARY KEY, state TEXT)")
        raw.executemany("INSERT INTO jobs (state) VALUES (?)", [("queued",)] * moves)
        started = time.perf_counter()
        for number in range(1, moves + 1):
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("UPDATE jobs SET state = 'running' WHERE id = ? AND state = 'queued'", (number,))
            raw.execute("COMMIT")
        return time.perf_counter() - started


def whole_process(root: Path, *command: str, repeats: int = 7) -> tuple[float, float]:
    """The median seconds of `comp …` as a process, its output thrown away: wall time and processor time.

    As it is once installed: compiled, which the first run sees to. Python compiles comp anew each time where it is
    told to keep nothing.
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    walls, processors = [], []
    for _ in range(1 + repeats):
        started, used = time.perf_counter(), processor_s()
        subprocess.run(
            [sys.executable, "-m", "competition", *command], cwd=root, env=env, check=True, capture_output=True
        )
        walls.append(time.perf_counter() - started)
        processors.append(processor_s() - used)
    return statistics.median(walls[1:]), statistics.median(processors[1:])


def processor_s() -> float:
    """Processor time of the processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def claims(store: Store, *, repeats: int = 200) -> list[float]:
    """Seconds of each of so many claims; each is given back, so that the queue stays as long."""
    me = Process("host", "boot", 1, 0.0)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        claim = attempts.claim(store, me, device="gpu", slot=0)
        times.append(time.perf_counter() - started)
        assert claim is not None
        attempts.release(store, claim.token, why="for the next")
    return times


def percentile(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def import_s(module: str, *, repeats: int = 7) -> float:
    """The median seconds of a Python that imports one module and ends."""
    walls = []
    for _ in range(1 + repeats):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        walls.append(time.perf_counter() - started)
    return statistics.median(walls[1:])


def met(text: str, wanted: str, is_met: bool) -> bool:
    """Print a number with its bound."""
    print(f"{text}, wanted {wanted}: {'met' if is_met else 'MISSED'}", flush=True)
    return is_met


def queue_is_fast(root: Path) -> bool:
    store = make_store(root, folds=FOLDS)
    fill(store, experiments=EXPERIMENTS, folds=FOLDS, queued=QUEUED)
    alone = statistics.median(claims(store))
    store.close()
    print(f"claim of one worker, {QUEUED:,} jobs queued: {1e3 * alone:.2f} ms")
    times, _ = work_with(Paths(root), WORKERS, most=100, wait_s=TICK_S)
    late = percentile(times, 99)
    text = f"claim, {WORKERS} workers with a tick of {TICK_S:g} s ({len(times):,} claims): "
    text += f"median {1e3 * statistics.median(times):.1f} ms, 99 % below {1e3 * late:.1f} ms"
    is_fast = met(text, f"99 % below {1e3 * CLAIM_S:.0f} ms", late < CLAIM_S)
    times, taken_s = work_with(Paths(root), WORKERS, most=300, wait_s=0.0)
    print(f"without the tick: {len(times) / taken_s:.0f} jobs/s of three moves, 99 % of the claims ", end="")
    print(f"below {1e3 * percentile(times, 99):.0f} ms; bare loop, one process: {4000 / bare_loop(root):.0f} moves/s")
    return is_fast


def write_settings(root: Path) -> None:
    """A competition.yaml, without which no command starts."""
    (root / "competition.yaml").write_text(
        "name: bench\nclasses: [a, b]\ndata:\n  images: images\n  masks: masks\n", encoding="utf-8"
    )


def commands_are_fast(root: Path) -> bool:
    write_settings(root)
    store = make_store(root, folds=FOLDS)
    fill(store, experiments=EXPERIMENTS, folds=FOLDS, queued=EXPERIMENTS // 2)
    store.close()
    good = []
    for command in ("queue", "leaderboard"):
        wall, processor = whole_process(root, command)
        text = f"comp {command}, {EXPERIMENTS:,} experiments: {wall:.3f} s, {processor:.3f} s of processor time"
        good.append(met(text, f"< {COMMAND_S:g} s", wall < COMMAND_S))
    typer, (wall, _) = import_s("typer"), whole_process(root, "--help")
    most = HELP_FACTOR * typer + HELP_EXTRA_S
    good.append(met(f"comp --help: {wall:.3f} s; import typer: {typer:.3f} s", f"< {most:.3f} s", wall < most))
    return all(good)


def main() -> None:
    """Print every number, and whether its bound is met."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    good = []
    for part in (queue_is_fast, commands_are_fast):
        with tempfile.TemporaryDirectory() as name:
            good.append(part(Path(name)))
    if not all(good):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
