"""Fields of callbacks in the shapes WeCom writes them, one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.message import Inbound, Kind
from bot.platforms.wecom.parse import can_be_answered, inbound_of, read

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def event(name: str, inner: str = "", *, at: int = 1700000000, sender: str = "ZhangWei") -> Inbound | None:
    xml = (
        f"<xml><ToUserName>ww1</ToUserName><FromUserName>{sender}</FromUserName><CreateTime>{at}</CreateTime>"
        f"<MsgType>event</MsgType><Event>{name}</Event>{inner}<AgentID>2</AgentID></xml>"
    )
    return inbound_of(read(xml), now=NOW, datum="gcj02")


def message(kind: str, inner: str, *, datum: str = "gcj02") -> Any:
    xml = (
        f"<xml><FromUserName>ZhangWei</FromUserName><CreateTime>1700000000</CreateTime>"
        f"<MsgType>{kind}</MsgType>{inner}<MsgId>77</MsgId></xml>"
    )
    return inbound_of(read(xml), now=NOW, datum=datum)


def selected(inner: str) -> Any:
    found = event(
        "template_card_event",
        "<EventKey>hazard.transfer:7</EventKey><TaskId>c7</TaskId><CardType>button_interaction</CardType>"
        f"<ResponseCode>RC</ResponseCode>{inner}",
    )
    assert found is not None
    return found


def item(key: str, *options: str) -> str:
    ids = "".join(f"<OptionId>{option}</OptionId>" for option in options)
    return f"<SelectedItem><QuestionKey>{key}</QuestionKey><OptionIds>{ids}</OptionIds></SelectedItem>"


@pytest.mark.parametrize(
    ("items", "choice", "answers"),
    [
        ("", "", None),
        ("<SelectedItems/>", "", None),
        (f"<SelectedItems>{item('choice', '9')}</SelectedItems>", "9", None),
        (f"<SelectedItems>{item('choice', 'a', 'b')}</SelectedItems>", "a,b", None),
        (f"<SelectedItems>{item('choice', '-')}</SelectedItems>", "", None),
        (f"<SelectedItems>{item('choice')}</SelectedItems>", "", None),
        (
            f"<SelectedItems>{item('who', '1')}{item('choice', '2')}</SelectedItems>",
            "2",
            {"who": ["1"], "choice": ["2"]},
        ),
        (
            f"<SelectedItems>{item('q1', '1')}{item('q2', 'x', 'y')}</SelectedItems>",
            "1",
            {"q1": ["1"], "q2": ["x", "y"]},
        ),
    ],
)
def test_one_choice_or_many(items, choice, answers):
    found = selected(items)
    assert (found.kind, found.press.action, found.press.card_ref) == (Kind.PRESS, "hazard.transfer:7", "c7")
    assert (found.press.choice, found.press.response_code) == (choice, "RC")
    assert found.reply_to.get("answers") == answers


def test_a_menu_of_a_card_is_a_press():
    found = event("template_card_menu_event", "<EventKey>hazard.mute:7</EventKey><TaskId>c7</TaskId>")
    assert found.kind is Kind.PRESS and found.press.action == "hazard.mute:7"


@pytest.mark.parametrize("name", ["click", "CLICK"])
def test_a_menu_entry(name):
    found = event(name, "<EventKey>query.mine</EventKey>")
    assert (found.kind, found.menu) == (Kind.MENU, "query.mine")


@pytest.mark.parametrize("name", ["view", "view_miniprogram"])
def test_an_opened_link_is_nothing(name):
    assert event(name, "<EventKey>https://x.test</EventKey>") is None


@pytest.mark.parametrize(
    ("result", "scanned"),
    [
        ("V-201", "V-201"),
        ("CODE_128,V-201", "V-201"),
        ("EAN_13,6901234567892", "6901234567892"),
        ("JC,V-201", "JC,V-201"),
        ("code_128,V-201", "code_128,V-201"),
        ("https://x.test/e?c=CODE_128,V", "https://x.test/e?c=CODE_128,V"),
    ],
)
@pytest.mark.parametrize("name", ["scancode_waitmsg", "scancode_push"])
def test_a_scanned_code(name, result, scanned):
    info = f"<ScanCodeInfo><ScanType>barcode</ScanType><ScanResult>{result}</ScanResult></ScanCodeInfo>"
    found = event(name, f"<EventKey>hazard.scan</EventKey>{info}")
    assert (found.kind, found.scanned, found.menu) == (Kind.SCAN, scanned, "hazard.scan")


def test_a_scan_of_nothing_is_unknown():
    assert event("scancode_waitmsg", "<EventKey>k</EventKey>").kind is Kind.UNKNOWN


@pytest.mark.parametrize("name", ["pic_sysphoto", "pic_photo_or_album", "pic_weixin"])
def test_photos_are_announced(name):
    pictures = "<SendPicsInfo><Count>2</Count><PicList><item><PicMd5Sum>a</PicMd5Sum></item></PicList></SendPicsInfo>"
    found = event(name, f"<EventKey>hazard.photo</EventKey>{pictures}")
    assert (found.kind, found.menu, found.reply_to) == (Kind.PHOTOS_COMING, "hazard.photo", {"count": 2})


@pytest.mark.parametrize("precision", ["15", "15.5", "0", "-1", "x", ""])
def test_a_reported_place(precision):
    found = event(
        "LOCATION", f"<Latitude>36.6875</Latitude><Longitude>117.11</Longitude><Precision>{precision}</Precision>"
    )
    assert found.kind is Kind.PLACE and found.position.by_event
    assert (found.position.lat, found.position.lon) == (36.6875, 117.11)
    assert found.position.accuracy_m == (float(precision) if precision in ("15", "15.5") else None)


@pytest.mark.parametrize(
    ("lat", "lon", "good"),
    [
        ("90", "180", True),
        ("90.01", "0", False),
        ("0", "180.01", False),
        ("nan", "0", False),
        ("1e999", "0", False),
        ("", "", False),
        ("三十", "一百", False),
    ],
)
def test_a_place_that_is_none(lat, lon, good):
    found = message("location", f"<Location_X>{lat}</Location_X><Location_Y>{lon}</Location_Y><Label>门</Label>")
    assert found.kind is (Kind.PLACE if good else Kind.UNKNOWN)


def test_the_datum_is_the_configured_one():
    found = message("location", "<Location_X>37.4</Location_X><Location_Y>118.5</Location_Y>", datum="wgs84")
    assert found.position.datum == "wgs84" and found.position.label == ""


@pytest.mark.parametrize(
    ("kind", "expected", "format"),
    [
        ("image", Kind.IMAGE, ""),
        ("voice", Kind.VOICE, "amr"),
        ("video", Kind.VIDEO, "mp4"),
        ("shortvideo", Kind.VIDEO, "mp4"),
        ("file", Kind.FILE, ""),
    ],
)
def test_media(kind, expected, format):
    found = message(kind, "<MediaId>M1</MediaId>")
    assert found.kind is expected and found.media[0].id == "M1" and found.media[0].format == format
    assert message(kind, "").kind is Kind.UNKNOWN


def test_a_voice_in_an_old_format():
    assert message("voice", "<MediaId>M1</MediaId><Format>SPEEX</Format>").media[0].format == "speex"


def test_the_directory_changed():
    found = event(
        "change_contact", "<ChangeType>update_user</ChangeType><UserID>a</UserID><NewUserID>b</NewUserID>", sender="sys"
    )
    assert (found.kind, found.sender) == (Kind.ORG_CHANGED, "")
    assert found.reply_to == {"change": "update_user", "user": "a", "new_user": "b"}


@pytest.mark.parametrize("name", ["sys_approval_change", "batch_job_result", "low_active_alert", "never_heard_of"])
def test_other_events_are_unknown(name):
    for sender in ("sys", "ZhangWei"):  # an approval's applicant said nothing to the bot
        found = event(name, "<ApprovalInfo><SpNo>1</SpNo></ApprovalInfo>", sender=sender)
        assert (found.kind, found.sender) == (Kind.UNKNOWN, "")


# -- keys


def test_messages_are_told_apart_by_their_id():
    assert message("text", "<Content>a</Content>").key == "77"
    assert message("never_heard_of", "<A>a</A>").key == "77"


def test_an_event_has_the_same_key_each_time_and_another_for_another():
    press = "<EventKey>{}</EventKey><TaskId>{}</TaskId><ResponseCode>{}</ResponseCode>"
    variants = [
        event("template_card_event", press.format("a.b:1", "c1", "r1")),
        event("template_card_event", press.format("a.c:1", "c1", "r1")),
        event("template_card_event", press.format("a.b:1", "c2", "r1")),
        event("template_card_event", press.format("a.b:1", "c1", "r2")),
        event("template_card_event", press.format("a.b:1", "c1", "r1"), at=1700000001),
        event("template_card_event", press.format("a.b:1", "c1", "r1"), sender="ChenGang"),
        event("template_card_menu_event", press.format("a.b:1", "c1", "r1")),
        event("enter_agent"),
        event("subscribe"),
    ]
    assert len({found.key for found in variants}) == len(variants)
    assert event("template_card_event", press.format("a.b:1", "c1", "r1")).key == variants[0].key
    assert all(found.key.startswith("event:") and len(found.key) < 60 for found in variants)


def test_unknown_messages_without_an_id_are_not_one():
    # wechatpy writes MsgId 0 into what it does not know.
    first, second = (
        inbound_of(read(f"<xml><MsgType>hologram</MsgType><A>{a}</A></xml>"), now=NOW, datum="gcj02") for a in "12"
    )
    assert first.key != second.key and first.sent_at == NOW


@pytest.mark.parametrize("at", ["", "x", "0", "-5", "1e300", "nan"])
def test_a_time_that_is_none_is_now(at):
    xml = f"<xml><MsgType>text</MsgType><Content>a</Content><CreateTime>{at}</CreateTime></xml>"
    assert inbound_of(read(xml), now=NOW, datum="gcj02").sent_at == NOW


def test_where_an_answer_is_shown():
    def can(xml: str) -> bool:
        return can_be_answered(read(f"<xml>{xml}</xml>"))

    assert can("<MsgType>text</MsgType>") and can("<MsgType>event</MsgType><Event>LOCATION</Event>")
    assert not can("<MsgType>event</MsgType><Event>location_select</Event>")
    assert not can("<MsgType>event</MsgType><Event>template_card_event</Event>")  # that one takes card updates only
