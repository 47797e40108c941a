from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.wecom import text as t


@given(st.text(max_size=3000), st.integers(30, 200))
def test_a_split_loses_nothing_but_blanks_and_says_when_it_cuts(words, limit):
    parts = t.split(words, limit=limit, most=3)
    assert 1 <= len(parts) <= 3
    assert all(len(part.encode("utf-8")) <= limit for part in parts)
    if not parts[-1].endswith(t.MORE):
        assert "".join("".join(parts).split()) == "".join(words.split())
    else:
        assert len(words.encode()) > limit


@given(st.text(), st.integers(3, 50))
def test_a_cut_is_within_the_limit_and_whole(words, limit):
    cut = t.cut_bytes(words, limit)
    assert len(cut.encode()) <= limit
    assert cut == words or cut.endswith("…")


@pytest.mark.parametrize(("size", "cut"), [(8, False), (9, False), (10, True)])
def test_a_cut_happens_above_the_limit_only(size, cut):
    assert t.cut_bytes("x" * size, 9).endswith("…") is cut


@given(st.text())
def test_clean_words_can_be_sent(words):
    clean = t.clean(words + "\x00\x1b\u202e\ud800")
    clean.encode()
    assert not set(clean) & set("\x00\x1b\u202e\r")


@pytest.mark.parametrize(
    "words", ["<a href='x'>y</a>", "</a>", "<@ZhangWei>", "<!--", "**b**", "[a](b)", "`c`", "# h", "1. x", "- x", "> q"]
)
def test_words_of_people_are_shown_as_written(words):
    plain = t.plain(words)
    assert plain != words and not set(plain) & set("<>*_`[]")
    assert len(plain) == len(words)
    assert "<a" not in t.harmless(words) and "<@" not in t.harmless(words)


def test_numbers_and_comparisons_stay():
    assert t.harmless("浓度<25%LEL, a < b, 3<5") == "浓度<25%LEL, a < b, 3<5"
    assert t.plain("25.5%LEL - 正常") == "25.5%LEL - 正常"


def test_markdown_of_ours_keeps_only_known_tags():
    ours = '<font color="warning">x</font>'
    assert t.safe_markdown(ours) == ours
    for foreign in ('<font color="red">', "<img src=x>", "<@all>", '<font color="info" onclick="x">'):
        assert t.safe_markdown(foreign).startswith("\uff1c")
