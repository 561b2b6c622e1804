import json
from pathlib import Path

import numpy as np
import pytest

from competition.config.settings import Metric
from competition.ensemble.budget import BudgetPlan, plan_budget, seconds_of
from competition.ensemble.inputs import open_experiments
from competition.ensemble.score_experiments import confusions
from competition.errors import DataError, RefusedError
from competition.paths import JobPaths
from competition.scoring import metrics
from tests.ensemble.conftest import Makes, noisy, random_truth

IDS = [f"i{n}" for n in range(6)]
TRUTH = random_truth(*IDS, size=(24, 24), seed=7)
NOISES = {"quick": 2.5, "fair": 2.0, "twin": 2.0, "slow": 1.6}
SECONDS = {"quick": 1.0, "fair": 2.0, "twin": 2.0, "slow": 8.0}


def planned(experiment: Makes, limit_s: float) -> BudgetPlan:
    experiments = []
    for seed, (name, noise) in enumerate(NOISES.items()):
        seen = noisy(TRUTH, seed=seed, noise=noise)
        experiments.append(experiment(name, [{i: seen[i] for i in IDS[k::3]} for k in range(3)]))
    parts = np.repeat(np.arange(3), 2)
    opened = open_experiments(experiments)
    found = plan_budget(opened, SECONDS, limit_s=limit_s, parts=parts, truth=TRUTH.__getitem__, metric=Metric.MIOU)
    for point in found.front:
        weighting = tuple(int(name in point.experiments) for name in opened.names)
        assert point.seconds == sum(SECONDS[name] for name in point.experiments)
        exact = confusions(opened, [weighting], truth=TRUTH.__getitem__)[weighting]
        assert point.score == metrics.score(Metric.MIOU, exact)
    return found


def test_the_best_that_fits_is_chosen(experiment: Makes) -> None:
    found = planned(experiment, 5.0)
    assert set(found.chosen.experiments) == {"quick", "fair", "twin"}
    assert found.chosen.seconds == 5.0
    seconds, scores = [p.seconds for p in found.front], [p.score for p in found.front]
    assert seconds == sorted(seconds)
    assert scores == sorted(scores)
    assert found.front[0].experiments == ("quick",)
    assert set(found.front[-1].experiments) == set(NOISES)
    assert found.cross_fitted <= max(scores)


def test_what_fits_exactly_is_allowed_and_less_is_refused(experiment: Makes) -> None:
    assert planned(experiment, 1.0).chosen.experiments == ("quick",)
    with pytest.raises(RefusedError, match=r"quick, takes 1\.0 s alone"):
        planned(experiment, 0.99)


def test_seconds_are_those_that_the_jobs_measured(tmp_path: Path) -> None:
    jobs = [JobPaths(tmp_path / f"fold{k}") for k in range(2)]
    for job, ms in zip(jobs, (20.0, 30.0), strict=True):
        job.folder.mkdir()
        job.result.write_text(json.dumps({"facts": {"inference_ms": ms}}))
    assert seconds_of("b1", jobs, images=100) == pytest.approx(5.0)
    jobs[1].result.write_text(json.dumps({"facts": {}}))
    with pytest.raises(DataError, match="b1, fold 1, has no inference time"):
        seconds_of("b1", jobs, images=100)
