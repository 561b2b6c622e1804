from pathlib import Path
from typing import Any

import albumentations
import numpy as np
import pytest
from albumentations.core.serialization import SERIALIZABLE_REGISTRY
from torchvision.transforms import v2

from competition.config.augmentation import CLASS_NAME, AugmentConfig, Engine, with_files
from competition.config.settings import IGNORE_INDEX
from competition.errors import ConfigError
from competition.training.augmenting.augmenter import Augmenter
from competition.training.augmenting.checks import check_augmentation
from competition.training.augmenting.pipeline import build_transforms
from competition.training.augmenting.policies import Sharpness

FLIP = {CLASS_NAME: "HorizontalFlip"}
SIZE = (32, 32)


def built(*entries: dict[str, Any], engine: Engine = Engine.ALBUMENTATIONS) -> list[Any]:
    return build_transforms(list(entries), engine, source="test")


@pytest.mark.parametrize("name", [name for name in SERIALIZABLE_REGISTRY if name != Sharpness.get_class_fullname()])
@pytest.mark.parametrize("arguments", [{}, {"transforms": []}], ids=["alone", "empty"])
def test_any_name_of_albumentations_is_tried_or_refused(name: str, arguments: dict[str, Any]) -> None:
    """Whatever its library raises, where it is built or run, comes out as an error that names the transform."""
    complaint = complaint_of(AugmentConfig(pipeline=[{CLASS_NAME: name, **arguments}]))
    assert not complaint or name in complaint or "came out as" in complaint


@pytest.mark.parametrize("name", [name for name, kind in vars(v2).items() if isinstance(kind, type)])
@pytest.mark.parametrize("arguments", [{}, {"transforms": []}], ids=["alone", "empty"])
def test_any_name_of_torchvision_is_tried_or_refused(name: str, arguments: dict[str, Any]) -> None:
    complaint = complaint_of(AugmentConfig(engine=Engine.TORCHVISION, pipeline=[{CLASS_NAME: name, **arguments}]))
    assert not complaint or name in complaint or "came out as" in complaint


def complaint_of(config: AugmentConfig) -> str:
    try:
        check_augmentation(config, SIZE)
    except ConfigError as error:
        return str(error)
    return ""


def test_the_transform_that_cannot_be_run_is_named() -> None:
    boxes = {CLASS_NAME: "BBoxSafeRandomCrop", "p": 1.0}
    for entry in (boxes, {CLASS_NAME: "Sequential", "transforms": [boxes], "p": 1.0}):
        with pytest.raises(ConfigError, match=f"^augment.pipeline: {entry[CLASS_NAME]} cannot be run: KeyError"):
            check_augmentation(AugmentConfig(pipeline=[FLIP, entry, FLIP]), SIZE)


@pytest.mark.parametrize("transforms", [3, None, FLIP, "HorizontalFlip", [3]])
def test_what_a_compose_holds_is_a_list_of_transforms(transforms: Any) -> None:
    with pytest.raises(ValueError, match=r"are not a list|names its class"):
        AugmentConfig(pipeline=[{CLASS_NAME: "OneOf", "transforms": transforms}])


@pytest.mark.parametrize(
    "entry",
    [
        {CLASS_NAME: "Blur", "blur_limit": [4, 6]},  # would become 5 to 7
        {CLASS_NAME: "MotionBlur", "blur_limit": [2, 4]},
        {CLASS_NAME: "SomeOf", "transforms": [FLIP], "n": 5},
        {CLASS_NAME: "OneOrOther", "transforms": [FLIP, FLIP, FLIP]},
    ],
    ids=lambda entry: str(entry[CLASS_NAME]),
)
def test_a_warning_about_arguments_is_an_error(entry: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"  {entry[CLASS_NAME]}: "):
        built(entry)


@pytest.mark.parametrize("name", ["PiecewiseAffine", "ShiftScaleRotate", "TimeReverse"])
def test_a_warning_about_the_transform_itself_is_none(name: str) -> None:
    """That it is slow, or an alias of another, is said whatever its arguments are."""
    assert len(built({CLASS_NAME: name}, {CLASS_NAME: name, "p": 0.3})) == 2


def test_channels_may_be_changed_where_pixels_stay() -> None:
    blur = {CLASS_NAME: "OneOf", "transforms": [{CLASS_NAME: "Blur"}, {CLASS_NAME: "GaussNoise"}]}
    check_augmentation(
        AugmentConfig(pipeline=[{CLASS_NAME: "SelectiveChannelTransform", "transforms": [blur], "p": 1.0}]), SIZE
    )


def _saved(pipeline: Any, folder: Path) -> list[dict[str, Any]]:
    albumentations.save(pipeline, str(folder / "own.yaml"), data_format="yaml")
    config = with_files(AugmentConfig(pipeline="own.yaml"), folder)
    check_augmentation(config, (64, 64))
    assert isinstance(config.pipeline, list)
    return config.pipeline


def test_saved_composes_are_read_at_any_depth(tmp_path: Path) -> None:
    flip, blur = albumentations.HorizontalFlip(), albumentations.Blur()
    for pipeline, names in (
        (albumentations.Compose([flip, blur]), ["HorizontalFlip", "Blur"]),
        (albumentations.Compose([flip, blur], p=0.8), ["Compose"]),
        (albumentations.Compose([albumentations.Compose([flip], p=0.5), blur]), ["Compose", "Blur"]),
        (albumentations.Compose([albumentations.Sequential([flip, blur])]), ["Sequential"]),
        (albumentations.OneOf([flip, blur]), ["OneOf"]),
    ):
        assert [entry[CLASS_NAME] for entry in _saved(pipeline, tmp_path)] == names


def test_a_saved_compose_with_a_probability_keeps_it(tmp_path: Path) -> None:
    pipeline = albumentations.Compose([albumentations.InvertImg(p=1.0)], p=0.25)
    augment = Augmenter(AugmentConfig(pipeline=_saved(pipeline, tmp_path)))
    changed = 0
    for seed in range(200):
        image, mask = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8)
        changed += bool(augment(image, mask, seed=seed)[0].any())
    assert 30 < changed < 70


def test_a_saved_fill_mask_of_nobodys_choice_is_void(tmp_path: Path) -> None:
    """albumentations writes its own default, 0, into every file; written by hand it is an error."""
    rotate = albumentations.Rotate((45, 45), p=1.0)
    for pipeline in (albumentations.Compose([rotate]), albumentations.OneOf([rotate], p=1.0)):
        augment = Augmenter(AugmentConfig(pipeline=_saved(pipeline, tmp_path)))
        _, mask = augment(np.zeros((64, 64, 3), np.uint8), np.ones((64, 64), np.uint8), seed=0)
        assert set(np.unique(mask)) == {1, IGNORE_INDEX}
    (tmp_path / "own.yaml").write_text(f"[{{{CLASS_NAME}: Rotate, fill_mask: 0}}]")
    with pytest.raises(ConfigError, match=r"Rotate.fill_mask: 0 would .* write 255"):
        check_augmentation(with_files(AugmentConfig(pipeline="own.yaml"), tmp_path), SIZE)


@pytest.mark.parametrize(
    "transform", [albumentations.CoarseDropout(fill_mask=0), albumentations.Rotate(fill_mask=7)], ids=["hole", "class"]
)
def test_a_saved_fill_mask_that_was_chosen_is_none_of_them(transform: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"fill_mask: \d.0 would give a class"):
        _saved(albumentations.Compose([transform]), tmp_path)
