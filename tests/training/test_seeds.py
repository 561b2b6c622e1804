import random

import numpy as np
import torch

from competition.training import seeds


def test_a_seed_is_the_same_on_every_machine_and_run() -> None:
    assert seeds.derive(42, 0, "scene03_07") == 3632553237


def test_every_part_counts() -> None:
    made = {seeds.derive(*parts) for parts in [(1, 2, "a"), (2, 1, "a"), (1, 2, "b"), (12, "a"), (1, "2", "a")]}
    assert len(made) == 5
    assert all(0 <= seed < 2**32 for seed in made)


def test_fixing_seeds_every_generator() -> None:
    drawn = []
    for _ in range(2):
        seeds.fix(7)
        drawn.append((random.random(), np.random.rand(), torch.rand(1).item()))
    assert drawn[0] == drawn[1]
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
