"""Sections of the configuration: augmentation, mixing and sampling of training images."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, WrapValidator, model_validator

from competition.config import yamlfile
from competition.config.fields import Positive, Probability, Size, Window
from competition.config.yamlfile import Section, UnusedKeys
from competition.errors import ConfigError, did_you_mean

CLASS_NAME = "__class_fullname__"
"""The key that names the class of a transform, as albumentations writes it; the other keys are its arguments."""

HOLES = ("CoarseDropout", "ConstrainedCoarseDropout", "Erasing", "GridDropout", "XYMasking")
"""Transforms of albumentations that change the mask only if a `fill_mask` is given."""

PRESETS = ("basic", "none", "flips", "street", "medical", "aerial", "heavy")
POLICIES = ("none", "randaugment", "trivialaugment")
_SUFFIXES = (".yaml", ".yml", ".json")

Transforms = list[dict[str, Any]]
"""Transforms as plain values, each with the key CLASS_NAME."""
SubPolicies = list[list[list[Any]]]
"""The sub-policies of an AutoAugment policy: lists of operations [name, probability, level]."""


class Engine(StrEnum):
    """The library whose transforms make up the pipeline."""

    ALBUMENTATIONS = "albumentations"
    TORCHVISION = "torchvision"


def _checked(value: Any, *, names: tuple[str, ...], check: Callable[[Any], None]) -> Any:
    """`value`, if it is one of the names, a file name, or a list that passes the check.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, str):
        if value not in names and not value.endswith(_SUFFIXES):
            near = f"{did_you_mean(value, names)} Write".lstrip()
            raise ValueError(f"{near} one of {', '.join(names)}, a list, or a .yaml file")
    elif isinstance(value, list):
        for entry in value:
            check(entry)
    else:
        raise ValueError(f"write one of {', '.join(names)}, a list, or a .yaml file")
    return value


def _check_transform(entry: Any) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get(CLASS_NAME), str):
        raise ValueError(f"a transform has no {CLASS_NAME}, which names its class")
    children = entry.get("transforms", [])
    if not isinstance(children, list):
        raise ValueError(f"the transforms of {entry[CLASS_NAME]} are not a list")
    for child in children:
        _check_transform(child)


def _check_sub_policy(entry: Any) -> None:
    if not isinstance(entry, list) or not all(isinstance(o, list) and len(o) == 3 for o in entry):
        raise ValueError("each sub-policy is a list of operations [NAME, PROBABILITY, LEVEL]")


Pipeline = Annotated[
    str | Transforms, WrapValidator(lambda value, _: _checked(value, names=PRESETS, check=_check_transform))
]
Policy = Annotated[
    str | SubPolicies, WrapValidator(lambda value, _: _checked(value, names=POLICIES, check=_check_sub_policy))
]
OnMask = Literal["keep", "void"]

_BASIC = ("horizontal_flip", "vertical_flip", "brightness_contrast", "brightness", "contrast")


class AugmentConfig(Section):
    """Random changes of each training image, and of its mask with it.

    `pipeline` is the list of transforms: `basic` (flips, brightness and contrast, with the five keys below it), a
    preset (`none`, `flips`, `street`, `medical`, `aerial`, `heavy`), a list of transforms, or a file with such a list.
    `engine` is the library that the transforms come from.

    `policy` is applied after it: `randaugment` (`operations` of them, each of the `magnitude`, 0 to 30),
    `trivialaugment`, or AutoAugment sub-policies: a list, or a file with one. Then `cutout` (holes) and `gridmask` (a
    grid of holes) are applied, each with its probability; in the holes, the mask is kept or made void.
    """

    engine: Annotated[Engine, Field(strict=False)] = Engine.ALBUMENTATIONS
    pipeline: Pipeline = "basic"
    horizontal_flip: Probability = 0.5
    vertical_flip: Probability = 0.0
    brightness_contrast: Probability = 0.5
    brightness: Probability = 0.2
    contrast: Probability = 0.2
    policy: Policy = "none"
    operations: int = Field(default=2, ge=1, le=10)
    magnitude: int = Field(default=9, ge=0, le=30)
    cutout: Probability = 0.0
    cutout_mask: OnMask = "keep"
    gridmask: Probability = 0.0
    gridmask_mask: OnMask = "keep"

    @property
    def is_own(self) -> bool:
        """Whether the pipeline or the policy is a list by hand, which may be wrong."""
        return isinstance(self.pipeline, list) or isinstance(self.policy, list)


class MixConfig(Section):
    """Training images made of two.

    `mixup` and `cutmix` are the shares of batches that are mixed that way, `copy_paste` the share of images that rare
    classes of another image are pasted onto (`sampling.rare` names the classes). The last `stop_epochs` epochs mix
    nothing.
    """

    mixup: Probability = 0.0
    mixup_alpha: Positive = 0.2
    cutmix: Probability = 0.0
    cutmix_alpha: Positive = 1.0
    copy_paste: Probability = 0.0
    stop_epochs: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_kind_per_batch(self) -> "MixConfig":
        if self.mixup + self.cutmix > 1:
            raise ValueError("a batch is mixed in one way only, so the sum of mixup and cutmix must not exceed 1")
        return self


class SamplingConfig(Section):
    """The images of an epoch, and the part of each that is used.

    `order`: `shuffle` (each image once), or `balanced` (a random class, then an image with it). With probability
    `rare_crop`, an image with a rare class is cut to a part that has it (`crop_scale` of each side, enlarged). `rare`
    names the rare classes; without names they are those far below an even share of the pixels. `sizes`: train at
    these sizes first and at `data.size` last, for equal parts of the epochs.

    `crop` (height x width) trains on parts of that size, at the scale of `data.size`, for images that are too large to
    train on whole: anywhere, or with probability `rare_crop` around a rare class. `predict.window` goes with it.
    """

    order: Literal["shuffle", "balanced"] = "shuffle"
    rare: list[str] = Field(default=[])
    rare_crop: Probability = 0.0
    crop_scale: float = Field(default=0.5, ge=0.1, le=1)
    sizes: list[Size] = Field(default=[])
    crop: Window = None

    @model_validator(mode="after")
    def _one_size_at_a_time(self) -> "SamplingConfig":
        if self.sizes and self.crop:
            raise ValueError("sizes trains on whole images and crop on parts of images: give one of the two")
        return self


def with_files(augment: AugmentConfig, root: Path) -> AugmentConfig:
    """The section with the content of its files in place of their names, so that the content is part of the identity.

    Args:
        root: where a relative path starts.

    Raises:
        ConfigError: a file is missing or holds no list; the message names it.
    """
    changes: dict[str, Any] = {}
    for key in ("pipeline", "policy"):
        value = getattr(augment, key)
        if isinstance(value, str) and value.endswith(_SUFFIXES):
            path = root / Path(value).expanduser()
            content = yamlfile.load(path)
            if key == "pipeline":
                content = _without_envelope(content)
            if not isinstance(content, list):
                raise ConfigError(f"augment.{key}: {path} must hold a list, as docs/how-to/augment.md shows.")
            changes[key] = content
    return yamlfile.build({**augment.model_dump(), **changes}, AugmentConfig, source="augment") if changes else augment


def _without_envelope(content: Any) -> Any:
    """The list inside a file of `albumentations.save`, which writes a version and a Compose around it."""
    is_saved = isinstance(content, dict) and "transform" in content
    transform = content.get("transform", content) if isinstance(content, dict) else None
    if not isinstance(transform, dict) or CLASS_NAME not in transform:
        return content
    is_plain = transform[CLASS_NAME] == "Compose" and transform.get("p", 1.0) == 1
    entries = transform.get("transforms") if is_plain else [transform]
    return [_without_default_fill(entry) for entry in entries] if is_saved and isinstance(entries, list) else entries


def _without_default_fill(entry: Any) -> Any:
    """A saved transform without a `fill_mask` of 0, which albumentations writes by default.

    With it, pixels from outside the image would become the first class; without it, comp makes them void. Transforms
    that make holes have no such default: their 0 was chosen.
    """
    if not isinstance(entry, dict):
        return entry
    is_default = entry.get("fill_mask") == 0 and entry.get(CLASS_NAME) not in HOLES
    kept = {key: value for key, value in entry.items() if not (key == "fill_mask" and is_default)}
    if isinstance(entry.get("transforms"), list):
        kept["transforms"] = [_without_default_fill(child) for child in entry["transforms"]]
    return kept


def unused_keys(augment: AugmentConfig, mix: MixConfig, sampling: SamplingConfig) -> list[UnusedKeys]:
    """The conditions under which keys of these sections have no effect."""
    return [
        (augment.pipeline != "basic", [f"augment.{key}" for key in _BASIC], "augment.pipeline is not basic"),
        (
            augment.policy != "randaugment",
            ["augment.operations", "augment.magnitude"],
            "augment.policy is not randaugment",
        ),
        (not augment.cutout, ["augment.cutout_mask"], "augment.cutout is 0"),
        (not augment.gridmask, ["augment.gridmask_mask"], "augment.gridmask is 0"),
        (not mix.mixup, ["mix.mixup_alpha"], "mix.mixup is 0"),
        (not mix.cutmix, ["mix.cutmix_alpha"], "mix.cutmix is 0"),
        (not (mix.mixup or mix.cutmix or mix.copy_paste), ["mix.stop_epochs"], "nothing is mixed"),
        (not sampling.rare_crop, ["sampling.crop_scale"], "sampling.rare_crop is 0"),
        (sampling.crop is not None, ["sampling.crop_scale"], "sampling.crop sets the size of the part"),
        (
            not (sampling.rare_crop or mix.copy_paste),
            ["sampling.rare"],
            "neither sampling.rare_crop nor mix.copy_paste is above 0",
        ),
    ]
