"""A place sent from the page goes on in the chat where the report is told, and is good to 15 metres or refused."""

from __future__ import annotations

import pytest

from rules import geo
from rules.geo import Point
from tests.pictures import scene
from tests.plant import walked
from tests.web.conftest import draft_of

pytestmark = pytest.mark.sqlite_suffices

WORDS = "过道堆物,照明不足灯坏一片"


@walked
def told_all_but_the_place(plant, who="张伟"):
    phone = plant.phone(who)
    phone.sends_photo(scene(1)).says(WORDS)
    phone.sees("在哪个区域")
    return phone


def at(plant, area="ZX", accuracy_m=8.0):
    lat, lon = plant.area_point(area)
    return {"lat": lat, "lon": lon, "accuracy_m": accuracy_m, "datum": "wgs84"}


def test_a_good_fix_files_the_report_and_the_receipt_comes_in_chat(plant, browse):
    zhang = told_all_but_the_place(plant)
    answer = browse("张伟").places(draft_of(plant, "张伟"), **at(plant))
    assert answer.json["result"] == "filed"
    assert answer.json["number"] == "YH-0001"
    assert "装卸台" in answer.json["message"]
    zhang.sees("YH-0001", "已上报", "装卸台")
    hazard = plant.hazard("YH-0001")
    assert (hazard.place_source, hazard.accuracy_m) == ("h5", 8.0)
    assert hazard.area.code == "ZX"
    assert plant.problems() == []


def test_a_dingtalk_person_gets_the_receipt_in_dingtalk(plant, browse):
    li = told_all_but_the_place(plant, "李强")
    browse("李强").places(draft_of(plant, "李强"), **at(plant))
    li.sees("YH-0001", "已上报")


def test_the_receipt_goes_to_the_chat_where_it_was_told(plant, browse):
    """陈刚 has both accounts, tells in WeCom and opens the page in DingTalk."""
    chen = plant.phone("陈刚", "wecom")
    chen.sends_photo(scene(1)).says(WORDS)
    browse("陈刚", "dingtalk").places(draft_of(plant, "陈刚"), **at(plant))
    chen.sees("YH-0001", "已上报")
    plant.phone("陈刚", "dingtalk").does_not_see("YH-0001", "谢谢上报")


@pytest.mark.parametrize(
    ("accuracy_m", "result"), [(14.9, "filed"), (15.0, "filed"), (15.1, "refused"), (200, "refused")]
)
def test_fifteen_metres_is_the_limit(quick_plant, browse, accuracy_m, result):
    told_all_but_the_place(quick_plant)
    draft = draft_of(quick_plant, "张伟")
    answer = browse("张伟").places(draft, **at(quick_plant, accuracy_m=accuracy_m))
    assert answer.json["result"] == result
    with quick_plant.work(read_only=True) as work:
        places = work.hazards.get(draft).places
    assert bool(places) is (result == "filed")
    if result == "refused":
        assert "开阔处" in answer.json["message"]


@pytest.mark.parametrize("accuracy_m", [None, "", "NaN", -1, True])
def test_an_unknown_accuracy_is_refused(quick_plant, browse, accuracy_m):
    told_all_but_the_place(quick_plant)
    answer = browse("张伟").places(draft_of(quick_plant, "张伟"), **at(quick_plant, accuracy_m=accuracy_m))
    assert answer.json["result"] == "refused"


@pytest.mark.parametrize(
    ("lat", "lon"), [(91, 118), (37, 181), (0, 0), ("x", 118), (None, 118), ("Infinity", 118), ([1], {})]
)
def test_an_impossible_position_is_refused_with_a_sentence(quick_plant, browse, lat, lon):
    told_all_but_the_place(quick_plant)
    answer = browse("张伟").places(draft_of(quick_plant, "张伟"), lat=lat, lon=lon, accuracy_m=5)
    assert answer.status_code == 400
    assert "重" in answer.json["detail"] or "经纬度" in answer.json["detail"]


def test_a_chinese_map_position_is_turned_into_wgs84(quick_plant, browse):
    told_all_but_the_place(quick_plant)
    lat, lon = quick_plant.area_point("ZX")
    shown = geo.wgs84_to_gcj02(Point(lat=lat, lon=lon))
    browse("张伟").places(draft_of(quick_plant, "张伟"), lat=shown.lat, lon=shown.lon, accuracy_m=8, datum="gcj02")
    hazard = quick_plant.hazard("YH-0001")
    assert geo.distance_m(Point(lat=hazard.lat, lon=hazard.lon), Point(lat=lat, lon=lon)) < 1


def test_outside_the_plant_the_area_list_helps(plant, browse):
    zhang = told_all_but_the_place(plant)
    draft = draft_of(plant, "张伟")
    page = browse("张伟")
    outside = page.places(draft, lat=37.60, lon=118.59, accuracy_m=8)
    assert outside.json["result"] == "outside"
    assert not outside.json["finished"]
    area = next(a for a in _areas(plant) if a.code == "ZX")
    chosen = page.places(draft, area=str(area.id), key="k2")
    assert chosen.json["result"] == "filed"
    zhang.sees("YH-0001", "装卸台", "手机定位", "不在厂区")
    assert plant.hazard("YH-0001").place_source == "area_choice"


def _areas(plant):
    with plant.work(read_only=True) as work:
        return work.plant.areas()


def test_the_list_works_without_script(quick_plant, browse):
    told_all_but_the_place(quick_plant)
    draft = draft_of(quick_plant, "张伟")
    zhang = browse("张伟")
    area = next(a for a in _areas(quick_plant) if a.code == "DL")
    answer = zhang.post(
        f"/h5/place/{draft}", data={"csrf": zhang.csrf(f"/h5/place/{draft}"), "key": "n1", "area": area.id}
    )
    assert answer.status_code == 200
    assert "YH-0001" in answer.text
    assert quick_plant.hazard("YH-0001").area.code == "DL"


def test_an_area_that_is_not_there_is_refused(quick_plant, browse):
    told_all_but_the_place(quick_plant)
    answer = browse("张伟").places(draft_of(quick_plant, "张伟"), area="9999")
    assert answer.status_code == 400
    assert "没有找到这个区域" in answer.json["detail"]


def test_the_same_submission_twice_counts_once(plant, browse):
    zhang = told_all_but_the_place(plant)
    draft, page = draft_of(plant, "张伟"), browse("张伟")
    first = page.places(draft, **at(plant))
    again = page.places(draft, **at(plant))
    assert first.json["result"] == "filed"
    assert again.json["result"] == "over"
    assert zhang.count("YH-0001", "已上报") == 1


def test_a_repeat_of_a_place_that_filed_nothing_says_the_same_again(plant, browse):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1))
    draft, page = draft_of(plant, "张伟"), browse("张伟")
    first, again = page.places(draft, **at(plant)), page.places(draft, **at(plant))
    assert first.json == again.json
    assert first.json["result"] == "noted"
    assert "一句话" in first.json["message"]
    zhang.sees("说说是什么问题")
    assert zhang.count("说说是什么问题") == 1
    zhang.says(WORDS).sees("YH-0001", "装卸台")


def test_nobody_else_may_place_it(plant, browse):
    told_all_but_the_place(plant)
    draft = draft_of(plant, "张伟")
    wang = browse("王芳")
    assert wang.get(f"/h5/place/{draft}").status_code == 403
    answer = wang.places(draft, **at(plant))
    assert answer.status_code == 409
    assert "上报人" in answer.json["detail"]
    plant.phone("张伟").does_not_see("YH-0001")


def test_a_form_without_our_token_is_refused(quick_plant, browse):
    told_all_but_the_place(quick_plant)
    draft, zhang = draft_of(quick_plant, "张伟"), browse("张伟")
    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": browse("李强").csrf("/h5/place")}):
        answer = zhang.post(f"/h5/place/{draft}", json={"key": "k", **at(quick_plant)}, headers=headers)
        assert answer.status_code == 403
    quick_plant.phone("张伟").does_not_see("YH-0001")


def test_nobody_signed_in_is_refused(quick_plant, browse):
    told_all_but_the_place(quick_plant)
    answer = browse().post(f"/h5/place/{draft_of(quick_plant, '张伟')}", json={"key": "k", **at(quick_plant)})
    assert answer.status_code == 401
    assert "重新打开" in answer.json["detail"]


def test_a_filed_report_needs_no_place(quick_plant, browse):
    told_all_but_the_place(quick_plant)
    draft, page = draft_of(quick_plant, "张伟"), browse("张伟")
    page.places(draft, **at(quick_plant))
    shown = page.get(f"/h5/place/{draft}")
    assert "YH-0001" in shown.text
    assert page.places(draft, key="other", **at(quick_plant)).json["result"] == "over"


def test_a_report_that_is_not_there(quick_plant, browse):
    page = browse("张伟")
    assert page.get("/h5/place/4711").status_code == 404
    assert page.places(4711, **at(quick_plant)).status_code == 409


def test_a_report_may_begin_with_its_place(plant, browse):
    """DingTalk has no location message: the quick entry opens the page first."""
    li, page = plant.phone("李强"), browse("李强")
    answer = page.places(0, **at(plant))
    assert answer.json["result"] == "noted"
    assert answer.json["draft"] == draft_of(plant, "李强")
    li.sees("请拍一张现场照片")
    li.sends_photo(scene(1)).says(WORDS)
    li.sees("YH-0001", "装卸台")


def test_the_quick_entry_opens_the_report_being_told(quick_plant, browse):
    told_all_but_the_place(quick_plant)
    answer = browse("张伟").get("/h5/place")
    assert answer.location == f"/h5/place/{draft_of(quick_plant, '张伟')}"


def test_a_likely_duplicate_is_asked_in_chat(plant, browse):
    told_all_but_the_place(plant)
    browse("张伟").places(draft_of(plant, "张伟"), **at(plant))
    sun = told_all_but_the_place(plant, "孙丽")
    answer = browse("孙丽").places(draft_of(plant, "孙丽"), **at(plant))
    assert answer.json["result"] == "joining"
    sun.sees("已经有人报过", "YH-0001")
    sun.taps("是同一个").sees("已加入 YH-0001")


def test_nearest_areas_come_first(quick_plant, browse):
    zhang = quick_plant.phone("张伟")
    zhang.opens_app(*quick_plant.area_point("DL"), precision=80)
    zhang.sends_photo(scene(1))
    page = browse("张伟").get(f"/h5/place/{draft_of(quick_plant, '张伟')}").text
    names = [name for name in ("动力站", "甲醇罐区", "装卸台") if name in page]
    assert names == sorted(names, key=page.index)
    assert names[0] == "动力站"
