"""A survey as plain values, for programs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from competition.data.eda.appearance import NAMES
from competition.data.eda.classes import median_frequency
from competition.data.eda.examples import Example
from competition.data.eda.survey import Survey


def summarise(survey: Survey) -> dict[str, Any]:
    """The survey without its heat maps, as JSON values; numbers have six significant digits."""
    return {
        "images": len(survey.sizes),
        "test_images": len(survey.test_sizes),
        "opened": len(survey.sample),
        "opened_test": len(survey.test_features),
        "classes": _classes(survey),
        "co_occurrence": [[_rounded(value) for value in row] for row in survey.together.tolist()],
        "sizes": _sizes(survey),
        "looks": _appearance(survey),
        "kinds": [{"words": c.words, "images": c.images, "examples": list(c.examples)} for c in survey.clusters],
        "drift": _drift(survey),
        "twins": [{"labelled": list(g.labelled), "test": list(g.test), "exact": g.exact} for g in survey.duplicates],
        "advice": [{"topic": a.topic, "what": a.what, "why": a.why, "setting": a.setting} for a in survey.advice],
        "shown": {name: [_example(image) for image in images] for name, images in survey.examples.parts},
    }


def _classes(survey: Survey) -> list[dict[str, Any]]:
    weights = median_frequency(survey.classes)
    return [
        {
            "name": facts.name,
            "pixel_share": _rounded(facts.share),
            "images": facts.images,
            "share_where_present": _rounded(facts.share_where_present),
            "objects": objects.objects,
            "specks": objects.specks,
            "objects_per_image": _rounded(objects.per_image),
            "median_object_share": _rounded(objects.median_share),
            "median_object_side_px": _rounded(objects.median_side),
            "suggested_weight": _rounded(float(weight)),
        }
        for facts, objects, weight in zip(survey.classes, survey.objects, weights, strict=True)
    ]


def _sizes(survey: Survey) -> list[dict[str, int]]:
    """Every size of the labelled images, the most frequent first."""
    sizes, counts = np.unique(survey.sizes, axis=0, return_counts=True)
    order: Sequence[int] = np.argsort(-counts, kind="stable").tolist()
    return [{"height": int(sizes[i][0]), "width": int(sizes[i][1]), "images": int(counts[i])} for i in order]


def _appearance(survey: Survey) -> dict[str, dict[str, float | None]]:
    """The 5th, 50th and 95th percentile of each feature."""
    levels = np.percentile(survey.features, [5, 50, 95], axis=0)
    return {
        name: {"p5": _rounded(low), "median": _rounded(middle), "p95": _rounded(high)}
        for name, (low, middle, high) in zip(NAMES, levels.T.tolist(), strict=True)
    }


def _drift(survey: Survey) -> dict[str, Any] | None:
    if survey.drift is None:
        return None
    features = [
        {
            "feature": f.feature,
            "auc": _rounded(f.auc),
            "train_median": _rounded(f.train_median),
            "test_median": _rounded(f.test_median),
        }
        for f in survey.drift.features
    ]
    return {"auc": _rounded(survey.drift.auc), "verdict": survey.drift.verdict, "telling": features}


def _example(image: Example) -> dict[str, str]:
    return {"id": image.id, "why": image.why}


def _rounded(value: float | None) -> float | None:
    """Six significant digits; NaN becomes null."""
    return None if value is None or np.isnan(value) else float(f"{value:.6g}")
