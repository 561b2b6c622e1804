from pathlib import Path

from competition.config.settings import DataSettings
from competition.data.groups import find_groups

IDS = ["v1_01", "v1_02", "v2.x"]


def by_regex(pattern: str) -> DataSettings:
    return DataSettings(images="i", masks="m", group_regex=pattern)


def by_meta(tmp_path: Path, text: str, *, column: str = "video") -> DataSettings:
    (tmp_path / "meta.csv").write_text(text, encoding="utf-8-sig")
    return DataSettings(images="i", masks="m", meta="meta.csv", group_column=column)


def test_no_groups_unless_asked_for(tmp_path: Path) -> None:
    assert find_groups(IDS, DataSettings(images="i", masks="m"), tmp_path).of == {}


def test_a_regex_gives_its_first_group_or_the_whole_match(tmp_path: Path) -> None:
    assert find_groups(IDS, by_regex(r"^v(\d)"), tmp_path).of == {"v1_01": "1", "v1_02": "1", "v2.x": "2"}
    assert find_groups(IDS, by_regex(r"v\d"), tmp_path).of == {"v1_01": "v1", "v1_02": "v1", "v2.x": "v2"}


def test_an_image_without_a_match_is_named(tmp_path: Path) -> None:
    groups = find_groups(IDS, by_regex(r"(v1)?_"), tmp_path)
    assert groups.of == {"v1_01": "v1", "v1_02": "v1"}
    assert groups.problems == ("group_regex '(v1)?_' matches nothing in 'v2.x'.",)


def test_a_bad_regex_is_a_problem(tmp_path: Path) -> None:
    assert "is not a valid regular expression: missing )" in find_groups(IDS, by_regex("(v"), tmp_path).problems[0]


def test_the_image_column_is_found_by_what_it_holds(tmp_path: Path) -> None:
    text = "n,path,video\n1,train/v1_01.jpg,A\n2,train/v1_02.jpg, A \n3,v2.x,B\n4,other.jpg,C\n"
    groups = find_groups(IDS, by_meta(tmp_path, text), tmp_path)
    assert groups.of == {"v1_01": "A", "v1_02": "A", "v2.x": "B"}
    assert groups.problems == ()


def test_every_image_without_a_row_or_group_is_named(tmp_path: Path) -> None:
    groups = find_groups(IDS, by_meta(tmp_path, "file,video\nv1_01.png,A\nv1_02.png,\n"), tmp_path)
    assert groups.problems == ("meta meta.csv has no video for 'v1_02'.", "meta meta.csv has no video for 'v2.x'.")


def test_two_groups_for_one_image_is_a_problem_and_a_repeated_row_is_none(tmp_path: Path) -> None:
    text = "file,video\nv1_01,A\nv1_01,A\nv1_02,A\nv1_02,B\nv2.x,B\n"
    groups = find_groups(IDS, by_meta(tmp_path, text), tmp_path)
    assert groups.problems == ("meta meta.csv puts 'v1_02' into two groups: 'A' and 'B'.",)


def test_a_column_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    groups = find_groups(IDS, by_meta(tmp_path, "file,videos\nv1_01,A\n"), tmp_path)
    assert groups.problems == (
        "meta meta.csv has no column 'video'. Did you mean 'videos'? Its columns: file, videos.",
    )


def test_a_file_that_names_no_image_or_is_none_is_a_problem(tmp_path: Path) -> None:
    data = by_meta(tmp_path, "file,video\nz,A\n")
    assert "no column with the names of the images (such as 'v1_01')" in find_groups(IDS, data, tmp_path).problems[0]
    (tmp_path / "meta.csv").write_bytes(b"file,video\n\xff,A\n")
    assert "is not a CSV file in UTF-8" in find_groups(IDS, data, tmp_path).problems[0]
    (tmp_path / "meta.csv").unlink()
    assert "cannot be read: No such file" in find_groups(IDS, data, tmp_path).problems[0]
