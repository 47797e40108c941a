"""Bad input gets a clear answer and loses nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests import pictures
from tests.pictures import scene

pytestmark = pytest.mark.sqlite_suffices


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        (pictures.heic(), "HEIC"),
        (pictures.gif(), "GIF"),
        (scene(1)[:2000], "没有传完整"),
        (pictures.bomb(), "太大"),
        (b"", "照片"),
        (scene(1) + b"\0" * (5 * 1024 * 1024), "5"),
    ],
    ids=["heic", "gif", "truncated", "bomb", "empty", "too big"],
)
def test_a_bad_picture_is_refused_with_the_reason_and_the_rest_is_kept(plant, photo, words):
    zhang = plant.phone("张伟")
    zhang.says("装卸台照明不足,灯坏一片").sends_photo(photo)
    zhang.sees(words)
    zhang.sends_photo(scene(1))
    zhang.sees("YH-0001", "照明不足")


def test_the_same_callback_five_times_is_handled_once(plant):
    plant.wecom.app.test_client().post("/_phone/faults", json={"duplicate_callbacks": 5, "times": 3})
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    zhang.sees("YH-0001")
    assert len(plant.hazard("YH-0001").photos) == 1
    with plant.work(read_only=True) as work:
        assert work.hazards.by_number("YH-0002") is None


def test_an_unknown_sender_is_told_what_to_do_and_heard_once_registered(plant):
    client = plant.wecom.app.test_client()
    assert client.post("/_phone/people", json={"user": "NewGuy", "name": "新人", "title": "外协"}).status_code < 400
    client.post("/_phone/NewGuy/say", json={"text": "装卸台照明不足,灯坏一片"})
    plant.settle()
    items = client.get("/_phone/NewGuy/screen").get_json()["items"]
    assert any("不在本厂安全员名册" in item["text"] for item in items)
    plant.phone("周敏").sees("未登记人员")

    from handlers import people

    with plant.work() as work:
        account = work.people.account("wecom", "NewGuy")
        assert people.bind_account(work, account, work.people.by_code("zhangwei")) == 1
        work.commit()
    plant.settle()
    items = client.get("/_phone/NewGuy/screen").get_json()["items"]
    assert any("请拍一张现场照片" in (i["card"]["title"] if i["card"] else i["text"]) for i in items)


@pytest.mark.parametrize("text", ["😀😀😀", "。。。", "??", "   "])
def test_words_without_content_get_help_not_an_error(plant, text):
    zhang = plant.phone("张伟")
    zhang.says(text)
    assert zhang.count("安哨") + zhang.count("没太明白") >= 1


def test_ten_thousand_characters_are_kept_to_two_thousand_and_said_so(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片。" + "很长" * 5000)
    zhang.sees("描述太长")
    assert len(plant.hazard("YH-0001").description) <= 2000


@pytest.mark.parametrize(
    "text",
    [
        "装卸台灯坏了'; DROP TABLE hazard; --",
        "装卸台灯坏了<script>alert(1)</script>",
        "装卸台灯坏了 [点我](http://evil.example) **粗** # 标题",
        "装卸台灯坏了 ]]></Content><xml>&amp;",
    ],
)
def test_injection_is_just_text(plant, text):
    plant.phone("张伟").sends_photo(scene(1)).says(text)
    hazard = plant.hazard("YH-0001")
    assert hazard.description == text
    li = plant.phone("李强")
    li.sees("YH-0001")
    card = next(i["card"] for i in reversed(li.screen()) if i["card"])
    assert "](http" not in card["body"]
    assert plant.problems() == []


def test_a_press_on_a_closed_case_is_answered(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    li = plant.phone("李强")
    item, button = li._find_button("开始整改", "YH-0001")
    plant.phone("张伟").taps("撤回", on="YH-0001")
    plant.dingtalk.app.test_client().post(
        f"/_phone/{li.user}/raw", json={"payload": {"msgtype": "text", "text": {"content": "YH-0001"}}}
    )
    plant.settle()
    li.sees("已撤回", buttons=[])
    assert button["label"] == "开始整改"
    assert item["card"]["revision"] != ""


def test_a_message_two_days_late_is_still_heard(plant):
    plant.wecom.app.test_client().post("/_phone/faults", json={"late_callbacks_s": 172800, "times": 1})
    zhang = plant.phone("张伟")
    zhang.says("装卸台照明不足,灯坏一片")
    plant.now += timedelta(days=2, seconds=1)
    plant.settle()
    zhang.sees("请拍一张现场照片")


def test_a_place_outside_the_plant_is_said_and_asked_again(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("照明不足灯坏一片").sends_location(39.9, 116.4)
    zhang.sees("在哪个区域", "不在厂区")
    zhang.taps("装卸台")
    zhang.sees("YH-0001", "装卸台")


def test_two_hundred_metres_accuracy_is_not_taken_for_a_place(plant):
    zhang = plant.phone("张伟")
    lat, lon = plant.area_point("JC")
    zhang.opens_app(lat, lon, precision=200)
    zhang.sends_photo(scene(1)).says("照明不足灯坏一片")
    zhang.sees("在哪个区域")


def test_a_fresh_exact_position_on_opening_saves_the_question(plant):
    zhang = plant.phone("张伟")
    lat, lon = plant.area_point("JC")
    zhang.opens_app(lat, lon, precision=8)
    zhang.sends_photo(scene(1)).says("照明不足灯坏一片")
    zhang.sees("YH-0001", "甲醇罐区")


def test_disagreeing_places_are_shown_not_hidden(plant):
    zhang = plant.phone("张伟")
    zhang.opens_app(*plant.area_point("JC"), precision=8)
    zhang.sends_photo(scene(1)).says("F-301 旁边照明不足灯坏一片")
    zhang.sees("YH-0001", "加热炉区", "不一致")


def test_an_unknown_equipment_code_is_told(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("装卸台 P-999 护罩缺失")
    zhang.sees("台账里没有 P-999")
    assert "P-999" in plant.hazard("YH-0001").description


def test_danger_without_a_place_goes_out_at_once_and_the_place_follows(plant):
    zhang = plant.phone("张伟")
    zhang.says("快来人,有人晕倒了")
    zhang.sees("YH-0001", "一级(红)")
    plant.phone("赵建国").sees("YH-0001")
    zhang.sees("YH-0001 在哪里").says("甲醇罐区")
    zhang.sees("YH-0001 的位置已记为甲醇罐区")
    assert plant.hazard("YH-0001").owner.name == "陈刚"
    plant.phone("陈刚", "wecom").sees("YH-0001", "甲醇罐区")


def test_what_wecom_cannot_show_is_answered_and_a_strange_event_is_not(plant):
    zhang = plant.phone("张伟")
    zhang._post("raw", json={"msgtype": "hologram", "fields": {"A": "1"}})
    zhang.sees("这种消息我收不到内容", "发照片")
    shown = len(zhang.screen())
    zhang._post("raw", json={"msgtype": "event", "fields": {"Event": "open_approval_change", "A": "1"}})
    assert len(zhang.screen()) == shown
    zhang.sends_photo(scene(1))
    zhang._post("raw", json={"msgtype": "hologram", "fields": {"A": "2"}})
    zhang.sees("如果发的是位置", "打开").does_not_see("钉钉里")
    assert plant.problems() == []
