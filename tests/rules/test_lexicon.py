"""The lexicon is whole, every number is marked, and all its own spellings are found with their grade."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from rules.hazard import understand
from rules.lexicon import Category, lexicon, prepare
from rules.sources import Mark

LEX = lexicon()


def test_counts():
    assert Counter(phrase.category for phrase in LEX.phrases.values()) == {
        Category.ACT: 48,
        Category.CONDITION: 74,
        Category.ENVIRONMENT: 18,
        Category.MANAGEMENT: 25,
    }
    assert len(LEX.phrases) == 165
    assert len(LEX.media) >= 36


def test_loaded_once():
    assert lexicon() is LEX


@pytest.mark.parametrize("phrase", LEX.phrases.values(), ids=lambda phrase: phrase.id)
def test_every_plain_spelling_finds_its_phrase_and_never_a_lower_grade(phrase):
    for spelling in (*phrase.words, *phrase.weak):
        text = "".join(part.split("|")[0].strip() for part in spelling.split("…"))
        found = understand(text)
        assert phrase.id in found.phrase_ids, text
        assert found.grade.rank <= phrase.grade.rank, text


@pytest.mark.parametrize(
    "phrase", [p for p in LEX.phrases.values() if "/" not in p.phrase_zh], ids=lambda phrase: phrase.id
)
def test_the_phrase_itself_is_found(phrase):
    assert phrase.id in understand(phrase.phrase_zh).phrase_ids


def test_major_candidates_have_known_codes():
    candidates = {phrase.id for phrase in LEX.phrases.values() if phrase.major_candidate}
    assert len(candidates) == 21
    assert {"A11", "A12", "B06", "B33", "B57", "D06", "D25"} <= candidates
    for phrase in LEX.phrases.values():
        assert phrase.major_candidate or not phrase.major
        assert all(code.startswith(("CM-", "GM-")) for code in phrase.major)


@pytest.mark.parametrize("medium", LEX.media.values(), ids=lambda medium: medium.id)
def test_media_figures_make_sense(medium):
    if medium.explosive_vol:
        low, high = medium.explosive_vol.low, medium.explosive_vol.high
        assert 0 < low < high <= 100
        assert medium.hot_work == ("A" if low >= 4 else "B")  # GB 30871-2022 5.3.2
        assert medium.hot_work_limit_vol == (0.5 if low >= 4 else 0.2)
    for number in (medium.explosive_vol, medium.flash_c, medium.idlh_ppm, medium.density, *medium.limits):
        assert number is None or number.mark in Mark
    for limit in medium.limits:
        assert limit.kind in ("MAC", "TWA", "STEL") and limit.mg_m3 > 0


def test_sulfide_and_chlorine_are_ceilings():
    assert [(limit.kind, limit.mg_m3, limit.mark) for limit in LEX.media["hydrogen_sulfide"].limits] == [
        ("MAC", 10, Mark.HIGH)
    ]
    assert [(limit.kind, limit.mg_m3) for limit in LEX.media["chlorine"].limits] == [("MAC", 1)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("二甲苯和甲苯", ["xylene", "toluene"]),
        ("苯乙烯", ["styrene"]),
        ("氯化氢", ["hydrogen_chloride"]),
        ("co2 和 co", ["carbon_dioxide", "carbon_monoxide"]),
        ("液氨", ["ammonia"]),
        ("cool", []),
        ("酒精", ["ethanol"]),
    ],
)
def test_media_longest_name_wins(text, ids):
    assert [id_ for _, id_ in LEX.media_words.find(text)] == ids


@pytest.mark.parametrize(
    "text",
    [
        "法兰没有漏",
        "没发现泄漏",
        "厂区禁止吸烟",
        "不要在罐区打电话",
        "灭火器没过期",
        "井盖没坏",
        "接地线没断",
        "护栏没坏",
        "要不要戴安全带?",
        "如果法兰漏了",
    ],
)
def test_denied_forbidden_or_asked_is_not_found(text):
    assert understand(text).phrase_ids == ()


def test_parts_do_not_join_across_sentences():
    assert "B01" not in understand("法兰换好。墙上有点渗").phrase_ids
    assert "B01" in understand("法兰，一直在漏").phrase_ids


def test_all_phrases_under_a_millisecond():
    text = prepare("今天巡检发现2号甲醇罐区离心泵P-101A出口法兰处有滴漏地面有一滩液体旁边就是加热炉请尽快处理").text

    def once() -> float:
        start = time.perf_counter()
        list(LEX.strong.find(text))
        return time.perf_counter() - start

    assert min(once() for _ in range(30)) < 0.001
