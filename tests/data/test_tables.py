from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.data.tables import read_table, write_table
from competition.errors import DataError
from competition.paths import header_of

COLUMNS = ("id", "value")
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=12)


@given(st.lists(st.tuples(cells, cells)))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("table") / "t.csv"
    write_table(path, columns=COLUMNS, rows=rows, facts={"seed": 3})
    table = read_table(path, columns=COLUMNS, fix="-")
    assert [tuple(row) for _, row in table.rows] == rows
    assert table.facts == {"seed": 3}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1, is damaged: the columns must be id,value"),
        ("id,other\na,1\n", "line 1, is damaged: the columns must be id,value"),
        ("id,value\na,1\nb\n", "line 3, is damaged: 1 cells instead of 2"),
        ('id,value\n"a,1\n', "is damaged: unexpected end of data"),
        (b"id,value\n\xff,1\n", "is damaged: 'utf-8' codec"),
    ],
)
def test_damage_is_named_with_its_remedy(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    path = tmp_path / "t.csv"
    write_table(path, columns=COLUMNS, rows=[], facts={})
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=complaint) as caught:
        read_table(path, columns=COLUMNS, fix="do this")
    assert caught.value.hint == "do this"


def test_both_files_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(path, columns=COLUMNS, rows=[], facts={})
    header_of(path).write_text("[1]")
    with pytest.raises(DataError, match=r"t\.csv\.json is damaged"):
        read_table(path, columns=COLUMNS, fix="-")
    header_of(path).unlink()
    with pytest.raises(DataError, match=r"t\.csv\.json does not exist"):
        read_table(path, columns=COLUMNS, fix="-")
