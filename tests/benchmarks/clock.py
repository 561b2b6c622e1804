"""The clock in a job's process, for bench_warm. As a program it is the `train.py` of a peer: one job, then the end.

python -m tests.benchmarks.clock SPEC.pickle
"""

import json
import os
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from competition.jobspec import JobSpec, Succeeded
from competition.training import gate, recipe
from competition.training.learner import Learner
from competition.training.reporting import Reporter

_first_batch_at: list[float] = []


def _noting_the_first(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        if not _first_batch_at:
            _first_batch_at.append(time.time())
        return real(*arguments, **options)

    return call


def _timed(spec: JobSpec, reporter: Reporter) -> Succeeded:
    result = _train(spec, reporter)
    times = {
        "process_at": psutil.Process(os.getpid()).create_time(),
        "first_batch_at": _first_batch_at[0],
        "done_at": time.time(),
    }
    (spec.root / f"{spec.token}.json").write_text(json.dumps(times))
    return result


_train = recipe.train
recipe.train = _timed
Learner.step = _noting_the_first(Learner.step)  # type: ignore[method-assign]
gate.measure_losses = _noting_the_first(gate.measure_losses)

if __name__ == "__main__":
    job = pickle.loads(Path(sys.argv[1]).read_bytes())
    job.job_paths.folder.mkdir(parents=True, exist_ok=True)
    recipe.train(job, Reporter(send=lambda progress: True))
