"""competition.yaml: what the whole team shares and nobody changes once experiments exist."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from competition import yamlfile
from competition.yamlfile import Section

IGNORE_INDEX = 255
"""Void inside comp: a mask read by comp holds class indices and this, whatever the files use for void."""


class Metric(StrEnum):
    """What the leaderboard ranks by."""

    MIOU = "miou"
    DICE = "dice"


class Strategy(StrEnum):
    """How the team divides the work."""

    SHARED = "shared"
    INDEPENDENT = "independent"


class DataSettings(Section):
    """Where the data lies; relative paths start at the folder of competition.yaml.

    `meta` is a CSV with one row per image; its column `group_column` names what belongs together (a video, a
    patient). `group_regex` takes the group from the image's id instead (the first group of the match).
    """

    images: str
    masks: str
    test_images: str | None = None
    meta: str | None = None
    group_column: str | None = None
    group_regex: str | None = None

    @model_validator(mode="after")
    def _one_way_to_group(self) -> "DataSettings":
        if (self.meta is None) != (self.group_column is None):
            raise ValueError("meta and group_column go together")
        if self.meta is not None and self.group_regex is not None:
            raise ValueError("give group_regex, or meta with group_column, not both")
        return self

    @property
    def has_groups(self) -> bool:
        """Whether images are known to belong together."""
        return self.meta is not None or self.group_regex is not None


class Settings(Section):
    """The competition: classes, metric, data and strategy."""

    name: str = Field(min_length=1)
    classes: Annotated[tuple[str, ...], Field(strict=False)]
    void: int | None = Field(default=None, ge=0)
    metric: Annotated[Metric, Field(strict=False)] = Metric.MIOU
    strategy: Annotated[Strategy, Field(strict=False)] = Strategy.SHARED
    data: DataSettings

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

    @model_validator(mode="after")
    def _void_is_no_class(self) -> "Settings":
        if self.void is not None and self.void < len(self.classes):
            raise ValueError(f"void {self.void} is the index of class {self.classes[self.void]!r}")
        return self


def read_settings(path: Path) -> Settings:
    """The settings in the file competition.yaml at `path`.

    Raises:
        ConfigError: the file is missing, is not YAML, or describes no valid competition.
    """
    return yamlfile.read(path, Settings)
