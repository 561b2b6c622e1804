"""pause, resume, bump, cancel and retry have one shape; old spellings say the new one."""

import json

import pytest

from competition.api import open_competition
from competition.store.engine import Store
from tests.conftest import Comp, submitted
from tests.store.making import config


@pytest.fixture
def queued(comp: Comp, ready: None) -> Store:
    """Two experiments of ann that wait, and a member without any."""
    store = open_competition().store
    submitted(store, config(1), name="first")
    submitted(store, config(2), name="second")
    comp.ok("assign", "bo", "training")
    return store


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("bump", "No job of bo waits."),
        ("cancel", "bo has no unfinished job."),
        ("retry", "bo has no failed or cancelled job."),
    ],
)
def test_a_request_that_matches_no_job_fails(comp: Comp, queued: Store, command: str, says: str) -> None:
    assert says in comp.error(command, "bo")
    assert "no experiment or member 'frist'. Did you mean 'first'?" in comp.error(command, "frist")
    assert "bo is a member" in comp.error(command, "bo", "--folds", "0")
    assert "no fold of first '7'" in comp.error(command, "first", "--folds", "7")


def test_nothing_that_is_not_paused_is_resumed(comp: Comp, queued: Store) -> None:
    assert "first is not paused." in comp.error("resume", "first")
    comp.ok("pause", "bo", "--as", "ann")
    assert "ann has paused member bo" in comp.error("resume", "--as", "ann")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("pause", "first"), "3 jobs of first: paused; what runs goes on to its end. `comp resume first`"),
        (("bump", "first", "--folds", "1"), "1 job of first: priority 1 (fold 1)."),
        (("cancel", "first", "--folds", "0,1"), "2 jobs of first: cancelled (fold 0, fold 1). `comp retry first`"),
        (("cancel", "ann"), "6 jobs of ann: cancelled (first debug, first fold 0, first fold 1, second debug"),
        (("pause",), "6 jobs of the queue: paused; what runs goes on to its end. `comp resume`"),
        (("pause", "bo"), "0 jobs of bo: paused"),
    ],
)
def test_the_answer_is_one_line_and_counts_the_jobs(
    comp: Comp, queued: Store, command: tuple[str, ...], says: str
) -> None:
    ran = comp(*command)
    assert (ran.code, ran.out) == (0, "")
    assert says in ran.err


def test_json_lists_the_jobs_as_they_were(comp: Comp, queued: Store) -> None:
    for command, name in (
        ("pause", "first"),
        ("resume", "first"),
        ("bump", "ann"),
        ("cancel", "ann"),
        ("retry", "ann"),
    ):
        answer = json.loads(comp.ok(command, name, "--json"))
        assert (answer["action"], answer["name"]) == (command, name)
        experiments = ["first"] if name == "first" else ["first", "second"]
        assert list(dict.fromkeys(job["experiment"] for job in answer["jobs"])) == experiments
        assert answer["jobs"][0] == {
            "experiment": "first",
            "job": "debug",
            "state": "cancelled" if command == "retry" else "queued",
        }


def test_all_jobs_of_a_member_get_the_same_priority(comp: Comp, queued: Store) -> None:
    comp.ok("bump", "ann")
    assert {job["priority"] for job in json.loads(comp.ok("queue", "--json"))} == {1}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("hold", "first"), "`comp hold NAME` is now `comp pause NAME --now`."),
        (("leaderboard", "--lb"), "`--lb` is now `--public`."),
        (("idea", "add", "x", "--by", "ann"), "`--by ann` is now `--as ann`."),
    ],
)
def test_an_old_spelling_works_and_says_the_new_one(comp: Comp, queued: Store, old: tuple[str, ...], new: str) -> None:
    ran = comp(*old)
    assert ran.code == 0
    assert ran.err.startswith(f"{new} The old spelling works in this version only.\n")


def test_old_options_of_predict_say_the_new_ones(comp: Comp, queued: Store) -> None:
    old = comp.error("predict", "first", "--tta", "d4", "--scales", "1,1.5", "--as", "ann")
    assert "`--tta d4` is now `--set tta=d4`." in old
    assert "`--scales 1,1.5` is now `--set scales=[1,1.5]`." in old
    assert "first has no trained model of fold 0, 1." in old
