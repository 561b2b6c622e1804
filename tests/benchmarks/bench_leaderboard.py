"""How fast a listing with verdicts is: `python -m tests.benchmarks.bench_leaderboard` (exit code 1: a bound is missed).

3,000 complete experiments of five folds against one baseline: the worst case, because every verdict is corrected for
all the others (bench_queue has 10,000 in families of twenty). `comp leaderboard` as a whole process, its first 40 rows;
then all rows, as `--json` lists them, next to what a listing would cost that draws images again for every row (10,000
draws over 500 images of 11 classes, timed on a few rows and scaled up).
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from competition.config.experiment import Config
from competition.config.settings import Metric
from competition.experiments.leaderboard import leaderboard
from competition.paths import Paths
from competition.scoring.bootstrap import draw, paired_error
from competition.store import baselines, competition, members, schema, splits
from competition.store.engine import Store, create_store
from competition.store.splits import SplitVersion
from competition.team.roles import Role
from tests.benchmarks.bench_queue import met, whole_process, write_settings

EXPERIMENTS, FOLDS = 3_000, 5
WANTED_S = 0.6
"""For `comp leaderboard`, from the start of the process to its end."""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_settings(root)
        store = create_store(Paths(root))
        fill(store)
        listing = median_s(lambda: leaderboard(store), rounds=3)
        store.close()
        wall, processor = whole_process(root, "leaderboard")
    generator = np.random.default_rng(0)
    a, b = (generator.integers(0, 1_000, (500, 11, 11)) for _ in range(2))
    redrawn = median_s(lambda: paired_error(Metric.MIOU, [a], [b], draw(500)), rounds=5) * EXPERIMENTS
    print(
        f"all {EXPERIMENTS:,} rows: stored {listing:.2f} s, drawn again {redrawn:.0f} s, ratio {redrawn / listing:.0f}"
    )
    text = f"comp leaderboard: {wall:.3f} s, {processor:.3f} s of processor time"
    if not met(text, f"< {WANTED_S:g} s", wall < WANTED_S):
        raise SystemExit(1)


def fill(store: Store, number: int = EXPERIMENTS) -> None:
    """This many complete experiments, each compared with the first."""
    competition.set_up(store, "f" * 16)
    members.assign(store, "ann", [Role.LEAD], actor="ann")
    splits.save(store, SplitVersion(1, "f" * 16, "kfold", FOLDS, None, 42, "hash", 0.0), actor="ann")
    config = Config()
    baselines.record_first(store, config, actor="ann")
    generator = np.random.default_rng(0)
    experiments = [_experiment(config, n, float(generator.normal(0.5, 0.01))) for n in range(number)]
    jobs = [_job(n + 1, fold) for n in range(number) for fold in range(FOLDS)]
    compared = [{"experiment_id": n + 1, "parent_id": 1, "se_images": 0.003, "units": 500} for n in range(1, number)]
    with store.write() as tx:
        for table, rows in ((schema.experiments, experiments), (schema.jobs, jobs), (schema.comparisons, compared)):
            tx.execute(table.insert(), rows)


def _experiment(config: Config, number: int, score: float) -> dict[str, object]:
    return {
        "name": f"e{number}",
        "member_id": 1,
        "split_version": 1,
        "baseline_version": 1,
        "config": config.model_dump(mode="json"),
        "config_sha256": f"{number}" if number else config.sha256,
        "parent_sha256": config.sha256 if number else None,
        "conditions": [{"key": "seed", "old": 42, "new": number}] if number else [],
        "note": "",
        "created_at": 0.0,
        "score": score,
        "seed_spread": None if number else 0.004,
        "seed_by_image": None if number else 0.002,
        "seed_df": None if number else 10.0,
    }


def _job(experiment_id: int, fold: int) -> dict[str, object]:
    return {
        "experiment_id": experiment_id,
        "kind": "fold",
        "fold": fold,
        "repeat": 0,
        "state": "succeeded",
        "priority": 0,
        "queued_at": 0.0,
        "device_s": 60.0,
        "score": 0.5 + 0.001 * fold,
    }


def median_s(work: Callable[[], object], *, rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    main()
