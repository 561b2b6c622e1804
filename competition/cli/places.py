"""Where the data lies, from the options of `comp init`."""

from pathlib import Path

from competition.errors import CompError


def places(
    images: Path | None, labels: dict[str, Path | None], test_images: Path | None, test_coco: Path | None
) -> dict[str, Path | None]:
    """Where images and labels lie: where nobody names a folder, it is the one that the list of them lies in.

    Raises:
        CompError: too little was given, or several forms of labels.
    """
    labels = _by_suffix(labels)
    given = [f"--{key.replace('_', '-')}" for key, path in labels.items() if path]
    if len(given) > 1 and set(given) != {"--masks", "--pairs"}:
        raise CompError(f"{' and '.join(given)} are different forms of labels; give one.")
    listing = labels["coco"] or labels["pairs"]
    images = images or (listing.parent if listing else None)
    if images is None or not given:
        missing = " and ".join([*([] if images else ["--images"]), *([] if given else ["--masks"])])
        raise CompError(
            f"{missing} missing.",
            hint="comp init --images DIR --masks DIR --classes FILE; --pairs, --rle-csv or --coco stand for --masks.",
        )
    if labels["pairs"] and not labels["masks"]:
        labels["masks"] = labels["pairs"].parent
    return {"images": images, **labels, "test_images": test_images or (images if test_coco else None)}


def written(path: Path | None, root: Path) -> str | None:
    """How competition.yaml spells a path: relative to its folder where the path lies inside, else absolute."""
    if path is None:
        return None
    resolved = path.resolve()
    return str(resolved.relative_to(root)) if resolved.is_relative_to(root) else str(resolved)


def _by_suffix(labels: dict[str, Path | None]) -> dict[str, Path | None]:
    """`--masks train.json` is a COCO file, `--masks train.csv` one of run lengths."""
    key = {".json": "coco", ".csv": "rle_csv"}.get(labels["masks"].suffix.lower()) if labels["masks"] else None
    if key is None or labels[key]:
        return dict(labels)
    return {**labels, "masks": None, key: labels["masks"]}
