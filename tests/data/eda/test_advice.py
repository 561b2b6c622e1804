import numpy as np
import pytest

from competition.config.experiment import Config
from competition.data.eda.advice import Advice, advise
from competition.data.eda.appearance import FEATURES, NAMES
from competition.data.eda.classes import class_facts
from competition.data.eda.objects import ObjectFacts
from competition.data.manifest import Manifest
from tests.data.eda.making import item

FACTS = class_facts(Manifest((item("a", 80, 16, 4, 0),)), ["road", "tree", "pole", "never"])


def objects(*sides: float) -> ObjectFacts:
    return ObjectFacts(len(sides), 0, 1.0, np.array(sides) / 100, np.array(sides, dtype=np.float64))


def advice(**changes: object) -> dict[str, Advice]:
    values: dict[str, object] = {
        "classes": FACTS,
        "objects": [objects(*[20.0] * 12)] * 4,
        "sizes": np.array([[200, 300]]),
        "maps": np.full((4, 6, 6), 0.25),
        "features": np.full((8, len(FEATURES)), 100.0),
        "kinds": 1,
        "config": Config(),
    }
    return {found.topic: found for found in advise(**{**values, **changes})}  # type: ignore[arg-type]


def test_weights_are_explained_by_the_extremes() -> None:
    assert "road has 20 times as many pixels as pole" in advice()["class weights"].why
    even = class_facts(Manifest((item("a", 50, 50),)), ["a", "b"])
    assert advice(classes=even, objects=[objects()] * 2)["class weights"].what == "Not needed"


def test_small_images_are_shown_whole_and_large_ones_cropped() -> None:
    assert advice()["size"].setting == "data.size=192x288"
    large = advice(sizes=np.array([[3000, 4000]]), objects=[objects(104.0, 104.0)] * 4)
    assert large["crop"].what == "Train on crops of 416x416 at full resolution"
    assert "104 pixels" in large["crop"].why
    assert (
        "no class has separate objects" in advice(sizes=np.array([[3000, 4000]]), objects=[objects()] * 4)["crop"].why
    )


@pytest.mark.parametrize(("axis", "topic"), [(1, "vertical flip"), (2, "horizontal flip")])
def test_flips_depend_on_where_classes_lie(axis: int, topic: str) -> None:
    sided = np.zeros((4, 6, 6))
    sided[:, :3] = 1.0
    maps = sided if axis == 1 else sided.transpose(0, 2, 1)
    assert advice(maps=maps)[topic].what in ("Do not flip", "Look at the heat maps before you use it")
    other = {"vertical flip": "horizontal flip", "horizontal flip": "vertical flip"}[topic]
    assert advice(maps=maps)[other].what == "Flip half of the images"


def test_what_the_baseline_does_already_needs_no_command() -> None:
    found = advice()
    assert found["horizontal flip"].setting == ""
    assert found["vertical flip"].setting == "augment.vertical_flip=0.5"


@pytest.mark.parametrize(("sides", "what"), [([20.0] * 12, "Mild"), ([4.0, 40.0] * 6, "Strong"), ([9.0], "Mild")])
def test_scale_follows_the_spread_of_sizes(sides: list[float], what: str) -> None:
    assert advice(objects=[objects(*sides)] * 4)["scale"].what.startswith(what)


def test_grey_images_keep_their_hue() -> None:
    grey = np.full((8, len(FEATURES)), 100.0)
    grey[:, NAMES.index("saturation")] = 0
    assert advice(features=grey)["colour"].why == "The images are grey."
    grey[:4, NAMES.index("saturation")] = 90
    assert "50% of the images are grey" in advice(features=grey)["colour"].why
    assert "colour" not in advice()


def test_kinds_are_mentioned_when_there_are_several() -> None:
    assert "3 kinds" in advice(kinds=3)["kinds"].why
    assert "kinds" not in advice()
