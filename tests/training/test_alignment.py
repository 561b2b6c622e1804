"""Image and mask move together: an image whose colours are its labels must still agree with its mask."""

import inspect
from collections.abc import Iterator
from typing import Any

import albumentations
import numpy as np
import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from competition.augmentation import CLASS_NAME, PRESETS, AugmentConfig, Engine, Transforms
from competition.settings import IGNORE_INDEX
from competition.training.augment import Augmenter
from competition.training.pipeline import build_transforms
from competition.training.policies import LEVELS, OPERATIONS, policy
from competition.training.presets import preset
from tests.training.colours import coloured, disagreeing, inside, seen

SEEDS = range(16)
IMAGE, MASK = coloured()
HOLES = ("CoarseDropout", "GridDropout")
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
    kept = []
    for entry in entries:
        if "transforms" in entry:
            children = only_spatial(entry["transforms"], engine)
            if children:
                kept.append({**entry, "transforms": children})
        elif is_spatial(entry, engine):
            kept.append(entry)
    return kept


def spatial_operations() -> dict[str, tuple[Engine, dict[str, Any]]]:
    found: dict[str, tuple[Engine, dict[str, Any]]] = {}
    for engine in Engine:
        for name in PRESETS:
            for entry in leaves(preset(AugmentConfig(engine=engine, pipeline=name))):
                if is_spatial(entry, engine):
                    found[f"{engine}-{name}-{entry[CLASS_NAME]}"] = (engine, always(entry, engine))
    for name, operation in OPERATIONS.items():
        strengths = [operation.at(level / (LEVELS - 1)) for level in (0, 3, LEVELS - 1)]
        for number, entry in enumerate(leaves([*strengths, operation.anywhere])):
            if is_spatial(entry, Engine.ALBUMENTATIONS):
                found[f"policy-{name}-{number}"] = (Engine.ALBUMENTATIONS, entry)
    return found


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
    spatial = only_spatial(preset(AugmentConfig(engine=engine, pipeline=name)), engine)
    augment = Augmenter(AugmentConfig(engine=engine, pipeline=spatial))
    for seed in SEEDS:
        assert disagreeing(*inside(*augment(IMAGE, MASK, seed=seed))) == 0, seed


@pytest.mark.parametrize("name", ["randaugment", "trivialaugment"])
def test_whole_policies_keep_labels_in_their_places(name: str) -> None:
    spatial = only_spatial(policy(AugmentConfig(policy=name, magnitude=20, operations=3)), Engine.ALBUMENTATIONS)
    augment = Augmenter(AugmentConfig(pipeline=spatial))
    moved = 0
    for seed in SEEDS:
        image, mask = augment(IMAGE, MASK, seed=seed)
        assert disagreeing(*inside(image, mask)) == 0, seed
        moved += not np.array_equal(mask, MASK)
    assert moved > len(SEEDS) // 2


OWN: list[dict[str, Any]] = [
    {CLASS_NAME: "RandomResizedCrop", "size": [64, 64], "scale": [0.2, 0.8]},
    {CLASS_NAME: "RandomSizedCrop", "size": [64, 64], "min_max_height": [20, 60]},
    {CLASS_NAME: "CropAndPad", "percent": 0.2, "sample_independently": True},
    {CLASS_NAME: "CropAndPad", "percent": -0.2},
    {CLASS_NAME: "Rotate", "limit": 90},
    {CLASS_NAME: "Rotate", "limit": 90, "border_mode": 4},
    {CLASS_NAME: "SafeRotate", "limit": 90},
    {CLASS_NAME: "Affine", "scale": [0.5, 2], "rotate": [-90, 90], "shear": [-20, 20]},
    {CLASS_NAME: "Perspective", "scale": [0.05, 0.2]},
    {CLASS_NAME: "ElasticTransform", "alpha": 50, "sigma": 6},
    {CLASS_NAME: "GridDistortion", "distort_limit": 0.4},
    {CLASS_NAME: "OpticalDistortion", "distort_limit": 0.4},
    {CLASS_NAME: "ThinPlateSpline", "scale_range": [0.1, 0.2]},
    {CLASS_NAME: "RandomGridShuffle", "grid": [2, 2]},
    {CLASS_NAME: "D4"},
    {CLASS_NAME: "Transpose"},
    {CLASS_NAME: "RandomRotate90"},
]


@pytest.mark.parametrize("entry", OWN, ids=lambda entry: str(entry[CLASS_NAME]))
def test_transforms_that_a_team_writes_are_completed_to_be_true(entry: dict[str, Any]) -> None:
    image, mask = coloured((64, 64))
    augment = Augmenter(AugmentConfig(pipeline=[{**entry, "p": 1.0}]))
    for seed in SEEDS:
        assert disagreeing(*augment(image, mask, seed=seed)) == 0, seed


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
    image, mask = built(
        tv_tensors.Image(torch.from_numpy(IMAGE).permute(2, 0, 1)), tv_tensors.Mask(torch.from_numpy(MASK))
    )
    outside = (image == 9).all(dim=0)
    assert outside.any()
    assert (mask[outside] == IGNORE_INDEX).all()
