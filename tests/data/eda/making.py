"""Manifest items without files."""

from competition.data.manifest import Item


def item(image_id: str, *pixels: int, void: int = 0, group: str = "", test: bool = False) -> Item:
    """An image of one row of pixels; labelled unless `test`."""
    width = max(sum(pixels) + void, 1)
    return Item(
        id=image_id,
        image=f"{image_id}.png",
        mask="" if test else f"{image_id}.png",
        group=group,
        height=1,
        width=width,
        image_sha256=image_id,
        mask_sha256=image_id,
        pixels=pixels,
        void=void,
    )
