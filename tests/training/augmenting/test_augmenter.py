from collections import Counter
from pathlib import Path
from typing import Any

import albumentations
import numpy as np
import pytest

from competition.config.augmentation import CLASS_NAME, PRESETS, AugmentConfig, Engine, with_files
from competition.errors import ConfigError
from competition.training.augmenting.augmenter import Augmenter
from competition.training.augmenting.checks import check_augmentation

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
MASK = np.arange(4 * 6, dtype=np.uint8).reshape(4, 6)
NOTHING = AugmentConfig(horizontal_flip=0, vertical_flip=0, brightness_contrast=0)


@pytest.mark.parametrize(
    ("config", "flip"),
    [
        (NOTHING.model_copy(update={"horizontal_flip": 1.0}), np.fliplr),
        (NOTHING.model_copy(update={"vertical_flip": 1.0}), np.flipud),
    ],
)
def test_image_and_mask_flip_together(config: AugmentConfig, flip: object) -> None:
    image, mask = Augmenter(config)(IMAGE, MASK, seed=1)
    assert np.array_equal(image, flip(IMAGE))  # type: ignore[operator]
    assert np.array_equal(mask, flip(MASK))  # type: ignore[operator]


def test_nothing_happens_at_probability_zero() -> None:
    image, mask = Augmenter(NOTHING)(IMAGE, MASK, seed=1)
    assert np.array_equal(image, IMAGE)
    assert np.array_equal(mask, MASK)


def test_brightness_leaves_the_mask_alone() -> None:
    config = NOTHING.model_copy(update={"brightness_contrast": 1.0})
    image, mask = Augmenter(config)(IMAGE, MASK, seed=1)
    assert not np.array_equal(image, IMAGE)
    assert np.array_equal(mask, MASK)


def test_a_sample_depends_on_its_seed_and_not_on_what_came_before() -> None:
    config = AugmentConfig(horizontal_flip=0.5, vertical_flip=0.5, brightness_contrast=1.0)
    fresh = [Augmenter(config)(IMAGE, MASK, seed=seed)[0] for seed in range(8)]
    used = Augmenter(config)
    backwards = [used(IMAGE, MASK, seed=seed)[0] for seed in reversed(range(8))][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(fresh, backwards, strict=True))
    assert len({image.tobytes() for image in fresh}) == 8


@pytest.mark.parametrize("engine", Engine)
@pytest.mark.parametrize("name", PRESETS)
def test_presets_run_and_depend_on_the_seed_alone(name: str, engine: Engine) -> None:
    config = AugmentConfig(engine=engine, pipeline=name, policy="randaugment", cutout=0.5, gridmask=0.5)
    check_augmentation(config, (32, 64))
    image = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    mask = image[..., 0] // 64
    one, other = Augmenter(config), Augmenter(config)
    forwards = [one(image, mask, seed=seed) for seed in range(6)]
    backwards = [other(image, mask, seed=seed) for seed in reversed(range(6))][::-1]
    for a, b in zip(forwards, backwards, strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert len({image.tobytes() for image, _ in forwards}) == 6


def test_transforms_are_drawn_independently() -> None:
    """albumentations' own seeding makes two transforms with p=0.5 always come together."""
    augment = Augmenter(AugmentConfig(horizontal_flip=0.5, vertical_flip=0.5, brightness_contrast=0))
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    seen = Counter(augment(image, image[..., 0], seed=seed)[0].tobytes() for seed in range(400))
    flips = [image, np.fliplr(image), np.flipud(image), np.fliplr(np.flipud(image))]
    assert set(seen) == {np.ascontiguousarray(flipped).tobytes() for flipped in flips}
    assert min(seen.values()) > 60  # 100 each, give or take 4.6 standard deviations


@pytest.mark.parametrize(
    ("pipeline", "complaints"),
    [
        ([{CLASS_NAME: "HorizontalFlop"}], ["Did you mean 'HorizontalFlip'?"]),
        ([{CLASS_NAME: "Affine", "rotat": 3}], ["Affine.rotat: no such argument. Did you mean 'rotate'?"]),
        ([{CLASS_NAME: "GridDropout", "ratio": 3}], ["GridDropout.ratio: 3 is wrong"]),
        ([{CLASS_NAME: "Rotate", "fill_mask": 0}], ["write 255 (void)"]),
        ([{CLASS_NAME: "Rotate", "mask_interpolation": 1}], ["would mix labels"]),
        (
            [{CLASS_NAME: "OneOf", "transforms": [{CLASS_NAME: "Blurr"}, {CLASS_NAME: "Rotate", "limits": 3}]}],
            ["2 problems", "Did you mean 'Blur'?", "Did you mean 'limit'?"],
        ),
        ([{CLASS_NAME: "RandomCrop", "height": 32, "width": 32}], ["an image of 64x64 came out as"]),
        ([{CLASS_NAME: "Normalize"}], ["float32"]),
        ([{CLASS_NAME: "BBoxSafeRandomCrop", "p": 1.0}], ["augment.pipeline: BBoxSafeRandomCrop cannot be run"]),
        ([{CLASS_NAME: "BasicTransform"}], ["BasicTransform: there is no such transform"]),
        ([{CLASS_NAME: "BaseCompose", "transforms": []}], ["BaseCompose: there is no such transform"]),
        ([{CLASS_NAME: "Morphological"}], ["Morphological: it lets one label"]),
    ],
)
def test_a_wrong_pipeline_says_what_was_meant(pipeline: list[dict[str, Any]], complaints: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        check_augmentation(AugmentConfig(pipeline=pipeline), (64, 64))
    for complaint in complaints:
        assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("pipeline", "complaint"),
    [
        ([{CLASS_NAME: "RandomHorizontalFlop"}], "Did you mean 'RandomHorizontalFlip'?"),
        ([{CLASS_NAME: "RandomAffine", "degres": 3}], "Did you mean 'degrees'?"),
        ([{CLASS_NAME: "RandomAffine", "degrees": 3, "scale": 2}], "RandomAffine: "),
        ([{CLASS_NAME: "TrivialAugmentWide"}], "augment.policy moves both"),
        ([{CLASS_NAME: "TrivialAugment"}], "there is no such transform"),
        ([{CLASS_NAME: "ToPILImage"}], "ToPILImage: neither the transforms after it"),
    ],
)
def test_a_wrong_torchvision_pipeline_too(pipeline: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(ConfigError, match="problem") as caught:
        check_augmentation(AugmentConfig(engine=Engine.TORCHVISION, pipeline=pipeline), (64, 64))
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        ([[["Rotat", 0.5, 3]]], "sub-policy 1: there is no operation 'Rotat'. Did you mean 'Rotate'?"),
        ([[["Rotate", 1.5, 3]]], "the probability 1.5"),
        ([[[["Rotate"], 0.5, 3]]], "sub-policy 1: there is no operation ['Rotate']."),
        ([[[None, 0.5, 3]]], "sub-policy 1: there is no operation None."),
        ([[["Invert", 0.5, None]], [["Rotate", 0.5, 10]]], "sub-policy 2: Rotate: the level 10"),
    ],
)
def test_a_wrong_policy_names_the_place(policy: list[Any], complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_augmentation(AugmentConfig(policy=policy), (64, 64))
    assert complaint in str(caught.value)


def test_a_given_policy_does_what_it_says() -> None:
    """Translating by level 9 of 9 moves the image by 150/331 of its width, one way or the other."""
    augment = Augmenter(AugmentConfig(pipeline="none", policy=[[["TranslateX", 1.0, 9], ["Invert", 1.0, None]]]))
    image = np.full((8, 331, 3), 55, np.uint8)
    sides = Counter()
    for seed in range(20):
        changed, mask = augment(image, np.zeros((8, 331), np.uint8), seed=seed)
        assert (mask == 255).sum() == 8 * 150
        assert (changed[mask == 0] == 200).all()
        sides["left" if mask[0, 0] == 255 else "right"] += 1
    assert len(sides) == 2


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_file_that_albumentations_saved_is_read(form: Any, tmp_path: Path) -> None:
    written = albumentations.Compose(
        [albumentations.Rotate(30, fill_mask=255), albumentations.OneOf([albumentations.Blur()])]
    )
    albumentations.save(written, str(tmp_path / "own.yaml"), data_format=form)
    config = with_files(AugmentConfig(pipeline="own.yaml"), tmp_path)
    assert isinstance(config.pipeline, list)
    assert [entry[CLASS_NAME] for entry in config.pipeline] == ["Rotate", "OneOf"]
    check_augmentation(config, (64, 64))
