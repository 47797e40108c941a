"""The hazard loop from the first photo to the reporter's last word, on both platforms."""

from __future__ import annotations

from tests.pictures import scene
from tests.plant import walked


@walked
def report_leak(plant, who="张伟", seed=1, words="3号泵房 P-101A 泵密封渗油,地上有油", area="BF"):
    phone = plant.phone(who)
    phone.sends_photo(scene(seed))
    phone.says(words)
    phone.sends_location(*plant.area_point(area))
    return phone


def test_photo_words_and_place_file_a_hazard_with_no_further_question(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).sends_location(*plant.area_point("ZX")).says("过道堆物,照明不足灯坏一片")
    zhang.sees("YH-0001", "已上报", "装卸台")
    hazard = plant.hazard("YH-0001")
    assert hazard.grade == "yellow"
    assert hazard.owner.name == "李强"
    plant.phone("李强").sees("YH-0001", "三级(黄)", "待整改")
    assert plant.problems() == []


def test_a_yellow_hazard_is_rectified_accepted_and_closed(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    li = plant.phone("李强")
    li.sees("YH-0001", buttons=["确认收到", "开始整改", "转派", "申请延期"])
    li.taps("确认收到", on="YH-0001")
    li.sees("YH-0001", "李强", "确认收到")
    li.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    li.sends_photo(scene(1, mended=True))
    li.says("更换了三只灯管,试亮正常")
    li.sees("YH-0001 已提交")
    wang = plant.phone("王芳")
    wang.sees("YH-0001", "待验收", buttons=["验收通过", "退回"])
    assert len(wang.pictures()) == 1
    wang.taps("验收通过", on="YH-0001")
    zhang.sees("YH-0001", "已闭环", buttons=["还在,没改好", "已改好"])
    assert zhang.pictures()
    li.sees("YH-0001", "已闭环", buttons=[])
    assert plant.hazard("YH-0001").state == "closed"
    assert plant.problems() == []


def test_an_orange_hazard_goes_to_the_directors_group_and_his_todo(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("1号甲醇储罐V-201旁边地沟盖板没了,踩空危险")
    hazard = plant.hazard("YH-0001")
    assert hazard.grade == "orange"
    chen = plant.phone("陈刚", "dingtalk")
    chen.sees("YH-0001", "二级(橙)", chat="group:")
    chen.sees("YH-0001", chat="todo")
    plant.phone("陈刚", "wecom").does_not_see("YH-0001")


def test_a_red_hazard_goes_to_the_executive_by_card_and_sms(plant):
    zhang = plant.phone("张伟")
    zhang.says("3号泵房着火了")
    zhang.sees("撤")
    zhao = plant.phone("赵建国")
    zhao.sees("YH-0001", "一级(红)")
    assert any("YH-0001" in text for text in plant.sms_of("赵建国"))
    plant.phone("陈刚", "wecom").sees("YH-0001", "一级(红)")


def test_the_second_presser_is_told_who_was_first(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("1号甲醇储罐V-201旁边地沟盖板没了,踩空危险")
    chen, wang, zhou = plant.phone("陈刚", "dingtalk"), plant.phone("王芳"), plant.phone("周敏")
    chen.taps("开始整改", on="YH-0001")
    plant.forward(minutes=40)
    chen.sends_photo(scene(1, mended=True)).says("盖板已复位并固定")
    wang.sees("待验收")
    zhou.sees("待验收")
    wang.taps("验收通过", on="YH-0001")
    zhou.cannot_tap("验收通过")
    zhou.says("YH-0001").sees("王芳验收")
    assert plant.hazard("YH-0001").accepted_by.name == "王芳"


def test_only_the_right_people_may_press(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("1号甲醇储罐V-201旁边地沟盖板没了,踩空危险")
    li = plant.phone("李强")
    li.taps("开始整改", on="YH-0001")
    li.sees("只能由责任人")
    assert plant.hazard("YH-0001").state == "assigned"


def test_still_there_reopens_one_grade_up(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    li = plant.phone("李强")
    li.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    li.sends_photo(scene(1, mended=True)).says("更换了三只灯管,试亮正常")
    plant.phone("王芳").taps("验收通过", on="YH-0001")
    zhang.taps("还在", on="YH-0001")
    hazard = plant.hazard("YH-0001")
    assert (hazard.state, hazard.grade, hazard.reopened_from) == ("assigned", "orange", 1)
    plant.phone("陈刚", "dingtalk").sees("YH-0001", "二级(橙)", chat="group:")


def test_rejected_with_a_reason_goes_back_to_the_rectifier(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    li, wang = plant.phone("李强"), plant.phone("王芳")
    li.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    li.sends_photo(scene(1, mended=True)).says("更换了三只灯管,试亮正常")
    wang.taps("退回", on="YH-0001")
    wang.sees("一句话说明原因").says("东头还有一只不亮")
    li.sees("YH-0001 验收没有通过", "东头还有一只不亮")
    li.taps("提交整改", on="YH-0001")
    plant.forward(minutes=10)
    li.sends_photo(scene(7, mended=True)).says("东头那只也换好了,全部亮")
    wang.taps("验收通过", on="YH-0001")
    assert plant.hazard("YH-0001").state == "closed"


def test_a_transfer_from_the_cards_list(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("1号甲醇储罐V-201旁边地沟盖板没了,踩空危险")
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("转派", on="YH-0001", choose="李强")
    chen.sees("已转给李强", chat="app")  # what follows a press in the group is between the bot and the presser
    plant.phone("李强").taps("开始整改", on="YH-0001")
    assert plant.hazard("YH-0001").state == "rectifying"


def test_an_extension_needs_reason_measure_and_another_persons_consent(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    li, wang = plant.phone("李强"), plant.phone("王芳")
    due = plant.hazard("YH-0001").due_at
    li.taps("申请延期", on="YH-0001")
    li.sees("要延多久").taps("3天")
    li.sees("为什么").says("灯具缺货,等备件到厂")
    li.sees("临时措施").says("已挂临时照明并拉警戒线")
    wang.sees("申请延期到", "缺货")
    wang.says("待办").sees("要批延期的(1)", "YH-0001")
    wang.taps("同意延期", on="YH-0001")
    assert (plant.hazard("YH-0001").due_at - due).days == 3
    li.sees("同意,新期限")
