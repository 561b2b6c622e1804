import io

import numpy as np
from PIL import Image

from competition.report.sheet import gallery


def test_a_gallery_has_a_row_of_pictures_for_each_image_whatever_its_name() -> None:
    pictures = [np.full((20, 30, 3), shade, np.uint8) for shade in (10, 60, 110, 160)]
    sheet = np.asarray(
        Image.open(io.BytesIO(gallery(("image", "참", "c", "d"), [("한글 <b> 12.34", pictures), ("second", pictures)])))
    )
    assert sheet.shape[1] == 4 * 36 + 6
    for row in (22, 22 + 42):
        assert [int(sheet[row + 5, 6 + column * 36 + 5, 0]) for column in range(4)] == [10, 60, 110, 160]
