from pathlib import Path

import pytest

from competition.data.readers.colors import read_colors
from competition.errors import DataError


@pytest.mark.parametrize(
    "text",
    [
        "street,#0000FF\ncar,#ff0000\n",
        "name,color\nstreet,#0000ff\n\ncar,#FF0000",
        "\ufeffname,r,g,b\r\nstreet, 0, 0, 255\r\ncar,255,0,0\r\n",
    ],
)
def test_each_way_to_write_colours(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    assert list(read_colors(tmp_path / "c.csv").items()) == [("#0000ff", "street"), ("#ff0000", "car")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,#00", "line 1: 'a,#00' is not name,#rrggbb"),
        ("a,#000000\nb,1,2,256", "line 2: 'b,1,2,256' is not"),
        (",#000000", "line 1: ',#000000' is not"),
        ("a,#000000\nb,#000000", "line 2: #000000 already stands for 'a'"),
        ("name,color\n", "lists no colours"),
    ],
)
def test_each_mistake_names_its_line(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(DataError, match=why):
        read_colors(tmp_path / "c.csv")
