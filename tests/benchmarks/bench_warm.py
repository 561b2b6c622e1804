"""Twenty short training jobs back to back: `python -m tests.benchmarks.bench_warm` (both sides in one run).

comp runs them as `comp worker` does: children of a fork server that has imported torch once. The other side starts a
process for each, `python train.py`, the way every other queue does: by task-spooler (Debian's package `task-spooler`)
where `tsp` is installed, else by a plain loop, which waits for nothing. Both train with comp's own recipe, on copies of
one competition; the other side writes no database, scores no experiment and draws no picture.

A device is busy from a job's first batch to the moment its files are on disk; what is left of the time from the start
of the first process to the end of the last job is idle. It ends with exit code 1 where a bound is missed.
"""

import argparse
import json
import os
import pickle
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from competition.cli.boundary import run
from competition.config.settings import read_settings
from competition.jobspec import JobSpec
from competition.paths import Paths
from competition.queue.devices import CPU
from competition.queue.job_specs import job_spec
from competition.store import experiments, schema
from competition.store.engine import open_store
from competition.store.queue import jobs
from tests.conftest import draw_images

FOLDS = 4
FIRST_BATCH_S = 0.5
IDLE_RATIO = 8.0
SET_UP = "init --images images --masks masks --classes classes.txt --test-images test_images --size 32x32"
KEYS = (
    "model.encoder=tu-mobilenetv3_small_050",
    "model.weights=none",
    "train.epochs=3",
    "train.batch_size=4",
    "schedule.warmup_epochs=0",
)

WORK = """
import sys
from competition.cli.boundary import run
from competition.queue import children
children.PRELOADED.append("tests.benchmarks.clock")
sys.exit(run(sys.argv[1:]))
"""
"""`comp worker` with the clock in its children."""


@dataclass(frozen=True)
class Span:
    """One job: when a process was wanted for it, when its first batch came, and when its files were on disk."""

    claimed_at: float
    first_batch_at: float
    done_at: float


@dataclass(frozen=True)
class Side:
    """All jobs of one side, in seconds."""

    started_at: float
    spans: list[Span]

    @property
    def first_batch_s(self) -> list[float]:
        return [span.first_batch_at - span.claimed_at for span in self.spans]

    @property
    def wall_s(self) -> float:
        return max(span.done_at for span in self.spans) - self.started_at

    @property
    def busy_s(self) -> float:
        return sum(span.done_at - span.first_batch_at for span in self.spans)

    @property
    def idle_s(self) -> float:
        return self.wall_s - self.busy_s


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--experiments", type=int, default=4, help="of five jobs each")
    given = options.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # so small a model is no faster with more
    with tempfile.TemporaryDirectory() as name:
        ours = Path(name) / "ours"
        make(ours, given.experiments)
        theirs = Path(name) / "theirs"
        shutil.copytree(ours, theirs)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
        launcher = "task-spooler" if shutil.which("tsp") else "a plain loop"
        report(launcher, launched(theirs), warm(ours))


def make(folder: Path, number: int) -> None:
    """A competition whose experiments all wait."""
    folder.mkdir()
    draw_images(folder, images=40, side=32)
    os.chdir(folder)
    comp(*shlex.split(SET_UP), *(word for key in KEYS for word in ("--set", key)))
    comp("assign", "ann", "lead", "training")
    comp("split", "--scheme", "kfold", "--folds", str(FOLDS), "--allow-leaks", "to be quick")
    for seed in range(number):
        comp("run", f"e{seed}", "--as", "ann", "--set", f"seed={seed}", "--detach")


def comp(*arguments: str) -> None:
    if run(list(arguments)) != 0:
        raise SystemExit(f"comp {' '.join(arguments)} failed")


def warm(folder: Path) -> Side:
    """comp: one worker until the queue is empty."""
    started_at = time.time()
    command = [sys.executable, "-c", WORK, "worker", "--devices", "cpu", "--until-empty", "--dir", str(folder)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
    store = open_store(Paths(folder))
    with store.read() as tx:
        rows = tx.execute(select(schema.attempts.c.token, schema.attempts.c.started_at)).all()
    claimed = {row.token: row.started_at for row in rows}
    spans = [span_of(folder / f"{token}.json", at) for token, at in claimed.items()]
    store.close()
    return Side(started_at, spans)


def launched(folder: Path) -> Side:
    """A process for each job, one after the other."""
    specs = specs_of(folder)
    for number, spec in enumerate(specs):
        (folder / f"{number}.pickle").write_bytes(pickle.dumps(spec))
    commands = [
        [sys.executable, "-m", "tests.benchmarks.clock", str(folder / f"{number}.pickle")]
        for number in range(len(specs))
    ]
    started_at = time.time()
    if shutil.which("tsp"):
        spool(commands, folder)
    else:
        for command in commands:
            subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    return Side(started_at, [span_of(folder / f"{spec.token}.json") for spec in specs])


def spool(commands: list[list[str]], folder: Path) -> None:
    """Hand all to a task-spooler of our own and wait for the last."""
    environment = os.environ | {"TS_SOCKET": str(folder / "tsp.socket"), "TMPDIR": str(folder)}
    root = Path(__file__).parents[2]
    try:
        for command in commands:
            subprocess.run(["tsp", "-n", *command], check=True, cwd=root, env=environment, stdout=subprocess.DEVNULL)
        subprocess.run(["tsp", "-w"], check=True, env=environment)
    finally:
        subprocess.run(["tsp", "-K"], check=True, env=environment)


def specs_of(folder: Path) -> list[JobSpec]:
    """The jobs that wait in a competition, debug jobs before their folds."""
    store = open_store(Paths(folder))
    settings = read_settings(store.paths.competition)
    found = [
        job_spec(
            store,
            settings,
            experiments.find(store, name),
            kind=job.kind,
            fold=job.fold,
            token=f"{name}-{job.label}".replace(" ", "-"),
            device=CPU,
        )
        for name in experiments.names(store)
        for job in jobs.of_experiment(store, name)
    ]
    store.close()
    return found


def span_of(file: Path, claimed_at: float | None = None) -> Span:
    """What the clock in a job's process has written down."""
    found = json.loads(file.read_text())
    return Span(claimed_at or found["process_at"], found["first_batch_at"], found["done_at"])


def report(launcher: str, theirs: Side, ours: Side) -> None:
    assert len(theirs.spans) == len(ours.spans)
    first = [statistics.median(side.first_batch_s) for side in (theirs, ours)]
    print(f"{'seconds':<34}{launcher:>14}{'comp':>9}{'ratio':>8}")
    line("from claim to first batch, median", first[0], first[1])
    line("                           longest", max(theirs.first_batch_s), max(ours.first_batch_s))
    line("device busy", theirs.busy_s, ours.busy_s)
    line("device idle, start-up included", theirs.idle_s, ours.idle_s)
    line(f"all {len(ours.spans)} jobs", theirs.wall_s, ours.wall_s)
    if first[1] > FIRST_BATCH_S or theirs.idle_s < IDLE_RATIO * ours.idle_s:
        print(f"wanted: a first batch within {FIRST_BATCH_S} s, and {IDLE_RATIO:g} times less idle")
        raise SystemExit(1)


def line(what: str, theirs: float, ours: float) -> None:
    print(f"{what:<34}{theirs:>14.2f}{ours:>9.2f}{theirs / ours:>8.1f}")


if __name__ == "__main__":
    main()
