"""Building the network: architecture and encoder by name, first weights, and how its input is normalised."""

import json
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from competition.config import ModelConfig, Precision
from competition.errors import ConfigError, UnknownNameError
from competition.training import weights
from competition.training.precision import autocast

Normalisation = tuple[tuple[float, ...], tuple[float, ...]]
IMAGENET: Normalisation = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
OFFLINE: Normalisation = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class Segmenter(nn.Module):
    """A network together with its normalisation and precision: takes pixels, gives logits."""

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
        """Logits, float32 (N, C, H, W), of images, uint8 RGB (N, H, W, 3).

        Images are taken as they lie in the cache: seen as (N, C, H, W), that is torch's channels_last layout.
        """
        normal = images.permute(0, 3, 1, 2).to(self.scale.dtype) * self.scale + self.shift
        with autocast(self.precision, images.device):
            logits: Tensor = self.network(normal)
        return logits.float()


def build(config: ModelConfig, *, classes: int, root: Path) -> nn.Module:
    """A network with its first weights, in training mode, on the CPU.

    Args:
        root: where a relative `weights` path starts (the competition's folder).

    Raises:
        UnknownNameError: the library has no such architecture or encoder.
        ConfigError: the two do not go together, or the weights cannot be had.
    """
    _check_names(config)
    if config.weights == "imagenet":
        weights.check_hub(config.encoder)
    network = _create(config, classes)
    if config.weights == "offline":
        weights.load_offline(network.encoder, config.encoder)  # type: ignore[arg-type]
    elif config.weights not in ("imagenet", "none"):
        weights.load_safetensors(network, weights_path(config, root))
    return network


def normalisation(config: ModelConfig, *, root: Path) -> Normalisation:
    """Mean and standard deviation of each channel (RGB, of pixels in 0..1) that the first weights expect.

    A file that comp wrote says what its model was trained with. Weights of unknown origin, and random ones, get
    ImageNet's values.
    """
    if config.weights == "offline":
        return OFFLINE
    if config.weights == "none":
        return IMAGENET
    if config.weights != "imagenet":
        return _written_in(weights_path(config, root)) or IMAGENET
    expected = smp.encoders.get_preprocessing_params(config.encoder, "imagenet")
    brightest = expected["input_range"][1]
    mean, std = (tuple(value / brightest for value in expected[key]) for key in ("mean", "std"))
    return mean, std


def weights_path(config: ModelConfig, root: Path) -> Path:
    """The file that `config.weights` names."""
    return root / Path(config.weights).expanduser()


def describe(normal: Normalisation) -> dict[str, str]:
    """What a saved model says of itself, so that `normalisation` can read it back."""
    return {"format": "pt", "normalisation": json.dumps(normal)}


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
    hint = "smp.encoders.get_encoder_names() lists the library's own; any model of timm can be had as tu-NAME."
    raise UnknownNameError.among("encoder", config.encoder, encoders, hint=hint)


def _create(config: ModelConfig, classes: int) -> nn.Module:
    """The library refuses what does not go together by errors of many kinds."""
    pretrained: Any = None
    if config.weights == "imagenet":
        pretrained = True if config.encoder.startswith("tu-") else "imagenet"
    try:
        network: nn.Module = smp.create_model(
            config.architecture, config.encoder, pretrained, in_channels=config.channels, classes=classes
        )
    except OSError as error:
        raise weights.unreachable(config.encoder, str(error)) from error
    except (ValueError, KeyError, TypeError, NotImplementedError, RuntimeError, AttributeError) as error:
        raise ConfigError(
            f"{config.architecture} with the encoder {config.encoder} cannot be built: {error}",
            hint="Set another model.architecture or model.encoder.",
        ) from error
    return network


def _written_in(path: Path) -> Normalisation | None:
    try:
        with safe_open(path, framework="pt") as file:
            written = (file.metadata() or {}).get("normalisation")
    except (SafetensorError, OSError) as error:
        raise ConfigError(f"model.weights: {path} is not a safetensors file: {error}.") from error
    if written is None:
        return None
    mean, std = json.loads(written)
    return tuple(mean), tuple(std)
