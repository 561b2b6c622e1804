import os
import platform
import subprocess
import sys

import pytest
import torch

from competition.training import hardware


def test_all_cores_compute_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    hardware.bind(torch.device("cpu"))
    assert torch.get_num_threads() == 1  # as the tests' environment says
    monkeypatch.delenv("OMP_NUM_THREADS")
    hardware.bind(torch.device("cpu"))
    assert torch.get_num_threads() == len(os.sched_getaffinity(0))
    torch.set_num_threads(1)


def test_what_is_known_of_a_cpu() -> None:
    cpu = torch.device("cpu")
    assert hardware.device_name(cpu)
    assert 10 < hardware.peak_memory_mib(cpu) < 10**6


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc")
def test_memory_that_was_used_once_is_rarely_fetched_page_by_page_again() -> None:
    """Four arrays of a thousand pages each, ten times; in a process of its own, for the setting lasts."""
    script = """
import resource, torch
from competition.training import hardware
def fill():
    arrays = [torch.ones(2**20) for _ in range(4)]
def faults():
    fill()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        fill()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
before = faults()
hardware.bind(torch.device("cpu"))
print(before, faults())
"""
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    before, after = map(int, printed.split())
    assert after < 2_000 < 6_000 < before


def test_a_gpu_multiplies_float32_in_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    hardware.bind(torch.device("cpu"))
    before = torch.get_float32_matmul_precision()
    try:
        hardware.bind(torch.device("cuda:0"))
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)
    assert (before, chosen) == ("highest", [torch.device("cuda:0")])


def test_a_gpus_memory_is_what_torch_has_allocated_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _device: 3 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "NVIDIA H100")
    gpu = torch.device("cuda:0")
    assert (hardware.peak_memory_mib(gpu), hardware.device_name(gpu)) == (3072, "NVIDIA H100")
