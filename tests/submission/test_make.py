"""A submission without any command: what a notebook calls."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.config.settings import read_settings
from competition.errors import RefusedError, UnknownNameError
from competition.paths import Paths
from competition.store import members, submissions
from competition.store.engine import Store, open_store
from competition.submission.make import SubmissionRequest, make_submission
from competition.team.roles import Role
from tests.cli.blending import finish
from tests.conftest import Comp


@pytest.fixture
def complete(comp: Comp, ready: Path) -> Store:
    """The database of a competition with one complete experiment, `b1`."""
    finish(ready, "b1", noise=1.2, score=0.9)
    return open_store(Paths(ready))


def test_it_is_written_and_recorded_once(complete: Store) -> None:
    settings = read_settings(complete.paths.competition)
    steps: list[tuple[str, int, int]] = []
    request = SubmissionRequest("b1", "ann")
    made = make_submission(complete, settings, request, progress=lambda *step: steps.append(step))
    assert (made.is_new, made.target) == (True, complete.paths.submissions() / "b1-png")
    assert steps == [("Writing test predictions", 1, 2), ("Writing test predictions", 2, 2)]
    assert submissions.every(complete) == [made.submission]
    assert (made.submission.cv, made.submission.weights, made.predictions.images) == (0.9, {"b1": 1.0}, 2)
    with Image.open(made.target / "g0_0.png") as image:
        assert np.count_nonzero(np.asarray(image) != 0) < 100  # the models see background there, through noise
    again = make_submission(complete, settings, request)
    assert (again.is_new, again.submission) == (False, made.submission)


def test_another_place_form_and_size(complete: Store, tmp_path: Path) -> None:
    settings = read_settings(complete.paths.competition)
    target = tmp_path / "labels.csv"
    request = SubmissionRequest("b1", "ann", form="labels-csv", size=(4, 8), target=target)
    make_submission(complete, settings, request)
    assert [len(line.split(",")[1].split()) for line in target.read_text().splitlines()[1:]] == [32, 32]


def test_what_is_refused_is_not_recorded(complete: Store) -> None:
    settings = read_settings(complete.paths.competition)
    members.assign(complete, "bob", [Role.TRAINING], actor="ann")
    for request, error, why in [
        (SubmissionRequest("b1", "ann", form="gif"), UnknownNameError, "no format 'gif'"),
        (SubmissionRequest("b2", "ann"), UnknownNameError, "'b2'"),
        (SubmissionRequest("b1", "eve"), UnknownNameError, "eve"),
        (SubmissionRequest("b1", "bob"), RefusedError, "bob may not submit"),
    ]:
        with pytest.raises(error, match=why):
            make_submission(complete, settings, request)
    assert submissions.every(complete) == []
    assert not complete.paths.submissions().exists()


def test_no_command_is_needed() -> None:
    program = (
        "import sys; import competition.ensemble.make, competition.ensemble.export, competition.ensemble.pseudo, "
        "competition.submission.make; print([m for m in sys.modules if m.startswith(('competition.cli', 'typer'))])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
