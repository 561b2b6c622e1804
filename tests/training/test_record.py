import json
from typing import Any

import pytest

from competition.jobspec import JobSpec
from competition.training import record
from competition.training.reporting import StoppedError
from tests.training.conftest import Specs, run


def stopped(spec: JobSpec) -> None:
    """An attempt that trains a batch more and saves."""
    with pytest.raises(StoppedError):
        run(spec, stop_at=("train", 1))


def recorded(spec: JobSpec) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(spec.job_paths.record.read_text())
    return content


def with_code(monkeypatch: pytest.MonkeyPatch, code: str, numpy: str) -> None:
    monkeypatch.setattr(record, "code_sha256", lambda: code)
    monkeypatch.setattr(record, "version", lambda name: numpy if name == "numpy" else "1")


def test_a_job_that_resumes_keeps_what_earlier_attempts_had_otherwise(
    spec_of: Specs, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of()
    with_code(monkeypatch, "old", "2.0")
    stopped(spec)
    assert "resumed_from" not in recorded(spec)
    with_code(monkeypatch, "new", "2.1")
    stopped(spec)
    first = {"comp_sha256": "old", "packages": {"numpy": "2.0"}}
    assert (recorded(spec)["comp_sha256"], recorded(spec)["resumed_from"]) == ("new", [first])
    stopped(spec)
    assert recorded(spec)["resumed_from"] == [first], "an attempt that is like the one before adds nothing"
    with_code(monkeypatch, "old", "2.1")
    run(spec)
    assert recorded(spec)["resumed_from"] == [{"packages": {"numpy": "2.0"}}, {"comp_sha256": "new"}]


def test_a_job_that_starts_anew_has_nothing_of_earlier_attempts(
    spec_of: Specs, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of()
    with_code(monkeypatch, "old", "2.0")
    stopped(spec)
    spec.job_paths.checkpoint.unlink()
    with_code(monkeypatch, "new", "2.0")
    stopped(spec)
    assert recorded(spec)["comp_sha256"] == "new"
    assert "resumed_from" not in recorded(spec)


def test_a_damaged_record_of_an_earlier_attempt_is_named_and_stops_no_job(spec_of: Specs) -> None:
    spec = spec_of()
    stopped(spec)
    spec.job_paths.record.write_text("{damaged")
    run(spec)
    assert recorded(spec)["resumed_from"] == [{"record.json": "missing or damaged"}]
