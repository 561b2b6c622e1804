"""Sections of the configuration: loss, optimiser and learning-rate schedule."""

import math
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from competition.config.fields import NonNegative, Positive, Probability
from competition.config.yamlfile import Section, UnusedKeys


class ClassWeights(StrEnum):
    """Rules for class weights in the cross-entropy and focal terms, from the pixels of the training part."""

    NONE = "none"
    INVERSE = "inverse"
    MEDIAN = "median"


def parse_class_weights(value: object) -> object:
    """The name of a rule, or a list with one weight per class.

    Raises:
        ValueError: the value is something else.
    """
    if isinstance(value, str) and value in set(ClassWeights):
        return ClassWeights(value)
    if isinstance(value, list | tuple) and value:
        weights = tuple(float(w) for w in value if isinstance(w, int | float) and not isinstance(w, bool) and w > 0)
        if len(weights) == len(value) and all(map(math.isfinite, weights)):
            return weights
    raise ValueError(f"write {', '.join(ClassWeights)} or one positive number per class, such as [1, 2.5]")


class LossConfig(Section):
    """The loss is a sum of terms; a term counts with its weight, and one of weight 0 is off. Void pixels count in none.

    `cross_entropy` and `focal` score pixels; `dice`, `jaccard`, `tversky`, `lovasz` and `mcc` score regions.

    `smoothing` is the label smoothing of the cross-entropy, and `ohem` the share of the hardest pixels that it uses.
    `focal_gamma` is the focal term's exponent. `tversky_beta` is the cost of a missed pixel in the Tversky term; a
    false pixel costs 1 minus that. `class_weights` apply to the cross-entropy and focal terms: `inverse` or `median`
    frequency of the training part's classes, or a list with one weight per class.
    """

    cross_entropy: NonNegative = 1.0
    dice: NonNegative = 1.0
    jaccard: NonNegative = 0.0
    tversky: NonNegative = 0.0
    focal: NonNegative = 0.0
    lovasz: NonNegative = 0.0
    mcc: NonNegative = 0.0
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    ohem: Annotated[float, Field(gt=0, le=1)] = 1.0
    focal_gamma: NonNegative = 2.0
    tversky_beta: Probability = 0.7
    class_weights: Annotated[ClassWeights | tuple[float, ...], BeforeValidator(parse_class_weights)] = ClassWeights.NONE

    @property
    def terms(self) -> dict[str, float]:
        """The weight of each term, by its key."""
        return {name: getattr(self, name) for name in LOSS_TERMS}

    @model_validator(mode="after")
    def _something_to_minimise(self) -> "LossConfig":
        if not any(self.terms.values()):
            raise ValueError("at least one term needs a weight above 0")
        return self


LOSS_TERMS = ("cross_entropy", "dice", "jaccard", "tversky", "focal", "lovasz", "mcc")


class OptimizerConfig(Section):
    """The optimiser: `adamw`, `adam`, `sgd` (momentum 0.9), or any that timm's factory knows.

    `lr` is the peak learning rate, `encoder_lr` the encoder's where it has its own. Gradients longer than `clip_norm`
    are cut to it (0: never).
    """

    name: str = Field(default="adamw", min_length=1)
    lr: Positive = 1e-3
    encoder_lr: Positive | None = None
    weight_decay: NonNegative = 1e-4
    clip_norm: NonNegative = 0.0


class ScheduleConfig(Section):
    """The learning rate over time: linear warm-up, then the named shape (`constant` stays at the peak).

    `one-cycle` has its own warm-up, over 30 % of the run. `plateau` divides by 10 when `plateau_patience` epochs have
    not lowered the training loss.
    """

    name: Literal["cosine", "linear", "poly", "one-cycle", "plateau", "constant"] = "cosine"
    warmup_epochs: NonNegative = 1.0
    plateau_patience: int = Field(default=3, ge=1)


def unused_keys(loss: LossConfig, schedule: ScheduleConfig) -> list[UnusedKeys]:
    """The conditions under which keys of these sections have no effect."""
    weighed = loss.cross_entropy or loss.focal
    return [
        (not loss.cross_entropy, ["loss.smoothing", "loss.ohem"], "loss.cross_entropy is 0"),
        (not loss.focal, ["loss.focal_gamma"], "loss.focal is 0"),
        (not loss.tversky, ["loss.tversky_beta"], "loss.tversky is 0"),
        (not weighed, ["loss.class_weights"], "neither loss.cross_entropy nor loss.focal is above 0"),
        (schedule.name != "plateau", ["schedule.plateau_patience"], "schedule.name is not plateau"),
        (schedule.name == "one-cycle", ["schedule.warmup_epochs"], "schedule.name=one-cycle has its own warm-up"),
    ]
