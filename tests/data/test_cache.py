import multiprocessing
import os
import pickle
import re
import shutil
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from competition.data import cache as cache_module
from competition.data.cache import Cache, open_cache
from competition.data.manifest import Manifest
from competition.errors import DataError
from tests.data.making import index, make_data, make_settings, save

SETTINGS = make_settings(classes=2, void=2, test_images="test")


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    make_data(tmp_path)
    save(np.full((5, 7), 9, np.uint8), tmp_path / "test" / "a1.png")
    return index(SETTINGS, tmp_path)


def opened(manifest: Manifest, root: Path, size: tuple[int, int] = (8, 4)) -> Cache:
    return open_cache(manifest, SETTINGS, root, root / "cache", size)


def left_over(root: Path) -> set[str]:
    return {p.name for p in (root / "cache").iterdir()}


def test_it_holds_every_image_at_the_size(tmp_path: Path, manifest: Manifest) -> None:
    cache = opened(manifest, tmp_path)
    assert cache.images.shape == (3, 8, 4, 3)
    assert cache.masks.shape == (3, 8, 4)
    assert cache.test_images.shape == (1, 8, 4, 3)
    assert cache.images.dtype == cache.masks.dtype == cache.test_images.dtype == np.uint8
    assert dict(cache.index) == {"a1": 0, "a2": 1, "b1": 2}
    assert dict(cache.test_index) == {"a1": 0}
    for image_id, colour in (("a1", 0), ("a2", 10), ("b1", 20)):
        assert (cache.images[cache.index[image_id]] == colour).all()
    assert (cache.test_images == 9).all()
    assert cache.masks[1].ravel().tolist() == [0, 1, 1, 1] * 2 + [1] * 24
    assert cache.masks[2].ravel().tolist() == [0, 255, 255, 255] * 2 + [255] * 24
    assert left_over(tmp_path) == {"8x4", ".8x4.lock"}


def test_it_is_read_only_and_mapped(tmp_path: Path, manifest: Manifest) -> None:
    cache = opened(manifest, tmp_path)
    assert isinstance(cache.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        cache.images[0] = 1
    again = pickle.loads(pickle.dumps(cache))
    assert isinstance(again.images, np.memmap)
    np.testing.assert_array_equal(again.masks, cache.masks)


def test_a_competition_without_test_images(tmp_path: Path, manifest: Manifest) -> None:
    cache = opened(Manifest(manifest.items), tmp_path)
    assert cache.test_images.shape == (0, 8, 4, 3)


def test_it_is_built_once_for_each_size(tmp_path: Path, manifest: Manifest) -> None:
    opened(manifest, tmp_path)
    shutil.rmtree(tmp_path / "images")
    assert opened(manifest, tmp_path).images.shape == (3, 8, 4, 3)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        opened(manifest, tmp_path, (4, 4))


def test_jobs_that_come_at_once_build_it_once(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds: list[int] = []
    build = cache_module._build
    monkeypatch.setattr(cache_module, "_build", lambda *args: (builds.append(1), build(*args)))
    together = threading.Barrier(4)
    caches: list[Cache] = []

    def job() -> None:
        together.wait()
        caches.append(opened(manifest, tmp_path))

    threads = [threading.Thread(target=job) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1
    assert len(caches) == 4


def test_changed_and_missing_files_are_all_named(tmp_path: Path, manifest: Manifest) -> None:
    save(np.full((4, 6, 3), 99, np.uint8), tmp_path / "images" / "a1.png")
    save(np.zeros((4, 6), np.uint8), tmp_path / "masks" / "b1.png")
    (tmp_path / "test" / "a1.png").unlink()
    with pytest.raises(DataError, match="3 problems") as caught:
        opened(manifest, tmp_path)
    for name in (
        "images/a1.png has changed",
        "b1.png of b1.png has changed",
        "test/a1.png cannot be read",
    ):
        assert name in caught.value.message
    assert "comp init" in (caught.value.hint or "")
    assert left_over(tmp_path) == {".8x4.lock"}


def test_a_disk_that_is_too_small_is_noticed_before(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = (3 * 4 + 1 * 3) * 8 * 4
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(cache_module.shutil, "disk_usage", lambda _: usage._replace(free=needed - 1))
    with pytest.raises(DataError, match="cache of 4 images at 8x4 needs"):
        opened(manifest, tmp_path)
    monkeypatch.setattr(cache_module.shutil, "disk_usage", lambda _: usage._replace(free=needed))
    opened(manifest, tmp_path)


def test_a_builder_that_is_killed_leaves_nothing_that_is_read(tmp_path: Path, manifest: Manifest) -> None:
    child = multiprocessing.get_context("spawn").Process(target=build_and_die, args=(manifest, tmp_path))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert ".8x4.unfinished" in left_over(tmp_path)
    assert (opened(manifest, tmp_path).images[2] == 20).all()
    assert left_over(tmp_path) == {"8x4", ".8x4.lock"}


def build_and_die(manifest: Manifest, root: Path) -> None:
    """Be killed while holding the lock, with half of the images written."""

    def progress(done: int, _: int) -> None:
        if done == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    open_cache(manifest, SETTINGS, root, root / "cache", (8, 4), progress=progress)


def test_its_disk_space_is_printed_before_it_is_built(
    tmp_path: Path, manifest: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    printed: list[str] = []

    def progress(done: int, total: int) -> None:
        printed.append(capsys.readouterr().out)

    for _ in range(2):
        open_cache(manifest, SETTINGS, tmp_path, tmp_path / "cache", (8, 4), progress=progress)
    assert len(printed) == 4
    assert re.fullmatch(r"The cache of 4 images at 8x4 takes 0\.0 MiB of .* free disk space\.\n", printed[0])
    assert not any(printed[1:])
    assert capsys.readouterr().out == ""
