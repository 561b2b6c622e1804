"""What only a GPU can show; all of it is skipped without one."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch

from competition.jobspec import JobSpec
from competition.predictions.shards import Shard
from competition.queue.devices import find_gpus, free_memory_mib
from competition.queue.processes import identify, kill_group
from competition.training.reporting import StoppedError
from tests.training.conftest import Specs, run
from tests.training.test_recipe import TOOLBOX, assert_same_job

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that torch can use")


def on_gpu(spec: JobSpec) -> JobSpec:
    return replace(spec, device="cuda:0")


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_it_trains_and_resumes_to_the_same_bytes(precision: str, spec_of: Specs) -> None:
    setting = f"train.precision={precision}"
    one, other = (on_gpu(spec_of(setting, "train.workers=2")) for _ in range(2))
    done = run(one)
    with pytest.raises(StoppedError):
        run(other, stop_at=("train", 2))
    run(other)
    assert_same_job(one, other)
    assert done.facts["precision"] == precision
    assert done.facts["device"] == torch.cuda.get_device_name()
    assert done.facts["peak_memory_mib"] > 0


@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_changes_nothing(workers: int, spec_of: Specs) -> None:
    one, other = (on_gpu(spec_of(f"train.workers={number}")) for number in (0, workers))
    run(one)
    run(other)
    assert_same_job(one, other)


@pytest.mark.parametrize("settings", TOOLBOX.values(), ids=TOOLBOX)
def test_the_toolbox_resumes(settings: tuple[str, ...], spec_of: Specs) -> None:
    """To the same bytes where each kernel has an order, and else to a score and a record that says which has none."""
    one, other = (on_gpu(spec_of(*settings)) for _ in range(2))
    done = run(one)
    with pytest.raises(StoppedError):
        run(other, stop_at=("train", 3))
    again = run(other)
    if done.facts["nondeterministic"]:
        assert again.score == pytest.approx(done.score, abs=0.1)
    else:
        assert_same_job(one, other)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # torch's own, while it loads its compiler
def test_it_trains_compiled(spec_of: Specs) -> None:
    done = run(on_gpu(spec_of("train.compile=true", "train.epochs=3", "optimizer.lr=1e-2")))
    assert done.facts["compiled"]
    assert done.last_loss < done.first_loss


def test_views_and_windows(spec_of: Specs) -> None:
    spec = on_gpu(spec_of("predict.tta=d4", "predict.window=32x32", "train.epochs=1"))
    run(spec)
    assert len(Shard.open(spec.job_paths.oof).ids) == 5


def test_too_little_memory_is_met_with_half_the_micro_batch(spec_of: Specs) -> None:
    """The allocator may take three quarters of what the job took at its most."""
    settings = ("data.size=512x512", "train.batch_size=8", "train.epochs=1", "train.precision=fp32")
    torch.cuda.reset_peak_memory_stats()
    whole = run(on_gpu(spec_of(*settings)))
    assert whole.facts["micro_batch"] == 8
    torch.cuda.empty_cache()
    share = 0.75 * torch.cuda.max_memory_allocated() / torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(share)
    try:
        halved = run(on_gpu(spec_of(*settings)))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert halved.facts["micro_batch"] == 4
    assert halved.last_loss == pytest.approx(whole.last_loss, rel=0.1)


def test_the_memory_of_a_killed_job_is_free_once_its_processes_are_gone() -> None:
    """Its loader holds the GPU's memory open as well, as forked workers do."""
    held_mib = 4096
    code = (
        f"import os, torch, time; held = torch.empty({held_mib} * 2**20, dtype=torch.uint8, device='cuda'); "
        "os.fork(); print('ready', flush=True); time.sleep(600)"
    )
    gpu = find_gpus()[0]
    before = free_memory_mib(gpu)
    assert before is not None
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as job:
            assert job.stdout is not None
            for _process in range(2):
                job.stdout.readline()
            taken = free_memory_mib(gpu)
            assert taken is not None
            assert taken < before - held_mib + 64
            since = time.monotonic()
            assert kill_group(identify(job.pid))
            gone_s = time.monotonic() - since
            after = free_memory_mib(gpu)
            print(f"gone after {gone_s:.3f} s: {before} MiB free before, {taken} with the job, {after} after it")
            assert after is not None
            assert after > before - 64
