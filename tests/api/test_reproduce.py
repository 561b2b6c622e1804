from multiprocessing.connection import Connection
from typing import Any

import pytest

from competition.api.reproduce import Difference, Reproduction, reproduce
from competition.files import write_json
from competition.jobspec import JobSpec, Succeeded
from competition.store.engine import Store
from tests.conftest import submitted
from tests.queue.making import SETTINGS, QuickForkServer, Work, device, worker

RECORD = {"device": "cpu", "packages": {"torch": "2", "numpy": "2"}}


def trains(sha256: str, record: dict[str, Any] | None, **facts: object) -> Work:
    """A job that leaves a record, and a model of this hash."""

    def work(spec: JobSpec, connection: Connection) -> None:
        if record is not None:
            write_json(spec.job_paths.record, record)
        connection.send(Succeeded(spec.token, 0.5, 2.0, 1.0, 1.0, {"model.safetensors": sha256}, facts))

    return work


def again(store: Store, first: Work, second: Work) -> Reproduction:
    """Run an experiment, and its first fold once more."""
    submitted(store)
    assert worker(store, first).work(until_empty=True)
    return reproduce(store, SETTINGS, QuickForkServer(second), device(), "b1", 0)


@pytest.fixture(autouse=True)
def unscored(monkeypatch: pytest.MonkeyPatch) -> None:
    """These jobs leave no confusion matrices to score."""
    monkeypatch.setattr("competition.queue.worker.score_and_compare", lambda *args, **options: None)


def test_what_a_job_found_out_is_compared_too(store: Store) -> None:
    first = trains("a", RECORD, micro_batch=4, compiled=False, images_per_s=9.0)
    found = again(store, first, trains("b", RECORD, micro_batch=8, compiled=True, images_per_s=8.0))
    assert found.files == ("model.safetensors",)
    assert found.differences == (Difference("micro_batch", 4, 8), Difference("compiled", False, True))


def test_what_an_older_comp_did_not_record_is_no_difference(store: Store) -> None:
    found = again(store, trains("a", RECORD, compiled=True), trains("b", RECORD, micro_batch=8, compiled=True))
    assert found.differences == ()


def test_what_earlier_attempts_had_otherwise_is_named_key_by_key(store: Store) -> None:
    earlier = [{"packages": {"torch": "1"}, "git": {"diff_sha256": "x", "diff": "long"}}, {"device": "a GPU"}]
    found = again(store, trains("a", {**RECORD, "resumed_from": earlier}), trains("b", RECORD))
    assert found.differences == (
        Difference("resumed_from.1.packages.torch", "1", None),
        Difference("resumed_from.1.git.diff_sha256", "x", None),
        Difference("resumed_from.2.device", "a GPU", None),
    )


def test_a_first_run_without_a_record_is_not_taken_for_an_equal_one(store: Store) -> None:
    found = again(store, trains("a", None), trains("b", RECORD))
    assert found.differences == (Difference("record.json", "missing or damaged", "there"),)
