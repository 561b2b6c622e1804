import pytest

from competition.report import charts


def test_ticks_are_round_and_inside() -> None:
    assert charts.ticks((0.0, 10.0)) == [0, 2, 4, 6, 8, 10][:6]
    assert charts.ticks((43.1, 44.9)) == [43.5, 44.0, 44.5]
    assert charts.ticks((-0.012, 0.012)) == [-0.01, -0.005, 0.0, 0.005, 0.01]


def test_a_range_of_one_value_is_not_empty() -> None:
    assert charts.padded([0.0]) == (-0.5, 0.5)
    assert charts.padded([40.0, 40.0]) == (38.0, 42.0)
    assert charts.padded([0.0, 10.0]) == (-1.0, 11.0)


def test_long_lines_are_thinned_and_keep_their_end() -> None:
    line = [(float(x), 0.0) for x in range(1000)]
    thin = charts.thinned(line)
    assert len(thin) <= charts.MOST_POINTS + 1
    assert (thin[0], thin[-1]) == (line[0], line[-1])
    assert charts.thinned(line[:80]) == line[:80]


def test_an_interval_is_drawn_to_scale() -> None:
    drawn = charts.interval(-0.01, 0.0, 0.02, scale=0.02, label="x")
    assert 'cx="60.0"' in drawn
    assert 'd="M32.5 7H115.0' in drawn


def test_a_line_that_diverged_is_drawn_as_far_as_it_goes() -> None:
    drawn = charts.lines([[(1.0, 1.0), (2.0, float("nan"))]], x=(1.0, 2.0), y=(0.0, 2.0), label="x")
    assert "nan" not in drawn


@pytest.mark.parametrize("text", ['"><script>', "한국 🦊 <b>&'"])
def test_text_is_escaped(text: str) -> None:
    point = charts.Point(1.0, 2.0, text, text, error=0.1)
    for drawn in (
        charts.scatter([point], label=text, axes=(text, text)),
        charts.interval(0, 0, 0, scale=0, label=text),
    ):
        assert text not in drawn
        assert "&lt;" in drawn
