from __future__ import annotations

from typing import Any

import pytest

ACTION = {"type": 1, "url": "http://app.test/h5"}
TEXT = {"card_type": "text_notice", "main_title": {"title": "通知"}, "card_action": ACTION}
NEWS = {
    "card_type": "news_notice",
    "main_title": {"title": "图文"},
    "card_action": ACTION,
    "card_image": {"url": "http://app.test/a.jpg", "aspect_ratio": 1.3},
}
OPTIONS = [{"id": str(n), "text": f"选项{n}"} for n in range(3)]
VOTE = {
    "card_type": "vote_interaction",
    "task_id": "v1",
    "main_title": {"title": "投票"},
    "checkbox": {"question_key": "q", "mode": 1, "option_list": OPTIONS},
    "submit_button": {"text": "提交", "key": "submit"},
}
MULTI = {
    "card_type": "multiple_interaction",
    "task_id": "m1",
    "main_title": {"title": "选择"},
    "select_list": [{"question_key": f"q{n}", "title": "谁", "option_list": OPTIONS} for n in range(3)],
    "submit_button": {"text": "提交", "key": "submit"},
}
MENU = {"desc": "更多", "action_list": [{"text": "不再提醒", "key": "mute"}]}


def sent(world: Any, card: dict[str, Any], to: str = "ZhangWei") -> dict[str, Any]:
    return world.send("template_card", card, to=to)


def update(world: Any, code: str, **body: Any) -> int:
    request = {"agentid": world.agent, "response_code": code, **body}
    return world.api("message/update_template_card", request)["errcode"]


def tap(world: Any, user: str, key: str = "ok", **extra: Any) -> Any:
    answer = world.phone(user, "tap", {"item": world.last(user)["id"], "key": key, **extra})
    world.tick()
    return answer


@pytest.mark.parametrize("card", [TEXT, NEWS, VOTE, MULTI], ids=lambda c: c["card_type"])
def test_the_kinds_are_accepted_and_only_callbacks_give_a_code(world: Any, card: dict[str, Any]):
    answer = sent(world, card)
    assert answer["errcode"] == 0
    assert ("response_code" in answer) == (card in (VOTE, MULTI))
    assert world.last()["card"]["type"] == card["card_type"]


def test_a_menu_makes_a_notice_answerable(world: Any):
    assert sent(world, TEXT | {"action_menu": MENU})["errcode"] == 40058  # needs a task_id
    answer = sent(world, TEXT | {"action_menu": MENU, "task_id": "menu1"})
    assert answer["response_code"]
    tap(world, "zhangwei", "mute")
    event = world.received[-1]
    assert event.findtext("Event") == "template_card_menu_event" and event.findtext("CardType") == "text_notice"
    assert event.find("SelectedItems") is None
    assert update(world, answer["response_code"], userids=["zhangwei"], button={"replace_name": "x"}) == 40058
    assert update(world, answer["response_code"], userids=["zhangwei"], template_card=NEWS) == 0
    assert world.last()["card"]["type"] == "news_notice"


FACT = {"keyname": "区域", "value": "罐区"}
WRONG = [
    (TEXT | {"card_action": {"type": 0}}, 42045),
    ({k: v for k, v in NEWS.items() if k != "card_action"}, 42045),
    ({k: v for k, v in NEWS.items() if k != "card_image"}, 40058),
    (NEWS | {"card_image": {"url": "http://a.test/x", "aspect_ratio": 1.29}}, 40058),
    (NEWS | {"card_image": {"url": "http://a.test/x", "aspect_ratio": 2.26}}, 40058),
    (TEXT | {"main_title": {}}, 40058),
    (TEXT | {"horizontal_content_list": [FACT] * 7}, 40058),
    (TEXT | {"horizontal_content_list": [{"value": "x"}]}, 40058),
    (TEXT | {"horizontal_content_list": [FACT | {"type": 1}]}, 40058),
    (NEWS | {"vertical_content_list": [{"title": "x"}] * 5}, 40058),
    (TEXT | {"jump_list": [{"type": 1, "title": "x", "url": "http://a.test"}] * 4}, 40058),
    (TEXT | {"task_id": "x", "action_menu": {"action_list": []}}, 40058),
    (VOTE | {"checkbox": {"question_key": "q", "option_list": [{"id": "1", "text": "x"}] * 2}}, 40058),
    (VOTE | {"checkbox": {"question_key": "q", "option_list": [{"id": "1" * 129, "text": "x"}]}}, 40058),
    (VOTE | {"submit_button": {"text": "x"}}, 40058),
    (MULTI | {"select_list": [{"question_key": "q", "option_list": OPTIONS}] * 2}, 40058),
    (MULTI | {"select_list": []}, 40058),
    ({"card_type": "hologram"}, 40058),
]


@pytest.mark.parametrize(("card", "code"), WRONG)
def test_what_is_refused(world: Any, card: dict[str, Any], code: int):
    assert sent(world, card)["errcode"] == code
    assert world.screen() == []


@pytest.mark.parametrize(("count", "code"), [(6, 0), (7, 40058), (0, 40058)])
def test_button_count(world: Any, card: Any, count: int, code: int):
    rows = [{"text": "钮", "key": f"k{n}"} for n in range(count)]
    assert sent(world, card(button_list=rows))["errcode"] == code


@pytest.mark.parametrize(("key", "code"), [("k" * 1024, 0), ("k" * 1025, 40058), ("漏" * 342, 40058)])
def test_key_bytes(world: Any, card: Any, key: str, code: int):
    assert sent(world, card(button_list=[{"text": "钮", "key": key}]))["errcode"] == code


@pytest.mark.parametrize(
    ("task_id", "code"), [("a" * 128, 0), ("a" * 129, 40058), ("a b", 40058), ("号", 40058), ("A_z-9@", 0)]
)
def test_task_ids(world: Any, card: Any, task_id: str, code: int):
    assert sent(world, card(task_id))["errcode"] == code


def test_a_task_id_serves_once(world: Any, card: Any):
    assert sent(world, card("t9"))["errcode"] == 0
    assert sent(world, card("t9", main_title={"title": "另一张"}))["errcode"] == 40058


def test_long_texts_are_cut_on_the_screen_not_refused(world: Any, card: Any):
    rows = [{"keyname": "整改责任人", "value": "九" * 40}]
    assert sent(world, card(main_title={"title": "题" * 40}, horizontal_content_list=rows))["errcode"] == 0
    shown = world.last()["card"]
    assert shown["title"] == "题" * 36 + "…" and shown["facts"][0][1] == "九" * 30 + "…"


def test_a_press_carries_its_own_code_and_both_people_may_press(world: Any, card: Any):
    answer = sent(world, card(), to="ZhangWei|LiuYang")
    tap(world, "zhangwei")
    tap(world, "liuyang")
    codes = [x.findtext("ResponseCode") for x in world.received]
    assert len({*codes, answer["response_code"]}) == 3
    assert [x.findtext("FromUserName") for x in world.received] == ["ZhangWei", "LiuYang"]
    assert world.received[0].findtext("TaskId") == "t1" and world.received[0].findtext("EventKey") == "ok"
    assert world.received[0].find("SelectedItems") is None


def test_updates_reach_only_the_named_and_codes_serve_once(world: Any, card: Any):
    code = sent(world, card(), to="ZhangWei|LiuYang")["response_code"]
    assert update(world, code, button={"replace_name": "已处理"}) == 40058  # nobody named
    assert update(world, code, userids=["zhangwei"], button={"replace_name": "已处理"}) == 0
    mine, other = world.last()["card"], world.last("LiuYang")["card"]
    assert [b["label"] for b in mine["buttons"]] == ["已处理"] and mine["buttons"][0]["disabled"]
    assert [b["label"] for b in other["buttons"]] == ["确认", "看图"] and other["revision"] == 1
    assert update(world, code, userids=["liuyang"], button={"replace_name": "x"}) == 42014
    refused = tap(world, "zhangwei")
    assert refused.status_code == 409 and world.received == []
    tap(world, "liuyang")
    fresh = world.received[-1].findtext("ResponseCode")
    whole = card("ignored", main_title={"title": "已闭环"}, replace_text="已完成")
    assert update(world, fresh, atall=1, template_card=whole) == 0
    for user in ("ZhangWei", "LiuYang"):
        shown = world.last(user)["card"]
        assert shown["title"] == "已闭环" and [b["label"] for b in shown["buttons"]] == ["已完成"]
        assert shown["task_id"] == "t1"


@pytest.mark.parametrize(("age", "code"), [(72 * 3600 - 1, 0), (72 * 3600, 42014)])
def test_codes_last_72_hours(world: Any, card: Any, age: float, code: int):
    response_code = sent(world, card())["response_code"]
    world.now += age
    world._token = None
    assert update(world, response_code, userids=["ZhangWei"], button={"replace_name": "x"}) == code


def test_a_code_belongs_to_its_app(world: Any, card: Any):
    code = sent(world, card())["response_code"]
    other = world.fetch_token(corpsecret="other-secret")["access_token"]
    body = {"agentid": 1000009, "response_code": code, "userids": ["ZhangWei"], "button": {"replace_name": "x"}}
    assert world.api("message/update_template_card", body, access_token=other)["errcode"] == 42014


def test_url_buttons_open_and_send_nothing(world: Any, card: Any):
    sent(world, card())
    answer = tap(world, "zhangwei", "url:1").json()
    assert answer["url"] == "http://app.test/h5" and world.received == []


def test_selected_items_single_and_many(world: Any):
    sent(world, VOTE)
    assert tap(world, "zhangwei", "submit").status_code == 409  # nothing chosen yet
    tap(world, "zhangwei", "submit", selected={"q": ["0", "2"]})
    found = world.received[-1].findall("SelectedItems/SelectedItem")
    assert [row.findtext("QuestionKey") for row in found] == ["q"]
    assert [o.text for o in found[0].findall("OptionIds/OptionId")] == ["0", "2"]
    sent(world, MULTI)
    assert tap(world, "zhangwei", "submit", selected={"q1": ["0", "1"]}).status_code == 409
    assert tap(world, "zhangwei", "submit", selected={"zz": ["0"]}).status_code == 404
    tap(world, "zhangwei", "submit", selected={"q1": ["2"]})
    chosen = [
        (row.findtext("QuestionKey"), row.findtext("OptionIds/OptionId"))
        for row in world.received[-1].findall("SelectedItems/SelectedItem")
    ]
    assert chosen == [("q0", "0"), ("q1", "2"), ("q2", "0")]


def test_passive_update_button_changes_the_clickers_copy_only(world: Any, card: Any):
    sent(world, card(), to="ZhangWei|LiuYang")
    world.answer = lambda xml: world.passive("update_button", "<Button><ReplaceName>已确认</ReplaceName></Button>")
    tap(world, "zhangwei")
    assert [b["label"] for b in world.last()["card"]["buttons"]] == ["已确认"]
    assert world.last("LiuYang")["card"]["revision"] == 1
    code = world.received[-1].findtext("ResponseCode")
    assert update(world, code, userids=["liuyang"], button={"replace_name": "x"}) == 42014
    assert world.problems == []


def test_passive_update_template_card(world: Any, card: Any):
    sent(world, card())
    inner = (
        "<TemplateCard><CardType>button_interaction</CardType>"
        "<MainTitle><Title>整改中</Title></MainTitle>"
        "<HorizontalContentList><KeyName>区域</KeyName><Value>罐区</Value></HorizontalContentList>"
        "<HorizontalContentList><KeyName>责任人</KeyName><Value>李强</Value></HorizontalContentList>"
        "<ButtonList><Text>提交</Text><Style>1</Style><Key>done</Key></ButtonList></TemplateCard>"
    )
    world.answer = lambda xml: world.passive("update_template_card", inner)
    tap(world, "zhangwei")
    shown = world.last()["card"]
    assert shown["title"] == "整改中" and shown["facts"] == [["区域", "罐区"], ["责任人", "李强"]]
    assert [b["key"] for b in shown["buttons"]] == ["done"] and shown["revision"] == 2
    world.answer = lambda xml: ""
    tap(world, "zhangwei", "done")
    assert world.received[-1].findtext("TaskId") == "t1"


def test_passive_text_and_picture(world: Any):
    media_id = world.upload()["media_id"]
    world.answer = lambda xml: world.passive("text", "<Content>收到</Content>")
    world.phone("zhangwei", "say", {"text": "喂"})
    world.tick()
    assert world.last()["text"] == "收到" and world.last()["from"] == "bot"
    world.answer = lambda xml: world.passive("image", f"<Image><MediaId>{media_id}</MediaId></Image>")
    world.phone("zhangwei", "say", {"text": "图"})
    world.tick()
    assert world.last()["kind"] == "image"


BAD_REPLIES = [
    lambda w: "not xml",
    lambda w: w.reply("<xml/>", MsgSignature="0" * 40),
    lambda w: w.reply("<xml/>", Encrypt="AAAA"),
    lambda w: w.passive("text", "<Content>错</Content>", to="LiuYang"),
    lambda w: w.passive("update_button", "<Button><ReplaceName>x</ReplaceName></Button>"),
    lambda w: w.passive("hologram", ""),
    lambda w: '<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>',
]


@pytest.mark.parametrize("bad", BAD_REPLIES)
def test_a_malformed_passive_reply_is_dropped_and_noted(world: Any, bad: Any):
    world.answer = lambda xml: bad(world)
    world.phone("zhangwei", "say", {"text": "喂"})
    world.tick()
    assert [i["from"] for i in world.screen()] == ["me"]
    assert len(world.problems) == 1 and "passive reply dropped" in world.problems[0]


def test_empty_and_success_are_no_reply(world: Any):
    for body in ("", "success"):
        world.answer = lambda xml, body=body: body
        world.phone("zhangwei", "say", {"text": "喂"})
        world.tick()
    assert world.problems == [] and len(world.screen()) == 2


def test_a_perfect_reply_with_a_wrong_signature_is_dropped(world: Any):
    def forged(xml: Any) -> str:
        good = world.passive("text", "<Content>假的</Content>")
        head, rest = good.split("<MsgSignature>")
        return f"{head}<MsgSignature>{'0' * 40}{rest[40:]}"

    world.answer = forged
    world.phone("zhangwei", "say", {"text": "喂"})
    world.tick()
    assert [i["from"] for i in world.screen()] == ["me"]
    assert "signature" in world.problems[0]
