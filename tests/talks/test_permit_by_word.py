"""What the card's buttons do, said in words; stopping is heard at once."""

from __future__ import annotations

import re

import pytest

from handlers.permit import by_word
from rules.permit import Work
from tests import permits as p
from tests.permits import APPLICANT, GUARDIAN, LEADER, WORKER

NUMBER = "ZY-0001"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def permit(plant, number=NUMBER):
    with plant.work(read_only=True) as work:
        return work.permits.by_number(number)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        *((text, True) for text in ("叫停", "停工", "停止动火", "停止作业", "马上停止动火作业", "叫停 ZY-0001", "ZY-0001 叫停")),
        *((text, True) for text in ("叫停 ZY-0001 脚手板松动", "zy1停止作业,冒烟", "动火叫停")),
        *((text, False) for text in ("停工待料", "停止作业后没清理现场", "叫停之后没人管", "没有叫停", "停止供水", "为什么叫停")),
    ],
)  # fmt: skip
def test_words_that_stop(said, heard):
    assert any(re.search(pattern, said) for pattern in (by_word.STOP, by_word.STOP_WHY)) is heard


def test_a_worker_stops_the_work_by_word_in_the_middle_of_a_report(plant):
    p.at_work(plant)
    worker = plant.phone(WORKER)
    worker.says("护栏松动").says("停止动火").sees(f"{NUMBER} 已叫停,已通知票上所有人")
    assert permit(plant).state == "suspended"
    plant.phone(GUARDIAN).sees("立即停止作业", NUMBER)
    plant.phone(GUARDIAN).says("确认停工")
    assert plant.problems() == []


def test_the_reason_that_was_said_is_told_to_everybody(plant):
    p.at_work(plant)
    plant.phone(LEADER).says("叫停 ZY-0001 脚手板松动").sees("已叫停")
    assert "脚手板松动" in permit(plant).suspend_why[0]["message"]
    plant.phone(WORKER).sees("立即停止作业", "脚手板松动")


def test_who_is_on_no_permit_chooses_or_is_told_what_to_do(plant):
    p.at_work(plant)
    plant.phone("王芳").says("停止作业").sees("叫停哪一张", NUMBER, buttons=[NUMBER])  # the safety officer
    assert permit(plant).state == "active"
    plant.phone("王芳").taps(NUMBER, on="叫停哪一张")
    assert permit(plant).state == "suspended"
    plant.phone("黄梅").says("停工").sees("您不在作业中的作业票上")
    plant.phone("黄梅").says("叫停 ZY-0001").sees("您不在这张作业票上")
    plant.phone("黄梅").says("叫停 ZY-0099").sees("没有找到这张作业票")


def test_buttons_by_their_label(plant):
    guardian = p.at_work(plant)
    plant.forward(minutes=1)
    guardian.says("监护打卡")
    with plant.work(read_only=True) as work:
        found = work.permits.by_number(NUMBER)
        assert next(x for x in found.parties if x.role == "guardian").checked_in_at == plant.now
    guardian.says("中断。").sees(f"{NUMBER} 已中断")
    plant.phone(WORKER).says("恢复作业").sees("由监护人或当班班长恢复")
    guardian.says("ZY-0001 恢复作业").sees("已恢复作业")
    plant.forward(minutes=1)
    guardian.says("报气体 ZY-0001").sees("报一下气体分析").says("动火点可燃0.1%LEL").taps("BX-01").sees("结果合格")
    guardian.says("开始作业").sees("您现在没有可以“开始作业”的作业票")
    plant.phone("黄梅").says("收工").sees("您现在没有可以“收工”的作业票")
    assert permit(plant).state == "active"


def test_longer_is_a_new_permit(plant):
    guardian = p.at_work(plant)
    for words in ("延期 ZY-0001 2小时", "能不能延长作业票", "ZY-0001 延长到18点"):
        guardian.says(words).sees("接着干要重新办票", "作业票不能延长", "4.16", buttons=["重新办票"])
    guardian.taps("重新办票", on="接着干要重新办票").sees("什么时候干")
    plant.phone("黄梅").says("动火票能延期吗").sees("作业票不能延长,到期须停止作业、重新办票(4.16)")
    assert permit(plant).state == "active"


def test_what_is_on_today(plant):
    p.feed(plant)
    p.hand_in(plant)
    leader = plant.phone(LEADER)
    for said in ("今天的动火", "今天的动火作业", "今天有哪些动火", "今天有几个动火?", "今天的动火票"):
        leader.says(said).sees("今天的动火(1)", NUMBER)
    leader.says("今天的作业票").sees("今天的作业票(1)", NUMBER)
    for said in ("3号泵房的作业票", "3号泵房今天的动火"):
        leader.says(said).sees("3号泵房今天的", "(1)", NUMBER)


def test_what_is_under_way_and_where(plant):
    p.feed(plant)
    p.hand_in(plant)
    leader = plant.phone(LEADER)
    for said in ("现在谁在动火", "正在动火的", "现在的作业票"):
        leader.says(said).sees("正在作业的", "没有")
    leader.says("甲醇罐区的作业票").sees("甲醇罐区今天的作业票:没有")
    p.approve(plant)
    p.prepare(plant)
    p.start(plant)
    plant.phone("陈刚").says("现在谁在动火").sees("正在作业的动火(1)", NUMBER)


@pytest.mark.parametrize("said", ["今天的动火现场没有监护人", "3号泵房的动火作业没人监护", "作业票上的人不对"])
def test_a_report_with_such_words_stays_one(plant, said):
    plant.phone("张伟").says(said).does_not_see("今天的")


def test_a_request_said_in_one_go(plant):
    p.feed(plant)
    phone = plant.phone(APPLICANT)
    phone.says("动火 P-101B 出口法兰焊接,明天上午9点到11点,监护郑凯,作业人吴涛").sees("气体11-25 08:30以后再测")
    with plant.work(read_only=True) as work:
        applicant = work.people.by_name(APPLICANT)[0]
        draft = work.permits.draft_of(applicant.id, since=plant.now.replace(year=2000))
        assert (draft.work, draft.equipment.code, draft.content) == ("hot_work", "P-101B", "动火 P-101B 出口法兰焊接")
        assert draft.guardian.name == GUARDIAN
        assert [x.person.name for x in draft.parties if x.role == "worker"] == [WORKER]
        assert (draft.planned_end - draft.planned_start).total_seconds() == 7200


@pytest.mark.parametrize(
    ("said", "work", "content"),
    [
        ("V-206进罐清理", "confined_space", "V-206进罐清理"),
        ("下午要在3号泵房P-102B出口法兰焊接", "hot_work", ""),
        ("P-101B吊装检修", "lifting", "P-101B吊装检修"),
        ("进V-206清罐", "confined_space", "进V-206清罐"),
        ("P-102B动火焊法兰", "hot_work", "P-102B动火焊法兰"),
        ("P-101B动火换垫片", "hot_work", "P-101B动火换垫片"),
        ("明天上午去V-206进罐清洗", "confined_space", ""),
    ],
)
def test_a_place_and_a_job_are_a_request(plant, said, work, content):
    plant.phone(APPLICANT).says(said).sees("什么时候干", f"{Work(work).zh}作业票", "不对就说“取消”")
    with plant.work(read_only=True) as db:
        draft = db.permits.draft_of(db.people.by_name(APPLICANT)[0].id, since=plant.now.replace(year=2000))
        assert draft is not None and draft.work == work
        assert not content or draft.content == content


@pytest.mark.parametrize(
    "said",
    [
        "明天上午9点到11点 P-102B出口法兰焊接,监护郑凯,作业人吴涛",
        "P-102B出口法兰焊接,明天上午9点到11点,监护人郑凯、作业人吴涛。",
    ],
)
def test_when_and_who_may_stand_around_the_job(plant, said):
    p.feed(plant)
    plant.phone(APPLICANT).says(said).sees("按现场核对", "动火作业票")
    with plant.work(read_only=True) as db:
        draft = db.permits.draft_of(db.people.by_name(APPLICANT)[0].id, since=plant.now.replace(year=2000))
        assert (draft.equipment.code, draft.guardian.name, draft.content) == ("P-102B", "郑凯", "P-102B出口法兰焊接")
        assert [x.person.name for x in draft.parties if x.role == "worker"] == ["吴涛"]
        assert (draft.planned_end - draft.planned_start).total_seconds() == 7200


@pytest.mark.parametrize(
    "said",
    [
        "刚才有人在3号泵房动火",
        "P-102B动火旁边堆着油桶",
        "P-102B焊接火花四溅",
        "V-206没测氧就进罐清理",
        "P-102B 着火了",
        "看到P-101B吊装",
        "下午3点 P-102B焊接,火花飞进地沟",
        "P-102B焊接,监护人不在",
        "P-102B焊接,监护人一直在玩手机",
    ],
)
def test_a_place_and_a_job_with_more_to_it_are_none(plant, said):
    plant.phone(APPLICANT).says(said)
    with plant.work(read_only=True) as db:
        assert db.permits.draft_of(db.people.by_name(APPLICANT)[0].id, since=plant.now.replace(year=2000)) is None


def test_a_name_that_is_not_in_the_roll_is_asked_for(plant):
    phone = plant.phone(APPLICANT)
    phone.says("动火 P-101B 出口法兰焊接,现在干2小时,监护孙悟空").sees("谁监护?")


@pytest.mark.parametrize(
    "said", ["动火 现场没有监护人,很危险", "吊装,钢丝绳断股了", "动火作业,没人管", "动火 P-102B 现场没人监护"]
)
def test_a_report_that_begins_with_a_kind_of_work_is_no_request(plant, said):
    plant.phone("张伟").says(said).does_not_see("谁监护?")
    with plant.work(read_only=True) as work:
        assert work.permits.draft_of(work.people.by_name("张伟")[0].id, since=plant.now.replace(year=2000)) is None


def test_signing_by_word_and_number(plant):
    p.feed(plant)
    p.hand_in(plant)
    applicant, approver = plant.phone(APPLICANT), plant.phone("周敏")
    for said in ("我的票", "作业票进度"):
        applicant.says(said).sees("我的作业票", NUMBER)
    applicant.says("ZY-0001到哪了").sees(NUMBER, "待审批", "待签")
    approver.says("待审批").sees("等您签", NUMBER)
    approver.says("同意").does_not_see("发一下位置")
    approver.says("批准 ZY-0001")
    approver.sends_location(*p.spot(plant, "P-102B"))
    assert permit(plant).state == "approved"
    plant.phone(WORKER).says("班长验票 ZY-0001").sees("验票由本岗位当班班长")
    plant.phone(LEADER).says("验票 ZY-0001")
    assert any(row.kind == "shift_leader" and row.granted for row in permit(plant).approvals)


def test_refusing_by_word_still_wants_a_reason(plant):
    p.feed(plant)
    p.hand_in(plant)
    plant.phone(APPLICANT).says("不同意 ZY-0001").does_not_see("已不予批准")
    approver = plant.phone("周敏")
    approver.says("ZY-0001 不同意,没加盲板").says("没加盲板").sees("已不予批准")
    assert permit(plant).state == "refused"


def test_taking_back_by_word(plant):
    p.feed(plant)
    p.hand_in(plant)
    plant.phone(WORKER).says("撤回 ZY-0001")
    assert permit(plant).state == "submitted"
    plant.phone(APPLICANT).says("撤回 ZY-0001 不干了").sees("已撤回")
    assert permit(plant).state == "withdrawn"
