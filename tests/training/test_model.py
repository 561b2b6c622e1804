from pathlib import Path

import pytest
import segmentation_models_pytorch as smp
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from competition.config import ModelConfig, Precision
from competition.errors import ConfigError, UnknownNameError
from competition.training.model import IMAGENET, OFFLINE, Segmenter, build, describe, normalisation
from competition.training.outputs import save_model

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


ENCODERS = {"dpt": "tu-vit_tiny_patch16_224", "upernet": "mit_b0", "segformer": "mit_b0"}
"""Where the architecture wants a transformer, or is made for one."""


@pytest.mark.slow
@pytest.mark.parametrize("architecture", smp.MODEL_ARCHITECTURES_MAPPING)
def test_every_architecture_of_the_library_segments(architecture: str, tmp_path: Path) -> None:
    encoder = ENCODERS.get(architecture, "resnet18")
    config = ModelConfig(architecture=architecture, encoder=encoder, weights="none")
    side = 224 if encoder.startswith("tu-vit") else 128
    segmenter = Segmenter(build(config, classes=3, root=tmp_path), IMAGENET, Precision.FP32)
    logits = segmenter(torch.randint(0, 256, (2, side, side, 3), dtype=torch.uint8))
    assert logits.shape == (2, 3, side, side)
    logits.mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in segmenter.network.segmentation_head.parameters())


@pytest.mark.parametrize(
    "family", ["resnet18", "mobilenet_v2", "efficientnet-b0", "tu-mobilenetv3_small_050", "mit_b0"]
)
def test_encoders_of_every_kind(family: str, tmp_path: Path) -> None:
    network = build(ModelConfig(encoder=family, weights="none"), classes=2, root=tmp_path)
    assert Segmenter(network, IMAGENET, Precision.FP32)(torch.zeros(2, 32, 32, 3, dtype=torch.uint8)).shape[1] == 2


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


def test_equal_models_are_equal_files(tmp_path: Path) -> None:
    segmenter = Segmenter(nn.Conv2d(3, 2, 1), OFFLINE, Precision.FP32)
    written = set()
    for _ in range(20):
        save_model(tmp_path / "m.safetensors", segmenter)
        written.add((tmp_path / "m.safetensors").read_bytes())
    assert len(written) == 1
