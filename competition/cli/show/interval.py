"""Intervals drawn with characters: a line from end to end, a dot where the estimate is, a stroke at zero."""

from rich.text import Text

from competition.scoring.verdicts import Call

WIDTH = 13
"""Odd, so that zero has a cell in the middle."""

STYLES = {Call.BETTER: "green", Call.WORSE: "red", Call.TIE: "", Call.NEEDS_SEEDS: "yellow"}


def bar(low: float, middle: float, high: float, *, scale: float) -> str:
    """`   │├──●──┤ `: zero is the stroke in the middle, `scale` is what the outer cells stand for."""
    cells, zero = [" "] * WIDTH, WIDTH // 2
    left, dot, right = (_cell(value, scale) for value in (low, middle, high))
    if low > 0:  # what excludes zero is seen to
        left, dot, right = max(left, zero + 1), max(dot, zero + 1), max(right, zero + 1)
    if high < 0:
        left, dot, right = min(left, zero - 1), min(dot, zero - 1), min(right, zero - 1)
    cells[left : right + 1] = ["─"] * (right + 1 - left)
    cells[left], cells[right] = "├", "┤"
    cells[zero] = "┼" if left < zero < right else "│"
    cells[dot] = "●"
    return "".join(cells)


def cell(call: Call, mark: str, drawn: str) -> Text:
    """A verdict in words above its bar."""
    words = Text(f"{call.value}{mark}", style=STYLES[call])
    return words.append(f"\n{drawn}") if drawn else words


def _cell(value: float, scale: float) -> int:
    middle = WIDTH // 2
    return middle + round(max(-1.0, min(1.0, value / scale if scale else 0.0)) * middle)
