import copy

import pytest
import torch
from torch import nn

from competition.config.experiment import Precision
from competition.training.network import precision as precision_module
from competition.training.network.precision import FloatBackward, loss_scaler, mixed_precision, resolve_precision

CPU = torch.device("cpu")
LAYERS = {
    "5x5": nn.Conv2d(24, 24, 5, padding=2, groups=24, bias=False),
    "stride 2": nn.Conv2d(24, 24, 3, stride=2, padding=1, groups=24),
    "dilated": nn.Conv2d(24, 24, 5, padding=(4, 4), dilation=2, groups=24),
}


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
    assert resolve_precision(Precision.AUTO, CPU) is expected


@pytest.mark.parametrize(
    ("capability", "expected"), [((7, 5), Precision.FP16), ((8, 0), Precision.BF16), ((9, 0), Precision.BF16)]
)
def test_auto_follows_the_generation_of_a_gpu(
    capability: tuple[int, int], expected: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: capability)
    assert resolve_precision(Precision.AUTO, torch.device("cuda:0")) is expected


def test_what_was_asked_for_is_taken() -> None:
    assert resolve_precision(Precision.BF16, CPU) is Precision.BF16


def test_autocast_is_on_below_float32_alone() -> None:
    matrix = torch.ones(2, 2)
    with mixed_precision(Precision.BF16, CPU):
        assert (matrix @ matrix).dtype is torch.bfloat16
    with mixed_precision(Precision.FP32, CPU):
        assert (matrix @ matrix).dtype is torch.float32


def test_only_float16_scales_the_loss() -> None:
    assert loss_scaler(Precision.FP16, CPU).is_enabled()
    assert not loss_scaler(Precision.BF16, CPU).is_enabled()


def gradients(layer: nn.Conv2d, images: torch.Tensor, precision: Precision) -> list[torch.Tensor]:
    """The gradients of the images, the weights and the bias if there is one; float32."""
    layer, images = copy.deepcopy(layer), images.clone().requires_grad_()
    with mixed_precision(precision, CPU):
        output = layer(images)
    (output.float() ** 2).sum().backward()
    return [tensor.grad.float() for tensor in (images, *layer.parameters()) if tensor.grad is not None]


@pytest.mark.parametrize("kind", LAYERS)
def test_the_gradients_are_those_of_float32_to_the_rounding_of_the_forward_pass(kind: str) -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 24, 16, 18).contiguous(memory_format=torch.channels_last)
    exact, narrow = (gradients(LAYERS[kind], images, precision) for precision in (Precision.FP32, Precision.BF16))
    assert len(narrow) == len(exact) == 2 + (LAYERS[kind].bias is not None)
    for ours, theirs in zip(narrow, exact, strict=True):
        assert ours.shape == theirs.shape
        assert (ours - theirs).norm() < 0.01 * theirs.norm()


def test_only_depthwise_convolutions_with_slow_gradients_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = precision_module._Convolution.apply
    monkeypatch.setattr(precision_module._Convolution, "apply", lambda *call: (calls.append(call[-1]), real(*call))[1])
    images = torch.randn(1, 8, 8, 8)
    others = [
        nn.Conv2d(8, 8, 5),
        nn.Conv2d(8, 8, 5, groups=4),
        nn.Conv2d(8, 16, 5, groups=8),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.Conv2d(8, 8, 5, padding="same", groups=8),
    ]
    with torch.autocast("cpu", torch.bfloat16), FloatBackward():
        for layer in others:
            layer(images)
        assert calls == []
        assert nn.Conv2d(8, 8, 5, groups=8)(images).dtype is torch.bfloat16
    assert calls == [8]


def test_calls_without_autocast_stay_as_they_are() -> None:
    layer, images = copy.deepcopy(LAYERS["5x5"]), torch.randn(1, 24, 8, 8)
    with mixed_precision(Precision.BF16, CPU):
        with torch.autocast("cpu", enabled=False):
            assert layer(images).dtype is torch.float32
        assert layer.double()(images.double()).dtype is torch.float64


@pytest.mark.parametrize(("precision", "grad", "used"), [("bf16", True, 1), ("bf16", False, 0), ("fp32", True, 0)])
def test_it_is_on_only_when_training_in_bfloat16(
    precision: str, grad: bool, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = precision_module._Convolution.apply
    monkeypatch.setattr(precision_module._Convolution, "apply", lambda *call: (calls.append(1), real(*call))[1])
    with torch.set_grad_enabled(grad), mixed_precision(Precision(precision), CPU):
        LAYERS["5x5"](torch.randn(1, 24, 8, 8))
    assert len(calls) == used
