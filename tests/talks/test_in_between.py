"""What is said in the middle of something else: danger, questions, a place, a polite word."""

from __future__ import annotations

import pytest

from tests.pictures import scene
from tests.plant import walked


@pytest.fixture
def database_url(sqlite_url) -> str:
    """Which database it is makes no difference here."""
    return sqlite_url


@walked
def rectifying(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    return plant.phone("李强").taps("开始整改", on="YH-0001")


def test_danger_cried_in_another_dialogue_goes_out_at_once_and_the_dialogue_goes_on(plant):
    li = rectifying(plant)
    li.says("3号泵房着火了快来人")
    li.sees("停止作业")
    plant.phone("赵建国").sees("YH-0002", "一级(红)", "着火")
    plant.forward(minutes=10)
    li.sends_photo(scene(1, mended=True)).says("更换了三只灯管,试亮正常")
    li.sees("YH-0001 已提交")
    assert plant.hazard("YH-0001").rectification == "更换了三只灯管,试亮正常"


def test_crying_again_adds_to_the_same_fire(plant):
    sun = plant.phone("孙丽")
    sun.says("着火了").says("着火了快来人").says("合成车间着火了")
    hazard = plant.hazard("YH-0001")
    assert hazard.area.name == "合成车间"
    assert hazard.description.splitlines() == ["着火了", "着火了快来人", "合成车间着火了"]
    with plant.work(read_only=True) as work:
        assert work.hazards.by_number("YH-0002") is None
    sun.says("甲醇罐区也着火了")
    assert plant.hazard("YH-0002").area.name == "甲醇罐区"


def test_questions_are_answered_and_are_no_proof_words(plant):
    li = rectifying(plant)
    li.says("待办").sees("要整改的(1)")
    li.says("帮助").sees("我是安哨")
    li.says("YH-0001").sees("YH-0001", "整改中")
    plant.forward(minutes=10)
    li.sends_photo(scene(1, mended=True)).says("更换了三只灯管,试亮正常")
    assert plant.hazard("YH-0001").rectification == "更换了三只灯管,试亮正常"


def test_the_fixers_place_far_from_the_hazard_is_refused_kindly(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("1号甲醇储罐V-201旁边地沟盖板没了,踩空危险")
    plant.phone("陈刚", "dingtalk").taps("转派", on="YH-0001", choose="张伟")
    zhang = plant.phone("张伟")
    zhang.taps("开始整改", on="YH-0001")
    plant.forward(minutes=20)
    zhang.sends_location(*plant.area_point("HC")).sees("位置收到")
    zhang.sends_photo(scene(1, mended=True)).says("盖板已复位并固定")
    zhang.sees("照片位置离隐患地点", "到隐患现场再拍")
    tank = next(e for e in plant.data["equipment"] if e["code"] == "V-201")
    zhang.sends_location(tank["lat"], tank["lon"]).sends_photo(scene(1, mended=True))
    assert plant.hazard("YH-0001").state == "to_accept"


def test_a_location_sent_last_belongs_to_the_report_and_to_the_next_one(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片").sends_location(*plant.area_point("ZX"))
    zhang.sees("位置已补充到 YH-0001")
    assert plant.hazard("YH-0001").lat is not None
    plant.forward(minutes=1)
    zhang.sends_photo(scene(2)).says("过道堆满杂物")
    assert plant.hazard("YH-0002").area.name == "装卸台"


def test_a_location_elsewhere_is_shown_as_a_disagreement(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("P-101A 泵护罩松动").sends_location(*plant.area_point("HC"))
    zhang.sees("不一致", "位置已补充到 YH-0001")
    assert plant.hazard("YH-0001").area.name == "3号泵房"


def test_a_polite_word_is_no_description(plant):
    zhang = plant.phone("张伟")
    zhang.says("上报").says("好的").sends_photo(scene(1)).sends_location(*plant.area_point("ZX"))
    zhang.sees("说说是什么问题").says("照明不足,灯坏一片")
    assert plant.hazard("YH-0001").description == "照明不足,灯坏一片"


def test_a_correction_that_is_worse_raises_the_grade_and_a_milder_one_does_not_lower_it(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    zhang.taps("更正描述", on="YH-0001").says("装卸台电缆破皮露铜了")
    hazard = plant.hazard("YH-0001")
    assert (hazard.grade, hazard.owner.name) == ("red", "陈刚")
    plant.phone("赵建国").sees("YH-0001", "一级(红)")
    zhang.taps("更正描述", on="YH-0001").says("装卸台灯坏了")
    assert plant.hazard("YH-0001").grade == "red"


def test_a_wrong_place_is_put_right_by_a_location(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("照明不足,灯坏一片").taps("装卸台")
    zhang.taps("更正描述", on="YH-0001").sees("位置不对就发位置").sends_location(*plant.area_point("HC"))
    zhang.sees("YH-0001 的位置现在是合成车间")
    assert plant.hazard("YH-0001").area.name == "合成车间"


def test_an_area_named_in_words_is_near_the_furnace_of_the_next_one(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("甲醇罐区围堰有裂缝")
    assert "涉及甲醇介质" in plant.hazard("YH-0001").annotation
    assert "加热炉" in plant.hazard("YH-0001").annotation


@pytest.mark.parametrize("asked", ["查一下YH-0001", "YH-0001怎么样了", "yh1", "YH-0001 好了吗?"])
def test_a_number_is_found_in_the_way_people_ask(plant, asked):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    plant.phone("孙丽").says(asked).sees("YH-0001 三级(黄) 待整改", "责任人:李强")


def test_a_number_with_news_is_no_question(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    sun = plant.phone("孙丽")
    sun.says("YH-0001旁边法兰漏了").does_not_see("责任人:李强")


def human_acts(plant, phone) -> int:
    """Taps and messages of the person: what they sent, and the presses of buttons."""
    return sum(item["from"] == "me" for item in phone.screen())


def test_a_report_costs_three_messages_on_wecom_and_four_acts_on_dingtalk(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("过道堆物,照明不足灯坏一片").sends_location(*plant.area_point("ZX"))
    zhang.sees("YH-0001", "已上报")
    assert human_acts(plant, zhang) <= 3
    sun = plant.phone("孙丽")  # DingTalk tells no location: a tap on the list of areas instead
    sun.sends_photo(scene(2)).says("护栏断了一截").taps("合成车间")
    sun.sees("YH-0002", "已上报", "合成车间")
    assert human_acts(plant, sun) + 1 <= 4  # the tap is no message


def test_the_question_about_a_duplicate_is_whole_and_both_reporters_hear_the_end(plant):
    plant.phone("孙丽").sends_photo(scene(3), caption="P-101A 护罩松动晃得厉害")
    plant.forward(minutes=2)
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(9)).says("P-101A 防护罩晃,松了")
    zhang.sees("和 YH-0001 是同一个问题吗?", "同一设备", "护罩松动晃得厉害").taps("是同一个")
    zhang.sees("已加入 YH-0001")
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    chen.sends_photo(scene(3, mended=True)).says("护罩螺栓已全部紧固")
    plant.phone("王芳").taps("验收通过", on="YH-0001")
    for reporter in (zhang, plant.phone("孙丽")):
        reporter.sees("YH-0001 已闭环", "王芳验收", buttons=["还在,没改好", "已改好"])


def test_a_withdrawn_receipt_says_so(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片").taps("撤回", on="YH-0001")
    zhang.sees("YH-0001 已撤回", buttons=[])
