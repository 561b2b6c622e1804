"""The safetensors file that `model.weights` names, pinned by its hash, so that other weights are another condition."""

import re
from pathlib import Path

from competition.config.experiment import OF_EXPERIMENT
from competition.errors import ConfigError
from competition.files import sha256_of

_WORDS = ("imagenet", "offline", "none")
_PIN = re.compile(r"@([0-9a-f]{12})$")


def is_file(weights: str) -> bool:
    """Whether a value of `model.weights` names a file."""
    return weights not in _WORDS and not weights.startswith(OF_EXPERIMENT)


def pinned(weights: str, root: Path) -> str:
    """`PATH@hash`, with the first 12 digits of the sha256 of the file as it is now; a pinned value stays unchanged.

    Raises:
        ConfigError: there is no such file.
    """
    _, pin = _parts(weights, root)
    return weights if pin else f"{weights}@{sha256_of(located(weights, root))[:12]}"


def located(weights: str, root: Path) -> Path:
    """The file that a value of `model.weights`, pinned or not, names; a relative path starts at `root`.

    Raises:
        ConfigError: there is no such file, or it has changed since it was pinned.
    """
    name, pin = _parts(weights, root)
    path = root / Path(name).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"model.weights: there is no file {path}.",
            hint=f"Put the file back, whose sha256 begins with {pin}; then `comp retry EXPERIMENT`."
            if pin
            else "It takes imagenet, offline, none, experiment:NAME, or the PATH of a safetensors file.",
        )
    if pin and not (now := sha256_of(path)).startswith(pin):
        raise ConfigError(
            f"model.weights {name}: {path} has changed: it was {pin} and is {now[:12]}.",
            hint=f"Put the file back; or run the new weights as a condition: --set model.weights={name}",
        )
    return path


def _parts(weights: str, root: Path) -> tuple[str, str]:
    """The path and the digits of the pin; no digits if it is not pinned, or if a file has this whole name."""
    pin = _PIN.search(weights)
    if pin is None or (root / Path(weights).expanduser()).is_file():
        return weights, ""
    return weights[: pin.start()], pin[1]
