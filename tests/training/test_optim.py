import math

import pytest
import torch
from torch.optim import SGD, Adam, AdamW

from competition.config import OptimizerConfig, ScheduleConfig
from competition.training.optim import learning_rate_factor, make_optimizer


@pytest.mark.parametrize(("name", "kind"), [("adamw", AdamW), ("adam", Adam), ("sgd", SGD)])
def test_each_optimiser_takes_a_step_downhill(name: str, kind: type[torch.optim.Optimizer]) -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    config = OptimizerConfig.model_validate({"name": name, "lr": 0.1, "weight_decay": 0.01})
    optimizer = make_optimizer(config, [weight])
    weight.grad = 2 * weight.detach()
    optimizer.step()
    assert type(optimizer) is kind
    assert weight.item() < 1
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert optimizer.param_groups[0]["weight_decay"] == 0.01


def test_sgd_has_momentum() -> None:
    optimizer = make_optimizer(OptimizerConfig(name="sgd"), [torch.nn.Parameter(torch.zeros(1))])
    assert optimizer.param_groups[0]["momentum"] == 0.9


def factors(name: str, *, warmup_epochs: float, steps: int = 8, steps_per_epoch: int = 2) -> list[float]:
    config = ScheduleConfig.model_validate({"name": name, "warmup_epochs": warmup_epochs})
    return [learning_rate_factor(config, s, steps=steps, steps_per_epoch=steps_per_epoch) for s in range(steps)]


def test_cosine_by_hand() -> None:
    expected = [0.5, 1.0, *((1 + math.cos(math.pi * k / 6)) / 2 for k in range(6))]
    assert factors("cosine", warmup_epochs=1.0) == pytest.approx(expected)


def test_linear_by_hand() -> None:
    assert factors("linear", warmup_epochs=0.0) == pytest.approx([1 - k / 8 for k in range(8)])


def test_constant_stays_at_the_peak_after_the_warm_up() -> None:
    assert factors("constant", warmup_epochs=1.0) == [0.5, 1.0, 1, 1, 1, 1, 1, 1]


def test_warm_up_takes_at_most_half_of_the_run() -> None:
    assert factors("constant", warmup_epochs=100.0) == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]


def test_a_run_of_one_step_is_at_the_peak() -> None:
    assert factors("cosine", warmup_epochs=1.0, steps=1, steps_per_epoch=1) == [1.0]
