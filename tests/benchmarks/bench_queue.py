"""How fast the queue moves: `python -m tests.benchmarks.bench_queue` (exit code 1 where a bound is missed).

1. Eight processes claim and finish 5,000 jobs that do nothing: moves per second, beside a bare loop over SQLite.
2. A database of 10,000 experiments and 50,000 jobs: `comp queue` and `comp leaderboard` as processes, and a claim.

Medians over a few rounds. The processor time of a command stands beside its wall time, and the moves per second of
processor time beside those of wall time: on a machine that does other things, they say what comp itself takes.
"""

import gc
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

WORKERS, ROUNDS = 8, 3
MOVES_PER_S, CLAIM_S, COMMAND_S = 2_000, 0.005, 0.5
"""What is wanted: at least so many moves, at most so many seconds."""


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


def drain(paths: Paths, number: int) -> int:
    """Claim and finish jobs until there is none; how many."""
    gc.set_threshold(100_000, 20, 20)  # as a worker has it
    store = open_store(paths)
    me = Process("host", "boot", number, 0.0)
    done = 0
    while (claim := attempts.claim(store, me, device=f"gpu{number}", slot=0)) is not None:
        assert attempts.succeed(store, Succeeded(claim.token, None, 2.0, 1.0, 0.0, {}))
        done += 1
    store.close()
    return done


def drain_with(paths: Paths, workers: int) -> tuple[float, int]:
    """Seconds that so many processes take, started before the clock is, and the jobs they did."""
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        pool.map(abs, range(workers), chunksize=1)
        started = time.perf_counter()
        done = sum(pool.starmap(drain, [(paths, n) for n in range(workers)], chunksize=1))
        return time.perf_counter() - started, done


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


def throughput(workers: int) -> tuple[float, float, float]:
    """Of one round: moves per second of wall time, of processor time, and those of the bare loop."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        bare = 4000 / bare_loop(root)
        store = make_store(root)
        jobs = fill(store, experiments=5000, folds=0, queued=5000)
        store.close()
        used = processor_s()
        seconds, done = drain_with(Paths(root), workers)
        used = processor_s() - used
        store = open_store(Paths(root))
        check_drained(store, jobs)
        store.close()
        return 2 * done / seconds, 2 * done / used, bare


def met(what: str, bound: str, is_met: bool) -> bool:
    """Print a line that says whether a bound is met."""
    print(f"{what:<64} {bound:>16}  {'met' if is_met else 'MISSED'}", flush=True)
    return is_met


def main() -> None:
    """Print every number, and whether its bound is met."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    rounds = [throughput(WORKERS) for _ in range(ROUNDS)]
    moves, per_processor_s, bare = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"bare loop, one process: {bare:.0f} moves/s")
    print(f"one worker, 5,000 jobs: {throughput(1)[0]:.0f} moves/s")
    text = f"{WORKERS} workers, 5,000 jobs: {moves:.0f} moves/s, {per_processor_s:.0f} per processor second"
    good = [met(text, f">= {MOVES_PER_S}/s", moves >= MOVES_PER_S)]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "competition.yaml").write_text(
            "name: bench\nclasses: [a, b]\ndata:\n  images: images\n  masks: masks\n", encoding="utf-8"
        )
        store = make_store(root, folds=4)
        fill(store, experiments=10_000, folds=4, queued=5_000)
        claim = statistics.median(claims(store))
        store.close()
        text = f"claim among 50,000 jobs, 5,000 of them queued: {1e3 * claim:.2f} ms"
        good.append(met(text, f"< {1e3 * CLAIM_S:.0f} ms", claim < CLAIM_S))
        print(f"comp --help: {whole_process(root, '--help')[0]:.3f} s")
        for command in ("queue", "leaderboard"):
            wall, processor = whole_process(root, command)
            text = f"comp {command}, 10,000 experiments: {wall:.3f} s, {processor:.3f} s of processor time"
            good.append(met(text, f"< {COMMAND_S:g} s", wall < COMMAND_S))
    if not all(good):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
