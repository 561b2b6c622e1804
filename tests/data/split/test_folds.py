from pathlib import Path

import pytest

from competition.data.split.folds import Scheme, Split, parse_scheme, summarise
from competition.errors import DataError, UnknownNameError
from competition.paths import header_of
from tests.data.making import make_manifest


def test_schemes_are_known_by_name() -> None:
    assert parse_scheme("stratified-group") is Scheme.STRATIFIED_GROUP
    with pytest.raises(UnknownNameError, match=r"no scheme 'stratifed'\. Did you mean 'stratified'") as caught:
        parse_scheme("stratifed")
    assert "holdout" in (caught.value.hint or "")
    with pytest.raises(UnknownNameError):
        parse_scheme("given")


def test_the_hash_is_of_the_assignment_alone() -> None:
    one = Split(Scheme.KFOLD, 2, 1, {"a": 0, "b": 1})
    assert one.hash == Split(Scheme.GROUP, 2, 7, {"b": 1, "a": 0}).hash
    assert one.hash != Split(Scheme.KFOLD, 2, 1, {"a": 1, "b": 0}).hash


def test_ids_come_in_natural_order() -> None:
    made = Split(Scheme.HOLDOUT, 1, 0, {"f10": -1, "f9": -1, "f2": 0, "f1": 0})
    assert made.train_ids(0) == ["f9", "f10"]
    assert made.valid_ids(0) == ["f1", "f2"]
    for wrong in (-1, 1):
        with pytest.raises(UnknownNameError, match=f"no fold '{wrong}'"):
            made.train_ids(wrong)


@pytest.mark.parametrize("scheme", Scheme)
def test_a_split_is_read_as_it_was_written(tmp_path: Path, scheme: Scheme) -> None:
    made = Split(scheme, 2, 5, {"i0": 0, "i1": 1, "i2": -1})
    made.write(tmp_path / "folds.csv")
    assert Split.read(tmp_path / "folds.csv") == made
    assert (tmp_path / "folds.csv").read_text().startswith("id,fold\ni0,")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("a,0", "a,1", "was changed after it was written"),
        ("b,1\n", "", "rows are gone"),
        ("b,1", "a,1", "line 3, is damaged: 'a' occurs twice"),
        ("b,1", "b,one", "line 3, is damaged: the fold is 'one'"),
    ],
)
def test_a_changed_file_is_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = tmp_path / "folds.csv"
    Split(Scheme.KFOLD, 2, 1, {"a": 0, "b": 1}).write(path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=complaint) as caught:
        Split.read(path)
    assert "comp split" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "header", ["{}", '{"scheme": "odd", "folds": 2, "seed": 1}', '{"scheme": "kfold", "folds": []}']
)
def test_a_changed_header_is_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "folds.csv"
    Split(Scheme.KFOLD, 2, 1, {"a": 0, "b": 1}).write(path)
    header_of(path).write_text(header)
    with pytest.raises(DataError, match=r"header of .* is damaged"):
        Split.read(path)


def test_a_summary_counts_images_groups_and_pixels() -> None:
    manifest = make_manifest((60, 20), (20, 60), (0, 0), (50, 50), groups="xxyz")
    made = Split(Scheme.HOLDOUT, 1, 0, {"i0": -1, "i1": -1, "i2": 0, "i3": -1})
    held, rest = summarise(manifest, made)
    assert (held.fold, held.images, held.groups, held.class_share) == (0, 1, 1, (0.0, 0.0))
    assert (rest.fold, rest.images, rest.groups) == (-1, 3, 2)
    assert rest.class_share == pytest.approx((0.5, 0.5))
