"""How long the team's page takes: `python -m tests.benchmarks.bench_report`.

200 experiments of five folds, 100 epochs and 11 classes: under 2 s and 3 MB. The command itself adds its start.
"""

import tempfile
from pathlib import Path

from competition.paths import Paths
from competition.report.overview import overview
from tests.benchmarks.bench_leaderboard import median_s
from tests.report.planting import SETTINGS, plant

EXPERIMENTS = 200
WANTED_S, WANTED_MB = 2.0, 3.0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = plant(Paths(Path(folder)), EXPERIMENTS)
        seconds = median_s(lambda: overview(store, SETTINGS), rounds=5)
        megabytes = len(overview(store, SETTINGS).encode()) / 1e6
        store.close()
    print(f"{EXPERIMENTS} experiments: {seconds:.2f} s (median of 5), {megabytes:.2f} MB")
    if seconds >= WANTED_S or megabytes >= WANTED_MB:
        raise SystemExit(f"wanted: under {WANTED_S:g} s and {WANTED_MB:g} MB")


if __name__ == "__main__":
    main()
