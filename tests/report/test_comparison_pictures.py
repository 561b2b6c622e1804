import io

import numpy as np
from PIL import Image

from competition.config.settings import IGNORE_INDEX
from competition.report.comparison_pictures import BROKEN, MENDED, STILL_WRONG, changed_pixels, scatter
from competition.report.theme import LIGHT, draw
from competition.scoring.imagewise import ImageChange


def test_each_kind_of_change_has_its_colour() -> None:
    image = np.full((1, 5, 3), 100, np.uint8)
    truth = np.array([[0, 0, 0, 0, IGNORE_INDEX]], np.uint8)
    a = np.array([[0, 1, 0, 1, 1]], np.uint8)
    b = np.array([[0, 0, 1, 2, 0]], np.uint8)
    pale = (178, 178, 178)
    assert [tuple(p) for p in changed_pixels(image, truth, a, b)[0].tolist()] == [
        pale,
        MENDED,
        BROKEN,
        STILL_WRONG,
        pale,
    ]


def test_the_scatter_is_drawn_whatever_the_names_and_the_spread() -> None:
    names = ("$a$ <b>", "실험 🎯")
    for images in ([ImageChange("i", 0.5, 0.5)], [ImageChange("i", 0.2, 0.4), ImageChange("j", 0.9, 0.1)]):
        drawn = Image.open(io.BytesIO(draw(lambda theme, shown=images: scatter(shown, names, theme), LIGHT)))
        assert drawn.width > 400
