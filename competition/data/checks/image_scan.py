"""A scan of all images: their perceptual hashes, and the near-duplicates and videos found by comparing these."""

from dataclasses import dataclass
from pathlib import Path

from competition.config.settings import Settings
from competition.data.checks.duplicates import NearDuplicates, find_duplicates
from competition.data.checks.image_hashes import ImageHashes, hash_images
from competition.data.checks.series import Series, find_series
from competition.data.manifest import Manifest
from competition.data.parallel import Progress


@dataclass(frozen=True)
class ImageScan:
    """The images of a competition, compared with each other.

    Args:
        series: series of labelled images that look like the frames of a video.
    """

    manifest: Manifest
    hashes: ImageHashes
    duplicates: NearDuplicates
    series: tuple[Series, ...]


def scan_images(
    manifest: Manifest, settings: Settings, root: Path, hash_file: Path, *, progress: Progress | None = None
) -> ImageScan:
    """Hash the images that have no hash yet, and compare all with each other.

    Args:
        hash_file: the file that keeps the hashes (`Paths.looks`).
    """
    hashes = hash_images(manifest, settings, root, hash_file, progress=progress)
    return ImageScan(manifest, hashes, find_duplicates(manifest, hashes), find_series(manifest, hashes))
