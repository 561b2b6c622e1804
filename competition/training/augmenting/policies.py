"""Policies of the AutoAugment family for images with masks, as albumentations pipelines.

The published policies are for classification and ignore masks. Here an operation that moves pixels moves the mask with
them, to the nearest pixel, and pixels from outside the image are void. Shears are about the image's centre.

Sources: AutoAugment (Cubuk et al. 2019, arXiv:1805.09501), RandAugment (Cubuk et al. 2020, arXiv:1909.13719),
TrivialAugment (Müller and Hutter 2021, arXiv:2103.10158; its wide space); ranges as in torchvision.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import albumentations
import cv2
import numpy as np
from albumentations.core.transforms_interface import BaseTransformInitSchema

from competition.config.augmentation import AugmentConfig, SubPolicies, Transforms
from competition.data.images import Pixels
from competition.errors import ConfigError, all_problems, did_you_mean
from competition.training.augmenting.presets import entry

MAX_MAGNITUDE = 30
"""RandAugment's magnitudes go from 0 to this value."""
LEVELS = 10
"""An AutoAugment operation's levels go from 0 to LEVELS - 1."""

MakeTransform = Callable[[float, float], dict[str, Any]]
"""The transform for a quantity in the range from the first number to the second."""


class Sharpness(albumentations.ImageOnlyTransform):  # type: ignore[misc]  # a library without types
    """Blends an image with a smoothed copy, as Pillow's ImageEnhance.Sharpness: factor 0 is smooth, 1 is unchanged.

    The sharpening transforms of albumentations cannot soften.
    """

    class InitSchema(BaseTransformInitSchema):  # type: ignore[misc]
        """The types of the arguments."""

        factor_range: tuple[float, float]

    def __init__(self, factor_range: tuple[float, float] = (1.0, 1.0), p: float = 0.5) -> None:
        super().__init__(p=p)
        self.factor_range = factor_range

    def get_params(self) -> dict[str, Any]:
        """A random factor for the whole image."""
        return {"factor": self.py_random.uniform(*self.factor_range)}

    def apply(self, img: Pixels, factor: float, **_: Any) -> Pixels:
        """The changed image, uint8 (H, W, 3)."""
        smooth = cv2.filter2D(img, -1, _SMOOTH, borderType=cv2.BORDER_REFLECT_101)
        return cv2.addWeighted(img, factor, smooth, 1 - factor, 0).astype(np.uint8, copy=False)


_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13


@dataclass(frozen=True)
class _Operation:
    """An operation of a policy, at strengths from 0 to 1.

    Args:
        make: makes the transform for a range of the quantity that the operation changes.
        strongest: the quantity at strength 1.
        widest: the quantity at strength 1 in TrivialAugment's wide space.
        signed: True if the quantity may be negative too.
    """

    make: MakeTransform
    strongest: float = 0.0
    widest: float = 0.0
    signed: bool = False

    def at(self, strength: float, *, p: float = 1.0) -> dict[str, Any]:
        """The operation at one strength, with a random sign if it is signed."""
        value = strength * self.strongest
        if self.signed and value:
            return entry("OneOf", transforms=[self.make(value, value), self.make(-value, -value)], p=p)
        return {**self.make(value, value), "p": p}

    @property
    def at_random_strength(self) -> dict[str, Any]:
        """The operation at a random strength of the wide space."""
        return self.make(-self.widest if self.signed else 0.0, self.widest)


def _affine(**arguments: Any) -> dict[str, Any]:
    return entry("Affine", p=1.0, **arguments)


def _shear(axis: str) -> MakeTransform:
    def make(low: float, high: float) -> dict[str, Any]:
        angles = [math.degrees(math.atan(low)), math.degrees(math.atan(high))]
        return _affine(shear={"x": [0, 0], "y": [0, 0], axis: angles})

    return make


def _translate(axis: str) -> MakeTransform:
    return lambda low, high: _affine(translate_percent={"x": [0, 0], "y": [0, 0], axis: [low, high]})


def _colour(quantity: str) -> MakeTransform:
    same = {"brightness": [1, 1], "contrast": [1, 1], "saturation": [1, 1], "hue": [0, 0]}
    return lambda low, high: entry("ColorJitter", **{**same, quantity: [1 + low, 1 + high]}, p=1.0)


def _plain(name: str, **arguments: Any) -> MakeTransform:
    return lambda _low, _high: entry(name, p=1.0, **arguments)


def _posterize(low: float, high: float) -> dict[str, Any]:
    return entry("Posterize", num_bits=[8 - round(high), 8 - round(low)], p=1.0)


def _solarize(low: float, high: float) -> dict[str, Any]:
    return entry("Solarize", threshold_range=[1 - high, 1 - low], p=1.0)


def _sharpness(low: float, high: float) -> dict[str, Any]:
    return entry(Sharpness.get_class_fullname(), factor_range=[1 + low, 1 + high], p=1.0)


OPERATIONS: Mapping[str, _Operation] = {
    "Identity": _Operation(_plain("NoOp")),
    "ShearX": _Operation(_shear("x"), 0.3, 0.99, signed=True),
    "ShearY": _Operation(_shear("y"), 0.3, 0.99, signed=True),
    "TranslateX": _Operation(_translate("x"), 150 / 331, 32 / 224, signed=True),
    "TranslateY": _Operation(_translate("y"), 150 / 331, 32 / 224, signed=True),
    "Rotate": _Operation(lambda low, high: _affine(rotate=[low, high]), 30, 135, signed=True),
    "Brightness": _Operation(_colour("brightness"), 0.9, 0.99, signed=True),
    "Color": _Operation(_colour("saturation"), 0.9, 0.99, signed=True),
    "Contrast": _Operation(_colour("contrast"), 0.9, 0.99, signed=True),
    "Sharpness": _Operation(_sharpness, 0.9, 0.99, signed=True),
    "Posterize": _Operation(_posterize, 4, 6),
    "Solarize": _Operation(_solarize, 1, 1),
    "AutoContrast": _Operation(_plain("AutoContrast", method="pil")),
    "Equalize": _Operation(_plain("Equalize", mode="pil")),
    "Invert": _Operation(_plain("InvertImg")),
}
_WITHOUT_INVERT = [operation for name, operation in OPERATIONS.items() if name != "Invert"]
"""The operations of RandAugment and TrivialAugment."""


def policy_entries(config: AugmentConfig) -> Transforms:
    """The transforms of `config.policy`, as plain values for albumentations.

    Raises:
        ConfigError: a sub-policy has an unknown operation, or a number out of range.
    """
    if isinstance(config.policy, list):
        return [entry("OneOf", transforms=_sub_policies(config.policy), p=1.0)] if config.policy else []
    if config.policy == "randaugment":
        strength = config.magnitude / MAX_MAGNITUDE
        operations = [operation.at(strength) for operation in _WITHOUT_INVERT]
        return [entry("SomeOf", transforms=operations, n=config.operations, replace=True, p=1.0)]
    if config.policy == "trivialaugment":
        return [entry("OneOf", transforms=[operation.at_random_strength for operation in _WITHOUT_INVERT], p=1.0)]
    return []


def _sub_policies(policies: SubPolicies) -> Transforms:
    problems: list[str] = []
    entries = []
    for number, operations in enumerate(policies, start=1):
        for name, probability, level in operations:
            problems += [f"sub-policy {number}: {problem}" for problem in _problems(name, probability, level)]
        if not problems:
            steps = [OPERATIONS[name].at((level or 0) / (LEVELS - 1), p=p) for name, p, level in operations]
            entries.append(entry("Sequential", transforms=steps, p=1.0))
    if problems:
        raise ConfigError(all_problems("augment.policy", problems))
    return entries


def _problems(name: Any, probability: Any, level: Any) -> list[str]:
    problems = []
    if not isinstance(name, str) or name not in OPERATIONS:
        problems.append(f"there is no operation {name!r}.{did_you_mean(str(name), OPERATIONS)}")
    if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
        problems.append(f"{name}: the probability {probability!r} is not a number from 0 to 1.")
    if level is not None and (isinstance(level, bool) or not isinstance(level, int) or not 0 <= level < LEVELS):
        problems.append(f"{name}: the level {level!r} is not an integer from 0 to {LEVELS - 1}.")
    return problems
