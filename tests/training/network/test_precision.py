import pytest
import torch

from competition.config.experiment import Precision
from competition.training.network.precision import arithmetic, loss_scaler, resolve

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx2": True}, Precision.FP32),
        ({"avx512_bf16": True}, Precision.BF16),
        ({"avx512_bf16": False, "amx_bf16": True}, Precision.BF16),
    ],
)
def test_auto_takes_bfloat16_only_where_a_cpu_computes_it(
    capabilities: dict[str, bool], expected: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert resolve(Precision.AUTO, CPU) is expected


@pytest.mark.parametrize(
    ("capability", "expected"), [((7, 5), Precision.FP16), ((8, 0), Precision.BF16), ((9, 0), Precision.BF16)]
)
def test_auto_follows_the_generation_of_a_gpu(
    capability: tuple[int, int], expected: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: capability)
    assert resolve(Precision.AUTO, torch.device("cuda:0")) is expected


def test_what_was_asked_for_is_taken() -> None:
    assert resolve(Precision.BF16, CPU) is Precision.BF16


def test_autocast_is_on_below_float32_alone() -> None:
    matrix = torch.ones(2, 2)
    with arithmetic(Precision.BF16, CPU):
        assert (matrix @ matrix).dtype is torch.bfloat16
    with arithmetic(Precision.FP32, CPU):
        assert (matrix @ matrix).dtype is torch.float32


def test_only_float16_scales_the_loss() -> None:
    assert loss_scaler(Precision.FP16, CPU).is_enabled()
    assert not loss_scaler(Precision.BF16, CPU).is_enabled()
