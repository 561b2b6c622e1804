"""Reader of a folder of images and a folder of masks, paired by file stem."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from competition.config.settings import STEM
from competition.data.naming import natural_key
from competition.data.readers.encodings import Encoding, read_mask_file
from competition.data.readers.listing import files_by_id
from competition.data.readers.source import Labels, Listing, Source


@dataclass(frozen=True)
class FolderReader:
    """Masks with the stem of their image, or with `pattern`, in which {stem} stands for it.

    With a pattern, images and masks may be in the same folder.
    """

    images: Path
    masks: Path
    encoding: Encoding
    pattern: str = STEM

    def find(self) -> Listing:
        """See `Reader`."""
        problems: list[str] = []
        same_folder = self.images.resolve() == self.masks.resolve()
        if same_folder and self.pattern == STEM:
            return Listing(
                (),
                (f"{self.images} holds images and masks: use two folders, or tell them apart with --mask-pattern.",),
            )
        images = files_by_id(self.images, "images", problems)
        masks = images if same_folder else files_by_id(self.masks, "masks", problems)
        if same_folder:
            images = {i: path for i, path in images.items() if not self._is_mask_of_another(i, images)}
            masks = {i: path for i, path in masks.items() if i not in images}
        expected = {image_id: self.pattern.replace(STEM, image_id) for image_id in images}
        if images and masks:
            problems += _unpaired(images, masks, expected)
        both = sorted((i for i in images if expected[i] in masks), key=natural_key)
        sources = (Source(i, images[i].name, images[i], masks[expected[i]].name, (masks[expected[i]],)) for i in both)
        return Listing(tuple(sources), tuple(problems))

    def read_labels(self, image_id: str, mask: str, *, size: tuple[int, int]) -> Labels:
        """See `Reader`."""
        return read_mask_file(self.masks / mask, self.encoding)

    def _is_mask_of_another(self, stem: str, stems: Mapping[str, Path]) -> bool:
        before, after = self.pattern.split(STEM)
        inner = stem.removeprefix(before).removesuffix(after)
        return inner in stems and self.pattern.replace(STEM, inner) == stem


def _unpaired(images: Mapping[str, Path], masks: Mapping[str, Path], expected: Mapping[str, str]) -> list[str]:
    """A problem for each image without a mask and each mask without an image."""
    without_mask = sorted((i for i in images if expected[i] not in masks), key=natural_key)
    without_image = sorted(masks.keys() - set(expected.values()), key=natural_key)
    return [
        *(f"The image {images[i].name} has no mask{_expected_name(i, expected[i])}." for i in without_mask),
        *(f"The mask {masks[i].name} has no image." for i in without_image),
    ]


def _expected_name(image_id: str, mask_id: str) -> str:
    return "" if image_id == mask_id else f" (expected: {mask_id} with the suffix of an image)"
