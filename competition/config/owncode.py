"""The team's own code, named `package.module:name`: it is found, pinned by its hash, and imported."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from competition.errors import ConfigError, did_you_mean
from competition.files import sha256_of

PIN_DIGITS = 12


def source_of(name: str, folder: Path, *, what: str) -> Path:
    """The file of the module that `package.module:name` names, in `folder` or among the installed packages.

    Args:
        what: the key that names it, for errors: `metric`, `model.target`, ….

    Raises:
        ConfigError: there is no such module, or it is not a Python file.
    """
    module = name.partition(":")[0]
    inside = folder.joinpath(*module.split("."))
    for candidate in (inside.with_suffix(".py"), inside / "__init__.py"):
        if candidate.is_file():
            return candidate
    with importable_from(folder):
        try:
            found = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            found = None
    if found is None or not found.origin or not Path(found.origin).is_file():
        raise ConfigError(f"{what} {name}: there is no module {module!r} in {folder} or among the installed packages.")
    return Path(found.origin)


def pinned(name: str, folder: Path, *, what: str) -> str:
    """`package.module:name@hash`, with the first 12 digits of the sha256 of the module's file as it is now.

    A pinned name stays unchanged.
    """
    return name if "@" in name else f"{name}@{_digits(name, folder, what=what)}"


def load_pinned(name: str, folder: Path, *, what: str) -> Callable[..., Any]:
    """The function that a pinned name names.

    Raises:
        ConfigError: the module's file has changed since it was pinned, or cannot be imported.
    """
    check_pinned(name, folder, what=what)
    return load(name.partition("@")[0], folder, what=what)


def check_pinned(name: str, folder: Path, *, what: str) -> None:
    """Check that the module's file has not changed since the name was pinned.

    Raises:
        ConfigError: it has changed, or is missing.
    """
    plain, _, digits = name.partition("@")
    now = _digits(plain, folder, what=what)
    if digits and now != digits:
        raise ConfigError(
            f"{what} {plain}: {source_of(plain, folder, what=what)} has changed: it was {digits} and is {now}.",
            hint=f"Put the file back; or run the new code as a condition: --set {what}={plain}",
        )


def load(name: str, folder: Path | None, *, what: str) -> Callable[..., Any]:
    """The function that `package.module:name` names; `folder` is searched before the installed packages.

    Raises:
        ConfigError: the module cannot be imported, or has no such function.
    """
    module_name, _, attribute = name.partition(":")
    try:
        with importable_from(folder):
            if folder is not None:
                _forget_others(module_name, folder)
            module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        where = f" in {folder} or among the installed packages" if folder else ""
        raise ConfigError(f"{what} {name} cannot be imported: there is no module {error.name!r}{where}.") from error
    except Exception as error:  # the team's code may raise anything while it is imported
        raise ConfigError(f"{what} {name} cannot be imported: {type(error).__name__}: {error}") from error
    function = getattr(module, attribute, None)
    if not callable(function):
        near = did_you_mean(attribute, [n for n, value in vars(module).items() if callable(value)])
        raise ConfigError(f"{what} {name}: {module.__name__} has no function {attribute!r}.{near}")
    return function  # type: ignore[no-any-return]


@contextmanager
def importable_from(folder: Path | None) -> Iterator[None]:
    """Search the folder first for imports while the block runs."""
    if folder is None:
        yield
        return
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _forget_others(name: str, folder: Path) -> None:
    """Forget imported modules from other folders that have the names of modules in `folder`.

    A snapshot and the working tree hold modules of the same names; Python would reuse the one imported first.
    """
    top = name.partition(".")[0]
    if not ((folder / top).is_dir() or (folder / f"{top}.py").is_file()):
        return
    own = {cached: module for cached, module in sys.modules.items() if cached.partition(".")[0] == top}
    others = {root for cached, module in own.items() if (root := _root(cached, module)) not in (None, folder)}
    for cached, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None)
        if place is None:
            continue
        root = next((other for other in others if other in Path(place).parents), None)
        if root and (cached in own or (folder / Path(place).relative_to(root)).is_file()):
            del sys.modules[cached]
    importlib.invalidate_caches()


def _root(name: str, module: ModuleType) -> Path | None:
    """The folder that the module was imported from; None for a package without a file."""
    file = getattr(module, "__file__", None)
    return Path(file).parents[name.count(".") + (Path(file).stem == "__init__")] if file else None


def _digits(name: str, folder: Path, *, what: str) -> str:
    return sha256_of(source_of(name, folder, what=what))[:PIN_DIGITS]
