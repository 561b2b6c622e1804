import base64
import io

import numpy as np
from PIL import Image

from competition.config.settings import IGNORE_INDEX
from competition.report.overlay import data_uri, overlay, png_bytes, shrink_image, shrink_labels

RED, BLUE = (255, 0, 0), (0, 0, 255)


def test_classes_are_tinted_and_outlined() -> None:
    labels = np.zeros((4, 6), np.uint8)
    labels[:, 3:] = 1
    drawn = overlay(np.full((4, 6, 3), 100, np.uint8), labels, [RED, BLUE])
    assert drawn[0, 0].tolist() == [178, 50, 50]
    assert drawn[0, 2].tolist() == [255, 0, 0]
    assert drawn[0, 5].tolist() == [50, 50, 178]


def test_a_clear_class_is_shown_as_it_is() -> None:
    image = np.full((2, 2, 3), 100, np.uint8)
    assert np.array_equal(overlay(image, np.zeros((2, 2), np.uint8), [RED, BLUE], clear=0), image)


def test_void_is_hatched() -> None:
    drawn = overlay(np.zeros((16, 16, 3), np.uint8), np.full((16, 16), IGNORE_INDEX, np.uint8), [RED])
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 2


def test_images_and_labels_shrink_alike_and_small_ones_stay() -> None:
    image, labels = np.zeros((100, 401, 3), np.uint8), np.zeros((100, 401), np.uint8)
    assert shrink_image(image, longest=40).shape[:2] == shrink_labels(labels, longest=40).shape == (10, 40)
    assert shrink_image(image, longest=500).shape == image.shape


def test_an_address_holds_the_file() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    uri = data_uri(png_bytes(image))
    kind, _, encoded = uri.partition(",")
    assert kind == "data:image/png;base64"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded)))), image)
