"""Optimisers by name, from torch or timm."""

from timm.optim import (  # type: ignore[attr-defined]  # timm re-exports them implicitly
    create_optimizer_v2,
    get_optimizer_info,
    list_optimizers,
)
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from competition.config.optimisation import OptimizerConfig
from competition.errors import ConfigError, UnknownNameError
from competition.training.network.model import encoder_of

MOMENTUM = 0.9


def make_optimizer(config: OptimizerConfig, network: nn.Module) -> Optimizer:
    """The optimiser: torch's fused AdamW, Adam or SGD (with momentum 0.9), or one of timm's factory.

    Each group of parameters has a `share`, the factor for its learning rate: `encoder_lr / lr` for the encoder, 1 for
    all others.

    Raises:
        UnknownNameError: neither library has the optimiser.
        ConfigError: it cannot run on this machine or in comp's recipe, or the network has no encoder.
    """
    groups = _groups(config, network)
    lr, weight_decay = config.lr, config.weight_decay
    match config.name:
        case "adamw":
            return AdamW(groups, lr=lr, weight_decay=weight_decay, fused=True)
        case "adam":
            return Adam(groups, lr=lr, weight_decay=weight_decay, fused=True)
        case "sgd":
            return SGD(groups, lr=lr, weight_decay=weight_decay, momentum=MOMENTUM, fused=True)
    _check_name(config.name)
    try:
        return create_optimizer_v2(groups, config.name, lr=lr, weight_decay=weight_decay)
    except (AssertionError, ImportError, RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(
            f"optimizer.name={config.name} cannot be used here: {error}",
            hint="Set optimizer.name to adamw, adam or sgd, which work everywhere.",
        ) from error


def _groups(config: OptimizerConfig, network: nn.Module) -> list[dict[str, object]]:
    """The encoder's parameters, and all others; a group without parameters is left out."""
    # Two groups even at one rate: torch's fused SGD refuses a group in which only a part has momentum yet, and a
    # frozen encoder starts later than the rest.
    if config.encoder_lr is not None:
        encoder = list(encoder_of(network, "optimizer.encoder_lr").parameters())
        share = config.encoder_lr / config.lr
    else:
        module = getattr(network, "encoder", None)
        encoder, share = list(module.parameters()) if isinstance(module, nn.Module) else [], 1.0
    ids = {id(parameter) for parameter in encoder}
    rest = [parameter for parameter in network.parameters() if id(parameter) not in ids]
    groups: list[dict[str, object]] = [{"params": encoder, "share": share}, {"params": rest, "share": 1.0}]
    return [group for group in groups if group["params"]]


def _check_name(name: str) -> None:
    known = [str(name) for name in list_optimizers()]
    plain = name.removeprefix("lookahead_")
    if plain not in known:
        raise UnknownNameError.among("optimiser", name, known, hint=f"Known: {', '.join(known)}.")
    if get_optimizer_info(plain).second_order:
        raise ConfigError(f"optimizer.name={name} needs second derivatives, which comp's recipe does not compute.")
