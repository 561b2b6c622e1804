"""Transforms from plain values: built by name, every mistake named, and masks moved without a lie."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
from albumentations.core.composition import BaseCompose, ReplayCompose
from albumentations.core.serialization import SERIALIZABLE_REGISTRY
from albumentations.core.transforms_interface import BasicTransform
from pydantic import ValidationError
from torchvision import tv_tensors
from torchvision.transforms import v2

from competition.augmentation import CLASS_NAME, Engine, Transforms
from competition.errors import ConfigError, all_problems, did_you_mean
from competition.settings import IGNORE_INDEX

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
    builder = _Builder(_known(engine), adapt)
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
            self.problems.append(f"{name}: there is no such transform.{did_you_mean(name, self.known)}")
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
        """Both libraries warn where they ought to refuse, so a warning counts as a mistake too."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return kind(**arguments)
        except (ValueError, TypeError, AttributeError, UserWarning) as error:
            self.problems += _sentences(name, error)
            return None


def _known(engine: Engine) -> dict[str, type]:
    if engine is Engine.TORCHVISION:
        return {name: kind for name, kind in vars(v2).items() if inspect.isclass(kind) and name not in _NOT_FOR_MASKS}
    return {
        name: kind
        for name, kind in SERIALIZABLE_REGISTRY.items()
        if issubclass(kind, BasicTransform | BaseCompose) and kind is not ReplayCompose
    }


_POLICIES = {"AutoAugment", "AugMix", "RandAugment", "TrivialAugmentWide"}
_NOT_FOR_MASKS = _POLICIES | {"CutMix", "JPEG", "Lambda", "MixUp", "RandomErasing"}
"""What torchvision does to images alone or to batches; `augment.policy`, `augment.cutout` and `mix` mind the masks."""


def _for_albumentations(name: str, kind: type, arguments: Arguments) -> str:
    parameters = inspect.signature(kind).parameters
    if "fill_mask" in parameters:
        is_dropout = parameters["fill_mask"].default is None  # whose holes may keep their labels
        filled = arguments.setdefault("fill_mask", None if is_dropout else IGNORE_INDEX)
        if filled != IGNORE_INDEX and not (is_dropout and filled is None):
            return (
                f"{name}.fill_mask: {filled!r} would give a class to pixels that show nothing; leave it out, or write "
                f"{IGNORE_INDEX} (void)."
            )
    if "mask_interpolation" in parameters:
        resampled = arguments.setdefault("mask_interpolation", _nearest(kind))
        if resampled not in (cv2.INTER_NEAREST, cv2.INTER_NEAREST_EXACT):
            return f"{name}.mask_interpolation: {resampled!r} would mix labels; leave it out."
    return ""


def _nearest(kind: Any) -> int:
    """cv2.resize rounds down with INTER_NEAREST, which shifts a mask against its image; the exact form does not."""
    allowed = kind.InitSchema.model_fields["mask_interpolation"].annotation.__args__
    return cv2.INTER_NEAREST_EXACT if cv2.INTER_NEAREST_EXACT in allowed else cv2.INTER_NEAREST


def _for_torchvision(name: str, kind: type, arguments: Arguments) -> str:
    if "fill" in inspect.signature(kind).parameters:
        arguments["fill"] = {tv_tensors.Mask: IGNORE_INDEX, "others": arguments.get("fill", 0)}
    return ""


def _sentences(name: str, error: Exception) -> list[str]:
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return [f"{name}: {str(error).splitlines()[0].rstrip('.')}."]
    return [
        f"{name}.{e['loc'][0] if e['loc'] else ''}: {e['input']!r} is wrong: {e['msg'].removeprefix('Value error, ')}."
        for e in cause.errors(include_url=False)
    ]
