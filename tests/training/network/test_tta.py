import subprocess
import sys

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from competition.config.experiment import PredictConfig, TestTimeAugmentation
from competition.training.network.tta import predict_function, window_starts


def pointwise(pixels: Tensor) -> Tensor:
    """A network that sees one pixel at a time."""
    return torch.stack([pixels[..., 0].float() / 50, pixels[..., 1].float() / 50, pixels[..., 2].float() / 50], 1)


def column(pixels: Tensor) -> Tensor:
    """A network whose answer depends on where a pixel lies: the second class is likelier to the right."""
    width = pixels.shape[2]
    ramp = torch.linspace(-2, 2, width).expand(pixels.shape[0], pixels.shape[1], width)
    return torch.stack([torch.zeros_like(ramp), ramp], 1)


def some(height: int, width: int, images: int = 2) -> Tensor:
    return torch.randint(0, 256, (images, height, width, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def test_the_default_is_the_network_itself() -> None:
    assert predict_function(pointwise, PredictConfig(), batch_size=3) is pointwise


@pytest.mark.parametrize("tta", list(TestTimeAugmentation))
def test_views_are_turned_back(tta: TestTimeAugmentation) -> None:
    pixels = some(32, 64)
    logits = predict_function(pointwise, PredictConfig(tta=tta), batch_size=3)(pixels)
    torch.testing.assert_close(logits.softmax(1), pointwise(pixels).softmax(1))


def test_mirrored_views_are_averaged_as_probabilities() -> None:
    logits = predict_function(column, PredictConfig(tta=TestTimeAugmentation.HFLIP), batch_size=3)(some(32, 32))
    plain = column(some(32, 32)).softmax(1)
    torch.testing.assert_close(logits.softmax(1), (plain + plain.flip(3)) / 2)


def test_d4_of_an_image_that_is_not_square_asks_for_both_shapes() -> None:
    shapes = []

    def seen(pixels: Tensor) -> Tensor:
        shapes.append(tuple(pixels.shape[1:3]))
        return pointwise(pixels)

    predict_function(seen, PredictConfig(tta=TestTimeAugmentation.D4), batch_size=3)(some(32, 64))
    assert sorted(shapes) == [(32, 64)] * 4 + [(64, 32)] * 4


def test_scales_are_multiples_of_the_stride_and_come_back_at_the_image_s_size() -> None:
    shapes = []

    def seen(pixels: Tensor) -> Tensor:
        shapes.append(tuple(pixels.shape[1:3]))
        return pointwise(pixels)

    pixels = torch.full((1, 64, 96, 3), 100, dtype=torch.uint8)
    logits = predict_function(seen, PredictConfig(scales=(1.0, 1.5, 0.5)), batch_size=3)(pixels)
    assert shapes == [
        (64, 96),
        (96, 128),
        (32, 64),
    ]  # 0.5 x 96 is halfway between two multiples of 32, and so is 1.5 x 96
    assert logits.shape == (1, 3, 64, 96)
    torch.testing.assert_close(logits.softmax(1), pointwise(pixels).softmax(1))


@pytest.mark.parametrize("overlap", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("size", [(32, 32), (70, 101), (33, 200)])
def test_windows_see_every_pixel_where_it_is(size: tuple[int, int], overlap: float) -> None:
    pixels = some(*size)
    logits = predict_function(pointwise, PredictConfig(window=(32, 64), overlap=overlap), batch_size=3)(pixels)
    torch.testing.assert_close(logits, pointwise(pixels))


def test_the_middle_of_a_window_counts_most() -> None:
    """Two windows of 64 over 96 columns: each has the last word where it sees the pixel nearer to its middle."""
    logits = predict_function(column, PredictConfig(window=(32, 64), overlap=0.5), batch_size=8)(
        some(32, 96, images=1)
    )[0, 1, 16]
    left = F.pad(torch.linspace(-2, 2, 64), (0, 32))
    right = F.pad(torch.linspace(-2, 2, 64), (32, 0))
    gaussian = torch.exp(-((((torch.arange(64) + 0.5) / 64 - 0.5) * 8) ** 2) / 2).clamp(min=1e-3)
    weights = F.pad(gaussian, (0, 32)), F.pad(gaussian, (32, 0))
    expected = (left * weights[0] + right * weights[1]) / (weights[0] + weights[1])
    torch.testing.assert_close(logits, expected, rtol=1e-3, atol=1e-4)


def test_no_more_windows_at_once_than_the_batch_size() -> None:
    input_sizes = []

    def seen(pixels: Tensor) -> Tensor:
        input_sizes.append(len(pixels))
        return pointwise(pixels)

    predict_function(seen, PredictConfig(window=(32, 32)), batch_size=3)(some(64, 64, images=2))
    assert input_sizes == [3, 3, 3, 3, 3, 3]  # nine windows of each image


def test_starts_cover_everything_and_overlap_enough() -> None:
    assert window_starts(100, 100, 0.5) == [0]
    assert window_starts(50, 100, 0.5) == [0]
    assert window_starts(200, 100, 0.5) == [0, 50, 100]
    assert window_starts(201, 100, 0.5) == [0, 34, 67, 101]
    assert window_starts(300, 100, 0.0) == [0, 100, 200]


def test_twelve_megapixels_take_little_more_memory_than_their_logits() -> None:
    """In a process of its own, whose peak counts nothing else."""
    program = """
import resource, torch
from competition.config.experiment import PredictConfig
from competition.training.network.tta import predict_function
network = torch.nn.Conv2d(3, 11, 1)
config = PredictConfig(window=(512, 512))
predict = predict_function(lambda x: network(x.permute(0, 3, 1, 2).float()), config, batch_size=2)
pixels = torch.zeros((1, 3008, 4000, 3), dtype=torch.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with torch.inference_mode():
    logits = predict(pixels)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / logits.nbytes)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.5
