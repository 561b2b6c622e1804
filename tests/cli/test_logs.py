"""`comp logs`, followed from a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from competition.config.experiment import Config
from competition.paths import Paths
from competition.queue.processes import this_process
from competition.store.engine import Store, open_store
from competition.store.queue import attempts, jobs
from tests.conftest import Comp, submitted
from tests.queue.making import wait_for
from tests.store.making import result


@pytest.fixture
def queued(ready: Path) -> Store:
    store = open_store(Paths(ready))
    submitted(store, Config(), seeds=2)
    return store


def printed(store: Store, text: str, *, fold: int | None, repeat: int = 0) -> None:
    """What a job prints."""
    log = store.paths.job("b1", fold, repeat).log
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(text)


def finish_next(store: Store) -> None:
    claim = attempts.claim(store, this_process(), device="cpu", slot=0)
    assert claim is not None
    assert attempts.succeed(store, result(claim.token, None if claim.kind == "debug" else 0.5))


@contextmanager
def following(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`comp logs … -f` on another terminal, and the file of what it has printed so far."""
    heard = Path("heard.txt")
    with heard.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "competition", "logs", *arguments, "-f"], stdout=out)
        try:
            yield process, heard
        finally:
            process.kill()
            process.wait()


def test_following_goes_from_job_to_job_and_loses_no_last_word(queued: Store) -> None:
    printed(queued, "debug, first line\n", fold=None)
    with following("b1") as (process, heard):
        wait_for(lambda: "first line" in heard.read_text())
        printed(queued, "debug, 끝\n", fold=None)
        wait_for(lambda: "끝" in heard.read_text())
        finish_next(queued)
        printed(queued, "fold 0 trains\n", fold=0)
        wait_for(lambda: "fold 0 trains" in heard.read_text())
        printed(queued, "again with another seed\n", fold=0, repeat=1)
        wait_for(lambda: "another seed" in heard.read_text())
        for _ in range(4):
            finish_next(queued)
        assert process.wait(20) == 0, "all have ended"
        assert heard.read_text().splitlines() == [
            *("debug, first line", "debug, 끝"),
            *("==> fold 0 <==", "fold 0 trains"),
            *("==> fold 0 repeat 1 <==", "again with another seed"),
        ]


def test_what_is_printed_right_before_the_end_is_shown(queued: Store) -> None:
    printed(queued, "start\n", fold=None)
    finish_next(queued)
    printed(queued, "start of fold 1\n", fold=1)
    with following("b1", "--fold", "1") as (process, heard):
        wait_for(lambda: "start of fold 1" in heard.read_text())
        jobs.cancel(queued, "b1", folds=[0], actor="ann")
        printed(queued, "the last word\n", fold=1)
        while jobs.count(queued, [s for s in jobs.JobState if not s.is_finished]):
            finish_next(queued)
        assert process.wait(20) == 0
        assert heard.read_text() == "start of fold 1\nthe last word\n"


def test_without_follow_it_is_the_job_that_printed_last(comp: Comp, queued: Store) -> None:
    assert "No job of b1 has printed anything yet" in comp.error("logs", "b1")
    printed(queued, "debug\n", fold=None)
    assert comp.ok("logs", "b1") == "debug\n"
    assert "No job of fold 1 of b1 has printed" in comp.error("logs", "b1", "--fold", "1")
    assert "b1 has no fold 9." in comp.error("logs", "b1", "--fold", "9")
