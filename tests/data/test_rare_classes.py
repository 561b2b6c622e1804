import pytest

from competition.data.manifest import Item
from competition.data.rare_classes import RareClasses, find_rare_classes
from competition.errors import UnknownNameError

NAMES = ("road", "car", "pole", "ghost")


def item(name: str, *pixels: int) -> Item:
    return Item(name, f"{name}.png", f"{name}.png", "", 10, 10, "", "", pixels, 0)


ITEMS = [item("a", 90, 10, 0, 0), item("b", 80, 18, 2, 0), item("c", 100, 0, 0, 0)]


def test_rare_is_what_lies_far_below_its_even_share() -> None:
    """The even share of four classes is 75 of 300 pixels; a quarter of it is 18.75. Pole has 2, car 28, ghost none."""
    assert find_rare_classes(ITEMS, NAMES, []) == RareClasses((2,), ("b",))


def test_without_a_rare_class_the_rarest_counts() -> None:
    even = [item("a", 50, 50), item("b", 60, 40)]
    assert find_rare_classes(even, ("x", "y"), []) == RareClasses((1,), ("a", "b"))


def test_named_classes_are_taken() -> None:
    assert find_rare_classes(ITEMS, NAMES, ["pole", "car", "car"]) == RareClasses((1, 2), ("a", "b"))
    with pytest.raises(UnknownNameError, match="Did you mean 'pole'"):
        find_rare_classes(ITEMS, NAMES, ["pol"])


def test_nothing_labelled_nothing_rare() -> None:
    assert find_rare_classes([item("v", 0, 0)], ("x", "y"), []) == RareClasses((), ())
