"""competition.yaml: the settings that the whole team shares, and that are locked once experiments exist."""

import re
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator, model_validator

from competition.config import yamlfile
from competition.config.trackers import Tracker
from competition.config.yamlfile import Section

IGNORE_INDEX = 255
"""The value of void pixels inside comp, whatever value the mask files use for them."""

STEM = "{stem}"
"""The placeholder for the image's file stem in the pattern of a mask's file stem."""

VOID = "void"
"""The class name in `colors` for a colour that counts in no score."""


class Metric(StrEnum):
    """The metric that ranks; `scoring.metrics` defines each. Those per image are means over the images."""

    MIOU = "miou"
    MIOU_IMAGE = "miou-image"
    DICE = "dice"
    DICE_IMAGE = "dice-image"
    FWIOU = "fwiou"
    PIXEL_ACCURACY = "pixel-accuracy"
    TGS_MAP = "tgs-map"

    @property
    def is_image_wise(self) -> bool:
        """Whether it is the mean of the scores of single images."""
        return self in (Metric.MIOU_IMAGE, Metric.DICE_IMAGE, Metric.TGS_MAP)


class OwnMetric(str):
    """The team's own metric, `package.module:function`, with the folder that it is imported from."""

    __slots__ = ("folder",)
    folder: Path

    def __new__(cls, name: str, folder: Path) -> "OwnMetric":
        """The name, as competition.yaml spells it, with the folder of competition.yaml."""
        own = super().__new__(cls, name)
        own.folder = folder
        return own

    def __getnewargs__(self) -> tuple[str, Path]:  # type: ignore[override]
        """Pickle the folder with the name, for other processes."""
        return str(self), self.folder


class Strategy(StrEnum):
    """The team's way of sharing the work: one baseline for all, or a lineage for each member who wants one."""

    SHARED = "shared"
    INDEPENDENT = "independent"


class DataSettings(Section):
    """The data and its format; relative paths start at the folder of competition.yaml.

    The labels come from exactly one of `masks` (a folder of mask files that bear the images' stems, or `mask_pattern`
    with `{stem}` for the image's), `pairs` (a CSV with the columns image and mask: files in the folders `images` and
    `masks`), `rle_csv` (run lengths in Kaggle's form; the keys below name its columns) and `coco` (a COCO JSON).

    Mask files hold class indices; 0 and 1, 255 or 65535 where `binary` is true; or the `colors`: a class by #rrggbb
    (`void` for pixels that count in no score). `tolerance` is the largest difference per channel to a listed colour.

    `test_coco` lists the images of `test_images` to predict. `ignore` is a folder with one mask per image (its stem, or
    `ignore_pattern`): pixels where it is 0 count in no score.

    `meta` is a CSV with one row per image; its column `group_column` names the group of the image (a video, a
    patient). `group_regex` takes the group from the image's id instead (the first group of the match).
    """

    images: str
    masks: str | None = None
    mask_pattern: str = STEM
    pairs: str | None = None
    rle_csv: str | None = None
    image_column: str | None = None
    rle_column: str | None = None
    class_column: str | None = None
    coco: str | None = None
    binary: bool = False
    colors: dict[str, str] | None = None
    tolerance: int = Field(default=0, ge=0, le=255)
    ignore: str | None = None
    ignore_pattern: str = STEM
    test_images: str | None = None
    test_coco: str | None = None
    meta: str | None = None
    group_column: str | None = None
    group_regex: str | None = None

    @field_validator("mask_pattern", "ignore_pattern")
    @classmethod
    def _pattern_holds_the_stem(cls, pattern: str) -> str:
        if pattern.count(STEM) != 1 or "/" in pattern:
            raise ValueError(f"a pattern is a file's stem with {STEM} in it once, such as {STEM}_mask")
        return pattern

    @field_validator("colors")
    @classmethod
    def _colors_are_colors(cls, colors: dict[str, str] | None) -> dict[str, str] | None:
        wrong = [color for color in colors or {} if not re.fullmatch("#[0-9a-f]{6}", color)]
        if wrong or colors == {}:
            raise ValueError(f"a colour is written #rrggbb in lower case, not {wrong[0]!r}" if wrong else "it is empty")
        return colors

    @model_validator(mode="after")
    def _one_source_of_labels(self) -> "DataSettings":
        given = [key for key in ("masks", "rle_csv", "coco") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"the labels come from one of masks, pairs, rle_csv and coco; given: {_listed(given)}")
        if self.pairs is not None and self.masks is None:
            raise ValueError("pairs names files inside the folder masks")
        if self.rle_csv is not None and (self.image_column is None or self.rle_column is None):
            raise ValueError("rle_csv needs image_column and rle_column")
        if self.masks is None and (self.binary or self.colors):
            raise ValueError("binary and colors need mask files, in the folder masks")
        if self.binary and self.colors:
            raise ValueError("masks are binary or hold colors, not both")
        if self.test_coco is not None and self.test_images is None:
            raise ValueError("test_coco lists files inside the folder test_images")
        return self

    @model_validator(mode="after")
    def _one_way_to_group(self) -> "DataSettings":
        if (self.meta is None) != (self.group_column is None):
            raise ValueError("meta and group_column go together")
        if self.meta is not None and self.group_regex is not None:
            raise ValueError("give group_regex, or meta with group_column, not both")
        return self

    @property
    def holds_indices(self) -> bool:
        """Whether masks are files that hold class indices."""
        return self.masks is not None and not self.binary and self.colors is None

    @property
    def has_groups(self) -> bool:
        """Whether the images have groups."""
        return self.meta is not None or self.group_regex is not None


def parse_metric(value: object) -> object:
    """The `Metric` of that name; the team's own, `package.module:function`, stays unchanged.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(value, str) or isinstance(value, OwnMetric):
        return value
    if value in list(Metric):
        return Metric(value)
    module, colon, function = value.partition(":")
    if not (colon and function.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise ValueError(f"a metric is one of {', '.join(Metric)}, or your own as package.module:function")
    return value


UNLOCKED = ("submissions_per_day", "public_images", "private_images", "notify", "log")
"""The keys that may change after experiments exist, because no score depends on them."""


class Settings(Section):
    """The competition: classes, metric, data and strategy.

    `submissions_per_day` is the team's quota on the competition's board. `public_images` and `private_images` are the
    numbers of test images behind the public and the private score; without the second, it is all other test images.

    `notify` gets a message when an experiment is complete or the new best, and when a job has failed for good. It is a
    command with its arguments (JSON on its standard input), a web address (http, https; JSON by POST), or a URL of
    apprise for Slack, Discord, mail and others (`discord://…`; needs the extra `notify`).
    `log` names trackers that get every job's epochs too: `[tensorboard]`, `[mlflow]`, or both.
    """

    name: str = Field(min_length=1)
    classes: Annotated[tuple[str, ...], Field(strict=False)]
    void: int | None = Field(default=None, ge=0)
    metric: Annotated[Metric | str, BeforeValidator(parse_metric)] = Metric.MIOU
    strategy: Annotated[Strategy, Field(strict=False)] = Strategy.SHARED
    data: DataSettings
    submissions_per_day: int | None = Field(default=None, ge=1)
    public_images: int | None = Field(default=None, ge=1)
    private_images: int | None = Field(default=None, ge=1)
    notify: str | None = Field(default=None, repr=False)  # it may hold a token: no error message repeats it
    log: Annotated[tuple[Annotated[Tracker, Field(strict=False)], ...], Field(strict=False)] = ()

    @property
    def locked(self) -> dict[str, Any]:
        """The settings that are locked once experiments exist, as JSON values."""
        return self.model_dump(mode="json", exclude=set(UNLOCKED))

    @field_validator("classes")
    @classmethod
    def _classes_can_be_told_apart(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if not 2 <= len(classes) < IGNORE_INDEX:
            raise ValueError(f"there must be 2 to {IGNORE_INDEX - 1} classes (background counts as one)")
        twice = sorted({c for c in classes if classes.count(c) > 1})
        if twice:
            raise ValueError(f"class names must be unique; twice or more: {', '.join(twice)}")
        if not all(c.strip() for c in classes):
            raise ValueError("a class name must not be empty")
        return classes

    @field_validator("notify")
    @classmethod
    def _somebody_to_notify(cls, notify: str | None) -> str | None:
        if notify is None:
            return None
        scheme = notify_scheme(notify)
        if scheme in ("http", "https"):
            if not urlsplit(notify).hostname or len(notify.split()) > 1:
                raise ValueError("a web address names a host after http:// or https:// and holds no space")
        elif not scheme and not shlex.split(notify):
            raise ValueError("it is empty; name a command, a web address, or a URL of apprise")
        return notify

    @model_validator(mode="after")
    def _void_is_no_class(self) -> "Settings":
        if self.void is not None and self.void < len(self.classes) and self.data.holds_indices:
            raise ValueError(f"void {self.void} is the index of class {self.classes[self.void]!r}")
        return self

    @model_validator(mode="after")
    def _labels_are_classes(self) -> "Settings":
        if self.data.binary and len(self.classes) != 2:
            raise ValueError(f"binary masks tell two classes apart, not {len(self.classes)}")
        unknown = sorted(set((self.data.colors or {}).values()) - {*self.classes, VOID})
        if unknown:
            raise ValueError(f"data.colors names {unknown[0]!r}, which is no class")
        if self.void is not None and not (self.data.holds_indices or self.data.binary):
            raise ValueError(
                "void is a value of mask files, and these labels have none (in masks of colours, name a colour `void`)"
            )
        return self


def notify_scheme(notify: str) -> str:
    """`slack` for `slack://…`, in lower case; empty for a command."""
    scheme, separator, _ = notify.partition("://")
    return scheme.lower() if separator and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) else ""


def read_settings(path: Path) -> Settings:
    """The settings in the file competition.yaml at `path`.

    Raises:
        ConfigError: the file is missing, is not YAML, or describes no valid competition.
    """
    return with_own_metric(yamlfile.read(path, Settings), path.parent.resolve())


def with_own_metric(settings: Settings, folder: Path) -> Settings:
    """The settings with the team's own metric bound to the folder that it is imported from."""
    if settings.metric in list(Metric):
        return settings
    return settings.model_copy(update={"metric": OwnMetric(settings.metric, folder)})


def _listed(keys: list[str]) -> str:
    return ", ".join(keys) if keys else "none"
