import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from competition.data.naming import id_of, natural_key


def test_numbers_sort_by_value() -> None:
    names = ["frame10", "frame9", "frame1", "frame", "a2b10", "a2b9", "Frame2"]
    assert sorted(names, key=natural_key) == ["a2b9", "a2b10", "frame", "frame1", "Frame2", "frame9", "frame10"]


@given(st.lists(st.text(max_size=8), unique=True))
def test_the_order_is_total(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)
    assert len({natural_key(name) for name in names}) == len(names)


def test_an_id_is_the_stem_in_one_unicode_form() -> None:
    assert id_of("rue.b.PNG") == "rue.b"
    assert id_of("images/a.jpg") == "a"
    decomposed = unicodedata.normalize("NFD", "사진é.png")
    assert decomposed != "사진é.png"
    assert id_of(decomposed) == "사진é"
