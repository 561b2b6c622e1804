"""What a survey found, as plain values for programs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from competition.data.eda.appearance import NAMES
from competition.data.eda.choice import Shown
from competition.data.eda.classes import median_frequency
from competition.data.eda.survey import Survey


def summarise(survey: Survey) -> dict[str, Any]:
    """Everything but the heat maps, as JSON values; numbers are rounded to what they are worth."""
    return {
        "images": len(survey.sizes),
        "test_images": len(survey.test_sizes),
        "opened": len(survey.sample),
        "opened_test": len(survey.test_features),
        "classes": _classes(survey),
        "co_occurrence": [[_rounded(value) for value in row] for row in survey.together.tolist()],
        "sizes": _sizes(survey),
        "looks": _looks(survey),
        "kinds": [{"words": c.words, "images": c.images, "examples": list(c.examples)} for c in survey.clusters],
        "drift": _drift(survey),
        "twins": [{"labelled": list(t.labelled), "test": list(t.test), "exact": t.exact} for t in survey.twins],
        "advice": [{"topic": a.topic, "what": a.what, "why": a.why, "setting": a.setting} for a in survey.advice],
        "shown": {name: [_shown(image) for image in images] for name, images in survey.choice.parts},
    }


def _classes(survey: Survey) -> list[dict[str, Any]]:
    weights = median_frequency(survey.classes)
    return [
        {
            "name": facts.name,
            "pixel_share": _rounded(facts.share),
            "images": facts.images,
            "share_where_present": _rounded(facts.share_where_present),
            "objects": found.objects,
            "specks": found.specks,
            "objects_per_image": _rounded(found.per_image),
            "median_object_share": _rounded(found.median_share),
            "median_object_side_px": _rounded(found.median_side),
            "suggested_weight": _rounded(float(weight)),
        }
        for facts, found, weight in zip(survey.classes, survey.objects, weights, strict=True)
    ]


def _sizes(survey: Survey) -> list[dict[str, int]]:
    """Every size of the labelled images, the commonest first."""
    found, times = np.unique(survey.sizes, axis=0, return_counts=True)
    order: Sequence[int] = np.argsort(-times, kind="stable").tolist()
    return [
        {"height": int(found[place][0]), "width": int(found[place][1]), "images": int(times[place])} for place in order
    ]


def _looks(survey: Survey) -> dict[str, dict[str, float | None]]:
    """The 5th, 50th and 95th percentile of each feature."""
    levels = np.percentile(survey.features, [5, 50, 95], axis=0)
    return {
        name: {"p5": _rounded(low), "median": _rounded(middle), "p95": _rounded(high)}
        for name, (low, middle, high) in zip(NAMES, levels.T.tolist(), strict=True)
    }


def _drift(survey: Survey) -> dict[str, Any] | None:
    if survey.drift is None:
        return None
    telling = [
        {
            "feature": t.feature,
            "auc": _rounded(t.auc),
            "train_median": _rounded(t.train_median),
            "test_median": _rounded(t.test_median),
        }
        for t in survey.drift.telling
    ]
    return {"auc": _rounded(survey.drift.auc), "verdict": survey.drift.verdict, "telling": telling}


def _shown(image: Shown) -> dict[str, str]:
    return {"id": image.id, "why": image.why}


def _rounded(value: float | None) -> float | None:
    """Six significant digits; NaN becomes null."""
    return None if value is None or np.isnan(value) else float(f"{value:.6g}")
