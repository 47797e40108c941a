"""The case page: everything about a case, and the same steps as in chat for those who may take them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rules.terms import Grade
from tests.pictures import bomb, gif, heic, recompressed, scene

pytestmark = pytest.mark.sqlite_suffices


def filed(plant, who="张伟", seed=1, words="装卸台照明不足,灯坏一片"):
    plant.phone(who).sends_photo(scene(seed)).says(words)
    return "YH-0001"


def mended(plant, browse, number="YH-0001"):
    """李强 mends it and hands it in on the page."""
    li = browse("李强")
    li.does(number, "start")
    plant.forward(minutes=30)
    said = li.does(number, "submit", photos=[scene(1, mended=True)], words="更换了三只灯管,试亮正常")
    return li, said


def test_a_case_is_mended_and_closed_on_the_page_and_the_chat_follows(plant, browse):
    number = filed(plant)
    _li, said = mended(plant, browse)
    assert said == "已提交,等验收。"
    plant.phone("李强").sees(number, "待验收", "李强", "提交整改")
    wang = browse("王芳")
    assert "accept" in wang.buttons(number)
    assert wang.does(number, "accept") == "已验收通过,隐患闭环。"
    plant.phone("张伟").sees(number, "已闭环", buttons=["还在,没改好", "已改好"])
    page = wang.get(f"/h5/hazards/{number}").text
    for words in ("已闭环", "整改前后对比", "更换了三只灯管", "经过", "验收通过", "定级", "装卸台"):
        assert words in page, words
    assert wang.buttons(number) == ["still"]
    trail = [(line.action, line.via) for line in _trail(plant, number)]
    assert ("submitted", "web") in trail
    assert ("accepted", "web") in trail
    assert plant.problems() == []


def _trail(plant, number):
    with plant.work(read_only=True) as work:
        return work.trail.of("hazard", work.hazards.by_number(number).id)


def test_only_those_who_may_see_a_button(quick_plant, browse):
    number = filed(quick_plant)
    assert browse("孙丽").buttons(number) == []
    assert set(browse("李强").buttons(number)) == {"confirm", "start", "submit", "transfer", "extend", "grade"}
    assert set(browse("张伟").buttons(number)) == {"grade", "more", "correct", "withdraw", "hide"}
    assert "accept" not in browse("王芳").buttons(number)


def test_a_press_by_the_wrong_person_changes_nothing(quick_plant, browse):
    number = filed(quick_plant)
    said = browse("孙丽").does(number, "start")
    assert "责任人" in said
    assert quick_plant.hazard(number).state == "assigned"


def test_the_second_presser_is_told_who_was_first(plant, browse):
    number = filed(plant)
    mended(plant, browse)
    browse("王芳").does(number, "accept")
    said = browse("周敏").does(number, "accept")
    assert "王芳" in said
    assert "验收通过" in said


def test_a_form_without_our_token_changes_nothing(quick_plant, browse):
    number, li = filed(quick_plant), browse("李强")
    answer = li.post(f"/h5/hazards/{number}/start", data={"csrf": "x"})
    assert answer.status_code == 403
    assert "重新打开" in answer.text
    assert browse().post(f"/h5/hazards/{number}/start").status_code == 401
    assert quick_plant.hazard(number).state == "assigned"


def test_the_same_picture_is_no_proof_and_stays_on_record(plant, browse):
    number, li = filed(plant), browse("李强")
    li.does(number, "start")
    plant.forward(minutes=30)
    said = li.does(number, "submit", photos=[scene(1)], words="改好了,已处理完成")
    assert "照片" in said
    hazard = plant.hazard(number)
    assert hazard.state == "rectifying"
    assert [p.dropped for p in hazard.photos if p.kind == "after"] == [True]
    assert li.does(number, "submit", photos=[scene(1, mended=True)], words="更换了三只灯管") == "已提交,等验收。"


@pytest.mark.parametrize(
    ("make", "reason"), [(gif, "GIF"), (heic, "HEIC"), (bomb, "太大"), (lambda: scene(2)[:3000], ""), (lambda: b"", "")]
)
def test_a_picture_that_cannot_be_used_is_refused_with_the_reason(quick_plant, browse, make, reason):
    number, li = filed(quick_plant), browse("李强")
    li.does(number, "start")
    quick_plant.forward(minutes=30)
    said = li.does(number, "submit", photos=[make(), scene(1, mended=True)], words="更换了三只灯管")
    assert "⚠" in said
    assert reason in said
    assert "已提交" in said
    assert quick_plant.hazard(number).state == "to_accept"


def test_no_photo_or_no_words_is_asked_for(quick_plant, browse):
    number, li = filed(quick_plant), browse("李强")
    li.does(number, "start")
    assert "照片" in li.does(number, "submit", photos=[], words="更换了三只灯管")
    assert "怎么改" in li.does(number, "submit", photos=[scene(1, mended=True)], words="  ")
    assert quick_plant.hazard(number).state == "rectifying"


def test_more_than_nine_photos_are_not_taken(quick_plant, browse):
    number, zhang = filed(quick_plant), browse("张伟")
    said = zhang.does(number, "more", photos=[scene(n) for n in range(2, 13)])
    assert "最多9张" in said
    assert len(quick_plant.hazard(number).photos) == 9
    assert "满了" in zhang.does(number, "more", photos=[scene(20)])


def test_an_extension_is_asked_and_granted_by_another(plant, browse):
    number, li = filed(plant), browse("李强")
    due = plant.hazard(number).due_at
    later = (due + timedelta(days=3)).strftime("%Y-%m-%d")
    assert "临时措施" in li.does(number, "extend", until=later, reason="灯具缺货", measure="")
    assert "哪一天" in li.does(number, "extend", until="tomorrow", reason="灯具缺货", measure="已拉警戒线")
    assert "晚于" in li.does(number, "extend", until="2026-11-24", reason="灯具缺货", measure="已拉警戒线")
    assert "已发出" in li.does(number, "extend", until=later, reason="灯具缺货", measure="已拉警戒线")
    assert not {"grant", "extend"} & set(li.buttons(number))
    wang = browse("王芳")
    assert "等我批延期" in wang.get("/h5/todo").text
    assert number in wang.get("/h5/todo").text
    assert "同意" in wang.does(number, "grant")
    new = plant.hazard(number).due_at
    assert (new + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M") == f"{later} 23:59"
    plant.phone("李强").sees(number, "延期申请", "王芳同意")


def test_a_case_is_given_to_another_person(plant, browse):
    number, li = filed(plant), browse("李强")
    assert "没有选" in li.does(number, "transfer", person="99999")
    with plant.work(read_only=True) as work:
        to = work.people.by_name("黄梅")[0].id
    assert li.does(number, "transfer", person=to, reason="她在现场") == "已转给黄梅。"
    plant.phone("黄梅").sees(number, "待整改")
    assert "start" in browse("黄梅").buttons(number)
    assert "start" not in li.buttons(number)


def test_the_grade_changes_with_a_reason(plant, browse):
    number, wang = filed(plant), browse("王芳")
    assert "原因" in wang.does(number, "grade", grade="orange", reason=" ")
    assert "等级" in wang.does(number, "grade", grade="blue", reason="罐区旁边")
    assert wang.does(number, "grade", grade="orange", reason="罐区旁边") == f"已改为{Grade.ORANGE.zh}。"
    assert plant.hazard(number).grade == "orange"
    assert "安全员" in browse("张伟").does(number, "grade", grade="yellow", reason="没那么重")
    plant.phone("陈刚", "dingtalk").sees(number, "二级(橙)", chat="group:")


def test_still_there_brings_it_back_one_grade_up(plant, browse):
    number = filed(plant)
    mended(plant, browse)
    browse("王芳").does(number, "accept")
    assert "升一级" in browse("张伟").does(number, "still")
    hazard = plant.hazard(number)
    assert (hazard.state, hazard.grade) == ("assigned", "orange")


def test_an_anonymous_reporter_is_named_nowhere_on_the_page(plant, browse):
    number = filed(plant, words="匿名 装卸台照明不足,灯坏一片")
    page = browse("王芳").get(f"/h5/hazards/{number}").text
    assert "匿名" in page
    assert "张伟" not in page


def test_becoming_anonymous_later_also_hides_what_was_written_before(plant, browse):
    number = filed(plant)
    assert "张伟" in browse("王芳").get(f"/h5/hazards/{number}").text
    zhang = browse("张伟")
    zhang.does(number, "correct", description="装卸台照明不足,灯坏了五只")
    zhang.does(number, "hide")
    page = browse("王芳").get(f"/h5/hazards/{number}").text
    assert "张伟" not in page
    assert "hide" not in zhang.buttons(number)


def test_words_of_people_are_shown_as_they_are_written(quick_plant, browse):
    number = filed(quick_plant, words='装卸台照明不足 <script>alert(1)</script> "><img src=x onerror=alert(2)>')
    page = browse("王芳").get(f"/h5/hazards/{number}").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_page_shows_what_sources_of_the_place_disagree_on(plant, browse):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).sends_location(*plant.area_point("DL")).says("装卸台照明不足,灯坏一片")
    page = browse("王芳").get("/h5/hazards/YH-0001").text
    assert "不一致" in page
    assert "动力站" in page


def test_a_number_that_is_not_there(quick_plant, browse):
    answer = browse("张伟").get("/h5/hazards/YH-9999")
    assert answer.status_code == 404
    assert "没有找到这条隐患" in answer.text


def test_the_number_may_be_written_small(quick_plant, browse):
    filed(quick_plant)
    assert browse("张伟").get("/h5/hazards/yh-0001").status_code == 200


def test_the_label_leads_back_to_the_case(quick_plant, browse):
    from cards.images import decode_codes

    number, li = filed(quick_plant), browse("李强")
    sheet = li.get(f"/h5/hazards/{number}/label").text
    assert "装卸台" in sheet
    code = li.get(f"/h5/hazards/{number}/label.png")
    assert [c.text for c in decode_codes(code.data)] == ["http://anshao.test/h5/hazards/YH-0001"]


def test_the_to_do_page_lists_what_waits_for_me(plant, browse):
    number = filed(plant)
    assert number in browse("李强").get("/h5/todo").text
    assert number in browse("张伟").get("/h5/todo").text
    assert number not in browse("王芳").get("/h5/todo").text
    mended(plant, browse)
    assert number in browse("王芳").get("/h5/todo").text
    assert browse("王芳").get("/h5/tasks").location == "/h5/todo"


def test_a_late_case_is_marked(quick_plant, browse):
    filed(quick_plant)
    assert "已逾期" not in browse("李强").get("/h5/todo").text
    quick_plant.now += timedelta(days=8)
    assert "已逾期" in browse("李强").get("/h5/todo").text


def test_a_chat_dialogue_waiting_for_the_proof_ends_with_the_page(plant, browse):
    number = filed(plant)
    phone = plant.phone("李强")
    phone.taps("开始整改", on=number)
    plant.forward(minutes=30)
    browse("李强").does(number, "submit", photos=[scene(1, mended=True)], words="更换了三只灯管")
    phone.says("待办").does_not_see("不用再提交")


def test_a_forwarded_photo_is_no_proof(plant, browse):
    number, li = filed(plant), browse("李强")
    li.does(number, "start")
    plant.forward(minutes=30)
    said = li.does(number, "submit", photos=[recompressed(scene(1))], words="更换了三只灯管")
    assert "照片" in said
    assert plant.hazard(number).state == "rectifying"


def test_a_body_over_the_limit_is_told_so(quick_plant, browse):
    number, li = filed(quick_plant), browse("李强")
    big = {"csrf": li.csrf("/h5/place"), "words": "x" * (2 * 1024 * 1024)}
    assert li.post(f"/h5/hazards/{number}/start", data=big).status_code == 413
