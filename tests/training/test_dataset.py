import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from competition.jobspec import JobSpec
from competition.training.dataset import Batch, TrainingImages, draws, load_batches, steps_per_epoch
from competition.training.job import work_of
from tests.training.conftest import Listener, Specs

CPU = torch.device("cpu")


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
    made = list(draws(ids, seed=seed, batch_size=batch_size, epochs=epochs))
    assert [(d.epoch, d.step) for d in made] == [(e, s) for e in range(epochs) for s in range(steps)]
    for epoch in range(epochs):
        of_epoch = [d.ids for d in made if d.epoch == epoch]
        assert sorted(i for batch in of_epoch for i in batch) == sorted(ids)
        assert all(len(batch) <= batch_size + 1 for batch in of_epoch)
        if batch_size > 1 and images > 1:
            assert min(map(len, of_epoch)) > 1


@given(first=st.tuples(st.integers(0, 2), st.integers(0, 3)))
def test_draws_go_on_where_they_were_left(first: tuple[int, int]) -> None:
    ids = list("abcdefghijkl")
    whole = list(draws(ids, seed=1, batch_size=4, epochs=3))
    assert list(draws(ids, seed=1, batch_size=4, epochs=3, first=first)) == [d for d in whole if d[:2] >= first]


def test_each_epoch_and_each_seed_has_its_own_order() -> None:
    ids = [str(n) for n in range(50)]
    one, two = draws(ids, seed=1, batch_size=50, epochs=2)
    other = next(draws(ids, seed=2, batch_size=50, epochs=1))
    assert len({one.ids, two.ids, other.ids}) == 3


def batches_of(spec: JobSpec, *, workers: int) -> list[Batch]:
    work = work_of(spec, Listener().reporter)
    wanted = draws(work.train, seed=spec.config.seed, batch_size=4, epochs=2)
    return list(load_batches(TrainingImages(work.cache, spec.config), wanted, workers=workers, device=CPU))


def test_workers_change_nothing(spec_of: Specs) -> None:
    spec = spec_of()
    here, apart = batches_of(spec, workers=0), batches_of(spec, workers=2)
    assert [b.draw for b in here] == [b.draw for b in apart]
    assert all(torch.equal(a.images, b.images) for a, b in zip(here, apart, strict=True))
    assert all(torch.equal(a.masks, b.masks) for a, b in zip(here, apart, strict=True))


def test_a_batch_holds_the_cached_pixels(spec_of: Specs) -> None:
    spec = spec_of("augment.horizontal_flip=0", "augment.brightness_contrast=0")
    work = work_of(spec, Listener().reporter)
    batch = batches_of(spec, workers=0)[0]
    rows = [work.cache.index[i] for i in batch.draw.ids]
    assert np.array_equal(batch.images.numpy(), work.cache.images[rows])
    assert np.array_equal(batch.masks.numpy(), work.cache.masks[rows])
    assert batch.images.dtype is torch.uint8
    assert batch.images.shape == (4, 32, 32, 3)


def test_an_image_is_augmented_anew_in_every_epoch(spec_of: Specs) -> None:
    seen: dict[str, list[bytes]] = {}
    for batch in batches_of(spec_of("augment.brightness_contrast=1"), workers=0):
        for place, image_id in enumerate(batch.draw.ids):
            seen.setdefault(image_id, []).append(batch.images[place].numpy().tobytes())
    assert all(first != second for first, second in seen.values())
