"""The arithmetic of the forward pass: precision by device, and the backward pass of depthwise layers on a CPU."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from competition.config.experiment import Precision

_DTYPES = {Precision.FP32: torch.float32, Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}
_Pair = int | Sequence[int]


def resolve_precision(wanted: Precision, device: torch.device) -> Precision:
    """The precision to use on this device; `auto` is the fastest that it computes natively.

    That is bfloat16 on GPUs from Ampere on and on CPUs with AVX512-BF16 or AMX, float16 (with a scaled loss) on older
    GPUs, and float32 elsewhere.
    """
    if wanted is not Precision.AUTO:
        return wanted
    if device.type == "cuda":
        return Precision.BF16 if torch.cuda.get_device_capability(device) >= (8, 0) else Precision.FP16
    # a CPU without these instructions emulates bfloat16, many times slower than float32
    capabilities = torch.cpu.get_capabilities()
    is_native = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    return Precision.BF16 if is_native else Precision.FP32


@contextmanager
def mixed_precision(precision: Precision, device: torch.device) -> Iterator[None]:
    """The context of a forward pass."""
    autocast = torch.autocast(device.type, dtype=_DTYPES[precision], enabled=precision is not Precision.FP32)
    needs_float_backward = device.type == "cpu" and precision is Precision.BF16 and torch.is_grad_enabled()
    with autocast, FloatBackward() if needs_float_backward else nullcontext():
        yield


def loss_scaler(precision: Precision, device: torch.device) -> torch.amp.GradScaler:
    """A scaler that keeps float16 gradients from vanishing; it does nothing at any other precision."""
    return torch.amp.GradScaler(device.type, enabled=precision is Precision.FP16)


class FloatBackward(TorchFunctionMode):
    """A context in which a bfloat16 depthwise convolution on a CPU computes its gradients in float32.

    oneDNN has no fast bfloat16 kernel for the gradients of most depthwise convolutions (5x5 kernels, strides of 2):
    they took a third of a training step in networks such as EfficientNet
    (`python -m tests.benchmarks.bench_depthwise`).
    """

    # A function mode sees every call of torch.conv2d, from any library and with any padding, and leaves the network as
    # it is: a replaced layer would have another name in its state dict.
    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.conv2d:
            call = _Call(*args, **(kwargs or {}))
            if call.has_slow_backward:
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
    def has_slow_backward(self) -> bool:
        if not torch.is_autocast_enabled("cpu") or self.input.dtype not in (torch.float32, torch.bfloat16):
            return False
        is_depthwise = 1 < self.groups == self.input.shape[1] == self.weight.shape[0]
        is_large = self.weight.shape[-1] > 3 or max(_pair(self.stride)) > 1  # oneDNN is fast at 3x3 with stride 1
        return is_depthwise and is_large and not isinstance(self.padding, str)


class _Convolution(torch.autograd.Function):
    """torch.conv2d in bfloat16, with its gradients computed in float32."""

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
        # The same tensors that torch's own convolution saves: torch.utils.checkpoint may compute this layer again
        # without FloatBackward, and then expects the same shapes and dtypes.
        ctx.save_for_backward(narrow_images, narrow_weight)
        ctx.bias_sizes = None if bias is None else list(bias.shape)
        ctx.geometry = (_pair(stride), _pair(padding), _pair(dilation))
        ctx.groups = groups
        narrow_bias = None if bias is None else bias.to(torch.bfloat16)
        return torch.conv2d(narrow_images, narrow_weight, narrow_bias, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        images, weight = ctx.saved_tensors
        of_images, of_weight, of_bias = torch.ops.aten.convolution_backward(
            gradients[0].float(),
            images.float(),
            weight.float(),
            ctx.bias_sizes,
            *ctx.geometry,
            False,  # not transposed
            [0, 0],  # output padding
            ctx.groups,
            list(ctx.needs_input_grad[:3]),
        )
        # the layer before expects the dtype of its output; the weights are float32 and take the full precision
        of_images = None if of_images is None else of_images.to(torch.bfloat16)
        return of_images, of_weight, of_bias, None, None, None, None


def _pair(value: _Pair) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)
