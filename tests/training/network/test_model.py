from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import segmentation_models_pytorch as smp
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from competition.config import owncode
from competition.config.experiment import Config, DataConfig, ModelConfig, Precision, with_overrides
from competition.errors import ConfigError, UnknownNameError
from competition.training.network.model import (
    IMAGENET,
    OFFLINE,
    Segmenter,
    build_network,
    check_sizes,
    normalisation,
    normalisation_metadata,
)
from competition.training.outputs import save_model

SMALL = ModelConfig(encoder="resnet18", weights="none")


class Mean(nn.Module):
    """One logit: the mean over the channels."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean(1, keepdim=True)


def test_a_model_of_the_library(tmp_path: Path) -> None:
    network = build_network(SMALL, classes=4, root=tmp_path, size=(32, 32))
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
    size = (128, 160)
    network = build_network(config, classes=3, root=tmp_path, size=size)
    segmenter = Segmenter(network, IMAGENET, Precision.FP32)
    logits = segmenter(torch.randint(0, 256, (2, *size, 3), dtype=torch.uint8))
    assert logits.shape == (2, 3, *size)
    logits.mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in segmenter.network.segmentation_head.parameters())
    check_sizes(network, Config(model=config, data=DataConfig(size=size)))


FOR_ONE_SIZE = [
    "swin_tiny_patch4_window7_224",
    "coatnet_nano_rw_224",
    "maxvit_tiny_rw_224",
    "botnet26t_256",
    "mvitv2_tiny",
]


@pytest.mark.slow
@pytest.mark.parametrize("encoder", FOR_ONE_SIZE)
def test_encoders_that_are_made_for_one_size(encoder: str, tmp_path: Path) -> None:
    """They are made for the size that is trained on; what they do not take is said before anything runs."""
    config = Config(model=ModelConfig(encoder=f"tu-{encoder}", weights="none"), data=DataConfig(size=(96, 128)))
    network = build_network(config.model, classes=2, root=tmp_path, size=config.train_size)
    assert Segmenter(network, IMAGENET, Precision.FP32)(torch.zeros(1, 96, 128, 3, dtype=torch.uint8)).shape[1] == 2
    check_sizes(network, config)
    larger = with_overrides(config, ["predict.scales=[1,2]"])
    if encoder in ("maxvit_tiny_rw_224", "mvitv2_tiny"):  # the first takes multiples of its size
        check_sizes(network, larger)
    else:
        with pytest.raises(
            ConfigError, match=rf"Unet with the encoder tu-{encoder} takes no images of 192x256 \(scales 1\.0, 2\.0 "
        ):
            check_sizes(network, larger)


def test_what_cannot_be_asked_without_content_is_asked_in_earnest() -> None:
    class Peeking(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            if images.device.type != "meta":
                seen.append(tuple(images.shape[2:]))
            if images.shape[2] == 32:
                raise RuntimeError("too small")
            return images * images.mean().item()

    seen: list[tuple[int, ...]] = []
    config = with_overrides(Config(model=SMALL), ["data.size=64x96", "predict.scales=[1,1.5]"])
    check_sizes(Peeking(), config)
    assert sorted(seen) == [(64, 96), (96, 128)]
    with pytest.raises(
        ConfigError, match=r"Unet with the encoder resnet18 takes no images of 32x32 \(sampling\.sizes\): too small\."
    ):
        check_sizes(Peeking(), with_overrides(config, ["sampling.sizes=[32x32]"]))


@pytest.mark.parametrize(
    "family", ["resnet18", "mobilenet_v2", "efficientnet-b0", "tu-mobilenetv3_small_050", "mit_b0"]
)
def test_encoders_of_every_kind(family: str, tmp_path: Path) -> None:
    network = build_network(ModelConfig(encoder=family, weights="none"), classes=2, root=tmp_path, size=(32, 32))
    assert Segmenter(network, IMAGENET, Precision.FP32)(torch.zeros(2, 32, 32, 3, dtype=torch.uint8)).shape[1] == 2


def test_pixels_are_normalised_by_channel() -> None:
    segmenter = Segmenter(Mean(), ((0.5, 0.0, 1.0), (0.5, 1.0, 2.0)), Precision.FP32)
    pixels = torch.tensor([255, 51, 0], dtype=torch.uint8).reshape(1, 1, 1, 3)
    # ((1 - 0.5) / 0.5 + (0.2 - 0) / 1 + (0 - 1) / 2) / 3
    assert segmenter(pixels).item() == pytest.approx((1 + 0.2 - 0.5) / 3)


def test_half_precision_gives_full_precision_logits(tmp_path: Path) -> None:
    segmenter = Segmenter(build_network(SMALL, classes=2, root=tmp_path, size=(32, 32)), IMAGENET, Precision.BF16)
    assert segmenter(torch.zeros(2, 32, 32, 3, dtype=torch.uint8)).dtype is torch.float32


@pytest.mark.parametrize(
    ("output_of", "problem"),
    [
        (lambda images: {"out": images}, "returns a dict for 2 images of 32x64"),
        (lambda images: images[:, :2], r"returns \(2, 2, 32, 64\) for 2 images of 32x64, .* \(2, 3, 32, 64\)"),
        (lambda images: images[..., ::4, ::4], r"returns \(2, 3, 8, 16\)"),
        (lambda images: images.mean((2, 3), keepdim=True), r"returns \(2, 3, 1, 1\)"),
    ],
)
def test_what_an_own_model_must_give(
    output_of: Callable[[Tensor], Any], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Answering(nn.Module):
        def forward(self, images: Tensor) -> Any:
            return output_of(images)

    monkeypatch.setattr(owncode, "load_pinned", lambda *_, **__: lambda classes: Answering())
    network = build_network(ModelConfig(target="net:build", weights="none"), classes=3, root=tmp_path, size=(32, 32))
    with pytest.raises(ConfigError, match=rf"model\.target net:build: the network {problem}"):
        Segmenter(network, IMAGENET, Precision.FP32)(torch.zeros(2, 32, 64, 3, dtype=torch.uint8))


def test_unknown_architecture(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no architecture 'Unett'\. Did you mean 'Unet'\?"):
        build_network(SMALL.model_copy(update={"architecture": "Unett"}), classes=2, root=tmp_path, size=(32, 32))


@pytest.mark.parametrize(
    ("name", "near"), [("efficientnet-b9", "efficientnet-b"), ("tu-tf_efficientnet_light0", "tu-tf_efficientnet_lite0")]
)
def test_unknown_encoder(name: str, near: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=f"no encoder '{name}'. Did you mean '{near}"):
        build_network(SMALL.model_copy(update={"encoder": name}), classes=2, root=tmp_path, size=(32, 32))


def test_what_does_not_go_together(tmp_path: Path) -> None:
    config = ModelConfig(architecture="UnetPlusPlus", encoder="mit_b0", weights="none")
    with pytest.raises(ConfigError, match="UnetPlusPlus with the encoder mit_b0 cannot be built"):
        build_network(config, classes=2, root=tmp_path, size=(32, 32))


def test_offline_weights_come_with_their_own_normalisation(tmp_path: Path) -> None:
    config = ModelConfig(encoder="tu-tf_efficientnet_lite0", weights="offline")
    assert normalisation(config, root=tmp_path, fold=0) == OFFLINE == ((0.5,) * 3, (0.5,) * 3)
    assert normalisation(config.model_copy(update={"weights": "none"}), root=tmp_path, fold=0) == IMAGENET


def test_timm_says_what_its_weights_expect(tmp_path: Path) -> None:
    config = ModelConfig(encoder="tu-tf_efficientnet_lite0", weights="imagenet")
    assert normalisation(config, root=tmp_path, fold=0) == OFFLINE


def test_a_saved_model_brings_its_normalisation_along(tmp_path: Path) -> None:
    save_file(
        build_network(SMALL, classes=2, root=tmp_path, size=(32, 32)).state_dict(),
        tmp_path / "m.safetensors",
        normalisation_metadata(OFFLINE),
    )
    config = SMALL.model_copy(update={"weights": "m.safetensors"})
    build_network(config, classes=2, root=tmp_path, size=(32, 32))
    assert normalisation(config, root=tmp_path, fold=0) == OFFLINE


def test_a_file_that_says_nothing_gets_imagenets(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "m.safetensors")
    assert normalisation(SMALL.model_copy(update={"weights": "m.safetensors"}), root=tmp_path, fold=0) == IMAGENET


def test_equal_models_are_equal_files(tmp_path: Path) -> None:
    segmenter = Segmenter(nn.Conv2d(3, 2, 1), OFFLINE, Precision.FP32)
    written = set()
    for _ in range(20):
        save_model(tmp_path / "m.safetensors", segmenter)
        written.add((tmp_path / "m.safetensors").read_bytes())
    assert len(written) == 1
