import sys
from types import ModuleType

import pytest

from competition.errors import CompError, UnknownNameError
from competition.queue.devices import CPU, choose, find_gpus


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
