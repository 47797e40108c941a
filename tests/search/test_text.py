from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import text
from search.phonetics import loose, loose_sounds


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("", ""),
        ("😀😀👍", ""),
        ("３＃泵 响", "泵 响"),
        ("P-101A泵吱——老尖了", "泵吱 老尖了"),
        ("嗞儿嗞儿响", "嗞嗞响"),
        ("馬達響", "马达响"),
        ("啊啊啊啊啊啊啊啊", "啊啊啊"),
    ],
)
def test_clean(raw, cleaned):
    assert text.clean(raw) == cleaned


def test_clean_stops_at_its_limit():
    assert len(text.clean("".join(chr(0x4E00 + n) for n in range(2000)))) == text.MAX_CHARS
    assert text.clean("甲乙丙丁", limit=3) == "甲乙丙"


@given(st.text(max_size=400))
def test_clean_is_bounded_and_settled(raw):
    once = text.clean(raw)
    assert len(once) <= text.MAX_CHARS
    assert all(char == " " or char.isascii() or "一" <= char <= "鿿" for char in once)


def test_bigrams_stay_inside_a_phrase():
    assert text.bigrams("泵响 叫") == ["泵响"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("ning", "lin"), ("zhou", "zou"), ("cheng", "cen"), ("shuang", "suan"), ("hui", "fui"), ("re", "le")],
)
def test_confused_sounds_fall_together(one, other):
    assert loose(one) == loose(other)


def test_different_sounds_stay_apart():
    assert loose_sounds("泵") != loose_sounds("电")
    assert loose("ka") != loose("ga")
