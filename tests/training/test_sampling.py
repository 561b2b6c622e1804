from collections import Counter

import numpy as np
import pytest

from competition.config.augmentation import SamplingConfig
from competition.data.manifest import Item
from competition.training.dataset import plan_batches
from competition.training.sampling import SHUFFLE, Sampling, crop, earlier_occurrences, zoom_to_class
from tests.training.colours import PALETTE, coloured, disagreeing


def item(name: str, *pixels: int) -> Item:
    return Item(name, f"{name}.png", f"{name}.png", "", 8, 8, "", "", pixels, 0)


ITEMS = [item(f"common{n}", 64, 0) for n in range(19)] + [item("rare", 60, 4)]
BALANCED = Sampling.of(SamplingConfig(order="balanced"), ITEMS, (32, 32), same_epochs=False)


def test_balanced_draws_a_class_and_then_an_image_that_has_it() -> None:
    drawn = [i for epoch in range(100) for i in BALANCED.order(20, seed=1, epoch=epoch)]
    share = Counter(drawn)[19] / len(drawn)
    assert share == pytest.approx(0.5 + 0.5 / 20, abs=0.05)  # all of class 1, a twentieth of class 0
    assert len(drawn) == 2000


def test_an_epochs_draws_are_a_function_of_seed_and_epoch() -> None:
    for sampling in (SHUFFLE, BALANCED):
        one, again = (sampling.order(20, seed=1, epoch=3).tolist() for _ in range(2))
        assert one == again
        assert one != sampling.order(20, seed=1, epoch=4).tolist()
        assert one != sampling.order(20, seed=2, epoch=3).tolist()


def test_balanced_draws_go_on_where_they_were_left() -> None:
    ids = [i.id for i in ITEMS]
    whole = list(plan_batches(ids, seed=1, batch_size=6, epochs=3, sampling=BALANCED))
    rest = list(plan_batches(ids, seed=1, batch_size=6, epochs=3, first=(1, 2), sampling=BALANCED))
    assert rest == [d for d in whole if d[:2] >= (1, 2)]


def test_repeated_images_are_told_apart() -> None:
    assert earlier_occurrences(["a", "b", "a", "a", "b"]) == (0, 0, 1, 2, 1)
    of_epoch = list(plan_batches([i.id for i in ITEMS], seed=1, batch_size=6, epochs=1, sampling=BALANCED))
    pairs = [pair for d in of_epoch for pair in zip(d.ids, d.occurrences, strict=True)]
    assert len(set(pairs)) == len(pairs) == 20


@pytest.mark.parametrize(
    ("epochs", "sides"),
    [(6, [32, 32, 64, 64, 96, 96]), (4, [32, 64, 96, 96]), (3, [32, 64, 96]), (2, [64, 96]), (1, [96])],
)
def test_sizes_grow_and_the_last_epoch_has_the_full_one(epochs: int, sides: list[int]) -> None:
    config = SamplingConfig(sizes=[(32, 32), (64, 64)])
    sampling = Sampling.of(config, ITEMS, (96, 96), same_epochs=False)
    sizes = [sampling.size(epoch, epochs) for epoch in range(epochs)]
    assert sizes == [(side, side) for side in sides]


def test_a_still_job_repeats_its_first_epoch_at_the_full_size() -> None:
    same_epochs = Sampling.of(SamplingConfig(order="balanced", sizes=[(32, 32)]), ITEMS, (96, 96), same_epochs=True)
    assert same_epochs.order(20, seed=1, epoch=0).tolist() == same_epochs.order(20, seed=1, epoch=1).tolist()
    assert same_epochs.size(0, 2) is None


def test_crops_hold_the_rare_class_and_its_labels_stay_true() -> None:
    _, mask = coloured((48, 64), seed=4)
    mask[mask == 2] = 3
    mask[8:16, 24:32] = 2  # class 2 occurs in one block alone
    image = PALETTE[mask]
    places = set()
    for seed in range(40):
        cropped, labels = zoom_to_class(image, mask, (2, 9), scale=0.4, rng=np.random.default_rng(seed))
        assert labels.shape == (48, 64)
        assert (labels == 2).any()
        assert disagreeing(cropped, labels) == 0
        places.add(labels.tobytes())
    assert len(places) > 20


def test_an_image_without_a_rare_class_stays_whole() -> None:
    image, mask = coloured()
    cropped, labels = zoom_to_class(image, mask, (9,), scale=0.4, rng=np.random.default_rng(0))
    assert cropped is image
    assert labels is mask


def test_a_part_lies_anywhere_and_its_labels_stay_true() -> None:
    image, mask = coloured((48, 64), seed=4)
    corners = set()
    for seed in range(300):
        part, labels = crop(image, mask, (32, 32), (), np.random.default_rng(seed))
        assert part.shape == (32, 32, 3)
        assert disagreeing(part, labels) == 0
        corners |= {
            (top, left)
            for top, left in ((0, 0), (0, 32), (16, 0), (16, 32))
            if np.array_equal(part, image[top : top + 32, left : left + 32])
        }
        assert part.flags.writeable
    assert len(corners) >= 1
    whole, _ = crop(image, mask, (48, 64), (), np.random.default_rng(0))
    assert np.array_equal(whole, image)


def test_a_part_around_a_rare_class_holds_it() -> None:
    _, mask = coloured((96, 96), seed=4)
    mask[mask == 2] = 3
    mask[8:10, 90:92] = 2
    image = PALETTE[mask]
    parts = {
        wanted: [crop(image, mask, (32, 32), wanted, np.random.default_rng(seed))[1] for seed in range(40)]
        for wanted in ((2,), ())
    }
    assert all((labels == 2).any() for labels in parts[(2,)])
    assert sum((labels == 2).any() for labels in parts[()]) < 20
