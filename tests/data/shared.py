"""Real data sets for tests by hand and benchmarks; they are no part of the repository."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from competition.config.settings import Settings
from competition.data.manifest import Manifest
from tests.data.making import index

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Shared:
    """A data set of a folder with images/, masks/ and perhaps meta.csv; classes are counted off by name."""

    name: str
    classes: tuple[str, ...]
    void: int | None = None
    binary: bool = False
    group_column: str | None = None
    folder: Path = Path()

    def within(self, folder: Path) -> "Shared":
        """The same, in the folder of all shared data."""
        return replace(self, folder=folder / self.name)

    def settings(self) -> Settings:
        """Its settings; paths are absolute."""
        data: dict[str, object] = {
            "images": str(self.folder / "images"),
            "masks": str(self.folder / "masks"),
            "binary": self.binary,
        }
        if self.group_column:
            data |= {"meta": str(self.folder / "meta.csv"), "group_column": self.group_column}
        return Settings.model_validate({"name": self.name, "classes": self.classes, "void": self.void, "data": data})

    def index(self, root: Path) -> tuple[Manifest, Settings]:
        """Its manifest and settings."""
        return index(self.settings(), root), self.settings()


CAMVID = Shared(
    "camvid",
    ("Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian", "Bicyclist"),
    void=11,
    group_column="block",
)
DSB = Shared("dsb2018_small", ("background", "nucleus"), binary=True)


def shared_data() -> Path | None:
    """The folder of the shared data; None where there is none."""
    named = os.environ.get("COMP_SHARED_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None
