"""How often verdicts are wrong, and how often they find what is there: `python -m tests.benchmarks.bench_verdicts`.

Planted runs (tests/scoring/planting.py), single runs of each, images that alone leave an error of 0.54 points. A/A is
the same configuration with another seed; the gain is two true standard errors. "seeds" is the band of the baseline
that the seed deviation is borrowed from. 95 % of the rates lie within the +- of what is printed.
"""

from tests.scoring.planting import Planted, rates

COMPARISONS = 4_000
DRAWS = 400


def main() -> None:
    print(f"{COMPARISONS} comparisons, 5 folds, rates in %")
    print(f"{'seeds':>5}{'seed SD':>9}{'A/A image-only':>16}{'A/A comp':>14}{'gain of 2 SE found':>21}")
    for seeds in (2, 3, 5, 10, 20, None):
        for seed_sd in (0.0, 0.0035, 0.006):
            planted = Planted(seed_sd=seed_sd)
            same = rates(planted, seeds=seeds, gain=0.0, comparisons=COMPARISONS, draws=DRAWS, seed=0)
            gained = rates(planted, seeds=seeds, gain=2 * planted.se, comparisons=COMPARISONS, draws=DRAWS, seed=1)
            line = f"{seeds or 'known':>5}{100 * seed_sd:>9.2f}{100 * same.image_only:>16.1f}"
            print(f"{line}{_with_error(same.comp):>14}{_with_error(gained.comp):>21}", flush=True)


def _with_error(rate: float) -> str:
    return f"{100 * rate:.1f} +-{196 * (rate * (1 - rate) / COMPARISONS) ** 0.5:.1f}"


if __name__ == "__main__":
    main()
