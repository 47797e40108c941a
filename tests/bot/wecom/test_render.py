"""Neutral cards as template cards: every limit kept, whatever the card says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.platforms.wecom.render import ROBOT, Renderer
from cards.card import Button, Card, Fact, Option, Select
from emulators.wecom.cards import CardRules
from emulators.wecom.core import Core

DRAW = Renderer(public_url="https://plant.test/", picture_url=lambda sha: f"https://plant.test/p/{sha}", source="某厂")
RULES = CardRules(Core({"wecom": {}}, clock=lambda: 0.0, public_url="", background=False))
PRESS = Button("确认", "hazard.confirm:7", "primary")


def card(**fields: Any) -> Card:
    return Card(**{"title": "YH-0007", **fields})


def test_buttons_make_a_button_card():
    drawn = DRAW.template_card(card(buttons=(PRESS,)), ref="c7")
    assert (drawn["card_type"], drawn["task_id"]) == ("button_interaction", "c7")
    assert drawn["button_list"] == [{"text": "确认", "style": 1, "type": 0, "key": "hazard.confirm:7"}]
    assert "task_id" not in DRAW.template_card(card(buttons=(PRESS,)))  # an update keeps the first one


def test_no_buttons_make_a_notice_and_links_stay_links():
    drawn = DRAW.template_card(card(buttons=(Button("看地图", url="/h5/map"),), body="说明"), ref="c7")
    assert drawn["card_type"] == "text_notice"
    assert drawn["jump_list"] == [{"type": 1, "title": "看地图", "url": "https://plant.test/h5/map"}]
    assert drawn["sub_title_text"] == "说明" and "task_id" not in drawn
    pictured = DRAW.template_card(card(picture="ab", body="说明", note="备注"))
    assert pictured["card_type"] == "news_notice"
    assert pictured["card_image"]["url"] == "https://plant.test/p/ab"
    assert pictured["vertical_content_list"] == [{"title": "说明", "desc": "说明"}, {"title": "备注"}]


def test_a_news_notice_needs_its_picture():
    with pytest.raises(ValueError, match="picture"):
        DRAW.news_notice(card())


@pytest.mark.parametrize(
    ("colour", "number"), [("red", 2), ("orange", 2), ("yellow", 1), ("blue", 1), ("green", 3), ("grey", 0)]
)
def test_the_colour_is_that_of_the_plants_name(colour, number):
    assert DRAW.text_notice(card(colour=colour))["source"] == {"desc": "某厂", "desc_color": number}


@pytest.mark.parametrize(
    ("page", "url"),
    [
        ("/h5/hazards/1", "https://plant.test/h5/hazards/1"),
        ("h5/x", "https://plant.test/h5/x"),
        ("https://other.test/y", "https://other.test/y"),
        ("", "https://plant.test/"),
    ],
)
def test_a_notice_always_opens_something(page, url):
    assert DRAW.text_notice(card(page=page))["card_action"] == {"type": 1, "url": url}


def test_a_picture_beside_buttons_is_a_link():
    drawn = DRAW.button_interaction(card(picture="ab", buttons=(PRESS,)))
    assert drawn["quote_area"]["url"] == "https://plant.test/p/ab"
    assert "card_action" not in drawn
    assert DRAW.button_interaction(card(page="/h5/x", buttons=(PRESS,)))["card_action"]["url"].endswith("/h5/x")


@pytest.mark.parametrize(("count", "first"), [(1, "-"), (9, "-"), (10, "o0")])
def test_a_drop_down_starts_with_nothing_chosen_while_there_is_room(count, first):
    select = Select("转派给", tuple(Option(f"o{n}", f"人{n}") for n in range(count)))
    rows = DRAW.button_interaction(card(buttons=(PRESS,), select=select))["button_selection"]["option_list"]
    assert rows[0]["id"] == first and len(rows) <= 10
    assert [row["id"] for row in rows if row["id"] != "-"] == [f"o{n}" for n in range(count)]


def test_the_next_step_stays_when_the_story_is_long():
    text = DRAW.button_interaction(card(body="长" * 300, note="请在今天 18:00 前处理", buttons=(PRESS,)))[
        "sub_title_text"
    ]
    assert len(text) == 160 and text.endswith("…\n请在今天 18:00 前处理")


def test_facts_that_say_nothing_are_left_out():
    drawn = DRAW.text_notice(card(facts=(Fact("位置", "3号泵房"), Fact("期限", ""), Fact("责任人及电话", "长" * 31))))
    assert drawn["horizontal_content_list"] == [
        {"keyname": "位置", "value": "3号泵房"},
        {"keyname": "责任人及…", "value": "长" * 29 + "…"},
    ]


def test_votes_and_forms_have_their_bounds():
    options = [Option(str(n), str(n)) for n in range(21)]
    with pytest.raises(ValueError, match="options"):
        DRAW.vote_interaction(card(), options, submit=PRESS)
    with pytest.raises(ValueError, match="options"):
        DRAW.vote_interaction(card(), [], submit=PRESS)
    with pytest.raises(ValueError, match="questions"):
        DRAW.multiple_interaction(card(), [("q", Select("t", ()))] * 4, submit=PRESS)


def test_markdown_shows_words_as_they_are_written():
    drawn = DRAW.markdown(
        card(
            title="*粗* [点我](http://evil.test) <@all>",
            subtitle="# 标题",
            facts=(Fact("位置", "`x`"),),
            body="> 引用\n1. 一",
            page="/h5/x",
            colour="red",
        ),
        limit_bytes=2048,
    )
    assert "](http://evil" not in drawn and "<@all>" not in drawn and "`" not in drawn
    assert drawn.count("*") == 4  # our own bold name, nothing of theirs
    assert drawn.startswith("### \uff0a粗") and drawn.endswith("[查看详情](https://plant.test/h5/x)")
    assert '<font color="warning">\uff03 标题</font>' in drawn


def test_markdown_is_cut_where_it_must_and_keeps_its_link():
    drawn = DRAW.markdown(card(body="长" * 3000, page="/h5/x"), limit_bytes=2048)
    assert len(drawn.encode()) <= 2048
    assert "…(全文见详情)\n[查看详情](" in drawn


# -- whatever a card says, WeCom takes it

words = st.text(max_size=250)
some = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=60)
buttons = st.lists(
    st.builds(
        Button,
        label=some,
        action=st.from_regex(r"[a-z]{1,8}\.[a-z]{1,8}:[0-9]{1,6}", fullmatch=True),
        style=st.sampled_from(["primary", "normal", "danger"]),
    ),
    max_size=6,
    unique_by=lambda button: button.action,
)
selects = st.none() | st.builds(
    Select,
    title=some,
    options=st.lists(
        st.builds(Option, id=st.from_regex(r"[0-9]{1,5}", fullmatch=True), label=some),
        max_size=10,
        unique_by=lambda o: o.id,
    ).map(tuple),
)
cards = st.builds(
    Card,
    title=some,
    colour=st.sampled_from(["red", "orange", "yellow", "green", "grey", "blue"]),
    subtitle=words,
    facts=st.lists(st.builds(Fact, name=words, value=words), max_size=6).map(tuple),
    body=words,
    note=words,
    picture=st.sampled_from(["", "ab" * 32]),
    page=st.sampled_from(["", "/h5/x"]),
    buttons=buttons.map(tuple),
    select=selects,
)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202e]")


@settings(max_examples=250, deadline=None)
@given(cards, st.booleans())
def test_every_card_is_one_that_wecom_takes(neutral, robot):
    drawn = DRAW.notice(neutral, ROBOT) if robot else DRAW.template_card(neutral, ref="c1")
    RULES.check(drawn)
    look_text, look_value = (112, 26) if robot else (160, 30)
    assert len(drawn.get("sub_title_text", "")) <= look_text
    assert len(drawn["main_title"]["title"]) <= (26 if robot else 36)
    for row in drawn.get("horizontal_content_list", []):
        assert len(row["keyname"]) <= 5 and len(row["value"]) <= look_value
    for row in drawn.get("button_list", []):
        assert len(row["text"]) <= 10
    assert not CONTROL.search(json.dumps(drawn, ensure_ascii=False))
    assert len(DRAW.markdown(neutral, limit_bytes=2048).encode()) <= 2048


LONG = "报一下气体分析,如“中部可燃0.1%LEL,氧20.8,硫化氢0”。可以先发仪器照片。"


@pytest.mark.parametrize(
    ("title", "head", "text"),
    [
        ("谁监护?", "谁监护?", ""),
        (LONG, "报一下气体分析,如“中部可燃0.1%LEL,氧20.8,硫化氢0”", "可以先发仪器照片。"),
        ("先撤到上风向,别碰设备。" + "再" * 30, "先撤到上风向,别碰设备", "再" * 30),
        ("还有3个人没有确认,要现在叫停吗?" + "点" * 30, "还有3个人没有确认,要现在叫停吗?", "点" * 30),
        ("字" * 50, "字" * 35 + "…", "字" * 50),
    ],
)
def test_a_question_that_is_too_long_for_a_title_goes_on_below(title, head, text):
    drawn = DRAW.template_card(card(title=title, buttons=(PRESS,)))
    assert drawn["main_title"]["title"] == head
    assert drawn.get("sub_title_text", "") == text


def test_what_does_not_fit_the_title_comes_before_the_text():
    drawn = DRAW.text_notice(card(title="先撤到上风向。" + "再" * 40, body="正文", note="备注"))
    assert drawn["sub_title_text"] == "再" * 40 + "\n正文\n备注"
