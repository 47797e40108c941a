from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.text import (
    MAX_CHARS,
    ContentProblem,
    TemplateReason,
    bigram_similarity,
    chinese_number,
    claims_done,
    content_problem,
    equipment_codes,
    equipment_key,
    is_question,
    normalise,
    template_reason,
)


@pytest.mark.parametrize("spelling", ["3#罐", "３＃罐", "3号罐", "三号罐", "#3罐", "3 # 罐", "3 号罐"])
def test_numbered_equipment_is_one_token(spelling):
    assert "3号罐" in normalise(spelling).replace(" ", "")
    assert equipment_key("3#罐") in {mention.key for mention in equipment_codes(spelling)}


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("可燃零点一", "可燃0.1"),
        ("氧二十点八", "氧20.8"),
        ("百分之零点二", "0.2%"),
        ("离地三米", "离地3m"),
        ("两米高", "2m高"),
        ("十二米", "12m"),
        ("一百零五公斤", "105kg"),
        ("5 公里", "5km"),
        ("10毫米", "10mm"),
        ("三四米", "三四米"),
        ("早上八点二十", "早上八点二十"),
        ("上午十点一刻", "上午十点一刻"),
        ("差一点三号罐出事", "差一点3号罐出事"),
        ("一直漏", "一直漏"),
        ("万一着火", "万一着火"),
        ("ＡＢＣ％", "abc%"),
        ("P—101", "p-101"),
    ],
)
def test_normal_form(said, plain):
    assert normalise(said) == plain


@pytest.mark.parametrize(
    ("said", "value"),
    [("零点一", 0.1), ("二十点八", 20.8), ("十", 10), ("一百二十", 120), ("三零一", 301), ("两万三千", 23000), ("幺零一", 101),
     ("三四", None), ("点一", None), ("三点", None), ("米", None), ("", None)],
)  # fmt: skip
def test_spoken_numbers(said, value):
    assert chinese_number(said) == value


@given(st.text(max_size=200))
def test_normalising_twice_changes_nothing_and_never_fails(text):
    once = normalise(text)
    equipment_codes(text), is_question(text), claims_done(text), content_problem(text), template_reason(text)
    assert normalise(once) == normalise(normalise(once))


@given(st.integers(0, 9999))
def test_written_out_numbers_come_back(number):
    digits = "零一二三四五六七八九"
    parts, started = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            parts += digits[digit] + name
            started = True
        elif started and number % unit:
            parts += "" if parts.endswith("零") else "零"
    assert chinese_number(parts or "零") == number


@pytest.mark.parametrize(
    "text", ["要不要戴安全带?", "着火了怎么办？", "安全带要戴吗", "是不是该停", "如果漏了怎么处理", "几米算高处作业？"]
)
def test_questions_are_not_reports(text):
    assert is_question(text)


@pytest.mark.parametrize(
    "text", ["没戴安全带", "法兰漏了，怎么办?", "怎么又漏了", "怎么没人管", "未系安全带", "不知道为什么一直漏", ""]
)
def test_reports_are_not_questions(text):
    assert not is_question(text)


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("已整改", True),
        ("已经处理好了", True),
        ("修好了，请验收", True),
        ("要整改", False),
        ("还没整改", False),
        ("建议尽快修", False),
    ],
)
def test_done_is_not_wished(text, done):
    assert claims_done(text) is done


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ContentProblem.EMPTY),
        (" \n\t", ContentProblem.EMPTY),
        ("😀😀👍", ContentProblem.NO_WORDS),
        ("。。。!!!", ContentProblem.NO_WORDS),
        ("12345", ContentProblem.NO_WORDS),
        ("a", ContentProblem.NO_WORDS),
        ("漏", None),
        ("oil leak", None),
        ("漏" * MAX_CHARS, None),
        ("漏" * (MAX_CHARS + 1), ContentProblem.TOO_LONG),
        ("'; DROP TABLE hazards;-- <b>漏</b>", None),
    ],
)
def test_content(text, problem):
    assert content_problem(text) is problem
    assert problem is None or "请" in problem.message_zh


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("已整改", TemplateReason.STOCK),
        ("已处理", TemplateReason.STOCK),
        ("完成", TemplateReason.STOCK),
        ("已按要求整改完毕，请验收", TemplateReason.STOCK),
        ("", TemplateReason.STOCK),
        ("换了垫片子", TemplateReason.SHORT),  # 5 characters
        ("更换了新垫片", None),  # 6
        ("更换 P-101A 出口垫片，试压合格", None),
        ("换垫片👍👍👍👍👍", TemplateReason.SHORT),  # decoration does not count
    ],
)
def test_template_text(text, reason):
    assert template_reason(text) is reason


def test_similarity():
    assert bigram_similarity("P-101A法兰漏油", "p-101a 法兰漏油") == 1
    assert bigram_similarity("没戴安全帽", "没有戴安全帽") == 1
    assert bigram_similarity("2号泵法兰漏油", "2号泵法兰处在漏油") > 0.6
    assert bigram_similarity("2号泵法兰漏油", "灭火器过期") == 0
    assert bigram_similarity("", "") == 0


@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_is_symmetric_and_bounded(a, b):
    assert 0 <= bigram_similarity(a, b) <= 1
    assert bigram_similarity(a, b) == pytest.approx(bigram_similarity(b, a))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("P-101A漏了", ["P-101A"]),
        ("p101a 漏了", ["P-101A"]),
        ("P 101A", ["P-101A"]),
        ("P—101A/B机封", ["P-101A", "P-101B"]),
        ("10-P-101A", ["10-P-101A"]),
        ("T-3罐和V-12", ["T-3", "V-12"]),
        ("3#罐", ["3号罐"]),
        ("3号甲醇罐", ["3号甲醇罐", "3号罐"]),
        ("H2S 10ppm，LEL 3%，O2 20.8", []),
        ("DN100管线，GB30871，PN16", []),
        ("隐患YH-0001", []),
        ("2号法兰旁边", []),
    ],
)
def test_equipment_codes(text, codes):
    assert [mention.code for mention in equipment_codes(text)] == codes


def test_keys_compare_ledger_and_speech():
    assert equipment_key("P-101A") == equipment_key("p 101a") == equipment_key("P101A")
    assert equipment_key("三号罐") == equipment_key("3#罐")
