"""What is shown of jobs under way: in a terminal of 80 columns, and in a log."""

import io
import sqlite3
from pathlib import Path

import pytest
from rich.console import Console

from competition.cli.show.jobs import in_words
from competition.cli.show.live import _render
from competition.config.settings import read_settings
from competition.experiments.request import RunRequest, submit
from competition.jobspec import Progress
from competition.paths import Paths
from competition.queue.processes import this_process
from competition.store.engine import Store, open_store
from competition.store.queue import attempts, jobs
from tests.cli.conftest import WORKER
from tests.conftest import Comp, submitted

UNDER_WAY = Progress(12, 120, 3, 48, 0.51234, 0.4312, 104.62, 3790.0, "train", 8.2e-4, 12812)


@pytest.fixture
def running(store: Store) -> Store:
    """The debug job of `a-rather-long-name` is under way."""
    submitted(store, name="smoothing-0.05")
    claim = attempts.claim(store, WORKER, device="cpu", slot=0)
    assert claim is not None
    attempts.heartbeat(store, claim.token, UNDER_WAY)
    return store


def drawn(store: Store, *, width: int = 80) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width, highlight=False).print(_render(jobs.of_experiment(store, "smoothing-0.05")))
    return text.getvalue().splitlines()


def test_everything_fits_into_eighty_columns(running: Store) -> None:
    head, debug, fold, _ = drawn(running)
    assert head.split() == ["job", "device", "at", "loss", "score", "lr", "images/s", "MiB", "ETA"]
    assert debug.split() == [
        "debug",
        "cpu",
        "12/120",
        "0.512",
        "43.12",
        "8.2e-04",
        "104.6",
        "12812",
        "1h03m",
    ]
    assert fold.split() == ["fold", "0", "-", "waiting", "-", "-", "-", "-", "-", "-"]
    assert max(len(line) for line in (head, debug, fold)) <= 80
    assert "…" not in head + debug + fold


def test_a_line_for_a_log_says_the_same(running: Store) -> None:
    debug, fold = jobs.of_experiment(running, "smoothing-0.05")[:2]
    assert in_words(debug) == (
        "epoch 12/120, loss 0.512, score 43.12, lr 8.2e-04, 104.6 images/s, 12812 MiB, ETA 1h03m"
    )
    assert in_words(fold) == "waiting"


def test_before_the_first_batch_it_is_what_the_job_prepares(store: Store) -> None:
    submitted(store)
    claim = attempts.claim(store, WORKER, device="cpu", slot=0)
    assert claim is not None
    attempts.heartbeat(store, claim.token, Progress(1, 1, 3, 48, None, None, 0.0, 0.0, "cache"))
    debug = jobs.of_experiment(store, "b1")[0]
    assert in_words(debug) == "cache 3/48"


def test_progress_that_an_older_comp_wrote_is_shown_as_far_as_it_goes(running: Store) -> None:
    with sqlite3.connect(running.paths.database) as raw:
        raw.execute("UPDATE attempts SET progress = json_remove(progress, '$.lr', '$.memory_mib')")
    debug = jobs.of_experiment(running, "smoothing-0.05")[0]
    assert "lr -, 104.6 images/s, ETA" in in_words(debug)
    assert drawn(running)[1].split()[5:8] == ["-", "104.6", "-"]


def test_a_log_ends_with_how_far_the_job_is(comp: Comp, ready: Path) -> None:
    opened = open_store(Paths(ready))
    request = RunRequest("ann", name="smooth")
    submit(opened, read_settings(Paths(ready).competition), request, check_model=lambda _: None)
    claim = attempts.claim(opened, this_process(), device="cpu", slot=0)
    assert claim is not None
    attempts.heartbeat(opened, claim.token, UNDER_WAY)
    log = opened.paths.job("smooth", None).log
    log.parent.mkdir(parents=True)
    log.write_text("epoch 11/120: loss 0.5\n")
    ran = comp("logs", "smooth")
    assert ran.out == "epoch 11/120: loss 0.5\n"
    assert ran.err.startswith(
        "debug: epoch 12/120, loss 0.512, score 43.12, lr 8.2e-04, 104.6 images/s, 12812 MiB, ETA"
    )
    opened.close()
