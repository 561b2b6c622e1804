"""Two experiments side by side, as tables and sentences."""

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from competition.cli.show import output
from competition.wording import comparison_sentences

if TYPE_CHECKING:
    from competition.report.codediff import CodeDiff

MOST_LINES = 40
"""So many lines of a diff are printed; `--json` and the page have them all."""
_HASH_DIGITS = 12
_STYLES = {"+": "green", "-": "red", "@": "dim"}


def show(a: str, b: str, found: dict[str, Any], code: "CodeDiff") -> None:
    """Print what `comp compare` found out about experiments a and b."""
    config = output.table("key", a, b, wrap=(a, b))
    for line in found["config"]:
        output.add_row(config, line["key"], line[a], line[b])
    output.out().print(config if found["config"] else "The same configuration.")
    _show_code(a, b, code)
    verdict = found["verdict"]
    halves = verdict["class_half"] if verdict else {}
    score_half = verdict["high"] - verdict["delta"] if verdict and verdict["high"] is not None else None
    scores = output.table("", a, b, "delta", "95 %", right=(a, b, "delta", "95 %"))
    _add(scores, "CV score", found["score"], half=score_half)
    for fold, pair in found["folds"].items():
        _add(scores, f"fold {fold}", pair)
    for name, pair in found["class_iou"].items():
        _add(scores, f"IoU {name}", pair, half=halves.get(name))
    output.out().print()
    output.out().print(scores)
    if verdict:
        _show_images(a, b, verdict["images"])
        output.out().print()
        output.out().print("\n".join(comparison_sentences(a, b, found)), markup=False)
    if found.get("calibration"):
        output.out().print()
        output.out().print(_calibration(found["calibration"]))


def _show_code(a: str, b: str, code: "CodeDiff") -> None:
    """The diffs of the team's own code, and what the records say differently."""
    texts = [file.text for file in code.files]
    for name, text in zip((a, b), code.uncommitted, strict=True):
        texts += [f"Not committed when {name} ran:\n{text}"] if text else []
    for text in texts:
        lines = text.splitlines()
        output.out().print()
        for line in lines[:MOST_LINES]:
            output.out().print(Text(line, style=_STYLES.get(line[:1], "")))
        if len(lines) > MOST_LINES:
            output.say(f"… {len(lines) - MOST_LINES} more lines: --json or --page has them all.")
    if code.recorded:
        table = output.table("recorded differently", a, b, wrap=("recorded differently", a, b))
        for fact in code.recorded:
            output.add_row(table, fact.what, *(_short(value) for value in (fact.a, fact.b)))
        output.out().print()
        output.out().print(table)


def _short(value: str | None) -> str:
    """A hash as far as anybody reads it."""
    if value is None:
        return output.NOTHING
    return value[:_HASH_DIGITS] if len(value) in (40, 64) and value.isalnum() else value


def _calibration(found: dict[str, Any]) -> Table:
    """How sure each is and how often right, in percent."""
    columns = ("expected error", "confidence", "accuracy")
    table = output.table("calibration", *columns, right=columns, wrap=("calibration",))
    for name, measured in found.items():
        output.add_row(table, name, *(output.percent(measured[key]) for key in ("error", "confidence", "accuracy")))
    return table


def _show_images(a: str, b: str, images: list[dict[str, Any]]) -> None:
    table = output.table("changed most", a, b, "delta", right=(a, b, "delta"), wrap=("changed most",))
    for image in images:
        _add(table, image["id"], image, interval=False)
    output.out().print()
    output.out().print(table)


def _add(
    table: Any, label: str, pair: dict[str, float | None], *, half: float | None = None, interval: bool = True
) -> None:
    cells = [output.percent(pair["a"]), output.percent(pair["b"]), output.percent(pair["delta"], signed=True)]
    if interval:
        cells.append("" if half is None else f"±{100 * half:.2f}")
    output.add_row(table, label, *cells)
