"""Checks and splits of real video frames; skipped without the shared data ($COMP_SHARED_DATA)."""

from dataclasses import replace

import pytest

from competition.data.checks.data_checks import check_data
from competition.data.checks.findings import Severity
from competition.data.checks.image_scan import ImageScan, scan_images
from competition.data.checks.split_checks import find_leaks
from competition.data.manifest import Manifest
from competition.data.split.folds import Scheme, Split
from competition.data.split.imported_split import split_by_column
from competition.data.split.make_folds import make_split
from tests.data.shared import CAMVID, shared_data

FOLDER = shared_data()
pytestmark = pytest.mark.skipif(FOLDER is None, reason="the shared data is not at hand")


@pytest.fixture(scope="module")
def camvid(tmp_path_factory: pytest.TempPathFactory) -> ImageScan:
    assert FOLDER is not None
    root = tmp_path_factory.mktemp("camvid")
    manifest, settings = CAMVID.within(FOLDER).index(root)
    return scan_images(manifest, settings, root, root / "looks.csv")


def folds_of(camvid: ImageScan, scheme: Scheme) -> Split:
    pairs = camvid.duplicates.labelled
    return make_split(camvid.manifest, pairs, scheme=scheme, folds=5, valid_fraction=0.2, seed=42).split


def without_groups(camvid: ImageScan) -> ImageScan:
    return replace(camvid, manifest=Manifest(tuple(replace(item, group="") for item in camvid.manifest.items)))


def test_neighbouring_frames_are_found(camvid: ImageScan) -> None:
    pairs = camvid.duplicates.labelled
    assert len(pairs) > 300
    assert all(pair.first.id[:6] == pair.second.id[:6] for pair in pairs), "a pair of two videos"
    assert {series.name: len(series.items) for series in camvid.series} == {
        "0001TP_": 62,
        "0006R0_f": 101,
        "0016E5_": 305,
    }


@pytest.mark.parametrize("scheme", [Scheme.KFOLD, Scheme.STRATIFIED])
def test_random_folds_leak_with_groups_and_without(camvid: ImageScan, scheme: Scheme) -> None:
    split = folds_of(camvid, scheme)
    assert "leaking groups" in {leak.kind for leak in find_leaks(camvid, split)}
    plain = find_leaks(without_groups(camvid), split)
    assert {leak.kind for leak in plain} == {"leaking videos"}


def test_the_official_split_leaks_with_groups_and_without(camvid: ImageScan) -> None:
    assert FOLDER is not None
    split = split_by_column(camvid.manifest, FOLDER / "camvid" / "meta.csv", "split")
    assert (len(split.train_ids(0)), len(split.valid_ids(0))) == (367, 101)
    (leak,) = find_leaks(camvid, split)
    assert leak.examples == ("0016E5_b09 (train only, fold 0)", "0016E5_b14 (train only, fold 0)")
    plain = find_leaks(without_groups(camvid), split)
    assert [leak.kind for leak in plain] == ["leaking videos"]


def test_blocks_make_folds_and_near_duplicate_blocks_are_merged(camvid: ImageScan) -> None:
    result = make_split(
        camvid.manifest,
        camvid.duplicates.labelled,
        scheme=Scheme.STRATIFIED_GROUP,
        folds=5,
        valid_fraction=0.2,
        seed=42,
    )
    assert find_leaks(camvid, result.split) == ()
    assert len({item.group for item in camvid.manifest.items}) == 26
    assert len(result.bundles.sizes) < 26
    dense = {result.split.assignment[i.id] for i in camvid.manifest.items if i.group in ("0016E5_b10", "0016E5_b12")}
    assert len(dense) == 1
    assert sorted(set(result.split.assignment.values())) == [0, 1, 2, 3, 4]
    assert "120 of 468 images belong together" in result.unevenness()


def test_nothing_is_wrong_with_the_data_itself(camvid: ImageScan) -> None:
    assert FOLDER is not None
    settings = CAMVID.within(FOLDER).settings()
    findings = check_data(camvid, settings, FOLDER)
    assert {finding.severity for finding in findings} == {Severity.NOTE}
