import sys
from types import ModuleType, SimpleNamespace

import pytest

from competition.errors import CompError, UnknownNameError
from competition.queue import worker as worker_module
from competition.queue.devices import CPU, MemoryLimit, Slot, choose, find_gpus, free_memory_mib, memory_limit, slots_of
from competition.queue.worker import Worker
from competition.store.engine import Store
from competition.store.queue import attempts, jobs
from tests.conftest import submitted
from tests.queue.making import SETTINGS, QuickForkServer, succeed
from tests.store.making import WORKER, config, result

GIB = 2**30


class NVMLError(Exception):
    pass


def fake_nvml(gpus: int | None) -> ModuleType:
    """A driver with so many GPUs; None: no driver."""
    module = ModuleType("pynvml")

    def init() -> None:
        if gpus is None:
            raise NVMLError("no driver")

    module.NVMLError = NVMLError  # type: ignore[attr-defined]
    module.nvmlInit = init  # type: ignore[attr-defined]
    module.nvmlShutdown = lambda: None  # type: ignore[attr-defined]
    module.nvmlDeviceGetCount = lambda: gpus  # type: ignore[attr-defined]
    module.nvmlDeviceGetHandleByIndex = lambda index: index  # type: ignore[attr-defined]
    module.nvmlDeviceGetUUID = lambda handle: f"GPU-{handle:04d}"  # type: ignore[attr-defined]
    return module


@pytest.fixture
def eight_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml(8))


def test_without_a_driver_there_is_one_cpu_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml(None))
    assert find_gpus() == []
    assert choose(None) == [CPU]
    with pytest.raises(UnknownNameError, match="no GPU '0'") as caught:
        choose("0")
    assert "--devices cpu" in str(caught.value)


@pytest.mark.usefixtures("eight_gpus")
def test_gpus_are_bound_by_uuid() -> None:
    assert len(choose(None)) == 8
    two = choose("6, 1,6")
    assert [d.name for d in two] == ["GPU-0006", "GPU-0001"]
    assert two[0].environment == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "GPU-0006"}
    assert two[0].torch_device == "cuda:0"
    assert choose("cpu") == [CPU]


@pytest.mark.usefixtures("eight_gpus")
@pytest.mark.parametrize("text", ["8", "0,9"])
def test_a_number_that_no_gpu_has_is_refused(text: str) -> None:
    with pytest.raises(UnknownNameError, match="There is no GPU"):
        choose(text)


@pytest.mark.parametrize("text", ["gpu", "0;1", "", "-1"])
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(CompError, match="neither `cpu` nor GPU numbers"):
        choose(text)


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


def test_the_limit_leaves_out_what_cuda_takes_and_a_shared_device_takes_no_unknown_job(driver: dict[str, int]) -> None:
    gpu = choose("0")[0]
    driver["GPU-0000"] = (1100 + 600) * 2**20
    assert memory_limit(Slot(gpu, 0), is_shared=False) == MemoryLimit(1000, known_only=False)
    assert memory_limit(Slot(gpu, 1), is_shared=True) == MemoryLimit(1000, known_only=True)
    assert memory_limit(Slot(CPU, 1), is_shared=True) == MemoryLimit(None, known_only=False)
    driver["GPU-0000"] = 0
    assert memory_limit(Slot(gpu, 0), is_shared=False).free_mib == 0


def test_a_job_goes_where_enough_memory_is_free(
    store: Store, driver: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "score_and_compare", lambda *args, **options: [])
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
