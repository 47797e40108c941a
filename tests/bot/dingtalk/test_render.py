from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.base import PlatformError
from bot.platforms.dingtalk.pages import dot
from bot.platforms.dingtalk.render import card_values, cut, notice, plain, robot_notice, title_of
from cards.card import Button, Card, Fact, Option, Select
from tests.bot.dingtalk.conftest import START

CARD = Card(
    title="隐患 YH-0001 · 二级",
    colour="orange",
    subtitle="待整改",
    facts=(Fact("区域", "甲醇罐区"), Fact("期限", "11-25 18:00")),
    body="泵密封漏油\n<a href=x>**点我**</a>",
    note="请先停泵",
    picture="ab12",
    page="/h5/hazards/1",
    buttons=(Button("开始整改", "hazard.start:1", "primary"), Button("看地图", url="https://plant.test/map")),
    select=Select("转派给", (Option("user002", "李强"), Option("user003", "王芳"))),
    state="assigned",
)
NAMES = [
    "title",
    "subtitle",
    "color",
    "facts",
    "body",
    "picture",
    "note",
    "state",
    "revision",
    "buttons",
    "selects",
    "link_url",
    "link_text",
]


def values(card: Card) -> dict[str, str]:
    return card_values(card, public_url="https://plant.test/", picture_url=lambda sha: f"https://p/{sha}", revision=7)


def test_a_card_has_exactly_the_variables_of_the_template() -> None:
    got = values(CARD)
    assert sorted(got) == sorted(NAMES)
    assert all(isinstance(value, str) for value in got.values())
    assert (got["color"], got["picture"], got["revision"]) == ("orange", "https://p/ab12", "7")
    assert (got["link_url"], got["link_text"]) == ("https://plant.test/h5/hazards/1", "查看详情")
    assert json.loads(got["facts"]) == [{"k": "区域", "v": "甲醇罐区"}, {"k": "期限", "v": "11-25 18:00"}]
    assert json.loads(got["buttons"]) == [
        {"text": "开始整改", "action": "hazard.start:1", "style": "primary", "kind": "request", "url": ""},
        {"text": "看地图", "action": "", "style": "normal", "kind": "link", "url": "https://plant.test/map"},
    ]
    options = [{"id": "user002", "text": "李强"}, {"id": "user003", "text": "王芳"}]
    assert json.loads(got["selects"]) == [{"key": "choice", "title": "转派给", "options": options}]


def test_an_empty_card_has_them_too() -> None:
    got = values(Card("完成"))
    assert sorted(got) == sorted(NAMES)
    assert (got["buttons"], got["selects"], got["facts"], got["link_url"], got["picture"]) == ("[]", "[]", "[]", "", "")


def test_what_people_wrote_formats_nothing() -> None:
    body = values(CARD)["body"]
    assert body == "泵密封漏油  \n＜a href=x＞＊＊点我＊＊＜/a＞"
    assert (
        plain("# 大\n- 一\n1. 二 [a](dtmd://x) `c` _d_ |e| ~f~")
        == "＃ 大\n－ 一\n1. 二 ［a］(dtmd://x) ｀c｀ ＿d＿ ｜e｜ ～f～"
    )


@given(st.text())
def test_no_markup_sign_survives(text: str) -> None:
    assert not set(plain(text)) & set("<>[]*`~|_")


@given(st.text(), st.integers(min_value=3, max_value=60))
def test_a_cut_text_fits_and_says_so(text: str, limit: int) -> None:
    got = cut(text, limit)
    assert len(got.encode()) <= limit
    assert got == text or (got.endswith("…") and text.startswith(got[:-1]))


LONG = st.text(alphabet='漏油a"\\', max_size=900)


@given(
    LONG,
    st.lists(st.tuples(LONG, LONG), max_size=6),
    st.lists(LONG, max_size=6),
    st.lists(LONG, min_size=1, max_size=10),
)
def test_every_value_fits_into_a_kilobyte(
    text: str, facts: list[tuple[str, str]], labels: list[str], options: list[str]
) -> None:
    card = Card(
        title=text,
        body=text,
        note=text,
        subtitle=text,
        facts=tuple(Fact("区域", value) for _, value in facts),
        buttons=tuple(Button(label or "x", f"hazard.go:{n}") for n, label in enumerate(labels)),
        select=Select(text, tuple(Option(f"user{n}", label) for n, label in enumerate(options))),
    )
    got = values(card)
    assert all(len(value.encode()) <= 1024 for value in got.values())
    assert [b["action"] for b in json.loads(got["buttons"])] == [b.action for b in card.buttons]
    assert card.select is not None
    assert [o["id"] for o in json.loads(got["selects"])[0]["options"]] == [o.id for o in card.select.options]


def test_the_longest_fact_gives_way_first() -> None:
    card = Card("t", facts=(Fact("区域", "甲醇罐区"), Fact("问题", "漏" * 600)))
    short, long = json.loads(values(card)["facts"])
    assert short == {"k": "区域", "v": "甲醇罐区"}
    assert long["v"].startswith("漏漏") and long["v"].endswith("…")


def test_an_action_is_never_cut() -> None:
    with pytest.raises(PlatformError, match="permanent"):
        values(Card("t", buttons=tuple(Button("x", "a" * 300) for _ in range(4))))


def test_an_address_that_is_too_long_is_left_out() -> None:
    assert values(Card("t", page="/h5/" + "x" * 1100))["link_url"] == ""


def test_a_notice_opens_its_page_and_tells_the_time() -> None:
    got = notice(CARD, public_url="https://plant.test", at=START)["action_card"]
    assert got["single_url"] == "https://plant.test/h5/hazards/1"
    assert got["markdown"].endswith("发送时间 11-24 10:00")
    assert "泵密封漏油" in got["markdown"]
    assert notice(replace(CARD, page=""), public_url="", at=START)["msgtype"] == "markdown"


@given(LONG, LONG)
def test_a_notice_fits(title: str, body: str) -> None:
    card = Card(title=title or "t", body=body, note=body, facts=(Fact("问题", body),), page="/h5/x")
    message = notice(card, public_url="https://plant.test", at=START)
    assert len(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()) <= 2048


def test_a_group_notice_has_no_call_back_buttons() -> None:
    got = robot_notice(CARD, public_url="https://plant.test")
    assert set(got["actionCard"]) == {"title", "text", "singleTitle", "singleURL", "btnOrientation"}


@pytest.mark.parametrize(("text", "title"), [("# 周报\n内容", "周报"), ("\n\n", "消息"), ("", "消息")])
def test_the_title_of_a_markdown_message(text: str, title: str) -> None:
    assert title_of(text) == title


def test_the_icon_is_a_picture() -> None:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(dot((30, 136, 229), 32))) as icon:
        assert (icon.size, icon.getpixel((16, 16)), icon.getpixel((0, 0))[3]) == ((32, 32), (30, 136, 229, 255), 0)
