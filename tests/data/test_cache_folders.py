from pathlib import Path

from competition.data.cache_folders import find_caches, remove_cache
from competition.paths import CachePaths, Paths


def make(paths: Paths, fingerprint: str, name: str) -> None:
    folder = paths.cache(fingerprint) / name
    folder.mkdir(parents=True)
    (folder / "images.npy").write_bytes(b"x" * 10_000)


def test_caches_of_all_data_are_found_and_removed_one_by_one(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert find_caches(paths) == []
    make(paths, "aa", "32x64")
    make(paths, "bb", "64x64")
    make(paths, "bb", CachePaths(paths.cache("bb") / "96x96").unfinished.name)
    found = {(kept.fingerprint, kept.size): kept for kept in find_caches(paths)}
    assert {key: kept.unfinished for key, kept in found.items()} == {
        ("aa", "32x64"): False,
        ("bb", "64x64"): False,
        ("bb", "96x96"): True,
    }
    assert all(10_000 <= kept.bytes < 40_000 for kept in found.values())
    remove_cache(found["bb", "96x96"])
    remove_cache(found["aa", "32x64"])
    assert [(kept.fingerprint, kept.size) for kept in find_caches(paths)] == [("bb", "64x64")]
