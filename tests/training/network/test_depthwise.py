import copy

import pytest
import torch
from torch import nn

from competition.config.experiment import Precision
from competition.training.network import depthwise
from competition.training.network.depthwise import FloatBackward
from competition.training.network.precision import arithmetic

CPU = torch.device("cpu")
LAYERS = {
    "5x5": nn.Conv2d(24, 24, 5, padding=2, groups=24, bias=False),
    "stride 2": nn.Conv2d(24, 24, 3, stride=2, padding=1, groups=24),
    "dilated": nn.Conv2d(24, 24, 5, padding=(4, 4), dilation=2, groups=24),
}


def gradients(layer: nn.Conv2d, images: torch.Tensor, precision: Precision) -> list[torch.Tensor]:
    """Of the images, the weights and the bias, where there is one; float32."""
    layer, images = copy.deepcopy(layer), images.clone().requires_grad_()
    with arithmetic(precision, CPU):
        found = layer(images)
    (found.float() ** 2).sum().backward()
    return [tensor.grad.float() for tensor in (images, *layer.parameters()) if tensor.grad is not None]


@pytest.mark.parametrize("kind", LAYERS)
def test_the_gradients_are_those_of_float32_to_the_rounding_of_the_forward_pass(kind: str) -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 24, 16, 18).contiguous(memory_format=torch.channels_last)
    exact, found = (gradients(LAYERS[kind], images, precision) for precision in (Precision.FP32, Precision.BF16))
    assert len(found) == len(exact) == 2 + (LAYERS[kind].bias is not None)
    for ours, theirs in zip(found, exact, strict=True):
        assert ours.shape == theirs.shape
        assert (ours - theirs).norm() < 0.01 * theirs.norm()


def test_only_depthwise_convolutions_with_slow_gradients_are_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    real = depthwise._Convolution.apply
    monkeypatch.setattr(depthwise._Convolution, "apply", lambda *call: (taken.append(call[-1]), real(*call))[1])
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
        assert taken == []
        assert nn.Conv2d(8, 8, 5, groups=8)(images).dtype is torch.bfloat16
    assert taken == [8]


def test_what_autocast_leaves_alone_stays_as_it_is() -> None:
    layer, images = copy.deepcopy(LAYERS["5x5"]), torch.randn(1, 24, 8, 8)
    with arithmetic(Precision.BF16, CPU):
        with torch.autocast("cpu", enabled=False):
            assert layer(images).dtype is torch.float32
        assert layer.double()(images.double()).dtype is torch.float64


@pytest.mark.parametrize(("precision", "grad", "meant"), [("bf16", True, 1), ("bf16", False, 0), ("fp32", True, 0)])
def test_it_serves_training_in_bfloat16(
    precision: str, grad: bool, meant: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    real = depthwise._Convolution.apply
    monkeypatch.setattr(depthwise._Convolution, "apply", lambda *call: (taken.append(1), real(*call))[1])
    with torch.set_grad_enabled(grad), arithmetic(Precision(precision), CPU):
        LAYERS["5x5"](torch.randn(1, 24, 8, 8))
    assert len(taken) == meant
