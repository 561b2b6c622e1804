import numpy as np
import pytest
import torch
from torch import Tensor, nn

from competition.config import Precision, PredictConfig
from competition.data.manifest import Item
from competition.training.failures import NotFiniteError
from competition.training.model import Segmenter
from competition.training.predict import at_size, labels, predictions, probabilities

CPU = torch.device("cpu")
RAW = ((0.0,) * 3, (1 / 255,) * 3)
"""A normalisation that leaves the pixels as they are."""


class Channels(nn.Module):
    """The channels are the logits."""

    def forward(self, images: Tensor) -> Tensor:
        return images


class Broken(nn.Module):
    """Not a number for every image but the first of a batch."""

    def forward(self, images: Tensor) -> Tensor:
        out = images.clone()
        out[1:] = float("nan")
        return out


def item(image_id: str, height: int, width: int) -> Item:
    return Item(image_id, f"{image_id}.png", f"{image_id}.png", "", height, width, "", "", (), 0)


def predicted(network: nn.Module, items: list[Item], pixels: np.ndarray, batch_size: int = 2) -> dict[str, Tensor]:
    rows = {"a": 0, "b": 1, "c": 2}
    segmenter = Segmenter(network, RAW, Precision.FP32)
    found = predictions(segmenter, pixels, rows, items, batch_size=batch_size, device=CPU, config=PredictConfig())  # type: ignore[arg-type]
    return {of.id: logits for of, logits in found}


def test_each_image_comes_at_its_own_size_and_from_its_own_row() -> None:
    pixels = np.zeros((3, 2, 2, 3), np.uint8)
    for row in range(3):
        pixels[row] = 10 * (row + 1)
    found = predicted(Channels(), [item("c", 4, 6), item("a", 2, 2), item("b", 3, 5)], pixels)
    assert {name: tuple(logits.shape) for name, logits in found.items()} == {
        "c": (3, 4, 6),
        "a": (3, 2, 2),
        "b": (3, 3, 5),
    }
    means = {name: logits.mean().item() for name, logits in found.items()}
    assert means == pytest.approx({"c": 30, "a": 10, "b": 20})


def test_interpolation_is_between_pixel_centres() -> None:
    row = torch.tensor([[[0.0, 4.0]]])
    assert at_size(row, (1, 4)).flatten().tolist() == [0, 1, 3, 4]


def test_predictions_that_are_no_numbers_name_the_image() -> None:
    with pytest.raises(NotFiniteError, match="predictions for image b"):
        predicted(Broken(), [item("a", 2, 2), item("b", 2, 2)], np.zeros((3, 2, 2, 3), np.uint8))


def test_labels_and_probabilities() -> None:
    logits = torch.tensor([0.5, 0.2, 0.3]).log()[:, None, None].expand(3, 2, 2)
    assert labels(logits).tolist() == [[0, 0], [0, 0]]
    assert labels(logits).dtype == np.uint8
    assert probabilities(logits)[:, 0, 0].tolist() == pytest.approx([0.5, 0.2, 0.3])
    assert probabilities(logits).dtype == np.float32
