import os

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
