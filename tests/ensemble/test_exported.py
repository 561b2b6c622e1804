"""predict.py, which may import nothing of comp, says bit for bit what comp says."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from competition.config.experiment import PredictConfig
from competition.data.images import read_image, resize_image
from competition.data.naming import natural_key
from competition.ensemble.blend import blend, counts_at_all, of_models
from competition.ensemble.exported import predict
from competition.ensemble.methods import Method
from competition.ensemble.postprocess import Postprocessing
from competition.ensemble.thresholds import _FACTORS
from competition.training.network.tta import predict_function


@pytest.mark.parametrize("scales", [(1.0,), (0.5, 1.0, 1.5)])
@pytest.mark.parametrize("tta", ["none", "hflip", "flips", "d4"])
@pytest.mark.parametrize("window", [None, (64, 64), (96, 320)])
def test_it_looks_as_comp_does(tta: str, scales: tuple[float, ...], window: tuple[int, int] | None) -> None:
    torch.manual_seed(0)
    network = nn.Conv2d(3, 4, 5, padding=2).eval()

    def forward(pixels: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = network(pixels.permute(0, 3, 1, 2).float() / 255)
        return logits

    views = [(scale, *view) for scale in scales for view in predict.VIEWS[tta]]
    config = PredictConfig(tta=tta, scales=scales, window=window)  # type: ignore[arg-type]
    pixels = torch.randint(0, 256, (1, 128, 160, 3), dtype=torch.uint8)
    with torch.inference_mode():
        wanted = predict_function(forward, config, batch_size=2)(pixels)  # type: ignore[arg-type]

        def seen(pixels: torch.Tensor) -> torch.Tensor:
            return forward(pixels) if views == [(1.0, 0, False)] else predict.average(forward, views, pixels)

        found = seen(pixels) if window is None else predict.windows(seen, list(window), config.overlap, 2, pixels)
    assert torch.equal(found, wanted)


@pytest.mark.parametrize("method", [m for m in Method if m is not Method.AUTO])
def test_it_decides_as_the_blend_does(method: Method) -> None:
    generator = np.random.default_rng(1)
    views = [generator.integers(0, 256, (5, 9, 11)).astype(np.uint8) // 32 * 32 for _ in range(4)]  # many ties
    weighting = (
        ((3, 0, 1, 2, 2), (0, 0, 0, 0, 0), (1, 4, 3, 2, 2), (1, 1, 1, 1, 1)) if method == "per-class" else (3, 0, 2, 1)
    )
    wanted = blend(views, weighting, method)
    counted = [(view, count) for view, count in zip(views, weighting, strict=True) if counts_at_all(count)]
    total = sum(
        predict.summands(view, str(method), len(counted)) * np.asarray(count, dtype=np.uint64).reshape(-1, 1, 1)
        for view, count in counted
    )
    assert np.array_equal(total.argmax(axis=0), wanted)


@pytest.mark.parametrize("scale", [1, 3, 8])
def test_it_postprocesses_as_comp_does(scale: int) -> None:
    generator = np.random.default_rng(scale)
    names = ("background", "paper", "glass")
    for _ in range(20):
        coarse = generator.integers(0, 3, (5, 6)).astype(np.uint8)
        labels = np.kron(coarse, np.ones((scale, scale), np.uint8))
        labels[generator.random(labels.shape) < 0.1] = 2
        settings = Postprocessing(
            min_size=tuple(generator.integers(0, 30, 3).tolist()),
            hole_size=tuple(generator.integers(0, 30, 3).tolist()),
            largest_only=tuple((generator.random(3) < 0.3).tolist()),
            factor=tuple(generator.choice(_FACTORS, 3).tolist()),
        )
        assert Postprocessing.from_json(settings.to_json(names), names) == settings
        found = predict.postprocess(labels, list(names), settings.to_json(names))
        assert found.dtype == np.uint8
        assert np.array_equal(found, settings.apply(labels))


def test_it_reads_and_resizes_as_comp_does(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    sides = (1, 7, 32, 45, 101)
    for number, (height, width) in enumerate(itertools.product(sides, sides)):
        colours = Image.fromarray(generator.integers(0, 256, (height, width, 3)).astype(np.uint8))
        path = tmp_path / f"{number}.png"
        colours.save(path)
        assert np.array_equal(predict.read_image(path), read_image(path))
        for size in ((32, 64), (96, 32), (height, width)):
            wanted = resize_image(read_image(path), size)
            assert np.array_equal(predict.resize(predict.read_image(path), size), wanted)
    turned = colours.getexif()
    turned[0x0112] = 6
    colours.resize((20, 30)).save(tmp_path / "turned.jpg", exif=turned)
    colours.convert("P").save(tmp_path / "palette.png", transparency=0)
    colours.convert("LA").save(tmp_path / "grey.png")
    Image.fromarray(generator.integers(0, 65536, (8, 9)).astype(np.uint16)).save(tmp_path / "deep.png")
    for path in (tmp_path / name for name in ("turned.jpg", "palette.png", "grey.png", "deep.png")):
        assert np.array_equal(predict.read_image(path), read_image(path)), path.name
    assert predict.read_image(tmp_path / "turned.jpg").shape == (20, 30, 3)


def test_it_takes_images_in_comp_s_order(tmp_path: Path) -> None:
    names = ["frame10", "frame9", "Frame2", "a", "b7", "7", "07"]
    for name in names:
        (tmp_path / f"{name}.png").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden.png").touch()
    assert list(predict.find_images(tmp_path)) == sorted(names, key=natural_key)


def test_the_models_of_a_member_share_its_count() -> None:
    assert of_models((2, 1), [2, 3]) == [6, 6, 2, 2, 2]
    assert of_models(((1, 0), (0, 1)), [1, 2]) == [(2, 0), (0, 1), (0, 1)]
