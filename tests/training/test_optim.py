import io

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW

from competition.config.optimisation import OptimizerConfig
from competition.errors import ConfigError, UnknownNameError
from competition.training.optim import make_optimizer


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))


def step(model: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> float:
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    torch.manual_seed(seed)
    optimizer.zero_grad()
    loss = (model(images) - 1).square().mean()
    loss.backward()
    optimizer.step()
    return loss.item()


@pytest.mark.parametrize(("name", "kind"), [("adamw", AdamW), ("adam", Adam), ("sgd", SGD)])
def test_torchs_three_are_fused(name: str, kind: type[torch.optim.Optimizer]) -> None:
    optimizer = make_optimizer(OptimizerConfig(name=name, lr=0.1, weight_decay=0.01), network())
    (group,) = optimizer.param_groups
    assert type(optimizer) is kind
    assert (group["lr"], group["weight_decay"], group["share"], group["fused"]) == (0.1, 0.01, 1.0, True)
    assert group.get("momentum", 0.9) == 0.9


@pytest.mark.parametrize(
    "name", ["adamw", "sgd", "nadamw", "radam", "lamb", "lion", "adopt", "madgrad", "muon", "lookahead_adamw"]
)
def test_each_goes_downhill_and_resumes_to_the_same_bits(name: str) -> None:
    config = OptimizerConfig(name=name, lr=1e-2)
    whole, first, second = network(), network(), network()
    optimizer = make_optimizer(config, whole)
    losses = [step(whole, optimizer, seed) for seed in range(8)]
    assert losses[-1] < losses[0]

    stopped = make_optimizer(config, first)
    for seed in range(4):
        step(first, stopped, seed)
    saved = io.BytesIO()
    torch.save([first.state_dict(), stopped.state_dict()], saved)
    saved.seek(0)
    weights, state = torch.load(saved, weights_only=True)
    resumed = make_optimizer(config, second)
    second.load_state_dict(weights)
    resumed.load_state_dict(state)
    for seed in range(4, 8):
        step(second, resumed, seed)
    assert all(torch.equal(one, other) for one, other in zip(whole.parameters(), second.parameters(), strict=True))


def test_an_unknown_name_suggests_a_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"no optimiser 'adamx'\. Did you mean 'adam"):
        make_optimizer(OptimizerConfig(name="adamx"), network())


def test_what_the_recipe_cannot_run_is_refused() -> None:
    with pytest.raises(ConfigError, match="second derivatives"):
        make_optimizer(OptimizerConfig(name="adahessian"), network())


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU may have it")
def test_what_the_machine_lacks_is_one_clear_error() -> None:
    with pytest.raises(ConfigError, match=r"optimizer\.name=bnbadam cannot be used here"):
        make_optimizer(OptimizerConfig(name="bnbadam"), network())


def test_the_encoder_has_its_own_share_of_the_learning_rate() -> None:
    model = smp.create_model("Unet", "resnet18", None, classes=2)
    optimizer = make_optimizer(OptimizerConfig(lr=1e-3, encoder_lr=1e-4), model)
    encoder, rest = optimizer.param_groups
    assert (encoder["share"], rest["share"]) == (pytest.approx(0.1), 1.0)
    assert len(encoder["params"]) == len(list(model.encoder.parameters()))
    assert len(encoder["params"]) + len(rest["params"]) == len(list(model.parameters()))


def test_a_network_without_an_encoder_has_no_learning_rate_for_it() -> None:
    with pytest.raises(ConfigError, match=r"optimizer\.encoder_lr applies to the encoder, and Sequential has no"):
        make_optimizer(OptimizerConfig(encoder_lr=1e-4), network())
