"""Snapshots of the team's own code: the jobs of an experiment run the code as it was when it was submitted."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from competition.config.experiment import Config
from competition.config.settings import OwnMetric, Settings
from competition.paths import Paths


def named_modules(settings: Settings, config: Config) -> set[str]:
    """The modules that the metric and `model.target` name as `package.module:function`."""
    metric = settings.metric if isinstance(settings.metric, OwnMetric) else None
    return {str(name).partition(":")[0] for name in (metric, config.model.target) if name is not None}


def take(modules: set[str], *, root: Path, folder: Path) -> None:
    """Copy modules that lie under `root`, and the modules there that they import, to `folder`; keep an existing one.

    Installed packages are not copied: the facts of a job record their versions.
    """
    files = sorted(_with_imports(modules, root))
    if not files or folder.is_dir():
        return
    aside = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.tmp")
    try:
        for file in files:
            target = aside / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def folder_of(paths: Paths, experiment: str) -> Path:
    """The folder that an experiment's jobs import the team's own code from: its snapshot, else the competition's."""
    code = paths.experiment_code(experiment)
    return code if code.is_dir() else paths.root


def bound(settings: Settings, folder: Path) -> Settings:
    """The settings with the team's own metric taken from the snapshot in `folder`, if there is one."""
    if not folder.is_dir() or not isinstance(settings.metric, OwnMetric):
        return settings
    return settings.model_copy(update={"metric": OwnMetric(settings.metric, folder)})


def _with_imports(modules: set[str], root: Path) -> set[Path]:
    """The files of modules under `root`, of their packages, and of the modules there that they import."""
    files: set[Path] = set()
    left = [(name, root) for name in sorted(modules)]
    while left:
        for file in _files_of(*left.pop()):
            if file not in files and root in file.parents:
                files.add(file)
                left += _imports_of(file, root)
    return files


def _files_of(module: str, base: Path) -> Iterator[Path]:
    """The file of a module that starts at `base`, and the `__init__.py` of each package on the way."""
    folder = base
    for part in module.split("."):
        for candidate in (folder / f"{part}.py", folder / part / "__init__.py"):
            if candidate.is_file():
                yield candidate
        folder = folder / part


def _imports_of(file: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """The imports of a file: (dotted name, folder that the name starts at); none if it cannot be parsed."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, root) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = root if node.level == 0 else file.parents[node.level - 1]
            names = [".".join(filter(None, (node.module, alias.name))) for alias in node.names]
            yield from ((name, base) for name in names)
