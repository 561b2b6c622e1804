"""Transforms from plain values: built by name, every mistake named, and masks moved without a lie."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from albumentations import ImageOnlyTransform, Transform3D
from albumentations.core.composition import BaseCompose, ReplayCompose
from albumentations.core.serialization import SERIALIZABLE_REGISTRY
from albumentations.core.transforms_interface import BasicTransform
from pydantic import ValidationError
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2

from competition.config.augmentation import CLASS_NAME, Engine, Transforms
from competition.config.settings import IGNORE_INDEX
from competition.data.images import Pixels
from competition.errors import ConfigError, all_problems, did_you_mean

Arguments = dict[str, Any]
Adapt = Callable[[str, type, Arguments], str]
"""Completes a transform's arguments; what is wrong with them, or an empty string."""


def build_transforms(entries: Transforms, engine: Engine, *, source: str) -> list[Any]:
    """The transforms that `entries` describe, objects of the engine's library.

    What comes into an image from outside is void in its mask, and masks are resampled to the nearest pixel.

    Args:
        source: what holds the entries; errors begin with it.

    Raises:
        ConfigError: unknown names or arguments, or wrong values; all are named, each with the nearest that exists.
    """
    adapt = _for_albumentations if engine is Engine.ALBUMENTATIONS else _for_torchvision
    builder = _Builder(known(engine), adapt)
    made = [builder.build(entry) for entry in entries]
    if builder.problems:
        raise ConfigError(
            all_problems(source, builder.problems), hint="`comp augment preview` tries a pipeline without training."
        )
    return made


@dataclass
class _Builder:
    known: Mapping[str, type]
    adapt: Adapt
    problems: list[str] = field(default_factory=list)

    def build(self, entry: Mapping[str, Any]) -> Any:
        """The transform, or None with a line in `problems`."""
        name = entry[CLASS_NAME]
        kind = self.known.get(name)
        if kind is None:
            why = _REFUSED.get(name) or f"there is no such transform.{did_you_mean(name, self.known)}"
            self.problems.append(f"{name}: {why}")
            return None
        arguments = {key: value for key, value in entry.items() if key != CLASS_NAME}
        accepted = [key for key in inspect.signature(kind).parameters if key not in ("self", "strict")]
        unknown = [key for key in arguments if key not in accepted]
        self.problems += [f"{name}.{key}: no such argument.{did_you_mean(key, accepted)}" for key in unknown]
        if "transforms" in arguments and "transforms" in accepted:
            arguments["transforms"] = [self.build(child) for child in arguments["transforms"]]
            if None in arguments["transforms"]:
                return None
        wrong = "" if unknown else self.adapt(name, kind, arguments)
        if wrong:
            self.problems.append(wrong)
        return None if unknown or wrong else self._make(name, kind, arguments)

    def _make(self, name: str, kind: type, arguments: Arguments) -> Any:
        """Both libraries warn where they ought to refuse, so a warning about the arguments counts as a mistake too.

        What a transform says with its own defaults as well (that it is slow, or better called otherwise) is about none.
        """
        try:
            made, warned = _constructed(kind, arguments)
        except Exception as error:  # noqa: BLE001 - the libraries' constructors; nobody says what all of them raise
            self.problems += _sentences(name, error)
            return None
        wrong = [text for text in warned if text not in _always_warned(kind)]
        self.problems += [_sentence(name, text) for text in wrong]
        return None if wrong else made


def _constructed(kind: type, arguments: Arguments) -> tuple[Any, list[str]]:
    """The object, and what its library warned of meanwhile, apart from what it will do away with."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = kind(**arguments)
    return made, [str(one.message) for one in caught if not issubclass(one.category, _DEPRECATIONS)]


_DEPRECATIONS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


def _always_warned(kind: type) -> list[str]:
    try:
        return _constructed(kind, {})[1]
    except (TypeError, ValueError):  # it has no defaults
        return []


def known(engine: Engine) -> dict[str, type]:
    """The transforms of the library that can change an image and its mask, by name."""
    if engine is Engine.TORCHVISION:
        return {
            name: kind
            for name, kind in vars(v2).items()
            if inspect.isclass(kind) and issubclass(kind, v2.Transform) and name not in {"Transform", *_REFUSED}
        }
    return {name: kind for name, kind in SERIALIZABLE_REGISTRY.items() if _is_usable(kind) and name not in _REFUSED}


def _is_usable(kind: type) -> bool:
    if not issubclass(kind, BasicTransform | BaseCompose) or issubclass(kind, ReplayCompose | Transform3D):
        return False
    return kind.__name__ not in _ABSTRACT and not kind.__name__.lstrip("_").startswith("Base")


_ABSTRACT = {"BasicTransform", "DualTransform", "ImageOnlyTransform", "MaxSizeTransform"}

_MOVES_IMAGES_ALONE = "it would move the image without its mask; augment.policy moves both."
_HIDES = "it gives class 0 to what it hides; XYMasking hides the same, and leaves the mask alone."
_REFUSED = {
    # albumentations
    "FrequencyMasking": _HIDES,
    "GridElasticDeform": "it gives class 0 to what comes in from outside; GridDistortion bends images, too.",
    "Morphological": "it lets labels of higher numbers grow over others, or the other way round.",
    "TimeMasking": _HIDES,
    # torchvision
    "AugMix": _MOVES_IMAGES_ALONE,
    "AutoAugment": _MOVES_IMAGES_ALONE,
    "CutMix": "it takes batches; mix.cutmix does the same.",
    "JPEG": "torchvision is about to drop it; ImageCompression of albumentations does the same.",
    "Lambda": "it takes a function, which no file can hold.",
    "MixUp": "it takes batches; mix.mixup does the same.",
    "RandAugment": _MOVES_IMAGES_ALONE,
    "RandomErasing": "augment.cutout makes holes, and minds the mask.",
    "ToPILImage": "what comes after it, and training, take no such images.",
    "ToPureTensor": "what comes after it would no longer know the mask from the image.",
    "TrivialAugmentWide": _MOVES_IMAGES_ALONE,
}
"""Why transforms that exist are not for images with masks."""


def _for_albumentations(name: str, kind: type, arguments: Arguments) -> str:
    defaults = {key: parameter.default for key, parameter in inspect.signature(kind).parameters.items()}
    for key in ("fill_mask", "mask_drop_value"):
        is_hole = key in defaults and defaults[key] is None  # the labels under it may stay
        filled = arguments.setdefault(key, None if is_hole else IGNORE_INDEX) if key in defaults else IGNORE_INDEX
        if filled != IGNORE_INDEX and not (is_hole and filled is None):
            return (
                f"{name}.{key}: {filled!r} would give a class to pixels that show nothing; leave it out, or write "
                f"{IGNORE_INDEX} (void)."
            )
    if "mask_interpolation" in defaults:
        resampled = arguments.pop("mask_interpolation", None)
        if resampled not in (None, cv2.INTER_NEAREST, cv2.INTER_NEAREST_EXACT):
            return f"{name}.mask_interpolation: {resampled!r} would mix labels; leave it out."
        if not issubclass(kind, BaseCompose):  # which would overrule its children
            arguments["mask_interpolation"] = _nearest(kind, arguments.get("interpolation"))
    if arguments.get("area_for_downscale") == "image_mask":
        return f"{name}.area_for_downscale: 'image_mask' would mix labels; write image."
    if name == "SelectiveChannelTransform" and not _are_for_images(arguments.get("transforms", [])):
        return f"{name}: what is in it never sees the mask, so it must not move pixels."
    return ""


def _nearest(kind: Any, of_image: Any) -> int:
    """cv2.resize rounds down with INTER_NEAREST, which shifts a mask against its image; the exact form does not.

    Args:
        of_image: how the image is resampled; where that rounds down, the mask must do so with it.
    """
    allowed = kind.InitSchema.model_fields["mask_interpolation"].annotation.__args__
    is_exact = cv2.INTER_NEAREST_EXACT in allowed and of_image != cv2.INTER_NEAREST
    return cv2.INTER_NEAREST_EXACT if is_exact else cv2.INTER_NEAREST


def _are_for_images(transforms: list[Any]) -> bool:
    return all(
        _are_for_images(transform.transforms)
        if isinstance(transform, BaseCompose)
        else isinstance(transform, ImageOnlyTransform)
        for transform in transforms
    )


def _for_torchvision(name: str, kind: type, arguments: Arguments) -> str:
    if "fill" in inspect.signature(kind).parameters:
        arguments["fill"] = {Labels: IGNORE_INDEX, "others": arguments.get("fill", 0)}
    return ""


class Labels(tv_tensors.Mask):  # type: ignore[misc]  # a library without types
    """A mask that torchvision resizes to the exactly nearest pixel.

    With its own masks it rounds down, which shifts them against their images by up to half a pixel.
    """


@v2.functional.register_kernel(v2.functional.resize, Labels)  # type: ignore[untyped-decorator]
def _resize(labels: Labels, size: Any, interpolation: Any = None, max_size: Any = None, **_: Any) -> Labels:
    """Exactly, unless the image is resized with rounding down, too."""
    rounds = interpolation in (InterpolationMode.NEAREST, InterpolationMode.NEAREST.value, cv2.INTER_NEAREST)
    how = InterpolationMode.NEAREST if rounds else InterpolationMode.NEAREST_EXACT
    planes = labels.as_subclass(torch.Tensor)[None]
    return Labels(v2.functional.resize_image(planes, size=size, interpolation=how, max_size=max_size)[0])


@v2.functional.register_kernel(v2.functional.resized_crop, Labels)  # type: ignore[untyped-decorator]
def _resized_crop(
    labels: Labels, top: int, left: int, height: int, width: int, size: Any, interpolation: Any = None, **_: Any
) -> Labels:
    part: Labels = v2.functional.crop(labels, top, left, height, width)
    return _resize(part, size, interpolation)  # type: ignore[no-any-return]


def through_torchvision(pipeline: v2.Compose, image: Pixels, mask: Pixels) -> tuple[Pixels, Pixels]:
    """An image (H, W, 3) and its mask (H, W) through torchvision's transforms, which take channels first."""
    changed, moved = pipeline(
        tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)), Labels(torch.from_numpy(mask))
    )
    return np.ascontiguousarray(changed.permute(1, 2, 0).numpy()), moved.numpy()


def _sentences(name: str, error: Exception) -> list[str]:
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return [_sentence(name, str(error) or type(error).__name__)]
    return [
        f"{name}.{e['loc'][0] if e['loc'] else ''}: {e['input']!r} is wrong: {e['msg'].removeprefix('Value error, ')}."
        for e in cause.errors(include_url=False)
    ]


def _sentence(name: str, text: str) -> str:
    return f"{name}: {text.splitlines()[0].rstrip('. ')}."
