import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from competition.config import owncode
from competition.errors import ConfigError
from competition.files import sha256_of


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A competition's folder with a package `ours`; what is imported from it is forgotten."""
    before = set(sys.modules)
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "net.py").write_text("def build():\n    return 1\n")
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "ours":
            del sys.modules[name]


def test_a_pin_is_the_hash_of_the_file(folder: Path) -> None:
    name = owncode.pinned("ours.net:build", folder, what="model.target")
    assert name == f"ours.net:build@{sha256_of(folder / 'ours' / 'net.py')[:12]}"
    assert owncode.pinned(name, folder, what="model.target") == name
    assert owncode.load_pinned(name, folder, what="model.target")() == 1


def test_code_that_has_changed_is_not_run(folder: Path) -> None:
    name = owncode.pinned("ours.net:build", folder, what="model.target")
    (folder / "ours" / "net.py").write_text("raise SystemExit\n")
    with pytest.raises(
        ConfigError, match=r"net\.py has changed: it was (?s:.*) --set model\.target=ours\.net:build"
    ) as caught:
        owncode.load_pinned(name, folder, what="model.target")
    assert name.partition("@")[2] in caught.value.message
    assert owncode.pinned("ours.net:build", folder, what="model.target") != name


def test_packages_and_installed_modules_are_found(folder: Path) -> None:
    (folder / "ours" / "__init__.py").write_text("def made():\n    return 2\n")
    assert owncode.source_of("ours:made", folder, what="x").name == "__init__.py"
    assert owncode.source_of("json.decoder:JSONDecoder", folder, what="x").name == "decoder.py"


@pytest.mark.parametrize("name", ["theirs:build", "ours.nothing:build", "sys:exit"])
def test_a_module_that_is_not_there_is_named(name: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match=f"model.target {name}: there is no module"):
        owncode.pinned(name, folder, what="model.target")


def test_the_path_is_left_as_it_was(folder: Path) -> None:
    before = list(sys.path)
    owncode.load("ours.net:build", folder, what="x")
    with pytest.raises(ConfigError, match=r"has no function 'biuld'\. Did you mean 'build'"):
        owncode.load("ours.net:biuld", folder, what="x")
    assert sys.path == before
