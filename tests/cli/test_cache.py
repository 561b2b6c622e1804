import json
from pathlib import Path

from competition.config.settings import read_settings
from competition.data.cache import open_cache
from competition.data.manifest import Manifest
from competition.paths import Paths
from tests.conftest import Comp


def build(root: Path) -> None:
    paths = Paths(root)
    (path,) = paths.all_data.glob("*/manifest.csv")
    manifest = Manifest.read(path)
    open_cache(manifest, read_settings(paths.competition), root, paths.cache(manifest.fingerprint), (32, 64))


def test_caches_are_listed_and_cleared(comp: Comp, ready: Path) -> None:
    assert "No cache" in comp.ok("cache", "show")
    build(ready)
    (listed,) = json.loads(comp.ok("cache", "show", "--json"))
    assert (listed["size"], listed["current"], listed["unfinished"]) == ("32x64", True, False)
    assert listed["bytes"] >= (12 * 4 + 2 * 3) * 32 * 64
    assert "32x64" in comp.ok("cache", "show")
    assert "Removed 0 caches" in comp("cache", "clear", "--old").err
    assert "Removed 1 cache" in comp("cache", "clear").err
    assert json.loads(comp.ok("cache", "show", "--json")) == []
    build(ready)
    assert len(json.loads(comp.ok("cache", "show", "--json"))) == 1
