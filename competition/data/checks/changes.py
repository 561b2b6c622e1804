"""Files that are gone or have other contents than when they were indexed."""

import hashlib
from functools import partial
from pathlib import Path

from competition.config.settings import Settings
from competition.data.checks.finding import Finding, Severity, findings_of
from competition.data.images import read_bytes
from competition.data.load import CHANGED, Loader, image_path, open_loader
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.errors import DataError


def check_changes(
    manifest: Manifest, settings: Settings, root: Path, *, progress: Progress | None = None
) -> list[Finding]:
    """Every image and label that is no longer what was indexed; all files are read, on all cores."""
    look = partial(_problem, open_loader(settings, root))
    problems = in_threads(look, [*manifest.items, *manifest.test], progress=progress)
    return findings_of(
        "changed files",
        Severity.ERROR,
        [problem for problem in problems if problem],
        what="{n} images are gone or have changed, or their masks have, since the data was indexed.",
        mend=CHANGED,
    )


def _problem(loader: Loader, item: Item) -> str:
    path = image_path(item, loader.settings.data, loader.root)
    try:
        if hashlib.sha256(read_bytes(path)).hexdigest() != item.image_sha256:
            return f"{item.image} has other contents"
        if item.is_labelled:
            loader.labels(item)
    except DataError as error:
        return error.message.removesuffix(".")
    return ""
