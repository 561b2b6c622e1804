"""The one-condition rule: an experiment differs from its parent in exactly one leaf key."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from competition.errors import RefusedError
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
        """The new value on one line."""
        return _brief(self.new)

    @property
    def slug(self) -> str:
        """A short name for experiments: `lr-0.0005`."""
        value = re.sub(r"[^A-Za-z0-9.+-]+", "-", self.value).strip("-.") or "empty"
        return f"{self.key.rpartition('.')[2]}-{value}"[:48]


def changes_prediction_only(conditions: tuple[Condition, ...]) -> bool:
    """Whether the parent's trained models serve: something differs, and only how they predict."""
    return bool(conditions) and all(c.key.startswith("predict.") for c in conditions)


def conditions_between(old: "Config", new: "Config") -> tuple[Condition, ...]:
    """Every leaf in which `new` differs from `old`, in the order of declaration."""
    before, after = old.leaves(), new.leaves()
    return tuple(Condition(key, before[key], after[key]) for key in before if before[key] != after[key])


def check_one_condition(conditions: tuple[Condition, ...], *, together: str | None) -> None:
    """Do nothing if the conditions make a fair experiment, or `together` gives a reason why not.

    Raises:
        RefusedError: more than one condition without a reason.
    """
    if len(conditions) > 1 and not together:
        listed = "\n".join(f"  {c}" for c in conditions)
        raise RefusedError(
            f"{len(conditions)} conditions at once, so nobody could say which of them helped:\n{listed}",
            hint="Run them one by one, or give --together REASON (the result is marked as confounded).",
        )


def check_effects(conditions: tuple[Condition, ...], parent: "Config", config: "Config") -> None:
    """Do nothing if each condition changes what `config` does, against its parent.

    Raises:
        RefusedError: a key is read by nothing as the others stand, or is about all of an image as before; names it and
            why.
    """
    size = config.leaves()["data.size"]
    for condition in conditions:
        why = config.idle_keys.get(condition.key)
        if condition.key in parent.whole & config.whole:
            why = f"data.size is {size}, so that this is all of an image"
        if why:
            raise RefusedError(
                f"{condition} would change nothing: {why}.",
                hint="Change that first, or both with --together REASON.",
            )


def default_name(conditions: tuple[Condition, ...], *, otherwise: str) -> str:
    """What to call an experiment: by its conditions, or `otherwise` where it has none."""
    return "+".join(c.slug for c in conditions)[:80] if conditions else otherwise


def _brief(value: Any) -> str:
    """A value on one line; a list of transforms by their names, and a number that tells it from others of the same."""
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        names = ", ".join(str(entry.get("__class_fullname__")) for entry in value)
        return f"{sha256_of_json(value)[:4]} [{_cut(names)}]"
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
