"""The network: architecture and encoder by name, first weights, and the normalisation of its input."""

import copy
import json
from functools import partial
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from competition.config import owncode, weightfile
from competition.config.experiment import OF_EXPERIMENT, Config, ModelConfig, Precision
from competition.errors import ConfigError, UnknownNameError
from competition.paths import Paths
from competition.training.network import weights
from competition.training.network.precision import mixed_precision
from competition.training.network.tta import input_sizes

Normalisation = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and standard deviation of each channel, for RGB pixels in 0..1."""
IMAGENET: Normalisation = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
OFFLINE: Normalisation = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_ANY_SIZE = "tu-mvitv2"
"""timm marks these encoders as made for one size too, but they take any size, and refuse the argument."""


class Segmenter(nn.Module):
    """A network with its normalisation and precision: takes pixels, returns logits."""

    scale: Tensor
    shift: Tensor

    def __init__(self, network: nn.Module, normalisation: Normalisation, precision: Precision) -> None:
        super().__init__()
        mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in normalisation)
        self.network = network
        self.normalisation = normalisation
        self.precision = precision
        self.register_buffer("scale", 1 / (255 * std), persistent=False)
        self.register_buffer("shift", -mean / std, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, float32 (N, C, H, W), of images, uint8 RGB (N, H, W, 3)."""
        # The permuted view of the cache's layout is torch's channels_last, so nothing is copied.
        normal = images.permute(0, 3, 1, 2).to(self.scale.dtype) * self.scale + self.shift
        with mixed_precision(self.precision, images.device):
            logits: Tensor = self.network(normal)
        return logits.float()


def build_network(
    config: ModelConfig,
    *,
    classes: int,
    root: Path,
    size: tuple[int, int],
    fold: int = 0,
    code: Path | None = None,
) -> nn.Module:
    """A network with its first weights, in training mode, on the CPU.

    Args:
        root: the competition's folder, where relative paths in `weights` start.
        size: (height, width) of training images, for encoders that are made for one size.
        fold: the fold whose model gives the weights, if they come from another experiment.
        code: the folder with the code of `target`; None for `root`.

    Raises:
        UnknownNameError: the library has no such architecture or encoder.
        ConfigError: architecture and encoder do not fit together, or the weights are unavailable.
    """
    if config.target is not None:
        network = _build_own(config.target, classes, code or root)
    else:
        _check_names(config)
        if config.weights == "imagenet":
            weights.check_hub(config.encoder)
        network = _build_from_library(config, classes, size)
    if config.weights == "offline":
        weights.load_offline(encoder_of(network, "model.weights=offline"), config.encoder)
    elif config.weights not in ("imagenet", "none"):
        weights.load_safetensors(network, _weights_path(config, root, fold))
    return network


def normalisation(config: ModelConfig, *, root: Path, fold: int) -> Normalisation:
    """The normalisation that the first weights expect.

    A file that comp wrote names its own. Weights of another origin, random weights and the team's own models get
    ImageNet's values.
    """
    if config.weights == "offline":
        return OFFLINE
    if config.weights not in ("imagenet", "none"):
        return _saved_normalisation(_weights_path(config, root, fold)) or IMAGENET
    if config.weights == "none" or config.target is not None:
        return IMAGENET
    expected = smp.encoders.get_preprocessing_params(config.encoder, "imagenet")
    brightest = expected["input_range"][1]  # the scale of mean and std: pixels in 0..brightest
    mean, std = (tuple(value / brightest for value in expected[key]) for key in ("mean", "std"))
    return mean, std


def check_sizes(network: nn.Module, config: Config) -> None:
    """Do nothing if a network of the library takes every image size of its training and prediction.

    Some encoders take one size only, and others only multiples of a stride.

    Raises:
        ConfigError: the network fails on one of the sizes.
    """
    views = f"scales {', '.join(map(str, config.predict.scales))} and tta {config.predict.tta} of predict"
    wanted = dict.fromkeys(input_sizes(config.predict, config.data.size), views)
    wanted |= dict.fromkeys(config.sampling.sizes, "sampling.sizes") | {config.train_size: "what it trains on"}
    network.eval()
    # Meta tensors have shapes and no values, so a pass costs almost nothing. Some operations lack them: a size that
    # fails is tried again with real ones.
    empty = copy.deepcopy(network).to("meta")
    for size, origin in reversed(wanted.items()):
        if _error_at_size(empty, size, "meta") is None:
            continue
        error = _error_at_size(network, size, "cpu")
        if error is not None:
            raise ConfigError(
                f"{config.model.architecture} with the encoder {config.model.encoder} takes no images of "
                f"{size[0]}x{size[1]} ({origin}): {(str(error) or type(error).__name__).rstrip('.')}.",
                hint="Set another size there, or another model.encoder.",
            ) from error


def _error_at_size(network: nn.Module, size: tuple[int, int], device: str) -> Exception | None:
    """The error of a forward pass at this size (height, width); None if there is none."""
    try:
        with torch.no_grad():
            network(torch.zeros(1, 3, *size, device=device))
    except (RuntimeError, AssertionError, ValueError, TypeError) as error:  # NotImplementedError is a RuntimeError
        return error
    return None


def encoder_of(network: nn.Module, key: str) -> nn.Module:
    """The network's encoder, which the configuration's `key` applies to.

    Raises:
        ConfigError: the network has none.
    """
    encoder = getattr(network, "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise ConfigError(
            f"{key} applies to the encoder, and {type(network).__name__} has no attribute `encoder`.",
            hint="Add the attribute to the model; or set model.weights=none, model.freeze_epochs=0 or "
            "optimizer.encoder_lr=null together with it (--together REASON).",
        )
    return encoder


def normalisation_metadata(normal: Normalisation) -> dict[str, str]:
    """The metadata of a safetensors file, from which `normalisation` reads the values back."""
    # A single entry: safetensors writes several in random order, and equal models would give unequal files.
    return {"normalisation": json.dumps(normal)}


def _weights_path(config: ModelConfig, root: Path, fold: int) -> Path:
    """The file that `config.weights` names; for another experiment, its model of the same fold."""
    # of the same fold, because that model has not seen the fold's validation images either
    if config.weights.startswith(OF_EXPERIMENT):
        return Paths(root).job(config.weights.removeprefix(OF_EXPERIMENT), fold).model
    return weightfile.located(config.weights, root)


def _build_own(target: str, classes: int, folder: Path) -> nn.Module:
    builder = owncode.load_pinned(target, folder, what="model.target")
    try:
        with owncode.importable_from(folder):
            network = builder(classes=classes)
    except Exception as error:  # the team's code, which may raise anything
        raise ConfigError(
            f"model.target {target} failed: {type(error).__name__}: {error}",
            hint=f"comp calls it as {target.partition('@')[0].partition(':')[2]}(classes={classes}).",
        ) from error
    if not isinstance(network, nn.Module):
        raise ConfigError(f"model.target {target} returned a {type(network).__name__}, which is no torch.nn.Module.")
    network.register_forward_hook(partial(_check_output, target, classes))
    return network


def _check_output(target: str, classes: int, _network: nn.Module, images: tuple[Tensor, ...], output: Any) -> None:
    """Raise a ConfigError unless the output of the team's own network has the shape of logits."""
    number, _, height, width = images[0].shape
    wanted = (number, classes, height, width)
    got = tuple(output.shape) if isinstance(output, Tensor) else f"a {type(output).__name__}"
    if got != wanted:
        raise ConfigError(
            f"model.target {target}: the network returns {got} for {number} images of {height}x{width}, instead of "
            f"logits of the shape {wanted}: images, classes, height, width.",
            hint="Fix the code and run the same command again: changed code is another experiment.",
        )


def _check_names(config: ModelConfig) -> None:
    architectures = [a.__name__ for a in smp.MODEL_ARCHITECTURES_MAPPING.values()]
    if config.architecture.lower() not in smp.MODEL_ARCHITECTURES_MAPPING:
        raise UnknownNameError.among("architecture", config.architecture, architectures)
    plain = config.encoder.removeprefix("tu-")
    if config.encoder.startswith("tu-"):
        known = plain.partition(".")[0] in timm.list_models()
    else:
        known = config.encoder in smp.encoders.get_encoder_names()
    if known:
        return
    encoders = [*smp.encoders.get_encoder_names(), *(f"tu-{name}" for name in timm.list_models())]
    hint = "smp.encoders.get_encoder_names() lists the library's own; tu-NAME is any model of timm."
    raise UnknownNameError.among("encoder", config.encoder, encoders, hint=hint)


def _build_from_library(config: ModelConfig, classes: int, size: tuple[int, int]) -> nn.Module:
    pretrained: Any = None
    if config.weights == "imagenet":
        pretrained = True if config.encoder.startswith("tu-") else "imagenet"
    try:
        network: nn.Module = smp.create_model(
            config.architecture,
            config.encoder,
            pretrained,
            in_channels=config.channels,
            classes=classes,
            **_size_argument(config.encoder, size),
        )
    except OSError as error:
        raise weights.unreachable(config.encoder, str(error)) from error
    # the library has no error of its own for an architecture and an encoder that do not fit together
    except (ValueError, KeyError, TypeError, NotImplementedError, RuntimeError, AttributeError) as error:
        raise ConfigError(
            f"{config.architecture} with the encoder {config.encoder} cannot be built: {error}",
            hint="Set another model.architecture or model.encoder.",
        ) from error
    return network


def _size_argument(encoder: str, size: tuple[int, int]) -> dict[str, Any]:
    """The argument that makes a timm encoder for one image size (swin, vit, coatnet, …) for this size."""
    if not encoder.startswith("tu-") or encoder.startswith(_ANY_SIZE):
        return {}
    known = timm.models.get_pretrained_cfg(encoder.removeprefix("tu-"))
    return {"img_size": size} if known is not None and known.fixed_input_size else {}


def _saved_normalisation(path: Path) -> Normalisation | None:
    try:
        with safe_open(path, framework="pt") as file:
            saved = (file.metadata() or {}).get("normalisation")
    except (SafetensorError, OSError) as error:
        raise ConfigError(f"model.weights: {path} is not a safetensors file: {error}.") from error
    if saved is None:
        return None
    mean, std = json.loads(saved)
    return tuple(mean), tuple(std)
