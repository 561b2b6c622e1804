import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from competition.config.experiment import BatchNorm
from competition.jobspec import JobSpec, Succeeded
from competition.training import batchnorm
from competition.training.job_data import load_job_data
from competition.training.network.model import IMAGENET, Segmenter
from competition.training.network.precision import Precision
from tests.training.conftest import Listener, Specs, run


class Normalised(nn.Module):
    """Batch normalisation of the input and nothing else."""

    def __init__(self, momentum: float | None = 0.1) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3, momentum=momentum)

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.norm(images)
        return out


@pytest.mark.parametrize(
    ("momentum", "steps", "wanted", "averaged", "needed"),
    [
        (0.1, 43, BatchNorm.AUTO, False, True),  # 0.9 ** 43 = 0.0108
        (0.1, 44, BatchNorm.AUTO, False, False),  # 0.9 ** 44 = 0.0097
        (0.01, 458, BatchNorm.AUTO, False, True),
        (0.01, 459, BatchNorm.AUTO, False, False),
        (None, 1, BatchNorm.AUTO, False, False),  # torch keeps a plain mean over all steps
        (0.1, 1000, BatchNorm.AUTO, True, True),
        (0.1, 1000, BatchNorm.MEASURED, False, True),
        (0.1, 1, BatchNorm.RUNNING, True, False),
    ],
)
def test_when_statistics_are_measured(
    momentum: float | None, steps: int, wanted: BatchNorm, averaged: bool, needed: bool
) -> None:
    network = Normalised(momentum)
    assert batchnorm.needs_measuring(wanted, network, steps=steps, averaged=averaged) is needed


def test_a_network_without_statistics_needs_none() -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False))
    for wanted in BatchNorm:
        assert not batchnorm.needs_measuring(wanted, network, steps=1, averaged=True)


def test_the_efficientnets_of_the_library_are_why() -> None:
    encoder = smp.encoders.get_encoder("efficientnet-b0", weights=None)
    momenta = [m.momentum for m in encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    assert momenta == pytest.approx([0.01] * len(momenta))


def test_the_statistics_are_those_of_the_training_images(spec_of: Specs) -> None:
    """Nine images in batches of 4, 5: the mean over the batches' means, of pixels in 0..1 that are not augmented."""
    spec = spec_of("train.batch_size=4")
    data = load_job_data(spec, Listener().reporter)
    network = Normalised()
    segmenter = Segmenter(network, ((0.0,) * 3, (1.0,) * 3), Precision.FP32)
    ticks: list[tuple[int, int]] = []
    cpu = torch.device("cpu")
    for _ in range(2):  # what was there before leaves no trace
        ticks.clear()
        batchnorm.measure(
            segmenter, data.cache, data.train, spec.config, device=cpu, tick=lambda *done: ticks.append(done)
        )
        assert network.norm.running_mean is not None
        assert network.norm.running_mean.tolist() != [0.0] * 3
    assert ticks == [(1, 2), (2, 2)]
    pixels = np.stack([data.cache.images[data.cache.index[i]] for i in data.train]) / 255
    every = pixels.mean(axis=(0, 1, 2))
    assert network.norm.running_mean.numpy() == pytest.approx(every, abs=0.02)
    assert network.norm.momentum == 0.1


def test_efficientnet_b0_evaluates_as_it_trained_only_with_measured_statistics(spec_of: Specs) -> None:
    """After four steps, as in a debug run, features must spread in evaluation as they did in training.

    (Measured: 0.98 in training, 0.002 with running statistics, 0.71 with measured ones; dropped paths are the rest.)
    """
    spec = spec_of("data.size=64x64", "train.batch_size=9")
    data, cpu = load_job_data(spec, Listener().reporter), torch.device("cpu")
    encoder = smp.encoders.get_encoder("efficientnet-b0", weights=None)
    segmenter = Segmenter(_Deepest(encoder), IMAGENET, Precision.FP32)
    images = torch.from_numpy(np.stack([data.cache.images[data.cache.index[i]] for i in data.train]))

    def spread(*, training: bool) -> float:
        with torch.no_grad():
            return segmenter.train(training)(images).std().item()

    trained = [spread(training=True) for _ in range(4)][-1]
    stale = spread(training=False)
    batchnorm.measure(segmenter, data.cache, data.train, spec.config, device=cpu, tick=lambda _done, _number: None)
    measured = spread(training=False)
    assert stale < 0.1 * trained
    assert measured == pytest.approx(trained, rel=0.5)


class _Deepest(nn.Module):
    """The last feature map of an encoder."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.encoder(images)[-1]
        return features


def test_the_facts_name_the_statistics_of_the_evaluation(spec_of: Specs, finished: tuple[JobSpec, Succeeded]) -> None:
    running, (_, measured) = run(spec_of("train.batch_norm=running")), finished
    assert (running.facts["batch_norm"], measured.facts["batch_norm"]) == ("running", "measured")
    assert running.last_loss == measured.last_loss
    assert running.score != measured.score
