import numpy as np

from competition.config.settings import IGNORE_INDEX
from competition.report.experiment import Scored, chosen, errors


def scored(*scores: float) -> list[Scored]:
    return [Scored(f"i{number}", 0, score) for number, score in enumerate(scores)]


def test_the_best_the_middle_and_the_worst_are_chosen() -> None:
    found = chosen(scored(*(number / 100 for number in range(101))), each=3)
    assert [round(100 * s.score) for s in found] == [100, 99, 98, 51, 50, 49, 2, 1, 0]


def test_few_images_are_all_shown_once_and_those_without_a_score_are_not() -> None:
    assert [s.id for s in chosen(scored(0.1, float("nan"), 0.3, 0.3), each=3)] == ["i2", "i3", "i0"]


def test_wrong_pixels_are_red_and_void_is_never_wrong() -> None:
    image = np.full((1, 4, 3), 100, np.uint8)
    truth = np.array([[0, 1, IGNORE_INDEX, 1]], np.uint8)
    predicted = np.array([[0, 0, 0, 1]], np.uint8)
    picture = errors(image, truth, predicted)
    assert picture[0].tolist() == [[178] * 3, [224, 30, 45], [178] * 3, [178] * 3]
