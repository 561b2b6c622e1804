import numpy as np
import torch
from torch import Tensor

from competition.config.augmentation import MixConfig
from competition.training.augmenting.mixing import cutmix, mix, mixup, paste, two_target_loss
from tests.training.colours import PALETTE, coloured, disagreeing

IMAGES, MASKS = (np.stack(part) for part in zip(*(coloured(seed=seed) for seed in range(4)), strict=True))


def test_mixup_blends_images_and_keeps_both_masks() -> None:
    images, masks = np.full((2, 1, 1, 3), 100, np.uint8), np.array([[[1]], [[2]]], np.uint8)
    images[1] = 201
    mixed = mixup(images, masks, [1, 0], share=0.75)
    assert mixed.images[:, 0, 0, 0].tolist() == [125, 176]  # 0.75 * 100 + 0.25 * 201 = 125.25; 0.75 * 201 + 25 = 175.75
    assert mixed.partners is not None
    assert (mixed.masks.ravel().tolist(), mixed.partners.ravel().tolist()) == ([1, 2], [2, 1])
    assert mixed.share == 0.75


def test_cutmix_takes_over_the_same_box_in_image_and_mask() -> None:
    changed = 0
    for seed in range(30):
        mixed = cutmix(IMAGES, MASKS, [1, 2, 3, 0], share=0.5, rng=np.random.default_rng(seed))
        assert np.array_equal(mixed.images, PALETTE[mixed.masks])
        assert (mixed.partners, mixed.share) == (None, 1.0)  # no weight on the loss
        assert all(np.isin(m, (a, b)).all() for m, a, b in zip(mixed.masks, MASKS, np.roll(MASKS, -1, 0), strict=True))
        changed += not np.array_equal(mixed.masks, MASKS)
    assert changed == 30
    assert np.array_equal(IMAGES, PALETTE[MASKS])  # what was given is unchanged


def test_the_box_of_cutmix_has_the_area_that_the_share_leaves() -> None:
    ones, zeros = np.ones((1, 100, 100), np.uint8), np.zeros((1, 100, 100), np.uint8)
    images, masks = np.zeros((2, 100, 100, 3), np.uint8), np.concatenate([zeros, ones])
    areas = [
        int(cutmix(images, masks, [1, 0], share=0.75, rng=np.random.default_rng(seed)).masks[0].sum())
        for seed in range(60)
    ]
    assert max(areas) == 50 * 50  # whole; the others are cut off by the edge
    assert min(areas) >= 25 * 25


def test_the_share_of_mixed_batches_is_the_probability() -> None:
    kinds = {"plain": 0, "mixup": 0, "cutmix": 0}
    config = MixConfig(mixup=0.3, cutmix=0.5)
    small, labels = IMAGES[:, :8, :8], MASKS[:, :8, :8]
    for seed in range(600):
        mixed = mix(config, small, labels, np.random.default_rng(seed))
        same = mixed.images is small
        kinds["plain" if same else "cutmix" if mixed.partners is None else "mixup"] += 1
    assert 140 < kinds["mixup"] < 220
    assert 255 < kinds["cutmix"] < 345


def test_nobody_is_mixed_with_itself() -> None:
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 1, 3), np.uint8)
    for seed in range(20):
        mixed = mix(MixConfig(mixup=1.0), images, images[..., 0], np.random.default_rng(seed))
        assert mixed.partners is not None
        assert (mixed.masks != mixed.partners).all()
        assert sorted(mixed.partners.ravel()) == [0, 1, 2, 3, 4]


def test_a_single_image_is_left_alone() -> None:
    assert mix(MixConfig(mixup=1.0), IMAGES[:1], MASKS[:1], np.random.default_rng(0)).partners is None


def test_only_the_rare_classes_are_pasted() -> None:
    image, mask = paste(IMAGES[0], MASKS[0], (IMAGES[1], MASKS[1]), (2, 5))
    assert disagreeing(image, mask) == 0
    pasted = np.isin(MASKS[1], (2, 5))
    assert pasted.any()
    assert np.array_equal(mask[pasted], MASKS[1][pasted])
    assert np.array_equal(mask[~pasted], MASKS[0][~pasted])
    assert (image.dtype, mask.dtype) == (np.uint8, np.uint8)


def test_the_loss_has_two_targets() -> None:
    def criterion(logits: Tensor, masks: Tensor) -> Tensor:
        return (logits[:, 0] - masks).abs().mean()

    logits = torch.zeros(1, 1, 1, 2)
    one, other = torch.tensor([[[1.0, 3.0]]]), torch.tensor([[[4.0, 8.0]]])
    assert two_target_loss(criterion, logits, [one, other], 0.75).item() == 0.75 * 2 + 0.25 * 6
    assert two_target_loss(criterion, logits, [one], 1.0).item() == 2
