"""Building the network: architecture and encoder by name, first weights, and how its input is normalised."""

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
from competition.training.network.precision import arithmetic
from competition.training.network.tta import sizes

Normalisation = tuple[tuple[float, ...], tuple[float, ...]]
IMAGENET: Normalisation = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
OFFLINE: Normalisation = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_OF_ANY_SIZE = "tu-mvitv2"
"""timm says of these too that they are made for one size, but they take any, and refuse to be told one."""


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
        with arithmetic(self.precision, images.device):
            logits: Tensor = self.network(normal)
        return logits.float()


def build(
    config: ModelConfig,
    *,
    classes: int,
    root: Path,
    size: tuple[int, int] | None = None,
    fold: int = 0,
    code: Path | None = None,
) -> nn.Module:
    """A network with its first weights, in training mode, on the CPU.

    Args:
        root: the competition's folder: a relative `weights` path starts there.
        size: (height, width) of what it is trained on, for encoders that are made for one size; None for their own.
        fold: which of another experiment's models gives the weights, where one does.
        code: where the search for `target` starts; None for `root`.

    Raises:
        UnknownNameError: the library has no such architecture or encoder.
        ConfigError: the two do not go together, or the weights cannot be had.
    """
    if config.target is not None:
        network = _own(config.target, classes, code or root)
    else:
        _check_names(config)
        if config.weights == "imagenet":
            weights.check_hub(config.encoder)
        network = _create(config, classes, size)
    if config.weights == "offline":
        weights.load_offline(encoder_of(network, "model.weights=offline"), config.encoder)
    elif config.weights not in ("imagenet", "none"):
        weights.load_safetensors(network, _weights_path(config, root, fold))
    return network


def normalisation(config: ModelConfig, *, root: Path, fold: int = 0) -> Normalisation:
    """Mean and standard deviation of each channel (RGB, of pixels in 0..1) that the first weights expect.

    A file that comp wrote says what its model was trained with. Weights of unknown origin, and random ones, get
    ImageNet's values; so does a model of the team's own.
    """
    if config.weights == "offline":
        return OFFLINE
    if config.weights not in ("imagenet", "none"):
        return _written_in(_weights_path(config, root, fold)) or IMAGENET
    if config.weights == "none" or config.target is not None:
        return IMAGENET
    expected = smp.encoders.get_preprocessing_params(config.encoder, "imagenet")
    brightest = expected["input_range"][1]
    mean, std = (tuple(value / brightest for value in expected[key]) for key in ("mean", "std"))
    return mean, std


def check_sizes(network: nn.Module, config: Config) -> None:
    """See that a network of the library takes every size of image that it will be given, in training or to predict.

    Some encoders are made for one size. They are asked with tensors without content, which costs next to nothing, and
    once more in earnest where those do not get through.

    Raises:
        ConfigError: there is a size that it does not take.
    """
    views = f"scales {', '.join(map(str, config.predict.scales))} and tta {config.predict.tta} of predict"
    wanted = dict.fromkeys(sizes(config.predict, config.data.size), views)
    wanted |= dict.fromkeys(config.sampling.sizes, "sampling.sizes") | {config.train_size: "what it trains on"}
    network.eval()
    empty = copy.deepcopy(network).to("meta")
    for size, origin in reversed(wanted.items()):
        if _refusal(empty, size, "meta") is None:
            continue
        error = _refusal(network, size, "cpu")
        if error is not None:
            raise ConfigError(
                f"{config.model.architecture} with the encoder {config.model.encoder} takes no images of "
                f"{size[0]}x{size[1]} ({origin}): {(str(error) or type(error).__name__).rstrip('.')}.",
                hint="Set another size there, or another encoder.",
            ) from error


def _refusal(network: nn.Module, size: tuple[int, int], device: str) -> Exception | None:
    """Why the network takes no image of this size; None if it does."""
    try:
        with torch.no_grad():
            network(torch.zeros(1, 3, *size, device=device))
    except (RuntimeError, AssertionError, ValueError, TypeError) as error:  # NotImplementedError is a RuntimeError
        return error
    return None


def encoder_of(network: nn.Module, key: str) -> nn.Module:
    """The network's encoder, which the configuration's `key` is about.

    Raises:
        ConfigError: it has none.
    """
    encoder = getattr(network, "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise ConfigError(
            f"{key} is about the encoder, and {type(network).__name__} has no attribute `encoder`.",
            hint="Give the model one; or set model.weights=none, model.freeze_epochs=0 or optimizer.encoder_lr=null, "
            "whichever it is, with it (and --together REASON).",
        )
    return encoder


def describe(normal: Normalisation) -> dict[str, str]:
    """What a saved model says of itself, so that `normalisation` can read it back.

    One entry alone: safetensors writes several in a random order, and equal models would be unequal files.
    """
    return {"normalisation": json.dumps(normal)}


def _weights_path(config: ModelConfig, root: Path, fold: int) -> Path:
    """The file that `config.weights` names: of another experiment, the model of the same fold.

    That model has not seen the fold's validation images either, so what is trained from it leaks none.
    """
    if config.weights.startswith(OF_EXPERIMENT):
        return Paths(root).job(config.weights.removeprefix(OF_EXPERIMENT), fold).model
    return weightfile.located(config.weights, root)


def _own(target: str, classes: int, folder: Path) -> nn.Module:
    builder = owncode.load_pinned(target, folder, what="model.target")
    try:
        with owncode.importable_from(folder):
            network = builder(classes=classes)
    except Exception as error:  # it is the team's code: whatever it raises is shown as theirs
        raise ConfigError(
            f"model.target {target} failed: {type(error).__name__}: {error}",
            hint=f"It is called as {target.partition('@')[0].partition(':')[2]}(classes={classes}).",
        ) from error
    if not isinstance(network, nn.Module):
        raise ConfigError(f"model.target {target} returned a {type(network).__name__}, which is no torch.nn.Module.")
    network.register_forward_hook(partial(_check_answer, target, classes))
    return network


def _check_answer(target: str, classes: int, _network: nn.Module, images: tuple[Tensor, ...], answer: Any) -> None:
    """See that what a network of the team's own gives are logits: some other answers would be taken for them."""
    number, _, height, width = images[0].shape
    wanted = (number, classes, height, width)
    got = tuple(answer.shape) if isinstance(answer, Tensor) else f"a {type(answer).__name__}"
    if got != wanted:
        raise ConfigError(
            f"model.target {target}: the network gives {got} for {number} images of {height}x{width}, and it must give "
            f"logits of the shape {wanted}: images, classes, height, width.",
            hint="Mend it and give the command that named it again: changed code is another experiment.",
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
    hint = "smp.encoders.get_encoder_names() lists the library's own; any model of timm can be had as tu-NAME."
    raise UnknownNameError.among("encoder", config.encoder, encoders, hint=hint)


def _create(config: ModelConfig, classes: int, size: tuple[int, int] | None) -> nn.Module:
    """The library refuses what does not go together by errors of many kinds."""
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
            **_for_size(config.encoder, size),
        )
    except OSError as error:
        raise weights.unreachable(config.encoder, str(error)) from error
    except (ValueError, KeyError, TypeError, NotImplementedError, RuntimeError, AttributeError) as error:
        raise ConfigError(
            f"{config.architecture} with the encoder {config.encoder} cannot be built: {error}",
            hint="Set another model.architecture or model.encoder.",
        ) from error
    return network


def _for_size(encoder: str, size: tuple[int, int] | None) -> dict[str, Any]:
    """What tells an encoder of timm that is made for one size of image (swin, vit, coatnet, …) which it is."""
    if size is None or not encoder.startswith("tu-") or encoder.startswith(_OF_ANY_SIZE):
        return {}
    known = timm.models.get_pretrained_cfg(encoder.removeprefix("tu-"))
    return {"img_size": size} if known is not None and known.fixed_input_size else {}


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
