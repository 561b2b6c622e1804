import sys
from types import ModuleType, SimpleNamespace

import pytest

from competition.queue import worker as worker_module
from competition.queue.devices import CPU, choose, free_memory_mib
from competition.queue.memory_limit import MemoryLimit, Slot, room_in, slots_of
from competition.queue.worker import Worker
from competition.store.engine import Store
from competition.store.queue import attempts, jobs
from tests.conftest import submitted
from tests.queue.making import SETTINGS, QuickForkServer, succeed
from tests.queue.test_devices import fake_nvml
from tests.store.making import WORKER, config, result

GIB = 2**30


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A driver with 8 GPUs of 24 GiB; change the free bytes by UUID, as other people's processes do."""
    module: ModuleType = fake_nvml(8)
    free = {f"GPU-{n:04d}": 24 * GIB for n in range(8)}
    module.nvmlDeviceGetHandleByUUID = lambda uuid: uuid  # type: ignore[attr-defined]
    module.nvmlDeviceGetMemoryInfo = lambda uuid: SimpleNamespace(free=free[uuid])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return free


def test_jobs_spread_before_they_share(driver: dict[str, int]) -> None:
    slots = slots_of(choose("0,1"), 2)
    assert [(s.device.label, s.number) for s in slots] == [("gpu 0", 0), ("gpu 1", 0), ("gpu 0", 1), ("gpu 1", 1)]


def test_free_memory_counts_what_others_have_taken(driver: dict[str, int]) -> None:
    gpu = choose("3")[0]
    assert free_memory_mib(gpu) == 24 * 1024
    driver["GPU-0003"] = 2 * GIB
    assert free_memory_mib(gpu) == 2048
    assert free_memory_mib(CPU) is None


def test_the_room_leaves_out_what_cuda_takes_and_a_shared_one_takes_no_strangers(driver: dict[str, int]) -> None:
    gpu = choose("0")[0]
    driver["GPU-0000"] = (1100 + 600) * 2**20
    assert room_in(Slot(gpu, 0), is_shared=False) == MemoryLimit(1000, known_only=False)
    assert room_in(Slot(gpu, 1), is_shared=True) == MemoryLimit(1000, known_only=True)
    assert room_in(Slot(CPU, 1), is_shared=True) == MemoryLimit(None, known_only=False)
    driver["GPU-0000"] = 0
    assert room_in(Slot(gpu, 0), is_shared=False).free_mib == 0


def test_a_job_goes_where_there_is_room_for_it(
    store: Store, driver: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "complete", lambda *args, **options: [])
    submitted(store, folds=(), name="e0")
    known = attempts.claim(store, WORKER, device="GPU-0000", slot=0)
    assert known is not None
    attempts.succeed(store, result(known.token, peak_mib=8000))
    driver["GPU-0000"] = 4 * GIB
    submitted(store, config(1), folds=(), name="e1")
    made = Worker(store, SETTINGS, choose("0,5"), QuickForkServer(succeed), on_tick=lambda: None)
    assert made.work(until_empty=True)
    with store.read() as tx:
        devices = tx.exec_driver_sql("SELECT device FROM attempts ORDER BY id").scalars().all()
    assert devices == ["GPU-0000", "GPU-0005"]
    assert jobs.of_experiment(store, "e1")[0].state == "succeeded"
