"""Depthwise convolutions on a CPU: forward in bfloat16, backward in float32, for there the libraries are faster.

oneDNN has no fast bfloat16 kernel for the gradients of most depthwise convolutions (5x5 kernels, strides of 2), which
were a third of a training step in networks such as EfficientNet: `python -m tests.benchmarks.bench_depthwise`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_Pair = int | Sequence[int]


class FloatBackward(TorchFunctionMode):
    """Within this context a depthwise convolution of bfloat16 gets its gradients in float32.

    Whatever library calls `torch.conv2d`, and however it pads, is meant; nothing in the network changes.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.conv2d:
            call = _Call(*args, **(kwargs or {}))
            if call.is_slow_backward:
                return _Convolution.apply(*call)
        return func(*args, **(kwargs or {}))


class _Call(NamedTuple):
    """The arguments of `torch.conv2d`."""

    input: Tensor
    weight: Tensor
    bias: Tensor | None = None
    stride: _Pair = 1
    padding: _Pair | str = 0
    dilation: _Pair = 1
    groups: int = 1

    @property
    def is_slow_backward(self) -> bool:
        if not torch.is_autocast_enabled("cpu") or self.input.dtype not in (torch.float32, torch.bfloat16):
            return False
        depthwise = 1 < self.groups == self.input.shape[1] == self.weight.shape[0]
        large = self.weight.shape[-1] > 3 or max(_pair(self.stride)) > 1
        return depthwise and large and not isinstance(self.padding, str)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: _Pair,
        padding: _Pair,
        dilation: _Pair,
        groups: int,
    ) -> Tensor:
        narrow_images, narrow_weight = images.to(torch.bfloat16), weight.to(torch.bfloat16)
        # The same that torch's own convolution saves: torch.utils.checkpoint may compute this layer again without
        # FloatBackward, and wants tensors of the same shapes and dtypes then.
        ctx.save_for_backward(narrow_images, narrow_weight)
        ctx.bias_sizes = None if bias is None else list(bias.shape)
        ctx.geometry = (_pair(stride), _pair(padding), _pair(dilation))
        ctx.groups = groups
        cast = None if bias is None else bias.to(torch.bfloat16)
        return torch.conv2d(narrow_images, narrow_weight, cast, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        images, weight = ctx.saved_tensors
        mask = list(ctx.needs_input_grad[:3])
        found = torch.ops.aten.convolution_backward(
            gradients[0].float(),
            images.float(),
            weight.float(),
            ctx.bias_sizes,
            *ctx.geometry,
            False,
            [0, 0],
            ctx.groups,
            mask,
        )
        given = found[0] if found[0] is None else found[0].to(torch.bfloat16)
        return given, found[1], found[2], None, None, None, None


def _pair(value: _Pair) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)
