"""Conditions: the leaf keys in which one configuration differs from another, and the names that they give."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from competition.files import sha256_of_json

if TYPE_CHECKING:
    from competition.config.experiment import Config

_LONGEST = 60


@dataclass(frozen=True)
class Condition:
    """One key that differs from the parent."""

    key: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.key}: {_brief(self.old)} -> {self.value}"

    @property
    def value(self) -> str:
        """The new value, on one line."""
        return _brief(self.new)

    @property
    def slug(self) -> str:
        """A short name for experiments: `lr-0.0005`."""
        value = re.sub(r"[^A-Za-z0-9.+-]+", "-", self.value).strip("-.") or "empty"
        return f"{self.key.rpartition('.')[2]}-{value}"[:48]


def changes_prediction_only(conditions: tuple[Condition, ...]) -> bool:
    """Whether the conditions, at least one, change only the prediction, so that the parent's models can be reused."""
    return bool(conditions) and all(c.key.startswith("predict.") for c in conditions)


def conditions_between(old: "Config", new: "Config") -> tuple[Condition, ...]:
    """Every leaf in which `new` differs from `old`, in the order of declaration."""
    before, after = old.leaves(), new.leaves()
    return tuple(Condition(key, before[key], after[key]) for key in before if before[key] != after[key])


def default_name(conditions: tuple[Condition, ...], *, otherwise: str) -> str:
    """The default name of an experiment: from its conditions, or `otherwise` if it has none."""
    return "+".join(c.slug for c in conditions)[:80] if conditions else otherwise


def _brief(value: Any) -> str:
    """A value on one line; a list of transforms by their names, and by a hash, since the arguments are left out."""
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        names = ", ".join(str(entry.get("__class_fullname__")) for entry in value)
        return f"{sha256_of_json(value)[:4]} [{_cut(names)}]"
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
