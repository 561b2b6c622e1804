"""The seeds of one experiment against each other: `python -m tests.benchmarks.bench_pairs FOLDER EXPERIMENT`.

Real A/A comparisons: every pair of its seeds is judged with the band of the others, so that no seed vouches for itself.
It takes five seeds (`comp run EXPERIMENT --seeds 5`) for every pair to leave three others; with three seeds, only what
images alone would say is told.
"""

import sys
from itertools import combinations
from pathlib import Path

from competition.config.settings import read_settings
from competition.experiments import oof_matrices
from competition.paths import find_competition
from competition.scoring import metrics
from competition.scoring.bootstrap import paired_error
from competition.scoring.seeds import seed_band
from competition.scoring.student import quantile
from competition.scoring.verdicts import Call, Effect, judge
from competition.store import experiments, splits
from competition.store.engine import open_store


def main(folder: Path, name: str) -> None:
    paths = find_competition(folder)
    metric = read_settings(paths.competition).metric
    store = open_store(paths)
    experiment = experiments.find(store, name)
    split = splits.of_version(store, experiment.split_version)
    found = oof_matrices.load(paths, experiment, folds=split.folds, repeats=tuple(experiment.repeat_scores))
    store.close()
    bootstrap = oof_matrices.bootstrap(paths, split, found.ids)
    scores = [metrics.score(metric, run) for run in found.runs]
    print(f"{name}, {split.folds} folds, {bootstrap.units} images or groups; scores in %:")
    print("  " + "  ".join(f"{100 * score:.2f}" for score in scores))
    print(f"{'pair':>6}{'delta':>8}{'SE images':>11}{'SE seeds':>10}{'95 %':>18}{'image-only':>12}  verdict")
    wrong = alone = 0
    pairs = list(combinations(range(len(scores)), 2))
    for i, j in pairs:
        others = [folds for r, folds in enumerate(found.repeats) if r not in (i, j)]
        error = paired_error(metric, [found.runs[i]], [found.runs[j]], bootstrap)
        band = seed_band(metric, others, bootstrap) if len(others) > 1 else None
        effect = Effect(scores[j] - scores[i], error, bootstrap.units, (1, 1), band)
        verdict = judge(effect)
        outside = abs(effect.delta) > quantile(0.975, max(1, bootstrap.units - 1)) * error
        alone += outside
        wrong += verdict.call in (Call.BETTER, Call.WORSE)
        seeds = f"{100 * effect.se_seeds:.2f}" if band else "-"
        ends = (
            "-" if verdict.low is None or verdict.high is None else f"{_points(verdict.low)} to {_points(verdict.high)}"
        )
        print(
            f"{f'{i}-{j}':>6}{_points(effect.delta):>8}{100 * error:>11.2f}{seeds:>10}"
            f"{ends:>18}{'differs' if outside else '-':>12}  {verdict.call}"
        )
    print(f"called a difference: images alone {alone} of {len(pairs)}, comp {wrong} of {len(pairs)}")


def _points(value: float) -> str:
    return f"{100 * value:+.2f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
