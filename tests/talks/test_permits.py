"""Permits in chat: a pass, fails by zone, gas and training, the smallest fix, approval on the spot, the running permit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests import permits as p
from tests.permits import APPLICANT, APPROVER, GUARDIAN, LEADER, WORKER
from tests.pictures import scene

pytestmark = pytest.mark.sqlite_suffices

NUMBER = "ZY-0001"


def permit(plant, number=NUMBER):
    with plant.work(read_only=True) as work:
        found = work.permits.by_number(number)
        assert found is not None
        return found


def test_a_request_that_passes(plant):
    p.feed(plant)
    phone = p.ask_for(plant)
    phone.sees("一级动火 · 通过", "09:30前动火", buttons=["提交审批", "重新判定", "报气体", "改内容", "撤回"])
    phone.taps("提交审批")
    phone.sees(NUMBER, "已提交", "周敏")
    plant.phone(APPROVER).sees(NUMBER, "待审批", "P-102B")
    assert permit(plant).state == "submitted"
    assert plant.problems() == []


@pytest.mark.both_databases
def test_a_whole_permit_from_request_to_acceptance(plant):
    guardian = p.at_work(plant)
    guardian.sees(NUMBER, "已开始")
    worker = plant.phone(WORKER, "dingtalk")
    worker.sees(NUMBER, "作业中", "郑凯")
    guardian.taps("收工", on=NUMBER).sends_photo(scene(90))
    leader = plant.phone(LEADER, "dingtalk")
    leader.sees(NUMBER, "待验收", buttons=["验收关闭", "还没完,继续"])
    leader.taps("验收关闭", on=NUMBER)
    worker.sees(NUMBER, "已关闭", buttons=[])
    with plant.work(read_only=True) as work:
        found = work.permits.by_number(NUMBER)
        actions = [line.action for line in work.trail.of("permit", found.id)]
        assert found.state == "closed"
        assert list(work.trail.broken()) == []
    for action in ("submitted", "approved", "leader_checked", "measure", "briefed", "started", "finished", "closed"):
        assert action in actions
    assert plant.problems() == []


# -- what does not pass, and what makes it pass


def test_a_fail_by_zone(plant):
    phone = p.ask_for(plant, where="LA-402", what="LA-402鹤管支架电焊", workers=WORKER)
    phone.sees("不通过", "绝对禁火区", "HW-G08")
    phone.cannot_tap("提交审批")


@pytest.mark.both_databases
def test_a_fail_by_gas_flips_with_a_new_test(plant):
    p.feed(plant)
    phone = p.ask_for(plant, gas="动火点可燃10%LEL,氧20.8")  # methanol: 10 %LEL are 0.55 % vol
    phone.sees("不通过", "HW-A03", "5.3.2 a")
    phone.taps("按建议办理")
    phone.sees("重新取样").says("动火点可燃9%LEL,氧20.8").taps("BX-01")  # 0.495 % vol
    phone.sees("一级动火 · 通过")


def test_a_fail_by_training_flips_with_the_guardian_it_names(plant):
    p.feed(plant)
    phone = p.ask_for(plant, guardian="孙丽")
    phone.sees("不通过", "G-003", "4.10").sees("这样就能通过", "担任监护人")
    phone.taps("按建议办理")
    phone.sees("一级动火 · 通过")


def test_a_certificate_that_ends_in_the_middle_of_the_job(plant):
    p.feed(plant)
    phone = p.ask_for(plant, guardian="黄梅", when="今晚10点到明天2点", gas="")
    phone.sees("不通过", "G-004")


def test_the_guardian_cannot_be_a_worker(plant):
    p.feed(plant)
    phone = p.ask_for(plant, workers="吴涛、郑凯")
    phone.sees("不通过", "G-005")


def test_a_worker_without_the_welders_card(plant):
    p.feed(plant)
    p.ask_for(plant, workers="孙丽").sees("不通过", "G-011")


def test_not_measured_is_never_a_pass(plant):
    p.feed(plant)
    phone = p.ask_for(plant, gas="还没测")
    phone.sees("不通过", "HW-A01", "重新取样")
    phone.cannot_tap("提交审批")


def test_a_value_without_its_unit_is_asked_for(plant):
    p.feed(plant)
    phone = p.ask_for(plant, gas="")
    phone.says("可燃零点一,氧二十点八").sees("可燃 0.1 的单位是?")
    phone.taps("%LEL").taps("动火点周围").taps("BX-01")
    p.confirm_all(phone)
    phone.sees("一级动火 · 通过")


def test_a_meter_out_of_calibration_says_nothing(plant):
    p.feed(plant)
    phone = p.ask_for(plant, gas="")
    phone.says("动火点可燃0.1%LEL,氧20.8").taps("BX-02")
    p.confirm_all(phone)
    phone.sees("不通过", "G-019")


def test_an_unknown_fact_keeps_the_request_pending(plant):
    p.feed(plant)
    phone = plant.phone(APPLICANT)
    phone.says("动火").says("P-102B").says("P-102B出口法兰电焊").says("现在干4小时").says(GUARDIAN).says(WORKER)
    phone.says("动火点可燃0.1%LEL,氧20.8").taps("BX-01")
    phone.taps("有不对的").sees("第几条不对")
    with plant.work(read_only=True) as work:
        draft = work.permits.draft_of(work.people.by_code("madeshun").id, since=plant.now - timedelta(days=1))
        assert draft.result != "pass"
        assert draft.number is None


def test_a_statement_that_does_not_hold_is_taken_at_its_word(plant):
    p.feed(plant)
    phone = plant.phone(APPLICANT)
    phone.says("动火").says("P-102B").says("P-102B出口法兰电焊").says("现在干4小时").says(GUARDIAN).says(WORKER)
    phone.says("动火点可燃0.1%LEL,氧20.8").taps("BX-01")
    for _ in range(10):
        shown = next(i for i in reversed(phone.screen()) if i["from"] != "me")
        title, body = shown["card"]["title"], shown["card"]["body"] or ""
        if "按现场核对" not in title:
            break
        line = next((text for text in body.splitlines() if "可燃气体排放点" in text), "")
        if line:
            phone.says(line.split(".")[0])
            phone.sees("可燃气体排放点距离是多少").says("20米")
        else:
            phone.taps("都对")
    phone.sees("不通过", "HW-C02", "20 m", "5.2.9")


def test_a_running_pump_makes_it_special_and_the_executive_signs(plant):
    p.feed(plant)
    phone = p.ask_for(plant, where="P-102A", what="P-102A出口法兰电焊", gas="")
    phone.says("动火点可燃0.1%LEL,氧20.8").taps("BX-01")
    shown = next(i for i in reversed(phone.screen()) if i["from"] != "me")
    assert "在运行的设备、管道、容器上" in shown["card"]["body"]
    number = next(t.split(".")[0] for t in shown["card"]["body"].splitlines() if "在运行的" in t)
    phone.says(number)
    p.confirm_all(phone)
    phone.sees("特级动火")


@pytest.mark.both_databases
def test_the_answers_of_a_place_are_offered_again(plant):
    p.feed(plant)
    p.hand_in(plant)
    phone = plant.phone(APPLICANT)
    phone.says("动火").says("P-102B").says("P-102B出口法兰电焊").says("现在干4小时").says(GUARDIAN).says(WORKER)
    phone.says("动火点可燃0.1%LEL,氧20.8").taps("BX-01")
    phone.sees("(上次)")


# -- signatures


def test_the_approver_must_be_on_the_spot(plant):
    p.feed(plant)
    p.hand_in(plant)
    zhou = plant.phone(APPROVER)
    zhou.taps("到现场审批", on=NUMBER)
    zhou.sends_location(37.60, 118.59).sees("不在厂区内", "4.11")
    assert permit(plant).state == "submitted"
    zhou.sends_location(*p.spot(plant, "R-101")).sees("离作业点约", "4.11")
    assert permit(plant).state == "submitted"
    zhou.sends_location(*p.spot(plant, "P-102B")).sees("已批准")
    found = permit(plant)
    assert found.state == "approved"
    signed = next(row for row in found.approvals if row.kind == "approve")
    assert signed.person.name == APPROVER
    assert signed.lat is not None


@pytest.mark.both_databases
def test_two_approvers_at_once(plant):
    p.feed(plant)
    p.hand_in(plant)
    zhou, wang = plant.phone(APPROVER), plant.phone("王芳", "dingtalk")
    zhou.taps("到现场审批", on=NUMBER)
    wang.sees(NUMBER, "待审批").taps("到现场审批", on=NUMBER)
    zhou.sends_location(*p.spot(plant, "P-102B"))
    wang.says(NUMBER).sees(NUMBER, "已批准", "周敏")
    assert [row.person.name for row in permit(plant).approvals if row.kind == "approve"] == [APPROVER]


@pytest.mark.parametrize("who", [GUARDIAN, WORKER, "孙丽", LEADER])
def test_only_the_post_of_the_table_may_sign(plant, who):
    p.feed(plant)
    p.hand_in(plant)
    phone = plant.phone(who)
    phone.says(NUMBER).taps("到现场审批", on=NUMBER)
    phone.sees("由安全管理部门签")
    assert permit(plant).state == "submitted"


def test_a_refusal_names_its_reason(plant):
    p.feed(plant)
    applicant = p.ask_for(plant)
    applicant.taps("提交审批")
    plant.phone(APPROVER).taps("不予批准", on=NUMBER).sees("一句话说明原因").says("今天不安排动火")
    applicant.sees("不予批准", "今天不安排动火")
    assert permit(plant).state == "refused"


def test_a_return_brings_the_request_back_to_the_applicant(plant):
    p.feed(plant)
    applicant = p.ask_for(plant)
    applicant.taps("提交审批")
    plant.phone(APPROVER).taps("退回补充", on=NUMBER).says("补上交叉作业情况")
    applicant.sees("退回补充", "补上交叉作业情况")
    assert permit(plant).state == "pending_facts"
    applicant.taps("重新判定", on="一级动火").taps("提交审批")
    assert permit(plant).state == "submitted"
    assert permit(plant).number == NUMBER


# -- before the start


def test_work_cannot_begin_before_everything_is_done(plant):
    p.feed(plant)
    p.hand_in(plant)
    p.approve(plant)
    guardian = plant.phone(GUARDIAN)
    guardian.taps("开始作业", on=NUMBER).sees("还不能开始", "验票")
    p.prepare(plant)
    p.start(plant)
    assert permit(plant).state == "active"


def test_an_old_sample_stops_the_start(plant):
    p.feed(plant)
    p.hand_in(plant)
    p.approve(plant)
    plant.forward(minutes=31)
    p.feed(plant)
    p.prepare(plant)
    guardian = plant.phone(GUARDIAN)
    guardian.taps("开始作业", on=NUMBER)
    p.confirm_all(guardian)
    guardian.sees("HW-A02", "超过30分钟")
    assert permit(plant).state == "approved"
    guardian.taps("报气体", on=NUMBER).says("动火点可燃0.1%LEL").taps("BX-01")
    p.start(plant)
    assert permit(plant).state == "active"


def test_a_measure_that_needs_a_picture_does_not_go_without(plant):
    p.feed(plant)
    p.hand_in(plant)
    p.approve(plant)
    guardian = plant.phone(GUARDIAN)
    guardian.taps("确认措施", on=NUMBER)
    guardian.taps("已落实", on="措施1")
    guardian.sees("措施2", "上锁", "拍一张").says("已落实").sees("这一条要拍照")
    guardian.sends_photo(scene(3)).sees("措施3")
    rows = [row for row in permit(plant).approvals if row.kind == "measure" and row.granted]
    assert len(rows) == 2
    assert rows[1].photo_sha
    assert all(row.person.name == GUARDIAN for row in rows)


# -- the running permit


@pytest.mark.both_databases
def test_a_reading_over_the_limit_stops_the_work_at_once(plant):
    guardian = p.at_work(plant)
    p.one(plant, 10)
    found = permit(plant)
    assert found.state == "suspended"
    assert {why["rule"] for why in found.suspend_why} >= {"HW-A16"}
    for name in (APPLICANT, GUARDIAN, WORKER, APPROVER):
        plant.phone(name).sees("立即停止作业", NUMBER)
    guardian.taps("确认停工", on=NUMBER)
    guardian.sees(NUMBER, "未确认", WORKER)
    assert plant.problems() == []


def test_after_a_suspension_everything_must_be_right_again(plant):
    guardian = p.at_work(plant)
    p.one(plant, 10)
    p.running(plant, minutes=30, guardian="")
    guardian.taps("监护打卡", on=NUMBER).taps("恢复作业", on=NUMBER)
    guardian.sees("还不能恢复", "重新取样")
    for name in (APPLICANT, GUARDIAN, WORKER, APPROVER, LEADER):
        plant.phone(name).taps("确认停工", on=NUMBER)
    p.running(plant, minutes=160, guardian="")
    guardian.taps("监护打卡", on=NUMBER)
    guardian.taps("报气体", on=NUMBER).says("动火点可燃0.1%LEL").taps("BX-01")
    guardian.taps("恢复作业", on=NUMBER)
    guardian.sees("已恢复作业")
    assert permit(plant).state == "active"


def test_a_pause_of_the_data_within_its_age_stops_nothing(plant):
    p.at_work(plant)
    plant.forward(minutes=5)  # the last value is exactly 300 s old
    assert permit(plant).state == "active"
    p.send(plant, [{"detector": "GT-301", "value": 1, "unit": "%LEL", "at": plant.now.isoformat()}])
    plant.forward(minutes=5)
    assert permit(plant).state == "active"


def test_silence_beyond_its_age_stops_the_work(plant):
    p.at_work(plant)
    plant.forward(minutes=6)
    found = permit(plant)
    assert found.state == "suspended"
    assert any("没有读数" in why["message"] for why in found.suspend_why)


def test_a_faulty_detector_stops_the_work(plant):
    p.at_work(plant)
    p.one(plant, None, status="fault")
    assert permit(plant).state == "suspended"


def test_a_leak_reported_nearby_stops_the_work(plant):
    p.at_work(plant)
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).sends_location(*p.spot(plant, "P-102B")).says("P-102B泵密封甲醇泄漏")
    found = permit(plant)
    assert found.state == "suspended"
    assert any("YH-0001" in why["message"] for why in found.suspend_why)


def test_a_guardian_who_gives_no_sign_stops_the_work(plant):
    p.at_work(plant)
    p.running(plant, minutes=40, guardian="")
    plant.phone(GUARDIAN).sees("请监护人打卡", "自动叫停")
    assert permit(plant).state == "active"
    p.running(plant, minutes=25, guardian="")
    found = permit(plant)
    assert found.state == "suspended"
    assert {why["rule"] for why in found.suspend_why} == {"G-006"}


@pytest.mark.both_databases
def test_a_handover_needs_a_certificate_and_a_sign_at_the_point(plant):
    guardian = p.at_work(plant)
    guardian.taps("监护交接", on=NUMBER).says("孙丽").sees("都有效的监护人培训合格证")
    guardian.taps("监护交接", on=NUMBER).says("高峰").sees("已请高峰接班", "不能离开")
    assert permit(plant).guardian.name == GUARDIAN  # until the new one is there
    assert permit(plant).state == "active"
    relief = plant.phone("高峰")
    relief.sees("请您接替郑凯监护").taps("监护打卡", on=NUMBER).sees("交接1/", "作业人吴涛", buttons=["已知晓"])
    assert permit(plant).guardian.name == GUARDIAN  # not before everything was read
    read = p.relieve(plant, "高峰")
    assert any("最近气体分析" in item for item in read)
    assert any("锁和牌还在" in item for item in read)
    found = permit(plant)
    assert (found.state, found.guardian.name) == ("active", "高峰")
    told = [row for row in found.approvals if row.kind == "handover"]
    assert [row.person.name for row in told] == ["高峰"] * len(read)
    guardian.taps("监护打卡", on=NUMBER).sees("打卡由监护人高峰进行")
    p.running(plant, minutes=40, guardian="高峰")
    assert permit(plant).state == "active"


def test_an_end_of_validity_ends_the_work(plant):
    p.at_work(plant, when="现在干1小时")
    p.running(plant, minutes=55)
    assert permit(plant).state == "active"
    p.running(plant, minutes=10)
    found = permit(plant)
    assert found.state == "expired"
    plant.phone(WORKER).sees(NUMBER, "已到期")
    plant.phone(GUARDIAN).taps("收工", on=NUMBER).sends_photo(scene(91))
    plant.phone(LEADER).taps("验收关闭", on=NUMBER)
    assert permit(plant).state == "closed"


def test_a_short_pause_needs_no_new_test_and_a_long_one_does(plant):
    guardian = p.at_work(plant)
    guardian.taps("中断", on=NUMBER)
    p.running(plant, minutes=25)  # sends that a platform holds back take seconds, and thirty minutes are the limit
    guardian.taps("监护打卡", on=NUMBER).taps("恢复作业", on=NUMBER)
    assert permit(plant).state == "active"
    guardian.taps("中断", on=NUMBER)
    p.running(plant, minutes=35)
    guardian.taps("监护打卡", on=NUMBER).taps("恢复作业", on=NUMBER)
    guardian.sees("还不能恢复", "5.3.1 d")
    assert permit(plant).state == "interrupted"
    guardian.taps("报气体", on=NUMBER).says("动火点可燃0.1%LEL").taps("BX-01")
    guardian.taps("恢复作业", on=NUMBER)
    assert permit(plant).state == "active"


def test_anybody_on_the_permit_can_stop_it(plant):
    p.at_work(plant)
    plant.phone(WORKER, "dingtalk").taps("叫停", on=NUMBER)
    assert permit(plant).state == "suspended"
    plant.phone(GUARDIAN).sees("立即停止作业", WORKER)


def test_night_begins_and_the_work_was_not_upgraded(plant):
    plant.now += timedelta(hours=9)  # 18:00 at the plant
    p.at_work(plant, when="现在干4小时")
    p.running(plant, minutes=115)
    assert permit(plant).state == "active"
    p.running(plant, minutes=10)
    found = permit(plant)
    assert found.state == "suspended"
    assert "HW-G06" in {why["rule"] for why in found.suspend_why}


# -- queries


@pytest.mark.both_databases
def test_queries(plant):
    p.feed(plant)
    phone = p.ask_for(plant)
    phone.taps("提交审批")
    phone.says("作业票").sees("我的作业票", NUMBER, "待审批").sees("办哪种作业票")
    plant.phone(APPROVER).says("作业票").sees("等您签", NUMBER)
    plant.phone("孙丽").says("今天的动火").sees("今天的动火(1)", NUMBER)
    plant.phone("孙丽").says("今天的吊装").sees("没有")
    plant.phone("孙丽").says("zy1").sees(NUMBER, "P-102B")
    plant.phone("孙丽").says("ZY-0009").sees("没有找到")


def test_a_dingtalk_applicant_asks_too(plant):
    p.feed(plant)
    phone = p.ask_for(plant, applicant="李强", workers=WORKER)
    phone.sees("一级动火 · 通过").taps("提交审批")
    phone.sees(NUMBER, "已提交")
    assert plant.problems() == []
