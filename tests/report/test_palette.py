from competition.config.settings import DataSettings, Settings
from competition.report.palette import class_colours, leading_background, parse, written


def settings(*classes: str, colors: dict[str, str] | None = None) -> Settings:
    return Settings(name="x", classes=classes, data=DataSettings(images="i", masks="m", colors=colors))


def test_colours_are_told_apart() -> None:
    colours = class_colours(settings(*(f"c{n}" for n in range(60))))
    assert len(set(colours)) == 60
    assert all(0 <= value <= 255 for colour in colours for value in colour)


def test_the_data_s_own_colours_are_kept() -> None:
    colours = class_colours(settings("road", "sky", colors={"#804080": "road", "#0000ff": "sky", "#000000": "void"}))
    assert colours == ((128, 64, 128), (0, 0, 255))


def test_a_background_is_grey_and_shifts_nobody() -> None:
    with_it, without = settings("background", "cat"), settings("cat", "dog")
    assert leading_background(with_it)
    assert not leading_background(without)
    assert class_colours(with_it)[1] == class_colours(without)[0]


def test_written_and_parsed() -> None:
    assert parse("#0a10ff") == (10, 16, 255)
    assert written((10, 16, 255)) == "#0a10ff"
