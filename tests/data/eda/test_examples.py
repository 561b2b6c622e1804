import numpy as np

from competition.data.eda.appearance import FEATURES, NAMES
from competition.data.eda.examples import choose_examples
from tests.data.eda.making import item

CLASSES = ["road", "tree", "pole"]


def features(number: int) -> np.ndarray:
    return np.random.default_rng(0).normal(50, 5, (number, len(FEATURES)))


def test_typical_images_come_from_every_group() -> None:
    items = [item(f"i{n}", 5, 5, 5, group=f"g{n % 3}") for n in range(30)]
    chosen = choose_examples(items, features(30), CLASSES).typical
    assert [shown.why for shown in chosen].count("group g0") == 2
    assert len({shown.why for shown in chosen}) == 3


def test_a_typical_image_is_in_the_middle() -> None:
    looks = features(9)
    looks[4] = np.median(looks, axis=0)
    assert choose_examples([item(f"i{n}", 5, 5, 5) for n in range(9)], looks, CLASSES).typical[0].id == "i4"


def test_the_rarest_classes_are_shown_where_there_is_most_of_them() -> None:
    items = [item("a", 90, 8, 2), item("b", 94, 0, 6), item("c", 80, 20, 0)]
    shown = choose_examples(items, features(3), CLASSES).rare
    assert (shown[0].id, shown[0].why) == ("b", "pole, 6.0% of the image")
    assert (shown[1].id, shown[1].why) == ("a", "pole, 2.0% of the image")
    assert (shown[2].id, shown[2].why) == ("c", "tree, 20.0% of the image")


def test_suspicious_images_say_why() -> None:
    items = [item(f"i{n}", 5, 5, 5) for n in range(20)]
    items[1] = item("void", 2, 2, 2, void=94)
    items[2] = item("only", 15, 0, 0)
    looks = features(20)
    looks[0, NAMES.index("contrast")] = 0.5
    looks[3, NAMES.index("brightness")] = 250
    found = {shown.id: shown.why for shown in choose_examples(items, looks, CLASSES).suspicious}
    assert found == {
        "i0": "almost no contrast (black, blank or broken)",
        "void": "94% of the mask is void",
        "only": "the whole mask is road",
        "i3": "unlike the others: bright",
    }


def test_many_odd_images_are_a_kind_of_their_own() -> None:
    looks = features(60)
    looks[:20, NAMES.index("brightness")] = 250
    assert choose_examples([item(f"i{n}", 5, 5, 5) for n in range(60)], looks, CLASSES).suspicious == ()
