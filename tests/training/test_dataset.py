import errno

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from competition.data.rare_classes import find_rare_classes
from competition.errors import ConfigError, DataError, UnknownNameError
from competition.jobspec import JobSpec
from competition.lifecycle import FailureKind, JobKind
from competition.training import dataset
from competition.training.dataset import Batch, BatchPlan, TrainingImages, load_batches, plan_batches, steps_per_epoch
from competition.training.failures import classify
from competition.training.job_data import load_job_data
from competition.training.sampling import Sampling
from tests.training.conftest import Listener, Specs

CPU = torch.device("cpu")
PLAIN = ("augment.horizontal_flip=0", "augment.brightness_contrast=0")


@pytest.mark.parametrize(
    ("images", "batch_size", "steps"),
    [(8, 4, 2), (10, 4, 3), (9, 4, 2), (3, 4, 1), (1, 4, 1), (5, 1, 5), (3, 2, 1)],
)
def test_steps_per_epoch(images: int, batch_size: int, steps: int) -> None:
    assert steps_per_epoch(images, batch_size) == steps


@given(images=st.integers(1, 60), batch_size=st.integers(1, 9), epochs=st.integers(1, 3), seed=st.integers(0, 99))
def test_an_epoch_sees_each_image_once_and_no_image_alone(images: int, batch_size: int, epochs: int, seed: int) -> None:
    ids = [f"image{n}" for n in range(images)]
    steps = steps_per_epoch(images, batch_size)
    plans = list(plan_batches(ids, seed=seed, batch_size=batch_size, epochs=epochs))
    assert [(plan.epoch, plan.step) for plan in plans] == [(e, s) for e in range(epochs) for s in range(steps)]
    for epoch in range(epochs):
        of_epoch = [plan.ids for plan in plans if plan.epoch == epoch]
        assert sorted(i for batch in of_epoch for i in batch) == sorted(ids)
        assert all(len(batch) <= batch_size + 1 for batch in of_epoch)
        if batch_size > 1 and images > 1:
            assert min(map(len, of_epoch)) > 1


@given(first=st.tuples(st.integers(0, 2), st.integers(0, 3)))
def test_draws_go_on_where_they_were_left(first: tuple[int, int]) -> None:
    ids = list("abcdefghijkl")
    whole = list(plan_batches(ids, seed=1, batch_size=4, epochs=3))
    assert list(plan_batches(ids, seed=1, batch_size=4, epochs=3, first=first)) == [d for d in whole if d[:2] >= first]


def test_each_epoch_and_each_seed_has_its_own_order() -> None:
    ids = [str(n) for n in range(50)]
    one, two = plan_batches(ids, seed=1, batch_size=50, epochs=2)
    other = next(plan_batches(ids, seed=2, batch_size=50, epochs=1))
    assert len({one.ids, two.ids, other.ids}) == 3


def batches_of(spec: JobSpec, *, workers: int) -> list[Batch]:
    data = load_job_data(spec, Listener().reporter)
    config = spec.config
    sampling = Sampling.of(config.sampling, data.train_items, config.data.size, same_epochs=data.same_epochs)
    wanted = plan_batches(data.train, seed=config.seed, batch_size=4, epochs=2, sampling=sampling)
    rare = find_rare_classes(data.train_items, spec.settings.classes, config.sampling.rare)
    images = TrainingImages(data.cache, config, rare=rare, epochs=2, same_epochs=data.same_epochs)
    return list(load_batches(images, wanted, workers=workers, device=CPU))


MUCH = (
    "data.size=64x64",
    "augment.pipeline=heavy",
    "augment.policy=trivialaugment",
    "augment.cutout=0.5",
    "mix.mixup=0.5",
    "mix.cutmix=0.5",
    "mix.copy_paste=0.5",
    "sampling.order=balanced",
    "sampling.rare_crop=0.5",
    "sampling.sizes=[32x32]",
)
"""A bit of everything."""


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # more workers than cores
@pytest.mark.parametrize("engine", ["albumentations", "torchvision"])
def test_workers_change_nothing_of_mixing_and_sampling(engine: str, spec_of: Specs) -> None:
    spec = spec_of(*MUCH, f"augment.engine={engine}")
    here = batches_of(spec, workers=0)
    assert [b.images.shape[1:3] for b in here] == [(32, 32)] * 2 + [(64, 64)] * 2
    for workers in (1, 2, 4):
        for a, b in zip(here, batches_of(spec, workers=workers), strict=True):
            assert (a.plan, a.share) == (b.plan, b.share)
            assert torch.equal(a.images, b.images)
            assert torch.equal(a.masks, b.masks)
            assert (a.partners is None) == (b.partners is None)
            assert a.partners is None or b.partners is None or torch.equal(a.partners, b.partners)


class AwkwardError(Exception):
    """Cannot be put together again from what it is pickled to."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def raised_by(error: Exception, spec: JobSpec, monkeypatch: pytest.MonkeyPatch, *, workers: int) -> Exception:
    """What training gets when preparing a batch raises `error`."""

    def prepare(_images: TrainingImages, _plan: BatchPlan) -> Batch:
        raise error

    monkeypatch.setattr(TrainingImages, "__getitem__", prepare)
    with pytest.raises((type(error), RuntimeError)) as raised:
        batches_of(spec, workers=workers)
    return raised.value


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "error",
    [
        ConfigError("augment.pipeline: it came out wrong", hint="look"),
        UnknownNameError.among("image", "g0", ["g1"]),
        DataError("image g0_1.png cannot be read"),
        OSError(errno.ENOSPC, "No space left on device"),
        MemoryError(),
        ValueError("from a transform"),
        KeyError("g0"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_arrives_as_it_was(
    error: Exception, workers: int, spec_of: Specs, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised = raised_by(error, spec_of(), monkeypatch, workers=workers)
    assert type(raised) is type(error)
    assert classify(raised) == classify(error)
    assert "in prepare\n" in raised.__notes__[0]


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_that_cannot_travel_arrives_in_words(
    workers: int, spec_of: Specs, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised = raised_by(AwkwardError("this", "that"), spec_of(), monkeypatch, workers=workers)
    assert classify(raised) == (FailureKind.CRASH, "RuntimeError: AwkwardError: this that")
    assert "in prepare\n" in raised.__notes__[0]


@pytest.mark.parametrize(("device", "pinned"), [("cpu", False), ("cuda:0", True)])
def test_batches_for_a_gpu_are_pinned(
    device: str, pinned: bool, spec_of: Specs, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, object]] = []

    def loader(images: object, **options: object) -> list[Batch]:
        calls.append(options)
        return []

    monkeypatch.setattr(dataset, "DataLoader", loader)
    data = load_job_data(spec_of(), Listener().reporter)
    list(load_batches(TrainingImages(data.cache, spec_of().config), [], workers=2, device=torch.device(device)))
    assert (calls[0]["pin_memory"], calls[0]["num_workers"]) == (pinned, 2)


def test_the_last_epochs_are_not_mixed(spec_of: Specs) -> None:
    first, last = "mix.mixup=1", "mix.stop_epochs=1"
    batches = batches_of(spec_of(first, last), workers=0)
    assert [b.partners is not None for b in batches] == [b.plan.epoch == 0 for b in batches]
    spec = spec_of("mix.copy_paste=1", last, *PLAIN)
    data = load_job_data(spec, Listener().reporter)
    for batch in batches_of(spec, workers=0):
        rows = [data.cache.index[i] for i in batch.plan.ids]
        assert np.array_equal(batch.masks.numpy(), data.cache.masks[rows]) == (batch.plan.epoch == 1)


def test_a_debug_job_sees_the_same_batches_twice(spec_of: Specs) -> None:
    batches = batches_of(spec_of("mix.mixup=0.5", "mix.stop_epochs=1", kind=JobKind.DEBUG), workers=0)
    half = len(batches) // 2
    for one, other in zip(batches[:half], batches[half:], strict=True):
        assert one.plan.ids == other.plan.ids
        assert torch.equal(one.images, other.images)
        assert one.share == other.share


def test_an_image_drawn_twice_in_an_epoch_is_augmented_anew(spec_of: Specs) -> None:
    data = load_job_data(spec_of(), Listener().reporter)
    images = TrainingImages(data.cache, spec_of("augment.brightness_contrast=1").config)
    image_id = data.train[0]
    batch = images[BatchPlan(0, 0, (image_id, image_id), (0, 1))]
    assert not torch.equal(batch.images[0], batch.images[1])
    assert torch.equal(batch.images[0], images[BatchPlan(0, 0, (image_id,))].images[0])


def test_parts_are_cut_at_the_scale_of_the_image(spec_of: Specs) -> None:
    spec = spec_of("data.size=64x96", "sampling.crop=32x64", "mix.copy_paste=0.5", *PLAIN)
    cache = load_job_data(spec, Listener().reporter).cache
    for batch in batches_of(spec_of("data.size=64x96", "sampling.crop=32x64", *PLAIN), workers=2):
        assert batch.images.shape[1:3] == batch.masks.shape[1:3] == (32, 64)
        for place, image_id in enumerate(batch.plan.ids):
            image, mask = cache.pair(image_id)
            windows = np.lib.stride_tricks.sliding_window_view(mask, (32, 64))
            rows, columns = np.nonzero((windows == batch.masks[place].numpy()).all(axis=(2, 3)))
            parts = [image[y : y + 32, x : x + 64] for y, x in zip(rows, columns, strict=True)]
            assert any(np.array_equal(part, batch.images[place].numpy()) for part in parts)
    pasted = batches_of(spec, workers=0)
    assert all(torch.equal(a.images, b.images) for a, b in zip(pasted, batches_of(spec, workers=1), strict=True))


def test_every_part_may_be_around_a_rare_class(spec_of: Specs) -> None:
    settings = ("data.size=64x64", "sampling.crop=32x32", "sampling.rare=[disc]", *PLAIN)
    held = [
        [bool((mask == 2).any()) for batch in batches_of(spec_of(*settings, share), workers=0) for mask in batch.masks]
        for share in ("sampling.rare_crop=0", "sampling.rare_crop=1")
    ]
    assert all(held[1])
    assert not all(held[0])


def test_workers_change_nothing(spec_of: Specs) -> None:
    spec = spec_of()
    here, apart = batches_of(spec, workers=0), batches_of(spec, workers=2)
    assert [b.plan for b in here] == [b.plan for b in apart]
    assert all(torch.equal(a.images, b.images) for a, b in zip(here, apart, strict=True))
    assert all(torch.equal(a.masks, b.masks) for a, b in zip(here, apart, strict=True))


def test_a_batch_holds_the_cached_pixels(spec_of: Specs) -> None:
    spec = spec_of(*PLAIN)
    data = load_job_data(spec, Listener().reporter)
    batch = batches_of(spec, workers=0)[0]
    rows = [data.cache.index[i] for i in batch.plan.ids]
    assert np.array_equal(batch.images.numpy(), data.cache.images[rows])
    assert np.array_equal(batch.masks.numpy(), data.cache.masks[rows])
    assert batch.images.dtype is torch.uint8
    assert batch.images.shape == (4, 32, 32, 3)


def test_an_image_is_augmented_anew_in_every_epoch(spec_of: Specs) -> None:
    seen: dict[str, list[bytes]] = {}
    for batch in batches_of(spec_of("augment.brightness_contrast=1"), workers=0):
        for place, image_id in enumerate(batch.plan.ids):
            seen.setdefault(image_id, []).append(batch.images[place].numpy().tobytes())
    assert all(first != second for first, second in seen.values())
