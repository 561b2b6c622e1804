"""Image and mask move together: an image whose colours are its labels must still agree with its mask."""

import inspect
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import albumentations
import numpy as np
import pytest
import torch
from albumentations.core.serialization import SERIALIZABLE_REGISTRY
from torchvision.transforms import v2

from competition.config.augmentation import CLASS_NAME, HOLES, PRESETS, AugmentConfig, Engine, Transforms, with_files
from competition.config.settings import IGNORE_INDEX
from competition.errors import ConfigError
from competition.training.augmenting.augmenter import Augmenter
from competition.training.augmenting.checks import check_augmentation
from competition.training.augmenting.pipeline import build_transforms, through_torchvision
from competition.training.augmenting.policies import LEVELS, OPERATIONS, policy_entries
from competition.training.augmenting.presets import pipeline_entries
from tests.training.colours import coloured, disagreeing, inside, seen

SEEDS = range(16)
IMAGE, MASK = coloured()
GEOMETRIC = ("RandomHorizontalFlip", "RandomVerticalFlip", "RandomAffine", "ElasticTransform", "RandomPerspective")


def leaves(entries: Transforms) -> Iterator[dict[str, Any]]:
    for entry in entries:
        if "transforms" in entry:
            yield from leaves(entry["transforms"])
        else:
            yield entry


def is_spatial(entry: dict[str, Any], engine: Engine) -> bool:
    if engine is Engine.TORCHVISION:
        return entry[CLASS_NAME] in GEOMETRIC
    kind = getattr(albumentations, entry[CLASS_NAME], albumentations.NoOp)
    return issubclass(kind, albumentations.DualTransform) and entry[CLASS_NAME] not in (*HOLES, "NoOp")


def always(entry: dict[str, Any], engine: Engine) -> dict[str, Any]:
    kind = getattr(albumentations if engine is Engine.ALBUMENTATIONS else v2, entry[CLASS_NAME])
    return {**entry, "p": 1.0} if "p" in inspect.signature(kind).parameters else entry


def only_spatial(entries: Transforms, engine: Engine) -> Transforms:
    """The same pipeline, structure and probabilities, without what changes colours."""
    spatial = []
    for entry in entries:
        if "transforms" in entry:
            children = only_spatial(entry["transforms"], engine)
            if children:
                spatial.append({**entry, "transforms": children})
        elif is_spatial(entry, engine):
            spatial.append(entry)
    return spatial


def spatial_operations() -> dict[str, tuple[Engine, dict[str, Any]]]:
    operations: dict[str, tuple[Engine, dict[str, Any]]] = {}
    for engine in Engine:
        for name in PRESETS:
            for entry in leaves(pipeline_entries(AugmentConfig(engine=engine, pipeline=name))):
                if is_spatial(entry, engine):
                    operations[f"{engine}-{name}-{entry[CLASS_NAME]}"] = (engine, always(entry, engine))
    for name, operation in OPERATIONS.items():
        strengths = [operation.at(level / (LEVELS - 1)) for level in (0, 3, LEVELS - 1)]
        for number, entry in enumerate(leaves([*strengths, operation.at_random_strength])):
            if is_spatial(entry, Engine.ALBUMENTATIONS):
                operations[f"policy-{name}-{number}"] = (Engine.ALBUMENTATIONS, entry)
    return operations


OPERATIONS_OF_ALL = spatial_operations()


@pytest.mark.parametrize("name", OPERATIONS_OF_ALL)
def test_every_spatial_operation_moves_the_mask_with_the_image(name: str) -> None:
    engine, entry = OPERATIONS_OF_ALL[name]
    augment = Augmenter(AugmentConfig(engine=engine, pipeline=[entry]))
    clear = 0
    for seed in SEEDS:
        image, mask = augment(IMAGE, MASK, seed=seed)
        assert disagreeing(image, mask) == 0, seed
        clear += int(((seen(image) >= 0) & (mask != IGNORE_INDEX)).sum())
    assert clear > 0.2 * MASK.size * len(SEEDS)  # otherwise the above would say little


@pytest.mark.parametrize("engine", Engine)
@pytest.mark.parametrize("name", PRESETS)
def test_whole_presets_keep_labels_in_their_places(name: str, engine: Engine) -> None:
    spatial = only_spatial(pipeline_entries(AugmentConfig(engine=engine, pipeline=name)), engine)
    augment = Augmenter(AugmentConfig(engine=engine, pipeline=spatial))
    for seed in SEEDS:
        assert disagreeing(*inside(*augment(IMAGE, MASK, seed=seed))) == 0, seed


@pytest.mark.parametrize("name", ["randaugment", "trivialaugment"])
def test_whole_policies_keep_labels_in_their_places(name: str) -> None:
    spatial = only_spatial(
        policy_entries(AugmentConfig(policy=name, magnitude=20, operations=3)), Engine.ALBUMENTATIONS
    )
    augment = Augmenter(AugmentConfig(pipeline=spatial))
    moved = 0
    for seed in SEEDS:
        image, mask = augment(IMAGE, MASK, seed=seed)
        assert disagreeing(*inside(image, mask)) == 0, seed
        moved += not np.array_equal(mask, MASK)
    assert moved > len(SEEDS) // 2


NO_SUCH = "there is no such transform"
REFUSED = {
    "BBoxSafeRandomCrop": "cannot be run",  # needs boxes, as some others do
    "BaseCrop": NO_SUCH,
    "BaseCropAndPad": NO_SUCH,
    "BaseDistortion": NO_SUCH,
    "BaseDropout": NO_SUCH,
    "DualTransform": NO_SUCH,
    "FrequencyMasking": "gives class 0 to hidden pixels",
    "GridElasticDeform": "gives class 0 to pixels from outside the image",
    "MaxSizeTransform": NO_SUCH,
    "Morphological": "grow over another",
    "Mosaic": "cannot be run",  # needs other images
    "OverlayElements": "cannot be run",  # needs what to lay over
    "RandomCropNearBBox": "cannot be run",
    "RandomSizedBBoxSafeCrop": "cannot be run",
    "TimeMasking": "gives class 0 to hidden pixels",
    "_BaseRandomSizedCrop": NO_SUCH,
    **{name: NO_SUCH for name, kind in SERIALIZABLE_REGISTRY.items() if issubclass(kind, albumentations.Transform3D)},
}
"""What moves pixels in albumentations and is refused, and what the error says of it."""

PART = {"height": 48, "width": 48}
SQUARE = {"size": [64, 64]}
GIVEN: dict[str, list[dict[str, Any]]] = {
    "Affine": [{"scale": [0.5, 2], "rotate": [-90, 90], "shear": [-20, 20]}],
    "AtLeastOneBBoxRandomCrop": [PART],
    "CenterCrop": [PART, {"height": 80, "width": 80, "pad_if_needed": True}],
    "CoarseDropout": [{"fill_mask": 255}],
    "ConstrainedCoarseDropout": [{"fill_mask": 255, "mask_indices": [1, 2]}],
    "Crop": [{"x_max": 40, "y_max": 50}],
    "CropAndPad": [{"percent": 0.2}, {"percent": -0.2}],
    "CropNonEmptyMaskIfExists": [PART],
    "ElasticTransform": [{"alpha": 50, "sigma": 6}],
    "Erasing": [{"fill_mask": 255}],
    "GridDistortion": [{"distort_limit": 0.4}],
    "GridDropout": [{"fill_mask": 255}],
    "LongestMaxSize": [{"max_size": 100}],
    "OpticalDistortion": [{"distort_limit": 0.4}],
    "Pad": [{"padding": 9}],
    "PadIfNeeded": [{"min_height": 90, "min_width": 80}],
    "Perspective": [{"scale": [0.05, 0.2]}, {"scale": [0.05, 0.2], "fit_output": True}],
    "RandomCrop": [PART],
    "RandomGridShuffle": [{"grid": [2, 2]}],
    "RandomResizedCrop": [
        {**SQUARE, "scale": [0.2, 0.8]},
        {**SQUARE, "scale": [0.2, 0.8], "interpolation": 0},
        {**SQUARE, "scale": [0.2, 0.8], "mask_interpolation": 0},
    ],
    "RandomScale": [{"scale_limit": 0.5}, {"scale_limit": 0.5, "area_for_downscale": "image"}],
    "RandomSizedCrop": [{**SQUARE, "min_max_height": [20, 60]}],
    "Resize": [{"height": 50, "width": 90}],
    "Rotate": [{}, {"border_mode": 4}],
    "SmallestMaxSize": [{"max_size": 50}],
    "ThinPlateSpline": [{"scale_range": [0.1, 0.2]}],
    "XYMasking": [{"num_masks_x": 2, "mask_x_length": 8, "fill_mask": 255}],
}
"""What a transform is tried with, where its defaults do not do or do too little."""

MOVING = sorted(
    name
    for name, kind in SERIALIZABLE_REGISTRY.items()
    if issubclass(kind, albumentations.DualTransform) and kind.__module__.startswith("albumentations.")
)
TRIED = [
    pytest.param(name, arguments, id="-".join([name, *arguments]))
    for name in MOVING
    if name not in REFUSED and name != "PixelDropout"  # which draws other pixels for the mask than for the image
    for arguments in GIVEN.get(name, [{}])
]


def agree(transforms: list[Any]) -> None:
    """These transforms of albumentations keep every clear pixel with its label, and leave enough of them."""
    image, mask = coloured((64, 64))
    pipeline = albumentations.Compose(transforms)
    clear = 0.0
    for seed in SEEDS:
        pipeline.set_random_seed(seed)
        changed = pipeline(image=image, mask=mask)
        assert disagreeing(changed["image"], changed["mask"]) == 0, seed
        clear += ((seen(changed["image"]) >= 0) & (changed["mask"] != IGNORE_INDEX)).mean()
    assert clear > 0.2 * len(SEEDS)


@pytest.mark.parametrize("name", REFUSED)
def test_transforms_that_cannot_be_true_are_refused(name: str) -> None:
    entry = {CLASS_NAME: name, "p": 1.0, **({"height": 64, "width": 64} if name == "RandomSizedBBoxSafeCrop" else {})}
    with pytest.raises(ConfigError, match=REFUSED[name]):
        check_augmentation(AugmentConfig(pipeline=[entry]), (64, 64))


@pytest.mark.parametrize(("name", "arguments"), TRIED)
def test_transforms_that_a_team_writes_are_completed_to_be_true(name: str, arguments: dict[str, Any]) -> None:
    """Whatever albumentations has that moves pixels: one that a new version brings is tried, too."""
    agree(build_transforms([{CLASS_NAME: name, "p": 1.0, **arguments}], Engine.ALBUMENTATIONS, source="test"))


SAVED_WITH_MORE = ("PadIfNeeded", "SafeRotate")
"""albumentations saves these with arguments that they do not take."""


@pytest.mark.parametrize(("name", "arguments"), TRIED)
def test_transforms_that_albumentations_saves_are_true_as_well(
    name: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some transforms would rather be called otherwise
        pipeline = albumentations.Compose([SERIALIZABLE_REGISTRY[name](**arguments, p=1.0)])
    albumentations.save(pipeline, str(tmp_path / "own.yaml"), data_format="yaml")
    saved = with_files(AugmentConfig(pipeline="own.yaml"), tmp_path).pipeline
    assert isinstance(saved, list)
    if name in SAVED_WITH_MORE:
        with pytest.raises(ConfigError, match="no such argument"):
            build_transforms(saved, Engine.ALBUMENTATIONS, source="test")
        return
    agree(build_transforms(saved, Engine.ALBUMENTATIONS, source="test"))


def test_holes_are_all_that_may_leave_the_mask_alone() -> None:
    signatures = {name: inspect.signature(SERIALIZABLE_REGISTRY[name]).parameters for name in {*MOVING} - {*REFUSED}}
    assert {n for n, keys in signatures.items() if "fill_mask" in keys and keys["fill_mask"].default is None} == {
        *HOLES
    }
    inside_masks = {"mask_indices": [1, 2], "hole_height_range": [0.5, 0.5], "hole_width_range": [0.5, 0.5]}
    given = {"XYMasking": {"num_masks_x": 2, "mask_x_length": 8}, "ConstrainedCoarseDropout": inside_masks}
    for name in (*HOLES, "PixelDropout"):
        augment = Augmenter(AugmentConfig(pipeline=[{CLASS_NAME: name, "p": 1.0, **given.get(name, {})}]))
        images, masks = zip(*(augment(IMAGE, MASK, seed=seed) for seed in SEEDS), strict=True)
        assert all(np.array_equal(mask, MASK) for mask in masks), name
        assert any((image != IMAGE).any() for image in images), name


@pytest.mark.parametrize(
    "entry",
    [
        {CLASS_NAME: "PixelDropout", "mask_drop_value": 0},
        {CLASS_NAME: "CoarseDropout", "fill_mask": 0},
        {CLASS_NAME: "MaskDropout", "fill_mask": 3},
        {CLASS_NAME: "Resize", "height": 64, "width": 64, "area_for_downscale": "image_mask"},
        {CLASS_NAME: "Compose", "transforms": [], "mask_interpolation": 1},
        {CLASS_NAME: "SelectiveChannelTransform", "transforms": [{CLASS_NAME: "HorizontalFlip"}]},
    ],
    ids=lambda entry: str(entry[CLASS_NAME]),
)
def test_arguments_that_corrupt_masks_are_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="1 problem\n  " + entry[CLASS_NAME]):
        check_augmentation(AugmentConfig(pipeline=[entry]), (64, 64))


def test_dropped_pixels_may_be_void_but_no_class() -> None:
    entry = {CLASS_NAME: "PixelDropout", "p": 1.0, "dropout_prob": 0.2, "mask_drop_value": IGNORE_INDEX}
    _, mask = Augmenter(AugmentConfig(pipeline=[entry]))(IMAGE, MASK, seed=1)
    assert 0.1 < (mask != MASK).mean() < 0.3
    assert (mask[mask != MASK] == IGNORE_INDEX).all()


def test_a_nested_compose_keeps_what_its_children_were_completed_with() -> None:
    crop = {CLASS_NAME: "RandomResizedCrop", "size": [64, 64], "scale": [0.2, 0.8], "p": 1.0}
    for given in ({}, {"mask_interpolation": 0}):
        entry = {CLASS_NAME: "Compose", "transforms": [crop], **given}
        agree(build_transforms([entry], Engine.ALBUMENTATIONS, source="test"))


COLOURS = ("RandomChannelPermutation", "RandomGrayscale", "RandomInvert", "RandomPhotometricDistort", "RandomSolarize")
"""What changes the colours of images in torchvision so that they no longer tell the labels."""
FLIP = {"transforms": [{CLASS_NAME: "RandomHorizontalFlip"}]}
GIVEN_TO_TORCHVISION: dict[str, list[dict[str, Any]]] = {
    "CenterCrop": [{"size": 48}],
    "Compose": [FLIP],
    "ConvertBoundingBoxFormat": [{"format": "XYXY"}],
    "ElasticTransform": [{"alpha": 80.0}],
    "GaussianBlur": [{"kernel_size": 3}],
    "Pad": [{"padding": 9}, {"padding": 9, "padding_mode": "reflect"}],
    "RandomAdjustSharpness": [{"sharpness_factor": 2}],
    "RandomAffine": [{"degrees": 40, "translate": [0.1, 0.1], "scale": [0.6, 1.5], "shear": 10}],
    "RandomApply": [FLIP],
    "RandomChoice": [FLIP],
    "RandomCrop": [{"size": [48, 48], "padding": 8}],
    "RandomOrder": [FLIP],
    "RandomPosterize": [{"bits": 4}],
    "RandomResize": [{"min_size": 40, "max_size": 100}],
    "RandomResizedCrop": [
        {**SQUARE, "scale": [0.2, 0.8]},
        {**SQUARE, "scale": [0.2, 0.8], "interpolation": 0},
        {**SQUARE, "scale": [0.2, 0.8], "antialias": False},
    ],
    "RandomRotation": [{"degrees": 50}, {"degrees": 50, "expand": True}],
    "RandomShortestSize": [{"min_size": [40, 90]}],
    "RandomSolarize": [{"threshold": 100}],
    "Resize": [{"size": [50, 90]}, {"size": 50, "interpolation": 0}],
    "ScaleJitter": [{"target_size": [64, 64]}],
    "SetClampingMode": [{"clamping_mode": "soft"}],
    "UniformTemporalSubsample": [{"num_samples": 2}],
}
REFUSED_OF_TORCHVISION = {
    "AugMix": "without its mask",
    "AutoAugment": "without its mask",
    "ConvertImageDtype": "came out as float32",
    "CutMix": "mix.cutmix",
    "FiveCrop": "FiveCrop cannot be run",
    "Grayscale": "came out as",
    "Lambda": "takes a function",
    "JPEG": "drop it",
    "LinearTransformation": "LinearTransformation: ",  # takes tensors
    "MixUp": "mix.mixup",
    "Normalize": "Normalize cannot be run",
    "RandAugment": "without its mask",
    "RandomErasing": "augment.cutout",
    "RandomIoUCrop": "RandomIoUCrop cannot be run",
    "SanitizeBoundingBoxes": "SanitizeBoundingBoxes cannot be run",
    "SanitizeKeyPoints": "SanitizeKeyPoints cannot be run",
    "TenCrop": "TenCrop cannot be run",
    "ToDtype": "ToDtype: ",  # takes a torch.dtype
    "ToPILImage": "ToPILImage: ",
    "ToPureTensor": "no longer tell the mask",
    "Transform": NO_SUCH,
    "TrivialAugmentWide": "without its mask",
}
OF_TORCHVISION = sorted(n for n, kind in vars(v2).items() if inspect.isclass(kind) and issubclass(kind, v2.Transform))


@pytest.mark.parametrize("name", sorted({*REFUSED_OF_TORCHVISION} & {*OF_TORCHVISION}))
def test_transforms_of_torchvision_that_cannot_be_true_are_refused(name: str) -> None:
    given = {"FiveCrop": {"size": 64}, "TenCrop": {"size": 64}, "Normalize": {"mean": [0], "std": [1]}}
    with pytest.raises(ConfigError, match=REFUSED_OF_TORCHVISION[name]):
        check_augmentation(
            AugmentConfig(engine=Engine.TORCHVISION, pipeline=[{CLASS_NAME: name, **given.get(name, {})}]), (64, 64)
        )


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        pytest.param(name, arguments, id="-".join([name, *arguments]))
        for name in OF_TORCHVISION
        if name not in REFUSED_OF_TORCHVISION
        for arguments in GIVEN_TO_TORCHVISION.get(name, [{}])
    ],
)
def test_transforms_of_torchvision_that_a_team_writes_are_true(name: str, arguments: dict[str, Any]) -> None:
    image, mask = coloured((64, 64))
    entry = {CLASS_NAME: name, **arguments}
    if name != "RandomChoice":  # whose p is a list
        entry = always(entry, Engine.TORCHVISION)
    pipeline = v2.Compose(build_transforms([entry], Engine.TORCHVISION, source="test"))
    clear = 0.0
    for seed in SEEDS:
        torch.manual_seed(seed)
        changed, moved = through_torchvision(pipeline, image, mask)
        assert disagreeing(changed, moved) == 0 or (name in COLOURS and np.array_equal(moved, mask)), seed
        clear += ((seen(changed) >= 0) & (moved != IGNORE_INDEX)).mean()
    assert clear > 0.2 * len(SEEDS)


@pytest.mark.parametrize("engine", Engine)
def test_what_comes_in_from_outside_is_void(engine: Engine) -> None:
    half = {
        Engine.ALBUMENTATIONS: {CLASS_NAME: "Affine", "translate_percent": {"x": [0.5, 0.5], "y": [0, 0]}, "p": 1.0},
        Engine.TORCHVISION: {CLASS_NAME: "Pad", "padding": [32, 0, -32, 0]},
    }
    image, mask = Augmenter(AugmentConfig(engine=engine, pipeline=[half[engine]]))(IMAGE, MASK, seed=0)
    assert (mask[:, :32] == IGNORE_INDEX).all()
    assert (image[:, :32] == 0).all()
    assert np.array_equal(mask[:, 32:], MASK[:, :32])
    assert np.array_equal(image[:, 32:], IMAGE[:, :32])


@pytest.mark.parametrize(("key", "share"), [("cutout", 0.02), ("gridmask", 0.15)])
@pytest.mark.parametrize("on_mask", ["keep", "void"])
def test_holes_keep_or_void_the_mask(key: str, on_mask: str, share: float) -> None:
    augment = Augmenter(AugmentConfig(pipeline="none", **{key: 1.0, f"{key}_mask": on_mask}))  # type: ignore[arg-type]
    image, mask = augment(IMAGE, MASK, seed=3)
    holes = (image != IMAGE).any(axis=2)
    assert share < holes.mean() < 0.6
    assert np.array_equal(mask[~holes], MASK[~holes])
    assert np.array_equal(mask[holes], MASK[holes] if on_mask == "keep" else np.full(holes.sum(), IGNORE_INDEX))


def test_torchvision_fills_masks_with_void_whatever_the_image_gets() -> None:
    entry = {CLASS_NAME: "RandomAffine", "degrees": 0, "translate": [0.5, 0.5], "fill": 9}
    (built,) = build_transforms([entry], Engine.TORCHVISION, source="test")
    torch.manual_seed(1)
    image, mask = through_torchvision(v2.Compose([built]), IMAGE, MASK)
    outside = (image == 9).all(axis=2)
    assert outside.any()
    assert (mask[outside] == IGNORE_INDEX).all()
