"""What comp makes of real video frames; skipped where the shared data is not at hand ($COMP_SHARED_DATA)."""

from dataclasses import replace

import pytest

from competition.data.checks.data import Study, check_data, study
from competition.data.checks.finding import Severity
from competition.data.checks.leaks import find_leaks
from competition.data.manifest import Manifest
from competition.data.split.folds import Scheme, Split
from competition.data.split.imported_split import split_by_column
from competition.data.split.make_folds import make_split
from tests.data.shared import CAMVID, shared_data

FOLDER = shared_data()
pytestmark = pytest.mark.skipif(FOLDER is None, reason="the shared data is not at hand")


@pytest.fixture(scope="module")
def camvid(tmp_path_factory: pytest.TempPathFactory) -> Study:
    assert FOLDER is not None
    root = tmp_path_factory.mktemp("camvid")
    manifest, settings = CAMVID.within(FOLDER).index(root)
    return study(manifest, settings, root, root / "looks.csv")


def dealt(camvid: Study, scheme: Scheme) -> Split:
    pairs = camvid.alike.labelled
    return make_split(camvid.manifest, pairs, scheme=scheme, folds=5, valid_fraction=0.2, seed=42).split


def without_groups(camvid: Study) -> Manifest:
    return Manifest(tuple(replace(item, group="") for item in camvid.manifest.items))


def test_neighbouring_frames_are_found(camvid: Study) -> None:
    pairs = camvid.alike.labelled
    assert len(pairs) > 300
    assert all(pair.first.id[:6] == pair.second.id[:6] for pair in pairs), "a pair of two videos"
    assert {film.name: len(film.items) for film in camvid.series} == {"0001TP_": 62, "0006R0_f": 101, "0016E5_": 305}


@pytest.mark.parametrize("scheme", [Scheme.KFOLD, Scheme.STRATIFIED])
def test_random_folds_leak_with_groups_and_without(camvid: Study, scheme: Scheme) -> None:
    split = dealt(camvid, scheme)
    assert "torn groups" in {leak.kind for leak in camvid.leaks(split)}
    plain = find_leaks(without_groups(camvid), split, pairs=camvid.alike.labelled, series=camvid.series)
    assert {leak.kind for leak in plain} == {"torn films"}


def test_the_official_split_leaks_with_groups_and_without(camvid: Study) -> None:
    assert FOLDER is not None
    split = split_by_column(camvid.manifest, FOLDER / "camvid" / "meta.csv", "split")
    assert (len(split.train_ids(0)), len(split.valid_ids(0))) == (367, 101)
    (leak,) = camvid.leaks(split)
    assert leak.examples == ("0016E5_b09 (train only, fold 0)", "0016E5_b14 (train only, fold 0)")
    plain = find_leaks(without_groups(camvid), split, pairs=camvid.alike.labelled, series=camvid.series)
    assert [leak.kind for leak in plain] == ["torn films"]


def test_blocks_run_and_those_that_look_alike_are_merged(camvid: Study) -> None:
    made = make_split(
        camvid.manifest,
        camvid.alike.labelled,
        scheme=Scheme.STRATIFIED_GROUP,
        folds=5,
        valid_fraction=0.2,
        seed=42,
    )
    assert camvid.leaks(made.split) == ()
    assert len({item.group for item in camvid.manifest.items}) == 26
    assert len(made.pieces.sizes) < 26
    dense = {made.split.assignment[i.id] for i in camvid.manifest.items if i.group in ("0016E5_b10", "0016E5_b12")}
    assert len(dense) == 1
    assert sorted(set(made.split.assignment.values())) == [0, 1, 2, 3, 4]
    assert "120 of 468 images belong together" in made.unevenness()


def test_nothing_is_wrong_with_the_data_itself(camvid: Study) -> None:
    assert FOLDER is not None
    settings = CAMVID.within(FOLDER).settings()
    findings = check_data(camvid, settings, FOLDER)
    assert {finding.severity for finding in findings} == {Severity.NOTE}
