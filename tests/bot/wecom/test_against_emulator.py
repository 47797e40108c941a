"""The adapter and the emulator talk to each other over the real protocol."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
import requests
from PIL import Image

from bot.message import Inbound, Kind, MediaRef
from bot.outbox import ALARM
from bot.platforms.base import Failure, PlatformError, Target
from bot.platforms.rates import sending
from bot.platforms.wecom import GroupRobot, WeCom
from cards.card import Button, Card, Fact, Option, Select

ZHANG, CHEN, ZHOU = Target(user="ZhangWei"), Target(user="ChenGang"), Target(user="ZhouMin")
CARD = Card(
    title="YH-0007 二级(橙)隐患 · 待整改",
    colour="orange",
    subtitle="泵密封漏油",
    facts=(Fact("位置", "3号泵房"), Fact("期限", "11-25 14:00")),
    body="标注:涉及甲醇介质",
    note="定级理由:泄漏",
    page="/h5/hazards/YH-0007",
    buttons=(
        Button("确认收到", "hazard.confirm:7", "primary"),
        Button("转派", "hazard.transfer:7"),
        Button("看地图", url="/h5/map"),
    ),
    select=Select("转派给", (Option("4", "刘洋"), Option("9", "徐军"))),
)
CLOSED = Card(
    title="YH-0007 已闭环", colour="green", body="整改:已换密封", picture="ab" * 32, page="/h5/hazards/YH-0007"
)


def jpg(width: int = 40, height: int = 30) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(out, "JPEG")
    return out.getvalue()


def failure_of(call: Any) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        call()
    return caught.value


@pytest.fixture(autouse=True)
def _nothing_unexpected(world: Any) -> Any:
    yield
    assert world.problems() == []


# -- in


def test_the_address_is_accepted_when_saved(world):
    answer = world.http.post("http://wecom.test/_phone/save_callback", json={})
    assert answer.json() == {"accepted": True, "reason": "ok"}


def test_every_kind_of_message_arrives(world):
    world.switch(file_messages=True)
    world.phone("ZhangWei", "say", {"text": "  3号泵房漏油 <!DOCTYPE x> ]]> &amp;  "})
    world.phone("ZhangWei", "photo", None, file=("p.jpg", jpg()))
    world.phone("ZhangWei", "voice", None, file=("v.amr", b"#!AMR\n" + b"\x3c" + b"\0" * 12))
    world.phone("ZhangWei", "location", {"lat": 37.45, "lon": 118.59, "label": "罐区"})
    world.phone("ZhangWei", "link", {"title": "说明", "url": "https://x.test/a"})
    world.phone("ZhangWei", "file", None, file=("记录.pdf", b"%PDF-1.4 abc"))
    world.phone("ZhangWei", "raw", {"msgtype": "hologram", "fields": {"A": "1"}})
    world.phone("ZhangWei", "raw", {"msgtype": "event", "fields": {"Event": "share_agent_change", "A": "1"}})
    kinds = [message.kind for message in world.received]
    assert kinds == [
        Kind.TEXT,
        Kind.IMAGE,
        Kind.VOICE,
        Kind.PLACE,
        Kind.LINK,
        Kind.FILE,
        Kind.UNKNOWN,
        Kind.UNKNOWN,
    ]
    assert world.received[0].text == "3号泵房漏油 <!DOCTYPE x> ]]> &amp;"
    senders = [message.sender for message in world.received]
    assert senders == ["ZhangWei"] * 7 + [""]  # an event that means nothing here is nobody's word
    assert len({message.key for message in world.received}) == 8
    assert all(Inbound.from_json(message.to_json()) == message for message in world.received)
    place = world.received[3].position
    assert place and place.label == "罐区" and place.datum == "gcj02" and not place.by_event
    assert abs(place.lat - 37.45) > 1e-4  # shifted by the phone, as the datum says
    assert world.received[4].text == "说明\nhttps://x.test/a"
    assert world.received[5].media[0].name == "记录.pdf"
    assert world.received[0].sent_at == world.clock.now


def test_what_people_send_can_be_fetched(world):
    picture = jpg()
    world.phone("ZhangWei", "photo", None, file=("p.jpg", picture))
    assert world.wecom.download(world.received[0].media[0]) == picture
    world.http.post("http://wecom.test/_phone/expire", json={"what": "media"})
    assert failure_of(lambda: world.wecom.download(world.received[0].media[0])).failure is Failure.EXPIRED
    assert failure_of(lambda: world.wecom.download(MediaRef("", Kind.IMAGE))).failure is Failure.PERMANENT


def test_a_big_file_is_fetched_in_pieces(world, monkeypatch):
    data = b"\xff\xd8\xff" + bytes(range(256)) * 40
    world.phone("ZhangWei", "photo", None, file=("p.jpg", data))
    world.switch(max_get_bytes=4096)
    monkeypatch.setattr("bot.platforms.wecom.media.CHUNK_BYTES", 4096)
    assert world.wecom.download(world.received[0].media[0]) == data
    assert world.calls()["media/get"] == 4  # one refused, three pieces


def test_the_menu_does_what_it_says(world):
    world.wecom.set_menu()
    world.phone("ZhangWei", "menu", {"key": "hazard.photo"}, file=("p.jpg", jpg()))
    world.phone("ZhangWei", "scan", {"result": "CODE_128,V-201", "scan_type": "barcode", "key": "hazard.scan"})
    world.phone("ZhangWei", "scan", {"result": "JC,V-201", "key": "hazard.scan"})
    world.phone("ZhangWei", "menu", {"key": "hazard.place", "lat": 37.45, "lon": 118.59, "label": "罐区", "poi": "门"})
    for key in ("query.mine", "query.todo", "query.week", "help", "permit.start"):
        world.phone("ZhangWei", "menu", {"key": key})
    found = [(message.kind, message.menu) for message in world.received]
    assert found == [
        (Kind.PHOTOS_COMING, "hazard.photo"),
        (Kind.IMAGE, ""),
        (Kind.SCAN, "hazard.scan"),
        (Kind.SCAN, "hazard.scan"),
        (Kind.PLACE, "hazard.place"),
        (Kind.PLACE, ""),
        *((Kind.MENU, key) for key in ("query.mine", "query.todo", "query.week", "help", "permit.start")),
    ]
    assert world.received[0].reply_to == {"count": 1}
    assert world.received[2].scanned == "V-201"
    assert world.received[3].scanned == "JC,V-201"  # no symbology: a comma in a code stays
    assert world.received[4].position.label == "罐区 门"


def test_opening_the_chat_tells_who_and_where(world):
    world.phone("ZhangWei", "open", {"lat": 37.45, "lon": 118.59, "precision": 12.5})
    entered, place = world.received
    assert entered.kind is Kind.ENTERED
    assert place.kind is Kind.PLACE and place.position.by_event and place.position.accuracy_m == 12.5


def test_joining_and_leaving(world):
    world.phone("ZhangWei", "leave")
    world.phone("ZhangWei", "join")
    assert [message.kind for message in world.received] == [Kind.LEFT, Kind.JOINED]


def test_an_answer_is_seen_at_once(world):
    world.answer = lambda message: "立即撤离 ]]> <a href='x'>" + "长" * 900 if message.kind is Kind.TEXT else ""
    world.phone("ZhangWei", "say", {"text": "着火了"})
    shown = world.from_bot("ZhangWei")[0]["text"]
    assert shown.startswith("立即撤离 ]]>") and shown.endswith("…")
    assert "<a" not in shown
    assert len(shown.encode()) <= 2048


def test_an_answer_where_none_can_be_shown_is_not_sent(world):
    world.answer = lambda message: "好"
    world.wecom.set_menu()
    world.phone("ZhangWei", "menu", {"key": "hazard.place", "lat": 37.45, "lon": 118.59})
    assert [message.kind for message in world.received] == [Kind.PLACE, Kind.PLACE]
    assert [item["text"] for item in world.from_bot("ZhangWei")] == ["好"]  # only to the location message


def test_five_deliveries_have_one_key(world):
    world.switch(duplicate_callbacks=5, times=1)
    world.phone("ZhangWei", "say", {"text": "漏油"})
    world.switch(duplicate_callbacks=5, times=1)
    world.phone("ZhangWei", "open")
    assert len(world.received) == 10
    assert len({message.key for message in world.received}) == 2


def test_two_presses_in_one_second_are_two(world):
    world.wecom.post_card(CARD, [ZHANG], ref="c1")
    item = world.from_bot("ZhangWei")[0]["id"]
    world.phone("ZhangWei", "tap", {"item": item, "key": "hazard.confirm:7"})
    world.phone("ZhangWei", "tap", {"item": item, "key": "hazard.transfer:7"})
    assert len({message.key for message in world.received}) == 2


@pytest.mark.parametrize(
    ("fault", "value", "status"),
    [
        ("bad_signature", True, "403"),
        ("wrong_receiver", True, "403"),
        ("wrong_receiver", "wwtest", "403"),
        ("clock_skew_s", -3700, "403"),
        ("clock_skew_s", 3700, "403"),
    ],
)
def test_a_foreign_or_old_callback_is_refused(world, fault, value, status):
    world.switch(**{fault: value, "times": 1})
    world.phone("ZhangWei", "say", {"text": "漏油"})
    assert world.received == []
    assert world.emulator.courier.finished[-1].statuses[0] == status


def test_a_damaged_callback_is_refused(world):
    for _ in range(20):  # the damage is inside one block: sometimes text, sometimes length or receiver
        world.switch(corrupt_cipher=True, times=1)
        world.phone("ZhangWei", "say", {"text": "漏油"})
    statuses = {delivery.statuses[0] for delivery in world.emulator.courier.finished}
    assert statuses <= {"400", "403"}
    assert world.received == []


def test_what_is_not_stored_is_not_said_to_be_taken(world):
    def lose(message: Inbound) -> str:
        raise OSError("disk full")

    world.answer = lose
    world.switch(retry_non_200=True)
    world.phone("ZhangWei", "say", {"text": "漏油"})
    assert world.emulator.courier.waiting[0].statuses == ["500", "HTTP 500"]
    world.answer = lambda message: ""
    world.clock.forward(5)
    world.emulator.tick()
    assert len({message.key for message in world.received}) == 1


# -- out


def test_text_arrives_and_a_long_one_is_parted(world):
    world.wecom.send_text(ZHANG, "收到\x00<a href='http://evil'>点</a>", key="k1")
    world.wecom.send_text(ZHANG, "第一句。" * 400, key="k2")
    world.wecom.send_text(ZHANG, "字" * 10000, key="k3")
    shown = [item["text"] for item in world.from_bot("ZhangWei")]
    assert shown[0].startswith("收到") and "<a" not in shown[0] and "http://evil" in shown[0]
    assert "".join(shown[1:4]) == "第一句。" * 400
    assert all(part.endswith("。") for part in shown[1:4])
    assert len(shown) == 7 and shown[6].endswith("…(全文见详情)")
    assert all(len(part.encode()) <= 2048 for part in shown)


def test_markdown_keeps_its_own_markup_and_no_other(world):
    text = '### 本周\n> <font color="warning">2 条</font> <script>x</script>'
    world.wecom.send_text(ZHANG, text, key="k", markdown=True)
    shown = world.from_bot("ZhangWei")[0]
    assert shown["kind"] == "markdown"
    assert '<font color="warning">2 条</font>' in shown["text"] and "<script" not in shown["text"]


def test_an_empty_text_is_refused_here(world):
    assert failure_of(lambda: world.wecom.send_text(ZHANG, " \x00 ", key="k")).code == "empty_text"
    assert "message/send" not in world.calls()


def test_images_and_files_arrive_and_are_uploaded_once(world):
    picture = jpg()
    world.wecom.send_image(ZHANG, picture, name="整改 前后.jpg", key="a")
    world.wecom.send_image(CHEN, picture, name="整改 前后.jpg", key="b")
    world.wecom.send_file(ZHANG, b"PK\x03\x04" + b"x" * 20, name='../报告"\n.xlsx', key="c")
    image, file = world.from_bot("ZhangWei")
    assert image["kind"] == "image" and world.http.get(image["image_url"]).content == picture
    assert (file["kind"], file["text"]) == ("file", "报告.xlsx")
    assert world.calls()["media/upload"] == 2


def test_an_upload_that_ran_out_is_made_again(world):
    picture = jpg()
    world.wecom.send_image(ZHANG, picture, name="a.jpg", key="a")
    world.http.post("http://wecom.test/_phone/expire", json={"what": "media"})
    world.wecom.send_image(ZHANG, picture, name="a.jpg", key="b")
    assert len(world.from_bot("ZhangWei")) == 2
    assert world.calls()["media/upload"] == 2


def test_a_repeat_after_a_time_out_is_shown_once(world):
    for send in (
        lambda: world.wecom.send_text(ZHANG, "在哪个区域?", key="m1"),
        lambda: world.wecom.send_image(ZHANG, jpg(), name="a.jpg", key="m2"),
        lambda: world.wecom.post_card(CARD, [ZHANG], ref="c7"),
        lambda: world.wecom.send_notice(ZHANG, CARD, key="m3"),
    ):
        before = len(world.from_bot("ZhangWei"))
        world.switch(timeout_but_delivered=True, times=1, path="message/send")
        assert failure_of(send).failure is Failure.UNKNOWN
        send()
        assert len(world.from_bot("ZhangWei")) == before + 1


def test_two_messages_may_say_the_same(world):
    for key in ("m1", "m2", "m3"):
        world.wecom.send_text(ZHANG, "收到", key=key)
    assert [item["text"] for item in world.from_bot("ZhangWei")] == ["收到"] * 3


def test_the_second_of_two_equal_messages_is_not_swallowed_by_its_repeat(world):
    world.wecom.send_text(ZHANG, "收到", key="m1")
    world.switch(reset=True, times=1, path="message/send")  # it never arrived
    assert failure_of(lambda: world.wecom.send_text(ZHANG, "收到", key="m2")).failure is Failure.UNKNOWN
    world.wecom.send_text(ZHANG, "收到", key="m2")
    assert len(world.from_bot("ZhangWei")) == 2


def test_people_out_of_reach_are_named(world):
    world.phone("ChenGang", "leave")
    posted = world.wecom.post_card(CARD, [ZHANG, CHEN, Target(user="nobody"), Target(user="@all")], ref="c1")
    assert posted.refused == {
        "user:ChenGang": "invalid_user",
        "user:nobody": "invalid_user",
        "user:@all": "bad_user_id",
    }
    assert world.from_bot("ChenGang") == []
    lost = failure_of(lambda: world.wecom.send_text(CHEN, "你好", key="k"))
    assert (lost.failure, lost.code) == (Failure.NOBODY, "81013")
    assert "可见范围" in lost.remedy
    assert failure_of(lambda: world.wecom.send_text(Target(user="@all"), "你好", key="k")).failure is Failure.NOBODY
    assert world.from_bot("ZhouMin") == []


def test_people_without_a_licence_are_named(world):
    world.switch(unlicensed=["ChenGang"])
    assert world.wecom.post_card(CARD, [ZHANG, CHEN], ref="c1").refused == {"user:ChenGang": "unlicensed"}


# -- cards


def test_a_card_looks_right_and_can_be_pressed(world):
    posted = world.wecom.post_card(CARD, [ZHANG, CHEN], ref="c7-abc")
    assert posted.ref == "c7-abc" and len(posted.codes) == 1 and posted.refused == {}
    item = world.from_bot("ZhangWei")[0]
    card = item["card"]
    assert card["title"] == CARD.title and card["subtitle"] == "泵密封漏油"
    assert (card["source"], card["colour"]) == ("演示工厂", "red")
    assert card["facts"] == [["位置", "3号泵房"], ["期限", "11-25 14:00"]]
    assert card["body"] == "标注:涉及甲醇介质\n定级理由:泄漏"
    assert [(b["label"], b["kind"]) for b in card["buttons"]] == [
        ("确认收到", "callback"),
        ("转派", "callback"),
        ("看地图", "url"),
    ]
    assert card["buttons"][2]["url"] == "https://plant.test/h5/map"
    assert card["links"][0]["url"] == "https://plant.test/h5/hazards/YH-0007"
    world.phone("ZhangWei", "tap", {"item": item["id"], "key": "hazard.transfer:7", "selected": {"choice": ["9"]}})
    world.phone("ZhangWei", "tap", {"item": item["id"], "key": "hazard.confirm:7", "selected": {"choice": ["-"]}})
    first, second = (message.press for message in world.received)
    assert (first.action, first.choice, first.card_ref) == ("hazard.transfer:7", "9", "c7-abc")
    assert second.choice == "" and second.response_code not in ("", first.response_code)


def test_nothing_is_chosen_until_it_is_chosen(world):
    world.wecom.post_card(CARD, [ZHANG], ref="c1")
    world.phone("ZhangWei", "tap", {"item": world.from_bot("ZhangWei")[0]["id"], "key": "hazard.transfer:7"})
    assert world.received[0].press.choice == ""


def test_every_copy_changes(world):
    posted = world.wecom.post_card(CARD, [ZHANG, CHEN], ref="c7")
    world.wecom.redraw_card(CLOSED, [ZHANG, CHEN], ref="c7", code=posted.codes[0])
    for user in ("ZhangWei", "ChenGang"):
        items = world.from_bot(user)
        assert len(items) == 1
        card = items[0]["card"]
        assert (card["title"], card["type"], card["buttons"]) == ("YH-0007 已闭环", "news_notice", [])
        assert card["picture_url"].endswith("ab" * 32) and "整改:已换密封" in card["body"]


def test_a_press_gives_one_more_change(world):
    posted = world.wecom.post_card(CARD, [ZHANG, CHEN], ref="c7")
    world.phone("ZhangWei", "tap", {"item": world.from_bot("ZhangWei")[0]["id"], "key": "hazard.confirm:7"})
    code = world.received[0].press.response_code
    world.wecom.redraw_card(CARD, [ZHANG, CHEN], ref="c7", code=posted.codes[0])
    world.wecom.redraw_card(CLOSED, [ZHANG, CHEN], ref="c7", code=code)
    assert world.from_bot("ChenGang")[0]["card"]["title"] == "YH-0007 已闭环"


@pytest.mark.parametrize("errcode", [42014, 40058, 99999])
def test_a_used_or_old_code_is_spent_whatever_its_errcode(world, errcode):
    world.switch(response_code_errcode=errcode)
    posted = world.wecom.post_card(CARD, [ZHANG], ref="c7")
    later = world.wecom.post_card(CARD, [ZHANG], ref="c8")
    world.wecom.redraw_card(CARD, [ZHANG], ref="c7", code=posted.codes[0])
    redraw = world.wecom.redraw_card
    assert failure_of(lambda: redraw(CARD, [ZHANG], ref="c7", code=posted.codes[0])).failure is Failure.SPENT
    world.clock.forward(72 * 3600 + 1)
    assert failure_of(lambda: redraw(CARD, [ZHANG], ref="c8", code=later.codes[0])).failure is Failure.SPENT
    assert failure_of(lambda: redraw(CARD, [ZHANG], ref="c8")).failure is Failure.SPENT


def test_a_card_that_cannot_be_redrawn_at_least_loses_its_buttons(world):
    posted = world.wecom.post_card(CARD, [ZHANG], ref="c7")
    odd = Card(title="x", buttons=(Button("同", "a.b:1"), Button("同", "a.b:1")))  # one key twice: WeCom refuses that
    failed = failure_of(lambda: world.wecom.redraw_card(odd, [ZHANG], ref="c7", code=posted.codes[0]))
    assert failed.failure is Failure.SPENT
    buttons = world.from_bot("ZhangWei")[0]["card"]["buttons"]
    assert [(b["label"], b["disabled"]) for b in buttons] == [("见新卡片", True)]


def test_only_greying(world):
    posted = world.wecom.post_card(CARD, [ZHANG], ref="c7")
    world.wecom.cards.grey("已由陈刚确认", [ZHANG], code=posted.codes[0])
    card = world.from_bot("ZhangWei")[0]["card"]
    assert card["title"] == CARD.title
    assert [(b["label"], b["disabled"]) for b in card["buttons"]] == [("已由陈刚确认", True)]


def test_all_five_kinds_can_be_sent_and_answered(world):
    draw, post = world.wecom.renderer, world.wecom.cards.post_drawn
    ask = Card(title="隐患还在吗", body="请选", page="/h5/x")
    options = (Option("yes", "还在"), Option("no", "已改好"))
    submit = Button("提交", "hazard.vote:7")
    post(draw.vote_interaction(ask, options, submit=submit, ref="v1", several=True), [ZHANG], ref="v1")
    form = [("who", Select("谁", options)), ("when", Select("何时", options))]
    post(draw.multiple_interaction(ask, form, submit=Button("提交", "hazard.form:7"), ref="m1"), [ZHANG], ref="m1")
    world.wecom.send_notice(ZHANG, ask, key="t")
    world.wecom.send_notice(ZHANG, CLOSED, key="n")
    world.wecom.post_card(CARD, [ZHANG], ref="b1")
    items = world.from_bot("ZhangWei")
    kinds = [item["card"]["type"] for item in items]
    assert kinds == ["vote_interaction", "multiple_interaction", "text_notice", "news_notice", "button_interaction"]
    vote, form_item = items[0]["id"], items[1]["id"]
    world.phone("ZhangWei", "tap", {"item": vote, "key": "hazard.vote:7", "selected": {"choice": ["yes", "no"]}})
    picked = {"who": ["yes"], "when": ["-"]}
    world.phone("ZhangWei", "tap", {"item": form_item, "key": "hazard.form:7", "selected": picked})
    assert world.received[0].press.choice == "yes,no" and world.received[0].reply_to == {}
    assert world.received[1].reply_to == {"answers": {"who": ["yes"], "when": ["-"]}}


def test_a_repeated_ref_or_an_odd_one_is_refused(world):
    world.wecom.post_card(CARD, [ZHANG], ref="c7")
    assert failure_of(lambda: world.wecom.post_card(CARD, [CHEN], ref="c7")).failure is Failure.PERMANENT
    for ref in ("", "c 7", "c" * 129, "卡片"):
        assert failure_of(lambda ref=ref: world.wecom.post_card(CARD, [ZHANG], ref=ref)).code == "bad_ref"


def test_groups_take_no_cards_with_buttons(world):
    group = Target(group="wr1")
    assert world.wecom.post_card(CARD, [ZHANG, group], ref="c1").refused == {"group:wr1": "no_cards"}
    assert failure_of(lambda: world.wecom.post_card(CARD, [group], ref="c2")).failure is Failure.PERMANENT


# -- groups


def test_a_group_of_our_own(world):
    wecom = world.wecom
    chat = wecom.groups.create("储运安全群", ["ZhangWei", "ChenGang"], owner="ChenGang", chat_id="anshao1")
    assert chat == "anshao1"
    target = Target(group=chat)
    wecom.send_text(target, "通知 <@ZhangWei>", key="a")
    wecom.send_image(target, jpg(), name="a.jpg", key="b")
    wecom.send_file(target, b"%PDF-1.4 abc", name="a.pdf", key="c")
    wecom.send_notice(target, CARD, key="d")
    shown = [item for item in world.from_bot("ZhangWei") if item["chat"] == "group:anshao1"]
    assert [item["kind"] for item in shown] == ["text", "image", "file", "markdown"]
    assert "<@" not in shown[0]["text"]
    assert "YH-0007" in shown[3]["text"] and shown[3]["links"][0]["url"].endswith("/h5/hazards/YH-0007")
    wecom.groups.update(chat, name="储运安全", add=["ZhouMin"], remove=["ZhangWei"])
    group = wecom.groups.get(chat)
    assert (group.name, group.owner, group.members) == ("储运安全", "ChenGang", ("ChenGang", "ZhouMin"))
    assert failure_of(lambda: wecom.groups.get("unknown")).failure is Failure.PERMANENT
    assert failure_of(lambda: wecom.groups.create("x", ["a", "b"], chat_id="a b")).code == "bad_chat_id"


def test_a_group_robot(world):
    group = Target(group="安全群")
    world.wecom.send_text(group, "通知", key="a")
    world.wecom.send_text(group, "### 周报", key="b", markdown=True)
    world.wecom.send_image(group, jpg(), name="a.jpg", key="c")
    world.wecom.send_file(group, b"%PDF-1.4 abc", name="a.pdf", key="d")
    world.wecom.send_notice(group, CARD, key="e")
    world.wecom.send_notice(group, CLOSED, key="f")
    shown = world.from_bot("ZhangWei")
    assert [item["kind"] for item in shown] == ["text", "markdown", "image", "file", "card", "card"]
    assert [item["card"]["type"] for item in shown[4:]] == ["text_notice", "news_notice"]
    assert "gettoken" not in world.calls()  # the robot's key is all it needs
    huge = failure_of(lambda: world.wecom.send_image(group, b"x" * (2 * 1024 * 1024 + 1), name="a.jpg", key="g"))
    assert huge.code == "image_too_large"


def test_a_robot_keeps_to_twenty_a_minute(world):
    group = Target(group="安全群")
    with sending(ALARM):  # others leave a part of the twenty to alarms
        for number in range(20):
            world.wecom.send_text(group, f"{number}", key=str(number))
            world.clock.forward(1)
        waiting = failure_of(lambda: world.wecom.send_text(group, "21", key="x"))
    assert waiting.failure is Failure.THROTTLED and 39 <= waiting.wait_s <= 41
    world.clock.forward(waiting.wait_s + 0.1)
    with sending(ALARM):
        world.wecom.send_text(group, "21", key="x")
    assert len(world.from_bot("ZhangWei")) == 21


def test_a_robot_that_is_gone_says_what_to_do(world):
    wecom = world.adapter(world.store, group_robots=(GroupRobot("旧群", "gone"),))
    lost = failure_of(lambda: wecom.send_text(Target(group="旧群"), "x", key="k"))
    assert lost.failure is Failure.NOBODY and "重新添加" in lost.remedy


def test_nobody_is_sent_what_would_be_dropped(world):
    with sending(ALARM):
        for number in range(30):
            world.wecom.send_text(ZHANG, f"{number}", key=str(number))
        held = failure_of(lambda: world.wecom.send_text(ZHANG, "31", key="x"))
    assert held.failure is Failure.THROTTLED and held.wait_s == pytest.approx(60)
    world.wecom.send_text(CHEN, "1", key="y")  # others are not held back
    world.clock.forward(60.1)
    world.wecom.send_text(ZHANG, "31", key="x")
    assert len(world.from_bot("ZhangWei")) == 31


# -- tokens and faults


@pytest.mark.parametrize("fault", ["token_expired", "token_invalid"])
def test_a_refused_token_is_replaced_once(world, fault):
    world.wecom.send_text(ZHANG, "一", key="a")
    world.switch(**{fault: True, "times": 1})
    world.wecom.send_text(ZHANG, "二", key="b")
    assert [item["text"] for item in world.from_bot("ZhangWei")] == ["一", "二"]
    assert world.calls()["gettoken"] == 2


def test_a_token_that_is_always_refused_ends(world):
    world.switch(token_invalid=True)
    failed = failure_of(lambda: world.wecom.send_text(ZHANG, "一", key="a"))
    assert failed.failure is Failure.CONFIG and failed.code == "40014" and "ANSHAO_WECOM_SECRET" in failed.remedy
    assert world.calls() == {"gettoken": 2, "message/send": 2}


def test_the_token_is_refreshed_for_uploads_and_downloads_too(world):
    world.wecom.send_text(ZHANG, "一", key="a")
    world.phone("ZhangWei", "photo", None, file=("p.jpg", jpg()))
    world.switch(token_expired=True, times=1, path="media/upload")
    world.wecom.send_image(ZHANG, jpg(), name="a.jpg", key="b")
    world.switch(token_expired=True, times=1, path="media/get")
    assert world.wecom.download(world.received[0].media[0]) == jpg()
    assert world.problems() == []


def test_many_processes_fetch_one_token(world, valkey_url):
    stores = [redis.Redis.from_url(valkey_url) for _ in range(8)]
    adapters = [world.adapter(store) for store in stores]
    ready = threading.Barrier(8)

    def ask(wecom: WeCom) -> str:
        ready.wait()
        return wecom.api.token()

    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(ask, adapters))
    assert len(tokens) == 1
    assert world.calls()["gettoken"] == 1
    for store in stores:
        store.close()


def test_without_redis_everything_still_works(world, no_redis):
    wecom = world.adapter(no_redis)
    wecom.send_text(ZHANG, "一", key="a")
    wecom.send_image(ZHANG, jpg(), name="a.jpg", key="b")
    posted = wecom.post_card(CARD, [ZHANG], ref="c1")
    wecom.redraw_card(CLOSED, [ZHANG], ref="c1", code=posted.codes[0])
    assert len(world.from_bot("ZhangWei")) == 3
    assert world.calls()["gettoken"] == 1


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ({"busy": True}, Failure.RETRY),
        ({"concurrency": True}, Failure.RETRY),
        ({"throttle": True}, Failure.THROTTLED),
        ({"http_500": True}, Failure.RETRY),
        ({"html_body": True}, Failure.RETRY),
        ({"reset": True}, Failure.UNKNOWN),
        ({"slow_api_s": 30}, Failure.UNKNOWN),
        ({"api_error": 60020}, Failure.CONFIG),
        ({"api_error": 48002}, Failure.CONFIG),
        ({"api_error": 40058}, Failure.PERMANENT),
        ({"api_error": 12345}, Failure.PERMANENT),
    ],
)
def test_what_goes_wrong_has_a_name(world, fault, failure):
    world.wecom.api.token()
    world.switch(**fault, times=1, path="message/send")
    failed = failure_of(lambda: world.wecom.send_text(ZHANG, "一", key="a"))
    assert failed.failure is failure
    assert (failed.wait_s > 0) == (failure is Failure.THROTTLED or failed.code == "45033")
    assert bool(failed.remedy) == (failure is Failure.CONFIG)
    assert (failed.__cause__ is None and failed.__suppress_context__) or failed.__context__ is None


def test_reading_calls_never_end_as_perhaps(world):
    world.wecom.api.token()
    for fault in ({"reset": True}, {"slow_api_s": 30}):
        world.switch(**fault, times=1, path="user/get")
        assert failure_of(lambda: world.wecom.member("ZhangWei")).failure is Failure.RETRY


@pytest.mark.parametrize(("field", "value"), [("secret", "wrong"), ("corp_id", "wwwrong")])
def test_wrong_credentials_say_so(world, field, value):
    wecom = world.adapter(world.store, **{field: value})
    failed = failure_of(lambda: wecom.send_text(ZHANG, "一", key="a"))
    assert failed.failure is Failure.CONFIG and "ANSHAO_WECOM_SECRET" in failed.remedy
    checked = {what: (ok, remedy) for what, ok, remedy in wecom.check()}
    assert checked["企业微信:应用凭证"] == (False, failed.remedy)


def test_no_secret_is_in_what_is_raised(world):
    world.http.mount("http://wecom.test", _refusing())
    failed = failure_of(lambda: world.wecom.send_text(ZHANG, "一", key="a"))
    assert world.settings["secret"] not in f"{failed!r}{failed.__context__!r}{failed.__cause__!r}"


def _refusing() -> Any:
    class Refusing(requests.adapters.BaseAdapter):
        def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            raise requests.ConnectionError(f"no way to {request.url}")

        def close(self) -> None: ...

    return Refusing()


# -- people and pages


def test_the_directory(world):
    members = {member.user: member for member in world.wecom.members()}
    assert members["ZhangWei"].name == "张伟" and members["ZhangWei"].title == "罐区操作工"
    assert members["ZhangWei"].mobile == "" and members["ZhangWei"].active
    assert len(members) == len([p for p in world.plant["people"] if p["wecom"]])
    world.phone("ZhangWei", "status", {"status": 2})
    assert world.wecom.member("ZhangWei").active is False
    assert world.wecom.member("nobody") is None
    world.phone("ChenGang", "leave")
    assert world.wecom.member("ChenGang") is None


def test_signing_in_to_a_page(world):
    url = world.wecom.sign_in_url("https://plant.test/h5/place?a=1&b=2", "state-1")
    answer = world.http.get(url.split("#")[0] + "&_user=ZhangWei", allow_redirects=False)
    back = requests.utils.urlparse(answer.headers["Location"])
    query = requests.compat.urlparse(answer.headers["Location"]).query
    found = dict(part.split("=", 1) for part in query.split("&"))
    assert back.netloc == "plant.test" and found["a"] == "1" and found["state"] == "state-1"
    assert url.endswith("#wechat_redirect")
    assert world.wecom.h5_user(found["code"]) == "ZhangWei"
    assert failure_of(lambda: world.wecom.h5_user(found["code"])).failure is Failure.EXPIRED
    assert failure_of(lambda: world.wecom.h5_user("")).failure is Failure.EXPIRED


def test_an_outsider_cannot_sign_in(world):
    url = world.wecom.sign_in_url("https://plant.test/h5/", "s")
    answer = world.http.get(url.split("#")[0] + "&_user=ZhangWei", allow_redirects=False)
    code = answer.headers["Location"].split("code=")[1].split("&")[0]
    world.phone("ZhangWei", "status", {"status": 5})
    assert failure_of(lambda: world.wecom.h5_user(code)).failure is Failure.NOBODY


def test_the_bridge_accepts_both_signatures(world):
    page = "https://plant.test/h5/place?x=1"
    config = world.wecom.js_config(page + "#top")
    again = world.wecom.js_config(page)
    for kind, part in (("config", config["config"]), ("agentConfig", config["agentConfig"])):
        body = {"kind": kind, "url": page, **part, "corpid": world.settings["corp_id"]}
        answer = world.http.post("http://wecom.test/_phone/jssdk/check", json=body).json()
        assert answer["ok"], answer
    assert config["config"]["signature"] != config["agentConfig"]["signature"]
    assert again["config"]["nonceStr"] != config["config"]["nonceStr"]
    assert world.calls()["get_jsapi_ticket"] == world.calls()["ticket/get"] == 1
    world.clock.forward(7000)
    world.wecom.js_config(page)
    assert world.calls()["get_jsapi_ticket"] == 2


def test_there_are_no_todos(wecom):
    assert wecom.has_todos is False
    assert failure_of(lambda: wecom.create_todo(ZHANG, subject="", due_ms=None, page="", key="")).code == "no_todos"
    assert failure_of(lambda: wecom.finish_todo(ZHANG, "1")).failure is Failure.PERMANENT


def test_the_doctor_is_content(world):
    assert all(ok for _, ok, _ in world.wecom.check())
    world.switch(trusted_ips=["1.2.3.4"])
    found = {what: remedy for what, ok, remedy in world.wecom.check() if not ok}
    assert "可信IP" in found["企业微信:读取通讯录"]
