"""Gradients of depthwise convolutions under bfloat16 autocast on a CPU: `python -m tests.benchmarks.bench_depthwise`.

Layers of EfficientNet-lite0 as 8 images of 192x256 meet them, forward and backward: as torch does it, and as comp does.
"""

import statistics
import time
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from competition.training import hardware
from competition.training.network.precision import FloatBackward

LAYERS = [(96, 97, 129, 3, 2), (144, 51, 67, 5, 2), (240, 24, 32, 5, 1), (672, 12, 16, 5, 1), (1152, 6, 8, 5, 1)]
ROUNDS = 9


def main() -> None:
    hardware.bind(torch.device("cpu"))
    total = {"torch": 0.0, "comp": 0.0}
    print(f"{'channels':>8}{'size':>9}{'kernel':>8}{'stride':>8}{'torch, ms':>11}{'comp, ms':>10}{'ratio':>7}")
    for channels, height, width, kernel, stride in LAYERS:
        layer = nn.Conv2d(channels, channels, kernel, stride, padding=0, groups=channels, bias=False)
        images = torch.randn(8, channels, height, width).bfloat16().contiguous(memory_format=torch.channels_last)
        seconds: dict[str, list[float]] = {"torch": [], "comp": []}
        for _round in range(ROUNDS):
            for name, taken in seconds.items():
                taken.append(timed(layer, images, ours=name == "comp"))
        torch_ms, comp_ms = (1e3 * statistics.median(seconds[name]) for name in ("torch", "comp"))
        total["torch"] += torch_ms
        total["comp"] += comp_ms
        size = f"{height}x{width}"
        ratio = torch_ms / comp_ms
        print(f"{channels:>8}{size:>9}{kernel:>8}{stride:>8}{torch_ms:>11.1f}{comp_ms:>10.1f}{ratio:>7.2f}")
    print(f"all: {total['torch']:.1f} ms, {total['comp']:.1f} ms, ratio {total['torch'] / total['comp']:.2f}")
    if total["comp"] > total["torch"]:
        raise SystemExit(1)


def timed(layer: nn.Module, images: Tensor, *, ours: bool) -> float:
    """Seconds of forward and backward."""
    given = images.clone().requires_grad_()
    since = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16), FloatBackward() if ours else nullcontext():
        found = layer(given)
    found.backward(torch.ones_like(found))
    return time.perf_counter() - since


if __name__ == "__main__":
    main()
