from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from competition.config import ModelConfig, Precision
from competition.errors import ConfigError, UnknownNameError
from competition.training.model import IMAGENET, OFFLINE, Segmenter, build, describe, normalisation

SMALL = ModelConfig(encoder="resnet18", weights="none")


class Mean(nn.Module):
    """One logit: the mean over the channels."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean(1, keepdim=True)


def test_a_model_of_the_library(tmp_path: Path) -> None:
    network = build(SMALL, classes=4, root=tmp_path)
    segmenter = Segmenter(network, IMAGENET, Precision.FP32)
    logits = segmenter(torch.zeros(2, 32, 64, 3, dtype=torch.uint8))
    assert logits.shape == (2, 4, 32, 64)
    assert logits.dtype is torch.float32


def test_pixels_are_normalised_by_channel() -> None:
    segmenter = Segmenter(Mean(), ((0.5, 0.0, 1.0), (0.5, 1.0, 2.0)), Precision.FP32)
    pixels = torch.tensor([255, 51, 0], dtype=torch.uint8).reshape(1, 1, 1, 3)
    # ((1 - 0.5) / 0.5 + (0.2 - 0) / 1 + (0 - 1) / 2) / 3
    assert segmenter(pixels).item() == pytest.approx((1 + 0.2 - 0.5) / 3)


def test_half_precision_gives_full_precision_logits(tmp_path: Path) -> None:
    segmenter = Segmenter(build(SMALL, classes=2, root=tmp_path), IMAGENET, Precision.BF16)
    assert segmenter(torch.zeros(2, 32, 32, 3, dtype=torch.uint8)).dtype is torch.float32


def test_unknown_architecture(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no architecture 'Unett'\. Did you mean 'Unet'\?"):
        build(SMALL.model_copy(update={"architecture": "Unett"}), classes=2, root=tmp_path)


@pytest.mark.parametrize(
    ("name", "near"), [("efficientnet-b9", "efficientnet-b"), ("tu-tf_efficientnet_light0", "tu-tf_efficientnet_lite0")]
)
def test_unknown_encoder(name: str, near: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=f"no encoder '{name}'. Did you mean '{near}"):
        build(SMALL.model_copy(update={"encoder": name}), classes=2, root=tmp_path)


def test_what_does_not_go_together(tmp_path: Path) -> None:
    config = ModelConfig(architecture="UnetPlusPlus", encoder="mit_b0", weights="none")
    with pytest.raises(ConfigError, match="UnetPlusPlus with the encoder mit_b0 cannot be built"):
        build(config, classes=2, root=tmp_path)


def test_offline_weights_come_with_their_own_normalisation(tmp_path: Path) -> None:
    config = ModelConfig(encoder="tu-tf_efficientnet_lite0", weights="offline")
    assert normalisation(config, root=tmp_path) == OFFLINE == ((0.5,) * 3, (0.5,) * 3)
    assert normalisation(config.model_copy(update={"weights": "none"}), root=tmp_path) == IMAGENET


def test_timm_says_what_its_weights_expect(tmp_path: Path) -> None:
    config = ModelConfig(encoder="tu-tf_efficientnet_lite0", weights="imagenet")
    assert normalisation(config, root=tmp_path) == OFFLINE


def test_a_saved_model_brings_its_normalisation_along(tmp_path: Path) -> None:
    save_file(build(SMALL, classes=2, root=tmp_path).state_dict(), tmp_path / "m.safetensors", describe(OFFLINE))
    config = SMALL.model_copy(update={"weights": "m.safetensors"})
    build(config, classes=2, root=tmp_path)
    assert normalisation(config, root=tmp_path) == OFFLINE


def test_a_file_that_says_nothing_gets_imagenets(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "m.safetensors")
    assert normalisation(SMALL.model_copy(update={"weights": "m.safetensors"}), root=tmp_path) == IMAGENET
