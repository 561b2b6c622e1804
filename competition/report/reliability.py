"""The reliability diagram: how often pixels of some confidence are right."""

from matplotlib.figure import Figure

from competition.report.figures import WIDTH
from competition.report.theme import Theme
from competition.scoring.calibration import BINS, Calibration
from competition.wording import percent


def reliability(sides: dict[str, Calibration], theme: Theme) -> Figure:
    """Accuracy by confidence for two experiments, and how many pixels have that confidence, in percent.

    Below the line a model is surer than it may be (Niculescu-Mizil and Caruana 2005, ICML).
    """
    figure = Figure(figsize=(WIDTH, 1.25 * WIDTH), layout="constrained")
    curve, share = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    curve.plot((0, 100), (0, 100), color=theme.faint, linewidth=1, zorder=0)
    lines = {}
    for (name, found), colour, marker, shift in zip(
        sides.items(), (theme.first, theme.second), "ov", (-0.2, 0.2), strict=True
    ):
        width = 100 / BINS
        sure = [100 * b.confidence for b in found.bins]
        total = found.pixels.sum()
        (line,) = curve.plot(
            sure,
            [100 * b.accuracy for b in found.bins],
            color=colour,
            marker=marker,
        )
        lines[f"{name}: expected error {percent(found.error)}"] = line  # a label of its own might start with "_"
        middles = [width * (b.number + 0.5 + shift) for b in found.bins]
        share.bar(middles, [100 * b.pixels / total for b in found.bins], width=0.4 * width, color=colour)
    curve.set(xlim=(0, 100), ylim=(0, 100), ylabel="of them named rightly, %")
    curve.set_title("how often pixels of a confidence are right")
    curve.grid()
    curve.legend(lines.values(), lines.keys(), loc="upper left")
    share.set(xlabel="confidence: probability of the class named, %", ylabel="pixels, %")
    share.grid(axis="y")
    return figure
