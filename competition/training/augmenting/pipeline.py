"""Augmentation transforms, built by name from plain values, so that masks stay aligned with their images."""

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
CompleteArguments = Callable[[str, type, Arguments], str]
"""Adds the arguments that masks need; returns the problem with the given ones, or an empty string."""


def build_transforms(entries: Transforms, engine: Engine, *, source: str) -> list[Any]:
    """The transforms that `entries` describe, as objects of the engine's library.

    Pixels from outside the image are void in the mask, and masks are resampled to the nearest pixel.

    Args:
        source: the key of the entries, for errors.

    Raises:
        ConfigError: unknown names or arguments, or wrong values; names all of them, with similar names that exist.
    """
    complete = _complete_for_albumentations if engine is Engine.ALBUMENTATIONS else _complete_for_torchvision
    builder = _Builder(usable_transforms(engine), complete)
    transforms = [builder.build(entry) for entry in entries]
    if builder.problems:
        raise ConfigError(
            all_problems(source, builder.problems), hint="`comp augment preview` tries a pipeline without training."
        )
    return transforms


@dataclass
class _Builder:
    known: Mapping[str, type]
    complete: CompleteArguments
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
        problem = "" if unknown else self.complete(name, kind, arguments)
        if problem:
            self.problems.append(problem)
        return None if unknown or problem else self._construct(name, kind, arguments)

    def _construct(self, name: str, kind: type, arguments: Arguments) -> Any:
        try:
            transform, warned = _construct_with_warnings(kind, arguments)
        except Exception as error:  # noqa: BLE001 - constructors of two libraries, which may raise anything
            self.problems += _sentences(name, error)
            return None
        # albumentations ignores an argument that it does not accept, with no more than a warning. A warning that the
        # transform's own defaults give as well (it is slow, or deprecated) is not about an argument.
        about_arguments = [text for text in warned if text not in _default_warnings(kind)]
        self.problems += [_sentence(name, text) for text in about_arguments]
        return None if about_arguments else transform


def _construct_with_warnings(kind: type, arguments: Arguments) -> tuple[Any, list[str]]:
    """The object, and the texts of the warnings that its constructor gave, without deprecations."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        transform = kind(**arguments)
    return transform, [str(warning.message) for warning in caught if not issubclass(warning.category, _DEPRECATIONS)]


_DEPRECATIONS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


def _default_warnings(kind: type) -> list[str]:
    try:
        return _construct_with_warnings(kind, {})[1]
    except (TypeError, ValueError):  # an argument has no default
        return []


def usable_transforms(engine: Engine) -> dict[str, type]:
    """The library's transforms that keep an image and its mask aligned, by name."""
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
_HIDES = "it gives class 0 to hidden pixels; XYMasking hides the same pixels, and leaves the mask as it is."
_REFUSED = {
    # albumentations
    "FrequencyMasking": _HIDES,
    "GridElasticDeform": "it gives class 0 to pixels from outside the image; GridDistortion bends images, too.",
    "Morphological": "it lets one label grow over another.",
    "TimeMasking": _HIDES,
    # torchvision
    "AugMix": _MOVES_IMAGES_ALONE,
    "AutoAugment": _MOVES_IMAGES_ALONE,
    "CutMix": "it takes batches; mix.cutmix does the same.",
    "JPEG": "torchvision is about to drop it; ImageCompression of albumentations does the same.",
    "Lambda": "it takes a function, which no file can hold.",
    "MixUp": "it takes batches; mix.mixup does the same.",
    "RandAugment": _MOVES_IMAGES_ALONE,
    "RandomErasing": "augment.cutout makes holes, and handles the mask.",
    "ToPILImage": "neither the transforms after it nor training take PIL images.",
    "ToPureTensor": "the transforms after it could no longer tell the mask from the image.",
    "TrivialAugmentWide": _MOVES_IMAGES_ALONE,
}
"""Transforms of the libraries that are wrong for images with masks, and the reason."""


def _complete_for_albumentations(name: str, kind: type, arguments: Arguments) -> str:
    defaults = {key: parameter.default for key, parameter in inspect.signature(kind).parameters.items()}
    for key in ("fill_mask", "mask_drop_value"):
        is_hole = key in defaults and defaults[key] is None  # by default the labels under a hole stay
        filled = arguments.setdefault(key, None if is_hole else IGNORE_INDEX) if key in defaults else IGNORE_INDEX
        if filled != IGNORE_INDEX and not (is_hole and filled is None):
            return (
                f"{name}.{key}: {filled!r} would give a class to pixels without content; leave it out, or write "
                f"{IGNORE_INDEX} (void)."
            )
    if "mask_interpolation" in defaults:
        resampled = arguments.pop("mask_interpolation", None)
        if resampled not in (None, cv2.INTER_NEAREST, cv2.INTER_NEAREST_EXACT):
            return f"{name}.mask_interpolation: {resampled!r} would mix labels; leave it out."
        if not issubclass(kind, BaseCompose):  # a compose would override the interpolation of its children
            arguments["mask_interpolation"] = _nearest(kind, arguments.get("interpolation"))
    if arguments.get("area_for_downscale") == "image_mask":
        return f"{name}.area_for_downscale: 'image_mask' would mix labels; write image."
    if name == "SelectiveChannelTransform" and not _are_image_only(arguments.get("transforms", [])):
        return f"{name}: the transforms in it never see the mask, so they must not move pixels."
    return ""


def _nearest(kind: Any, image_interpolation: Any) -> int:
    """OpenCV's nearest-pixel interpolation that keeps a mask aligned with its image."""
    # cv2.resize rounds down with INTER_NEAREST, which shifts a mask by up to half a pixel. The exact form does not, but
    # an image that is rounded down itself needs a mask that is rounded down with it.
    allowed = kind.InitSchema.model_fields["mask_interpolation"].annotation.__args__
    is_exact = cv2.INTER_NEAREST_EXACT in allowed and image_interpolation != cv2.INTER_NEAREST
    return cv2.INTER_NEAREST_EXACT if is_exact else cv2.INTER_NEAREST


def _are_image_only(transforms: list[Any]) -> bool:
    return all(
        _are_image_only(transform.transforms)
        if isinstance(transform, BaseCompose)
        else isinstance(transform, ImageOnlyTransform)
        for transform in transforms
    )


def _complete_for_torchvision(name: str, kind: type, arguments: Arguments) -> str:
    if "fill" in inspect.signature(kind).parameters:
        arguments["fill"] = {Labels: IGNORE_INDEX, "others": arguments.get("fill", 0)}
    return ""


class Labels(tv_tensors.Mask):  # type: ignore[misc]  # a library without types
    """A mask that torchvision resizes to the exactly nearest pixel."""

    # torchvision rounds its own masks down, which shifts them by up to half a pixel against their images.


@v2.functional.register_kernel(v2.functional.resize, Labels)  # type: ignore[untyped-decorator]
def _resize(labels: Labels, size: Any, interpolation: Any = None, max_size: Any = None, **_: Any) -> Labels:
    """The labels at the exactly nearest pixels, unless the image itself is rounded down."""
    rounds_down = interpolation in (InterpolationMode.NEAREST, InterpolationMode.NEAREST.value, cv2.INTER_NEAREST)
    mode = InterpolationMode.NEAREST if rounds_down else InterpolationMode.NEAREST_EXACT
    planes = labels.as_subclass(torch.Tensor)[None]
    return Labels(v2.functional.resize_image(planes, size=size, interpolation=mode, max_size=max_size)[0])


@v2.functional.register_kernel(v2.functional.resized_crop, Labels)  # type: ignore[untyped-decorator]
def _resized_crop(
    labels: Labels, top: int, left: int, height: int, width: int, size: Any, interpolation: Any = None, **_: Any
) -> Labels:
    window: Labels = v2.functional.crop(labels, top, left, height, width)
    return _resize(window, size, interpolation)  # type: ignore[no-any-return]


def through_torchvision(pipeline: v2.Compose, image: Pixels, mask: Pixels) -> tuple[Pixels, Pixels]:
    """The image (H, W, 3) and mask (H, W) after torchvision's transforms."""
    channels_first = tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1))
    new_image, new_mask = pipeline(channels_first, Labels(torch.from_numpy(mask)))
    return np.ascontiguousarray(new_image.permute(1, 2, 0).numpy()), new_mask.numpy()


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
