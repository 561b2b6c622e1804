"""Charts as inline SVG. Colours are classes of templates/overview.css, so a chart follows the page; text is escaped."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

Range = tuple[float, float]
Line = Sequence[tuple[float, float]]

MOST_POINTS = 80
"""A line is thinned to about so many points."""

_WIDTH, _HEIGHT = 300, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 16, 8, 22
_BAR_WIDTH, _BAR_HEIGHT = 120, 14


@dataclass(frozen=True)
class Point:
    """A dot with a label beside it; `error` is half the height of its whisker, `title` what a pointer on it shows."""

    x: float
    y: float
    label: str
    title: str
    error: float | None = None


@dataclass(frozen=True)
class _Plane:
    """From values to the pixels of a chart."""

    x: Range
    y: Range
    width: int
    height: int

    def across(self, value: float) -> float:
        return _LEFT + (value - self.x[0]) / (self.x[1] - self.x[0]) * (self.width - _LEFT - _RIGHT)

    def down(self, value: float) -> float:
        return self.height - _BOTTOM - (value - self.y[0]) / (self.y[1] - self.y[0]) * (self.height - _TOP - _BOTTOM)


def interval(low: float, middle: float, high: float, *, scale: float, label: str) -> Markup:
    """A whisker with a dot, and a stroke at zero; `scale` is what either end of the picture stands for."""

    def across(value: float) -> float:
        share = max(-1.0, min(1.0, value / scale if scale else 0.0))
        return round(_BAR_WIDTH / 2 + share * (_BAR_WIDTH / 2 - 5), 1)

    return Markup(
        '<svg class="interval" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">'
        '<path class="zero" d="M{zero} 0V{h}"/><path class="whisker" d="M{a} {y}H{b}M{a} 3V11M{b} 3V11"/>'
        '<circle cx="{dot}" cy="{y}" r="3.5"/></svg>'
    ).format(
        w=_BAR_WIDTH,
        h=_BAR_HEIGHT,
        label=label,
        zero=_BAR_WIDTH // 2,
        a=across(low),
        b=across(high),
        dot=across(middle),
        y=7,
    )


def lines(drawn: Sequence[Line], *, x: Range, y: Range, label: str, tone: str = "first") -> Markup:
    """Lines in one plane, the later ones fainter; `tone` is the class of their colour."""
    plane = _Plane(x, y, _WIDTH, _HEIGHT)
    paths = Markup().join(
        Markup('<path class="line {}" style="opacity:{:.2f}" d="{}"/>').format(
            tone, 1 - 0.6 * place / max(1, len(drawn) - 1), _path(thinned(line), plane)
        )
        for place, line in enumerate(drawn)
        if line
    )
    return _framed(plane, paths, label=label)


def scatter(points: Sequence[Point], *, label: str, axes: tuple[str, str], slope_gap: float | None = None) -> Markup:
    """Dots with whiskers; `axes` names across and up; `slope_gap` draws the line y = x + gap."""
    xs = [p.x for p in points]
    ys = [y for p in points for y in (p.y - (p.error or 0), p.y + (p.error or 0))]
    plane = _Plane(padded(xs), padded(ys), 2 * _WIDTH, 2 * _HEIGHT)
    drawn = Markup()
    if slope_gap is not None:
        ends = _clipped(plane, slope_gap)
        if ends:
            drawn += Markup('<path class="guide" d="{}"/>').format(_path(ends, plane))
    for p in points:
        x, y = plane.across(p.x), plane.down(p.y)
        dot = Markup('<g class="dot"><title>{}</title>').format(p.title)
        if p.error:
            top, bottom = plane.down(p.y + p.error), plane.down(p.y - p.error)
            dot += Markup('<path class="whisker" d="M{x:.1f} {t:.1f}V{b:.1f}"/>').format(x=x, t=top, b=bottom)
        dot += Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4.5"/>').format(x, y)
        drawn += dot + Markup('<text x="{:.1f}" y="{:.1f}">{}</text></g>').format(x + 7, y - 6, p.label)
    across, up = axes
    drawn += Markup('<text class="axis end" x="{}" y="{}">{}</text>').format(
        plane.width - _RIGHT, plane.height - _BOTTOM - 5, across
    )
    drawn += Markup('<text class="axis" x="{}" y="{}">{}</text>').format(_LEFT + 3, _TOP + 9, up)
    return _framed(plane, drawn, label=label)


def thinned(line: Line) -> Line:
    """The line with at most about `MOST_POINTS` points, its last among them."""
    step = math.ceil(len(line) / MOST_POINTS)
    return line if step <= 1 else [*line[:-1:step], line[-1]]


def padded(values: Sequence[float]) -> Range:
    """The range of the values with a margin; never empty."""
    low, high = min(values), max(values)
    margin = 0.1 * (high - low) or max(0.5, 0.05 * abs(high))
    return low - margin, high + margin


def ticks(span: Range, most: int = 5) -> list[float]:
    """Round numbers inside the range, at most `most`, a step of 1, 2 or 5 times a power of ten apart."""
    low, high = span
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 5, 10, 20) if (high - low) / (s * power) <= most)
    return [round(n * step, 10) for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _framed(plane: _Plane, content: Markup, *, label: str) -> Markup:
    marks = Markup()
    for value in ticks(plane.y):
        y = plane.down(value)
        marks += Markup(
            '<path class="grid" d="M{} {y:.1f}H{}"/><text class="tick end" x="{}" y="{:.1f}">{:g}</text>'
        ).format(_LEFT, plane.width - _RIGHT, _LEFT - 5, y + 3.5, value, y=y)
    for value in ticks(plane.x):
        marks += Markup('<text class="tick middle" x="{:.1f}" y="{}">{:g}</text>').format(
            plane.across(value), plane.height - 7, value
        )
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        plane.width, plane.height, label, marks, content
    )


def _path(line: Line, plane: _Plane) -> str:
    steps = (f"{plane.across(x):.1f} {plane.down(y):.1f}" for x, y in line if math.isfinite(y))
    points = list(steps)
    if len(points) == 1:
        points *= 2  # a line of one point is drawn as a dot, by its round ends
    return "M" + "L".join(points) if points else ""


def _clipped(plane: _Plane, gap: float) -> Line:
    """The ends of y = x + gap inside the plane."""
    left, right = max(plane.x[0], plane.y[0] - gap), min(plane.x[1], plane.y[1] - gap)
    return [(left, left + gap), (right, right + gap)] if left < right else []
