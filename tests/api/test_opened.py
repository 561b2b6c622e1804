"""What a notebook asks of an opened competition."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import competition
from competition.errors import DataError, UnknownNameError
from competition.predictions.probabilities import LEVELS
from tests.cli.conftest import labels_of, play
from tests.conftest import Comp


@pytest.fixture
def complete(ready: Path) -> competition.Competition:
    play(ready, lambda item, _: labels_of(item.id))
    return competition.open(ready)


def test_the_leaderboard_is_what_the_command_prints(comp: Comp, complete: competition.Competition) -> None:
    assert [row.to_json() for row in complete.leaderboard()] == json.loads(comp.ok("leaderboard", "--json"))
    with pytest.raises(UnknownNameError, match="nobody"):
        complete.leaderboard(member="nobody")


def test_every_image_has_the_prediction_of_the_model_that_never_saw_it(complete: competition.Competition) -> None:
    predictions = complete.predictions("b1")
    assert set(predictions.oof) == {item.id for item in complete.manifest.items}
    for image_id, probabilities in predictions.oof.items():
        assert (probabilities.dtype, probabilities.shape) == (np.float32, (3, 32, 32))
        np.testing.assert_array_equal(probabilities.argmax(axis=0), labels_of(image_id))


def test_test_predictions_are_the_mean_over_the_folds(complete: competition.Competition) -> None:
    shard = complete.paths.job("b1", 0).test
    pixels = np.fromfile(shard, np.uint8)
    pixels[:] = 0
    pixels.tofile(shard)
    for probabilities in complete.predictions("b1").test.values():
        np.testing.assert_allclose(probabilities.sum(axis=0), 0.5, atol=1 / LEVELS)


def test_predictions_that_are_gone_name_the_command_that_brings_them_back(complete: competition.Competition) -> None:
    complete.paths.job("b1", 1).oof.unlink()
    with pytest.raises(DataError, match="comp retry b1 --folds 1 --finished-too"):
        complete.predictions("b1")


def test_a_request_for_an_existing_experiment_continues_it(complete: competition.Competition) -> None:
    submitted = complete.enqueue(competition.RunRequest("ann", name="b1", seeds=2))
    assert (submitted.experiment.name, submitted.is_new, submitted.new_jobs) == ("b1", False, 2)
    assert [experiment.name for experiment in complete.experiments()] == ["b1"]


def test_importing_the_interface_loads_nothing_heavy() -> None:
    program = "import competition, sys; competition.open; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "matplotlib", "cv2", "numpy", "sqlalchemy", "pydantic"} & set(loaded)
