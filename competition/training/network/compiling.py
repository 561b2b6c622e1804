"""torch.compile for training steps, if there is a compiler."""

from collections.abc import Callable

import torch
from torch import Tensor

from competition.errors import ConfigError
from competition.training.network.model import Segmenter

MAX_FORMS = 64
"""The most forms of a step (shapes, frozen or not) that are compiled; torch's own limit of 8 is soon reached."""


def compile_network(segmenter: Segmenter, device: torch.device) -> Callable[[Tensor], Tensor] | None:
    """The segmenter as torch.compile makes it; None, with a line in the log, if no compiler is found."""
    try:
        # torch looks for a compiler at the first call only, so a small function is compiled to find out.
        probe = torch.compile(_probe, dynamic=False)
        probe(torch.ones(2, device=device, requires_grad=True)).backward()  # type: ignore[no-untyped-call]
    except RuntimeError as error:  # the base class of torch's compile errors
        reason = str(error).strip().splitlines()[0]
        print(f"train.compile: nothing can compile for {device} here, so the steps run as they are ({reason}).")
        return None
    torch._dynamo.config.recompile_limit = MAX_FORMS
    # Not dynamic: the code for a shape must not depend on the shapes before it, or a resumed job ends with other bits.
    compiled: Callable[[Tensor], Tensor] = torch.compile(segmenter, dynamic=False)
    return compiled


def compile_error(error: BaseException) -> ConfigError | None:
    """The message for a network that torch cannot compile; None for errors with another cause."""
    if not any(kind.__module__.startswith(("torch._dynamo", "torch._inductor")) for kind in type(error).__mro__):
        return None
    reason = str(error).strip().splitlines()[0]
    return ConfigError(
        f"train.compile=true: torch cannot compile this network ({type(error).__name__}: {reason}).",
        hint="Train it without: --set train.compile=false.",
    )


def _probe(x: Tensor) -> Tensor:
    return (x.sin() * 2).sum()
