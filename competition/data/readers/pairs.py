"""Reader of a list of pairs: a CSV file with an image and its mask in each row."""

from dataclasses import dataclass
from pathlib import Path

from competition.data.naming import ids_of, natural_key
from competition.data.readers.csvfile import read_csv
from competition.data.readers.encodings import Encoding, read_mask_file
from competition.data.readers.listing import refusal_of_name
from competition.data.readers.source import Labels, Listing, Source

IMAGE_COLUMN = "image"
MASK_COLUMN = "mask"
GROUP_COLUMN = "group"


@dataclass(frozen=True)
class PairsReader:
    """Pairs of an image, a path inside the folder `images`, and its mask, a path inside the folder `masks`."""

    path: Path
    images: Path
    masks: Path
    encoding: Encoding

    def find(self) -> Listing:
        """See `Reader`."""
        table = read_csv(self.path)
        image_column, mask_column = table.column(IMAGE_COLUMN), table.column(MASK_COLUMN)
        ids = ids_of(row[image_column] for _, row in table.rows)
        sources: dict[str, Source] = {}
        problems: list[str] = []
        for line, row in table.rows:
            image, mask = row[image_column], row[mask_column]
            problem = self._problem(image, mask)
            source = Source(ids[image], image, self.images / image, mask, (self.masks / mask,))
            if not problem and source.id in sources:
                problem = f"the image {image!r} occurs twice, or another image has the same stem"
            if problem:
                problems.append(f"{self.path}, line {line}: {problem}.")
            else:
                sources[source.id] = source
        in_order = sorted(sources.values(), key=lambda source: natural_key(source.id))
        return Listing(tuple(in_order), tuple(problems))

    def read_labels(self, image_id: str, mask: str, *, size: tuple[int, int]) -> Labels:
        """See `Reader`."""
        return read_mask_file(self.masks / mask, self.encoding)

    def _problem(self, image: str, mask: str) -> str:
        """The problem with a row, or an empty string."""
        for noun, name, folder in (("image", image, self.images), ("mask", mask, self.masks)):
            refusal = refusal_of_name(name)
            if refusal:
                return f"{name!r} cannot be the name of the {noun}: {refusal}"
            if not (folder / name).is_file():
                return f"the {noun} {folder / name} does not exist"
        if (self.images / image).resolve() == (self.masks / mask).resolve():
            return f"{image!r} is both the image and the mask"
        return ""
