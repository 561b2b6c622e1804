import random
import warnings

import numpy as np
import pytest
import torch

from competition.config.experiment import Determinism
from competition.training import seeds


def test_a_seed_is_the_same_on_every_machine_and_run() -> None:
    assert seeds.derive(42, 0, "scene03_07") == 3632553237


def test_every_part_counts() -> None:
    derived = {seeds.derive(*parts) for parts in [(1, 2, "a"), (2, 1, "a"), (1, 2, "b"), (12, "a"), (1, "2", "a")]}
    assert len(derived) == 5
    assert all(0 <= seed < 2**32 for seed in derived)


def test_fixing_seeds_every_generator() -> None:
    drawn = []
    for _ in range(2):
        seeds.seed_everything(7, Determinism.STRICT)
        drawn.append((random.random(), np.random.rand(), torch.rand(1).item()))
    assert drawn[0] == drawn[1]
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark


def test_fast_gives_determinism_up() -> None:
    seeds.seed_everything(7, Determinism.FAST)
    try:
        assert torch.backends.cudnn.benchmark
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        seeds.seed_everything(7, Determinism.STRICT)
    assert torch.are_deterministic_algorithms_enabled()


def test_operations_that_warn_are_named_once() -> None:
    with pytest.warns(UserWarning, match="something else"):
        names = named()
    assert names == ["upsample_bilinear2d_backward_out_cuda", "nll_loss2d_forward_out_cuda_template"]


def named() -> list[str]:
    with seeds.nondeterministic_operations() as names:
        for operation in ("upsample_bilinear2d_backward_out_cuda", "nll_loss2d_forward_out_cuda_template") * 2:
            warnings.warn(f"{operation} does not have a deterministic implementation, but you set", stacklevel=1)
        warnings.warn("something else", stacklevel=1)
    return names
