"""People answer what was asked, what was not asked yet, and what they want changed, in their own order."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from handlers.permit import cast, from_page
from storage.models import Person
from tests import permits as p
from tests.permits import APPLICANT, WORKER
from tests.pictures import scene
from tests.plant import walked

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def of_applicant(plant):
    """(guardian, workers, start, end, content) of the applicant's only request."""
    with plant.work(read_only=True) as work:
        applicant = work.people.by_name(APPLICANT)[0]
        (found,) = work.permits.of_person(applicant.id, limit=10)
        workers = [party.person.name for party in cast.parties(found, cast.WORKER)]
        times = [t.astimezone(ZONE) if t else None for t in (found.planned_start, found.planned_end)]
        return found.guardian.name if found.guardian else None, workers, *times, found.content


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


@walked
def asked_for_guardian(plant):
    return (
        plant.phone(APPLICANT)
        .says("动火")
        .says("P-102B")
        .says("P-102B出口法兰电焊")
        .says("现在干一个半小时")
        .sees("谁监护")
    )


def test_guardian_and_workers_in_one_breath(plant):
    asked_for_guardian(plant).says("监护郑凯,吴涛、孙丽干活").sees("报一下气体分析")
    guardian, workers, start, end, _ = of_applicant(plant)
    assert (guardian, workers, end - start) == ("郑凯", ["吴涛", "孙丽"], at(24, 10, 30) - at(24, 9))


@pytest.mark.parametrize("said", ["郑凯", "让郑凯来", "叫郑凯师傅监护", "郑凯监护", "监护人:郑凯", "由郑凯来监护吧"])
def test_a_guardian_by_whatever_words(plant, said):
    asked_for_guardian(plant).says(said).sees("谁来干")
    assert of_applicant(plant)[0] == "郑凯"


@pytest.mark.parametrize("said", ["不要郑凯", "郑凯凯", "监护郑大凯"])
def test_what_names_nobody_of_the_roll_is_asked_again(plant, said):
    asked_for_guardian(plant).says(said).sees("谁监护")
    assert of_applicant(plant)[0] is None


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("吴涛孙丽", ["吴涛", "孙丽"]),
        ("吴涛和孙丽两个人", ["吴涛", "孙丽"]),
        ("我跟吴涛", [APPLICANT, "吴涛"]),
        ("就我自己", [APPLICANT]),
        ("吴涛干活", ["吴涛"]),
    ],
)
def test_workers_by_whatever_words(plant, said, names):
    asked_for_guardian(plant).says("郑凯").says(said).sees("报一下气体分析")
    assert of_applicant(plant)[1] == names


def test_gas_told_before_it_was_asked_is_kept(plant):
    phone = asked_for_guardian(plant).says("动火点可燃0.1%LEL,氧20.8")
    phone.taps("BX-01").sees("谁监护").says("郑凯").says("吴涛").sees("按现场核对")
    assert of_applicant(plant)[:2] == ("郑凯", ["吴涛"])


def test_people_told_when_gas_was_asked_are_kept(plant):
    phone = asked_for_guardian(plant).says("郑凯").says("吴涛").sees("报一下气体分析")
    phone.says("监护换成高峰").sees("记下了", "报一下气体分析")
    assert of_applicant(plant)[0] == "高峰"


def test_another_time_at_another_question(plant):
    asked_for_guardian(plant).says("改到明天上午9点到11点").sees("谁监护")
    assert of_applicant(plant)[2:4] == (at(25, 9), at(25, 11))


def test_the_place_answered_with_the_whole_job(plant):
    phone = plant.phone(APPLICANT).says("动火").says("P-102B出口法兰焊接,明天上午9点到11点,监护郑凯,作业人吴涛")
    phone.sees("气体11-25 08:30以后再测", "到时我会提醒您").sees("按现场核对")
    assert of_applicant(plant) == ("郑凯", ["吴涛"], at(25, 9), at(25, 11), "P-102B出口法兰焊接")


def test_the_job_answered_with_time_and_people(plant):
    phone = plant.phone(APPLICANT).says("动火").says("P-102B").says("出口法兰焊接,下午2点到4点,监护郑凯,吴涛干活")
    phone.sees("气体11-24 13:30以后再测").sees("按现场核对")
    assert of_applicant(plant) == ("郑凯", ["吴涛"], at(24, 14), at(24, 16), "出口法兰焊接")


def test_only_a_time_is_no_job(plant):
    plant.phone(APPLICANT).says("动火").says("P-102B").says("下午2点到4点").sees("干什么")
    assert of_applicant(plant)[2:] == (at(24, 14), at(24, 16), "")


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("改到明天上午9点到11点", at(25, 9), at(25, 11)),
        ("下周一上午8点干3小时", at(30, 8), at(30, 11)),
        ("推迟一小时", at(24, 15), at(24, 17)),
        ("提前半小时", at(24, 13, 30), at(24, 15, 30)),
        ("干3小时", at(24, 14), at(24, 17)),
        ("改到下午3点", at(24, 15), at(24, 17)),
    ],
)
def test_another_time_at_the_verdict_is_judged_anew(plant, said, start, end):
    phone = p.ask_for(plant, when="今天下午2点到4点")
    cards = sum(1 for item in phone.screen() if item["card"])
    phone.says(said)
    shown = [item["card"]["title"] for item in phone.screen() if item["card"]]
    assert len(shown) == cards + 1 and "动火 · " in shown[-1]
    assert of_applicant(plant)[2:4] == (start, end)


def test_other_people_at_the_verdict_are_judged_anew(plant):
    p.ask_for(plant).says("监护换成高峰,作业人孙丽")
    assert of_applicant(plant)[:2] == ("高峰", ["孙丽"])


def test_a_guardian_who_cannot_come_is_replaced_in_a_sentence(plant):
    p.ask_for(plant).says("郑凯没空,换高峰监护")
    assert of_applicant(plant)[0] == "高峰"


def test_the_first_question_says_all_that_was_understood(plant):
    phone = plant.phone(APPLICANT).says("我要在P-102B动火焊接法兰,18点到19点半,让郑凯监护,吴涛干活")
    phone.sees("按现场核对", "动火作业票,P-102B动火焊接法兰,11-24 18:00—19:30,监护郑凯,作业吴涛。不对就说“取消”")


def test_what_is_not_about_the_request_is_heard_as_ever_while_the_verdict_stands(plant):
    phone = p.ask_for(plant)
    phone.says("现在护栏松了").sees("请拍一张现场照片发来")
    phone.says("取消").says("氧气瓶2个没固定").does_not_see("在哪个部位取的样")
    phone.says("取消").says("作业票").sees("没提交的申请", "一级动火")


def test_what_only_looks_like_names_is_not_for_the_request_while_the_verdict_stands(plant):
    phone = p.ask_for(plant)
    phone.says("护栏脱焊").sees("请拍一张现场照片发来").says("取消")
    phone.taps("重新判定", on="动火 · ").says("现场无人监护")
    phone.does_not_see("名册里没有").does_not_see("没听懂")


def test_a_photo_while_the_verdict_stands_is_a_report(plant):
    p.ask_for(plant).sends_photo(scene(5)).does_not_see("没听出数值")
    plant.phone(APPLICANT).sees("在哪个区域")


@pytest.mark.parametrize("said", ["一级动火谁批?", "动火证有效期多久"])
def test_a_question_in_the_middle_is_answered_and_the_request_goes_on(plant, said):
    phone = asked_for_guardian(plant)
    phone.says(said).sees("以条文和审批人意见为准")
    phone.says("郑凯").sees("谁来干")
    phone.says("吴涛").says("还没测").sees("按现场核对").says(said).says("都对").sees("取样点到动火点最大距离")


def test_what_to_change_by_its_name(plant):
    p.ask_for(plant).taps("改内容").sees("改哪一项").says("时间").sees("什么时候干").says("现在干2小时")
    _, _, start, end, _ = of_applicant(plant)
    assert (end - start).total_seconds() == 7200


def test_no_guardian_yet_in_words(plant):
    asked_for_guardian(plant).says("还没定").sees("谁来干")


def test_a_time_that_is_over_is_asked_again_with_examples(plant):
    phone = plant.phone(APPLICANT).says("动火").says("P-102B").says("P-102B出口法兰电焊")
    phone.says("八点到八点半").sees("这个时间已经过了", "明天上午9点到11点")
    assert of_applicant(plant)[2:4] == (None, None)


def test_a_name_is_no_complaint(plant):
    with plant.work() as work:
        work.db.add(Person(code="E900", name="张松", active=True, created_at=work.at))
        work.commit()
    plant.phone(APPLICANT).says("动火 P-102B 出口法兰焊接,监护张松").sees("动火作业票", "什么时候干")
    assert of_applicant(plant)[0] == "张松"


def test_two_of_one_name_are_asked_for_their_numbers(plant):
    with plant.work() as work:
        work.db.add(Person(code="E901", name="郑凯", active=True, created_at=work.at))
        work.commit()
    asked_for_guardian(plant).says("让郑凯来").sees("有2位“郑凯”", "E901")


def on_the_outer_wall(plant, gas: str) -> str:
    """Ask for hot work on an outer wall with this gas test; all that was asked on the way."""
    phone = asked_for_guardian(plant).says("郑凯").says("吴涛").says(gas).taps("BX-01")
    for _ in range(12):
        card = phone.screen()[-1]["card"]
        wall = next((line for line in (card["body"] or "").splitlines() if "外壁上:否" in line), None)
        if wall is not None:
            phone.says(wall.split(".")[0])  # the number of what does not hold
        elif "都对" in [button["label"] for button in card["buttons"]]:
            phone.taps("都对")
        elif "已审批" in card["title"]:
            phone.taps("是", on=card["title"])
        else:
            break
    return "\n".join(f"{i['card']['title']}\n{i['card']['body']}" for i in phone.screen() if i["card"])


def test_a_sample_from_inside_settles_the_rule_of_outer_walls(plant):
    assert "外壁" not in on_the_outer_wall(plant, "设备内可燃0.1%LEL,动火点可燃0.1%LEL,氧20.8")
    with plant.work(read_only=True) as work:
        (found,) = work.permits.of_person(work.people.by_name(APPLICANT)[0].id, limit=10)
        kept = work.permit_verdicts.of(found.id)[0].verdict
        rows = {row["id"]: row["result"] for row in kept["rules"]}
        assert rows["HW-A09"] == "pass"


def test_without_a_sample_from_inside_it_is_asked(plant):
    assert "设备内已检测" in on_the_outer_wall(plant, "动火点可燃0.1%LEL,氧20.8")


def test_the_only_place_of_a_sentence_holds_for_all_its_values(plant):
    phone = asked_for_guardian(plant).says("郑凯").says("吴涛")
    phone.says("氧20.8,动火点可燃0.1%LEL").sees("用哪台检测仪测的")


def test_who_goes_in(plant):
    plant.phone(WORKER).says("进V-206清罐,明天上午9点到11点,高峰监护,我和孙丽进去")
    plant.phone(WORKER).sees("按现场核对", "受限空间作业票", "监护高峰,作业吴涛、孙丽")


def test_a_sentence_that_may_be_either_is_a_request_at_a_tap(plant):
    phone = plant.phone(APPLICANT).says("东边那根管子要电焊")
    phone.sees("这是要报隐患吗", buttons=["是,上报", "办作业票", "不是"])
    phone.taps("办作业票").sees("动火作业票:在哪里干")
    phone.says("P-102B").sees("什么时候干")
    assert of_applicant(plant)[4] == "东边那根管子要电焊"


def test_gas_told_beside_the_statements_is_no_number_of_one(plant):
    phone = asked_for_guardian(plant).says("郑凯").says("吴涛").says("还没测").sees("按现场核对")
    phone.says("动火点可燃2%LEL,氧6").taps("BX-01").sees("按现场核对")
    with plant.work(read_only=True) as work:
        (found,) = work.permits.of_person(work.people.by_name(APPLICANT)[0].id, limit=10)
        assert [value["value"] for test in found.gas_tests for value in test.values] == [2, 6]
        assert "jsa_done" not in found.facts


@pytest.mark.parametrize("said", ["第三条不对", "3", "第3条", "三"])
def test_what_does_not_hold_by_its_number(plant, said):
    asked_for_guardian(plant).says("郑凯").says("吴涛").says("还没测").sees("3. 作业危害分析已完成:是").says(said)
    with plant.work(read_only=True) as work:
        (found,) = work.permits.of_person(work.people.by_name(APPLICANT)[0].id, limit=10)
        assert found.facts["jsa_done"] is False


@pytest.mark.parametrize("said", ["2号阀门没关", "都不对", "3点以后才做"])
def test_other_words_with_numbers_answer_no_statement(plant, said):
    phone = asked_for_guardian(plant).says("郑凯").says("吴涛").says("还没测").sees("按现场核对")
    phone.says(said).sees("请点“都对”,或说不对的是第几条")


@pytest.mark.parametrize(
    ("said", "work"),
    [
        ("我想动个火", "动火"),
        ("申请一张动火票", "动火"),
        ("我们要进罐", "受限空间"),
        ("办张吊装票,明天上午8点到12点", "吊装"),
        ("我要办受限空间作业票", "受限空间"),
    ],
)
def test_a_wish_without_a_job_is_asked_for_place_and_job(plant, said, work):
    phone = plant.phone(APPLICANT).says(said).sees(f"{work}作业票:在哪里干")
    phone.says("V-206").sees("干什么?一句话说清")


@pytest.mark.parametrize(
    ("said", "work", "content"),
    [
        ("明天要上脚手架刷漆", "高处", "上脚手架刷漆"),
        ("下午准备去挖沟埋管", "动土", "去挖沟埋管"),
        ("3号泵房那边要接个临时电", "临时用电", "3号泵房那边要接个临时电"),
        ("要断路施工装管廊", "断路", "断路施工装管廊"),
    ],
)
def test_a_wish_with_a_job(plant, said, work, content):
    plant.phone(APPLICANT).says(said).sees(f"{work}作业票")
    assert of_applicant(plant)[4] == content


@pytest.mark.parametrize("said", ["P-102B现在能动火吗", "P-102B能不能动火", "3号泵房可以焊接吗?"])
def test_may_we_work_here_is_answered_by_a_judgement(plant, said):
    plant.phone(APPLICANT).says(said).sees("干什么?一句话说清", "动火作业票")


@pytest.mark.parametrize(
    "said",
    [
        "没办票就要动火了",
        "有人要动火,没监护人",
        "这里不要动火",
        "办动火票要多久",
        "要求高处作业系安全带",
        "他们准备动火,旁边管线在漏",
    ],
)
def test_who_complains_or_asks_begins_no_request(plant, said):
    plant.phone(APPLICANT).says(said)
    with plant.work(read_only=True) as work:
        assert not work.permits.of_person(work.people.by_name(APPLICANT)[0].id, limit=10)


@pytest.mark.parametrize("said", ["作业票怎么办", "怎么开动火票?", "我的动火批了没", "我的票到哪了"])
def test_how_and_where_my_permits_stand(plant, said):
    plant.phone(APPLICANT).says(said).sees("办哪种作业票")


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("今晚有动火吗", "今天的动火"),
        ("明天有哪些作业", "明天的作业票"),
        ("后天的吊装", "后天的吊装"),
        ("有没有人在3号泵房动火", "3号泵房正在作业的动火"),
        ("谁在动火", "正在作业的动火"),
    ],
)
def test_what_is_on_and_when(plant, said, title):
    plant.phone(APPLICANT).says(said).sees(f"{title}:没有")


def test_work_of_tomorrow_is_listed_for_tomorrow(plant):
    p.feed(plant)
    p.ask_for(plant, when="明天上午9点到11点", gas="")
    plant.phone(APPLICANT).says("明天的动火").sees("明天的动火:没有")  # a draft is nobody's business yet


def test_stopping_and_ending_in_other_words(plant):
    p.at_work(plant)
    plant.phone(WORKER).says("动火停一下").sees("ZY-0001 已叫停")


def test_the_end_in_other_words(plant):
    guardian = p.at_work(plant)
    guardian.says("动火结束了").sees("收工:请清理现场")


@walked
def for_tomorrow(plant, said="明天上午9点到11点"):
    p.feed(plant)
    return p.ask_for(plant, when=said, gas="")


def test_the_applicant_is_told_when_a_sample_counts(plant):
    phone = for_tomorrow(plant)
    title = next(i["card"]["title"] for i in reversed(phone.screen()) if i["card"]).split(" · ")[0]
    plant.forward(hours=23, minutes=29)
    phone.does_not_see("现在可以取样了")
    plant.forward(minutes=1)
    phone.sees(f"{title}09:00开始,现在可以取样了", buttons=["报气体", "改内容"])
    p.feed(plant)
    phone.taps("报气体", on="现在可以取样了").says("动火点可燃0.1%LEL,氧20.8").taps("BX-01")
    p.confirm_all(phone)
    phone.taps("提交审批").sees("已提交")
    assert plant.problems() == []


def test_an_answer_on_the_page_does_not_lose_the_reminder(plant):
    phone = for_tomorrow(plant)
    with plant.work() as work:
        (found,) = work.permits.of_person(work.people.by_name(APPLICANT)[0].id, limit=10)
        found.facts = {name: value for name, value in found.facts.items() if name != "jsa_done"}
        answered = from_page.answer_facts(work, found, by=found.applicant, answers={"jsa_done": "是"})
        assert answered.taken == ["jsa_done"]
        work.commit()
    plant.forward(hours=23, minutes=29)
    phone.does_not_see("现在可以取样了")
    plant.forward(minutes=1)
    phone.sees("现在可以取样了")


def test_a_request_that_was_moved_or_taken_back_is_not_reminded_of(plant):
    phone = for_tomorrow(plant)
    phone.says("改到后天上午9点到11点")
    plant.forward(hours=24)
    phone.does_not_see("现在可以取样了")
    phone.taps("撤回", on="动火")
    plant.forward(hours=24)
    phone.does_not_see("现在可以取样了")


# -- questions around a permit


@pytest.mark.parametrize(
    "said", ["谁能监护", "今天谁可以当动火监护人?", "动火监护人有哪些", "谁有空监护", "谁有监护证", "动火谁能监护"]
)
def test_who_may_guard_is_told_by_name(plant, said):
    seen = plant.phone(APPLICANT).says(said).sees("现在能监护动火的")
    seen.sees("郑凯,证到")


def test_who_guards_already_is_not_offered(plant):
    p.at_work(plant)
    asker = plant.phone(WORKER).says("谁能监护").sees("现在能监护动火的")
    asker.does_not_see(f"· {p.GUARDIAN}")


def test_who_may_guard_is_told_in_the_middle_of_a_request(plant):
    asked_for_guardian(plant).says("谁能监护").sees("现在能监护动火的").says("郑凯").sees("谁来干")
    assert of_applicant(plant)[0] == "郑凯"


def test_a_question_to_a_meter_or_for_a_place_is_answered_and_the_gas_test_goes_on(plant):
    p.feed(plant)
    asker = asked_for_guardian(plant).says("监护郑凯,吴涛干活").says("可燃0,氧20.8").sees("在哪个部位")
    asker.says("都对").sees("没听懂部位").says("GT-301多少").sees("不代替作业前的气体分析")
    asker.says("动火点周围").sees("用哪台检测仪").says("谁能监护").sees("现在能监护动火的").says("BX-01").sees("都对吗")


@pytest.mark.parametrize(
    ("said", "clause", "word"),
    [
        ("V-201罐内清理需要什么手续", "受限空间作业:至少由所在基层单位审批", "受限空间"),
        ("动火要办什么票", "特级动火作业:至少由主管领导审批", "动火"),
        ("进罐手续有哪些", "6.10", "受限空间"),
    ],
)
def test_what_it_takes_is_told_with_the_clause_and_how_to_ask(plant, said, clause, word):
    plant.phone(APPLICANT).says(said).sees(clause).sees(f"要办就说“{word}”")


@pytest.mark.parametrize("said", ["现场无人监护", "罐区没人监护"])
def test_work_without_a_guardian_is_a_report_and_no_question_after_rules(plant, said):
    plant.phone(WORKER).says(said).sees("现场照片")


@pytest.mark.parametrize("said", ["取消", "算了", "取消。"])
def test_there_is_nothing_to_call_off(plant, said):
    plant.phone(WORKER).says(said).sees("现在没有在填的内容")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("3号泵房动火点可燃12%LEL,氧20.8", [12, 20.8]),
        ("动火点1米内可燃12%LEL,氧20.8", [12, 20.8]),
        ("P-102B动火点8点30测的可燃0~15%LEL", [15]),
    ],
)
def test_numbers_of_places_are_no_gas_values(plant, said, kept):
    asked_for_guardian(plant).says("郑凯").says("吴涛").says(said).taps("BX-01").sees("按现场核对")
    assert gas_kept(plant) == kept


def gas_kept(plant) -> list[float]:
    with plant.work(read_only=True) as work:
        (found,) = work.permits.of_person(work.people.by_name(APPLICANT)[0].id, limit=10)
        return [value["value"] for test in found.gas_tests for value in test.values]


def test_numbers_that_cannot_be_told_apart_are_asked_again(plant):
    phone = asked_for_guardian(plant).says("郑凯").says("吴涛").says("动火点可燃0.1%LEL,12")
    phone.sees("数字没分清", "报一下气体分析").says("动火点可燃12%LEL,氧20.8").taps("BX-01")
    assert gas_kept(plant) == [12, 20.8]
