"""What the page about the data says in words."""

import numpy as np

from competition.config.settings import Settings
from competition.data.eda.drift import FEWEST_IMAGES
from competition.data.eda.survey import Survey
from competition.wording import Fact


def scope(survey: Survey) -> str:
    """How many images there are, and how many of them were opened."""
    labelled, test = len(survey.sizes), len(survey.test_sizes)
    there = f"{labelled:,} labelled images" + (f" and {test:,} test images" if test else "")
    if not survey.is_sampled:
        return f"{there}; every one was opened."
    opened = f"{len(survey.sample):,} labelled" + (
        f" and {len(survey.test_features):,} test images" if test else " images"
    )
    return (
        f"{there}. Class shares, sizes and near-duplicates come from all of them; the rest from a sample of {opened}."
    )


def facts(survey: Survey, settings: Settings) -> list[Fact]:
    """The numbers at the head of the page."""
    rarest = min((c for c in survey.classes if c.pixels), key=lambda c: c.share, default=None)
    groups = len({item.group for item in survey.sample if item.group})
    height, width = np.median(survey.sizes, axis=0)
    different = len(np.unique(survey.sizes, axis=0))
    found = [
        Fact("labelled images", f"{len(survey.sizes):,}", f"in {groups} groups" if groups else "without groups"),
        Fact("test images", f"{len(survey.test_sizes):,}"),
        Fact("classes", str(len(survey.classes)), f"metric: {settings.metric}"),
        Fact("size", f"{height:.0f}×{width:.0f}", "all alike" if different == 1 else f"median of {different} sizes"),
    ]
    if rarest:
        found.append(
            Fact("rarest class", rarest.name, f"{_share(rarest.share)} of the pixels, {rarest.images:,} images")
        )
    if survey.drift:
        found.append(Fact("drift, AUC", f"{survey.drift.auc:.2f}", survey.drift.verdict))
    return found


def findings(survey: Survey) -> list[str]:
    """The page in a few lines."""
    height, width = np.median(survey.sizes, axis=0)
    lines = [scope(survey), f"Median size {height:.0f}x{width:.0f} (height x width)."]
    if len(survey.clusters) > 1:
        kinds = "; ".join(f"{kind.words} ({kind.images})" for kind in survey.clusters)
        lines.append(f"{len(survey.clusters)} kinds of images: {kinds}.")
    if survey.drift:
        features = ", ".join(feature.feature for feature in survey.drift.features)
        lines.append(f"Drift AUC {survey.drift.auc:.2f}: {survey.drift.verdict} (most in {features}).")
    lines.append(near_duplicates(survey) if survey.duplicates else "There are no near-duplicates.")
    lines += [f"Suspicious: {shown.id}, {shown.why}." for shown in survey.examples.suspicious]
    return lines


def sizes(survey: Survey) -> str:
    """The one size of all images."""
    height, width = survey.sizes[0]
    return f"Every image is {height} pixels high and {width} wide."


def no_drift(survey: Survey) -> str:
    """Why nothing can be said about drift."""
    if not len(survey.test_sizes):
        return "There are no test images to compare with."
    return f"It takes at least {FEWEST_IMAGES} images on either side to tell."


def near_duplicates(survey: Survey) -> str:
    """The number of near-duplicates, and their consequences for a split."""
    labelled = sum(len(group.labelled) for group in survey.duplicates)
    text = f"{labelled:,} labelled images are equal or nearly equal to others, in {_groups(len(survey.duplicates))}."
    if any(group.test for group in survey.duplicates):
        number = sum(len(group.test) for group in survey.duplicates)
        text += f" {number:,} test images are among them, so a public score may be too good."
    return text + " A model must not be validated on images that it was trained on, so comp split keeps them together."


def _groups(number: int) -> str:
    return "1 group" if number == 1 else f"{number:,} groups"


def _share(share: float) -> str:
    return f"{100 * share:.2g} %"
