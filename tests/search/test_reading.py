from __future__ import annotations

import pytest

from search import reading, text
from search.vocabulary import vocabulary


def concepts(sentence: str) -> dict[str, float]:
    return {found.concept: found.trust for found in reading.read(text.clean(sentence), vocabulary())}


@pytest.mark.parametrize(
    ("sentence", "concept"),
    [
        ("周成响", "bearing"),
        ("点机叫", "motor"),
        ("减速鸡响", "gearbox"),
        ("连轴气响", "coupling"),
        ("安全发漏", "safety_valve"),
        ("水蹦响", "pump"),
        ("翁翁响", "hum"),
        ("光光光地响", "clang"),
    ],
)
def test_what_a_recogniser_wrote_is_heard(sentence, concept):
    assert concepts(sentence).get(concept, 0) >= 0.45


def test_spelling_is_trusted_more_than_sound():
    assert concepts("轴承响")["bearing"] > concepts("周成响")["bearing"]


def test_the_longest_term_wins():
    assert "pump" not in concepts("真空泵响")
    assert "belt" not in concepts("皮带机跑偏")
    assert "valve" not in concepts("安全阀漏")


@pytest.mark.parametrize("sentence", ["抽烟", "好像不行", "慢慢来", "刚刚到", "时间不够"])
def test_everyday_words_are_no_noises(sentence):
    assert not concepts(sentence).keys() & {"slap", "noise", "clang", "hiss", "knock"}


def test_one_term_may_mean_two_ideas():
    assert {"knock", "cylinder"} <= concepts("敲缸").keys()
