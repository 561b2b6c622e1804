"""torch.compile for training steps, where there is something that can compile."""

from collections.abc import Callable

import torch
from torch import Tensor

from competition.errors import ConfigError
from competition.training.network.model import Segmenter

MOST_FORMS = 64
"""How many forms of a step (shapes, frozen or not) are compiled; torch's own limit, 8, is soon reached."""


def compiled(segmenter: Segmenter, device: torch.device) -> Callable[[Tensor], Tensor] | None:
    """The segmenter as torch.compile makes it; None, with a line in the log, where no compiler is found.

    Each shape is compiled by itself, so that what a shape is computed with does not depend on those before it: a job
    that was stopped goes on to the same bits.
    """
    try:
        probe = torch.compile(_probe, dynamic=False)
        probe(torch.ones(2, device=device, requires_grad=True)).backward()  # type: ignore[no-untyped-call]
    except RuntimeError as error:  # torch's errors of compiling are all of this kind
        reason = str(error).strip().splitlines()[0]
        print(f"train.compile: nothing can compile for {device} here, so the steps run as they are ({reason}).")
        return None
    torch._dynamo.config.recompile_limit = MOST_FORMS
    made: Callable[[Tensor], Tensor] = torch.compile(segmenter, dynamic=False)
    return made


def refusal(error: BaseException) -> ConfigError | None:
    """What to tell a user whose network torch cannot compile; None for errors that compiling is not to blame for."""
    if not any(kind.__module__.startswith(("torch._dynamo", "torch._inductor")) for kind in type(error).__mro__):
        return None
    reason = str(error).strip().splitlines()[0]
    return ConfigError(
        f"train.compile=true: torch cannot compile this network ({type(error).__name__}: {reason}).",
        hint="`--set train.compile=false` trains it as it is.",
    )


def _probe(x: Tensor) -> Tensor:
    return (x.sin() * 2).sum()
