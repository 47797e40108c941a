"""The other works, places and neighbours: confined space, plates near fire, height, lifting, digging; bad answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot import outbox
from handlers.permit import cast, signing
from tests import permits as p
from tests.permits import APPLICANT, GUARDIAN, WORKER
from tests.pictures import scene
from tests.plant import walked
from web.permit_sheet import sheet_of

NUMBER = "ZY-0001"


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    from tests.plant import Plant

    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


def permit(plant, number=NUMBER):
    with plant.work(read_only=True) as work:
        return work.permits.by_number(number)


def answer_all(phone, **values: str) -> None:
    """Confirm the groups; name the values that are asked for one by one."""
    for _ in range(30):
        shown = next(i for i in reversed(phone.screen()) if i["from"] != "me")
        title = shown["card"]["title"] if shown["card"] else (shown["text"] or "").splitlines()[0]
        if "按现场核对" in title:
            phone.taps("都对")
            continue
        word = next((key for key in values if key in title), None)
        if word is None:
            return
        phone.says(values[word])
    raise AssertionError("the questions never end")


@walked
def ask_for(
    plant, kind, where, what, *, guardian="高峰", workers=WORKER, when="现在干4小时", applicant=APPLICANT, **values
):
    phone = plant.phone(applicant)
    for words in (kind, where, what, when, guardian, workers):
        phone.says(words)
    answer_all(phone, **values)
    return phone


def test_a_confined_space_needs_oxygen_too(plant):
    phone = ask_for(plant, "受限空间", "V-206", "V-206清罐检查内壁", workers="孙丽")
    phone.says("中部可燃0.1%LEL").sees("还缺:氧、甲醇(ppm)")
    phone.says("没有有毒介质").sees("这里有甲醇,有职业接触限值").says("没有毒气检测仪").sees("没听出数值")
    phone.says("中部氧19.4,甲醇3ppm").taps("BX-01")
    answer_all(phone, 隔断方式="盲板")
    phone.sees("受限空间 · 不通过", "氧含量低于19.5%")
    phone.taps("报气体").says("中部可燃0.1%LEL,氧20.8,甲醇3ppm").taps("BX-01")
    answer_all(phone)
    phone.sees("受限空间 · 通过")


def test_the_point_of_the_sample_is_asked_and_the_worst_point_counts(plant):
    phone = ask_for(plant, "受限空间", "V-206", "V-206清罐检查内壁", workers="孙丽")
    phone.says("可燃0.1%LEL,氧20.8,甲醇3ppm").sees(
        "在哪个部位取的样", buttons=["上部", "中部", "下部", "入口", "上中下都测了"]
    )
    phone.says("上部氧20.5,下部氧19.2").taps("中部").taps("BX-01")
    answer_all(phone, 隔断方式="盲板")
    phone.sees("判定:不通过 · 受限空间", "氧含量 19.2")
    # a clean sample from elsewhere does not clean the bottom
    phone.taps("报气体").says("中部可燃0.1%LEL,氧20.8,甲醇3ppm").taps("BX-01").sees(
        "判定:不通过 · 受限空间", "氧含量 19.2"
    )
    phone.taps("报气体").says("底部可燃0.1%LEL,氧20.6,甲醇3ppm").taps("BX-01").sees("受限空间 · 通过")
    with plant.work(read_only=True) as work:
        draft = work.permits.draft_of(work.people.by_code("madeshun").id, since=plant.now - timedelta(days=1))
        assert [test.point for test in draft.gas_tests] == ["中部、上部、下部", "中部", "下部"]
        rows = sheet_of(work, draft, plant="演示厂", verify="v").gas
        assert [row.point for row in rows][:4] == ["中部", "中部", "上部", "下部"]
        assert {row.gas for row in rows} == {"可燃气体", "氧", "甲醇"}


def test_points_in_different_units_are_asked_again(plant):
    phone = ask_for(plant, "受限空间", "V-206", "V-206清罐检查内壁", workers="孙丽")
    phone.says("上部可燃1%LEL,下部可燃0.1%vol,氧20.8,甲醇3ppm").sees("请用同一个单位报")


def test_where_nothing_is_toxic_it_is_enough_to_say_so(plant):
    with plant.work() as work:
        work.plant.equipment_by_code("V-206").medium = "氮气"
        work.commit()
    phone = ask_for(plant, "受限空间", "V-206", "V-206清罐检查内壁", workers="孙丽")
    phone.says("中部可燃0.1%LEL,氧20.8").sees("还缺:有毒气体").says("没有毒气检测仪").sees("没听出数值")
    phone.says("没有有毒介质").taps("BX-01")
    with plant.work(read_only=True) as work:
        assert work.permits.get(1).facts["toxic_ratio"] == 0


def test_a_toxic_medium_over_its_limit_fails(plant):
    phone = ask_for(plant, "受限空间", "V-206", "V-206清罐检查内壁", workers="孙丽")
    phone.says("中部可燃0.1%LEL,氧20.8,甲醇30ppm").taps("BX-01")  # 40 mg/m³, the limit is 25
    answer_all(phone, 隔断方式="盲板")
    phone.sees("受限空间 · 不通过", "有毒")


def test_a_confined_space_from_request_to_work(plant):
    p.feed(plant, "GT-201")
    phone = ask_for(plant, "受限空间", "V-206", "V-206检查内壁", workers="孙丽")
    phone.says("可燃0.1%LEL,氧20.8").says("甲醇0").taps("上中下都测了").taps("BX-01")
    answer_all(phone, 隔断方式="盲板")
    phone.taps("提交审批")
    p.approve(plant, approver="陈刚", where="V-206")
    p.prepare(plant, guardian="高峰", workers=("孙丽",))
    guardian = plant.phone("高峰")
    guardian.taps("开始作业", on=NUMBER)
    answer_all(guardian, 照明电压="12")
    guardian.sends_photo(scene(5))
    assert permit(plant).state == "active"
    guardian.taps("收工", on=NUMBER).sees("清点人员", "孙丽;扳手2把").sends_photo(scene(6))
    guardian.sees("先用文字清点").says("孙丽出来;扳手2把、灯1盏带出").sees("拍一张入口").sends_photo(scene(6))
    plant.phone("李强").taps("验收关闭", on=NUMBER)
    assert permit(plant).state == "closed"


def test_a_plate_and_a_fire_within_thirty_metres_exclude_each_other(plant):
    p.at_work(plant)  # hot work at P-102B is active
    phone = ask_for(plant, "盲板抽堵", "P-101B", "P-101B入口加盲板", guardian="高峰", workers="孙丽")
    phone.sees("判定:不通过 · 盲板抽堵", "BP-002", "30m内有动火")
    phone.sees("附近有作业", NUMBER)


def test_painting_beside_fire_is_seen_from_the_other_ticket(plant):
    p.feed(plant)
    phone = ask_for(plant, "高处", "P-102A", "P-102A管架刷漆防腐", workers="孙丽", 作业高度="3", 风力="2")
    phone.sees("Ⅱ级高处")  # three metres, in a hazardous place (Table B.1 note 2)
    phone.taps("提交审批")
    p.approve(plant)
    fire = p.ask_for(plant, applicant="李强")
    fire.sees("离地多少米").says("0")
    p.confirm_all(fire)
    answer_all(fire, 协调人="周敏")
    fire.sees("不通过", "HW-C04")


def test_work_below_work_at_height_is_found(plant):
    p.feed(plant)
    lower = p.ask_for(plant, what="P-102B出口法兰电焊,离地1米")
    lower.taps("提交审批")
    p.approve(plant)
    upper = ask_for(
        plant, "高处", "P-102B", "P-102B上方管架检修", workers="孙丽", guardian="高峰", applicant="李强",
        作业高度="12", 风力="2", 协调人="周敏", 坠落高度="12",
    )  # fmt: skip
    upper.sees("下方有作业", NUMBER, "高1m")
    assert draft_of(plant, "liqiang").height_m == 12
    assert draft_of(plant, "liqiang").facts.get("barrier") is True  # asked, because the machine saw stacked work


def test_work_whose_height_nobody_told_is_on_the_ground(plant):
    p.feed(plant)
    p.hand_in(plant)
    p.approve(plant)
    upper = ask_for(
        plant, "高处", "P-102B", "P-102B上方管架检修", workers="孙丽", guardian="高峰", applicant="李强",
        作业高度="12", 风力="2", 协调人="周敏", 坠落高度="12",
    )  # fmt: skip
    upper.sees("下方有作业", NUMBER, "按地面")


def test_the_height_is_asked_only_beside_work_high_up(plant):
    p.feed(plant)
    upper = ask_for(
        plant, "高处", "P-102B", "P-102B上方管架检修", workers="孙丽", guardian="高峰", 作业高度="5", 风力="2"
    )
    upper.taps("提交审批")
    p.approve(plant)
    lower = p.ask_for(plant, applicant="李强")
    lower.sees("离地多少米").says("不知道").sees("没听懂高度").taps("地面")
    answer_all(lower, 协调人="周敏")
    lower.sees("上方有作业", NUMBER, "高5m")


def draft_of(plant, code):
    with plant.work(read_only=True) as work:
        return work.permits.draft_of(work.people.by_code(code).id, since=plant.now - timedelta(days=1))


def test_height_grades_itself(plant):
    phone = ask_for(plant, "高处", "T-101", "T-101平台检修", workers="孙丽", 作业高度="16", 风力="2")
    phone.sees("Ⅲ级高处")


def test_lifting_names_its_level_by_mass(plant):
    phone = ask_for(
        plant, "吊装", "C-101", "吊C-101转子", workers="孙丽", 吊物质量="8", 单机载荷="0.5", 风力="2", 方案="是"
    )
    phone.sees("三级吊装")


def test_digging_asks_for_the_drawing(plant):
    phone = ask_for(plant, "动土", "DL", "厂区开挖电缆沟", workers="孙丽")
    answer_all(phone, 挖掘深度="0.8", 地下隐蔽="是")
    phone.sees("动土 · ")


def test_a_fixed_hot_work_zone_needs_no_graded_permit(plant):
    from emulators.demo_plant import lon_lat

    lon, lat = lon_lat(230, 140)
    phone = plant.phone(APPLICANT)
    phone.says("动火").sends_location(lat, lon)
    phone.says("预制管段电焊").says("现在干4小时").says(GUARDIAN).says(WORKER).says("动火点可燃0").taps("BX-01")
    answer_all(phone, 可燃介质="天然气", 风力="2")
    phone.sees("动火 · 有条件", "固定动火区")


def test_inside_the_dike_it_is_special(plant):
    p.feed(plant, "GT-201")
    phone = p.ask_for(plant, where="V-206", what="V-206支架电焊", plan="否")
    phone.sees("特级动火 · 不通过", "作业方案").sees("HW-C17", "防火堤")


def test_a_point_of_the_phone_outside_the_plant(plant):
    phone = plant.phone(APPLICANT)
    phone.says("动火").sends_location(37.60, 118.70)
    phone.sees("不在厂区内")


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (["动火", "火星"], "没有找到这个区域或位号"),
        (["动火", "P-102B", "👍"], "没看懂"),
        (["动火", "P-102B", "P-102B出口法兰电焊", "随便"], "没听懂时间"),
        (["动火", "P-102B", "P-102B出口法兰电焊", "现在", "孙悟空"], "名册里没有“孙悟空”"),
        (["动火", "P-102B", "P-102B出口法兰电焊", "现在", GUARDIAN, "猪八戒"], "名册里没有“猪八戒”"),
        (["动火", "P-102B", "P-102B出口法兰电焊", "现在", GUARDIAN, WORKER, "正常"], "没听出数值"),
        (["动火", "P-102B", "P-102B出口法兰电焊", "现在", GUARDIAN, WORKER, "可燃-0.1%LEL"], "负数"),
        (["动火", "P-102B", "P-102B出口法兰电焊", "现在", GUARDIAN, WORKER, "氧208"], "超过100%"),
    ],
)
def test_answers_that_do_not_help_are_asked_again(plant, answers, words):
    phone = plant.phone(APPLICANT)
    for said in answers:
        phone.says(said)
    phone.sees(words)
    assert plant.problems() == []


def test_one_sentence_may_say_most_of_it(plant):
    p.feed(plant)
    phone = plant.phone(APPLICANT)
    phone.says("我要在P-102B出口法兰电焊,申请动火,现在干2小时").sees("谁监护")
    with plant.work(read_only=True) as work:
        draft = work.permits.draft_of(work.people.by_code("madeshun").id, since=plant.now - timedelta(days=1))
        assert (draft.equipment.code, draft.planned_end - draft.planned_start) == ("P-102B", timedelta(hours=2))


def test_another_kind_during_a_verdict_puts_the_request_aside(plant):
    p.feed(plant)
    phone = p.ask_for(plant, guardian="孙丽")
    phone.says("受限空间").sees("还没提交", "P-102B", buttons=["接着办这张", "放一边,办受限空间"])
    phone.taps("放一边").sees("受限空间作业票:在哪里干?")
    phone.says("V-206").says("V-206检查内壁")
    phone.says("作业票").sees("没提交的申请", "动火", "受限空间", buttons=["接着办1", "接着办2"])
    phone.taps("接着办2", on="没提交的申请").sees("一级动火 · 不通过")
    phone.says("受限空间").taps("接着办这张").sees("一级动火 · 不通过")
    assert plant.problems() == []


def test_a_whole_request_during_a_verdict_is_another_one(plant):
    p.feed(plant)
    phone = p.ask_for(plant)
    phone.says("申请动火,在P-102A出口法兰电焊,现在干2小时").taps("放一边,办动火").sees("谁监护?")
    newer = draft_of(plant, "madeshun")
    assert (newer.equipment.code, newer.state) == ("P-102A", "draft")
    with plant.work(read_only=True) as work:
        older = work.permits.get(newer.id - 1)
        assert (older.equipment.code, older.state, older.result) == ("P-102B", "draft", "pass")


def test_a_word_before_anything_was_told_changes_the_kind(plant):
    phone = plant.phone(APPLICANT)
    phone.says("动火").says("受限空间").sees("受限空间作业票:在哪里干?")
    assert draft_of(plant, "madeshun").work == "confined_space"


def test_cancel_puts_the_draft_away(plant):
    phone = plant.phone(APPLICANT)
    phone.says("动火").says("P-102B").says("取消").sees("没有提交")
    phone.says("作业票").does_not_see("P-102B(")


def test_a_change_of_the_guardian_before_submission(plant):
    p.feed(plant)
    phone = p.ask_for(plant, guardian="孙丽")
    phone.sees("不通过")
    phone.taps("改内容").taps("监护人").says(GUARDIAN)
    phone.sees("一级动火 · 通过")


def test_a_planned_start_later_needs_a_sample_within_its_half_hour(plant):
    p.feed(plant)
    phone = p.ask_for(plant, when="今天下午2点到5点")
    phone.sees("不通过", "HW-A02", "13:30 到 14:00 之间重新取样")


def test_a_renewal_is_a_new_permit(plant):
    p.at_work(plant, when="现在干1小时")
    p.running(plant, minutes=65)
    assert permit(plant).state == "expired"
    phone = plant.phone(APPLICANT)
    phone.taps("重新办票", on=NUMBER)
    phone.sees("什么时候干")
    phone.says("现在干2小时").says("动火点可燃0.1%LEL").taps("BX-01")
    p.confirm_all(phone)
    phone.sees("一级动火 · 通过").taps("提交审批")
    renewed = permit(plant, "ZY-0002")
    assert renewed.renewal_of_id == permit(plant).id


def test_two_permits_at_one_point_are_told(plant):
    p.feed(plant)
    p.hand_in(plant)
    p.approve(plant)
    second = p.ask_for(plant, applicant="李强", guardian="高峰", workers=WORKER)
    second.sees("交叉作业统一协调人").says("周敏")
    p.confirm_all(second)
    second.sees("附近有作业", NUMBER)


def test_a_guardian_already_guarding_is_refused(plant):
    p.feed(plant)
    p.hand_in(plant)
    p.approve(plant)
    phone = p.ask_for(plant, applicant="李强", where="P-101B", what="P-101B支架电焊")
    phone.sees("不通过", "G-005")


def test_a_lift_is_tried_and_filmed_and_everybody_can_see_it(plant):
    phone = ask_for(
        plant, "吊装", "C-101", "吊C-101转子", workers="孙丽", 吊物质量="8", 单机载荷="0.5", 风力="2", 方案="是"
    )
    with plant.work() as work:  # the verdict is another test's: here it is about what is asked before the lift
        draft = work.permits.draft_of(work.people.by_code("madeshun").id, since=plant.now - timedelta(days=1))
        draft.number, draft.state, draft.submitted_at = NUMBER, "approved", plant.now
        draft.facts = {**draft.facts, "outdoor": True}
        signing._list_measures(work, draft)
        card = work.permits.get(draft.id)
        cast.post(work, card, cast.everyone(card), purpose="permit.approved", last="", urgency=outbox.URGENT)
        work.commit()
    plant.settle()
    guardian = plant.phone("高峰")
    guardian.taps("确认措施", on=NUMBER)
    asked = p.confirm_measures(guardian)
    assert [title for title in asked if "试吊" in title or "吊耳" in title or "测风" in title]
    guardian.sees("措施已全部确认")
    found = plant.api().get(f"/api/v1/permits/{NUMBER}").get_json()
    rows = {row["micro"]: row for row in found["approvals"] if row["micro"]}
    assert {"MA-02", "MA-03", "MA-05", "MA-14"} <= set(rows)
    assert (rows["MA-14"]["evidence"], rows["MA-14"]["said"]) == ("value", "2级")
    film = plant.app.test_client().get(rows["MA-03"]["photo_url"].removeprefix("http://anshao.test"))
    assert (rows["MA-03"]["clause"], film.mimetype, film.data[4:8]) == ("9.2.9", "video/mp4", b"ftyp")
    part = plant.app.test_client().get(
        rows["MA-03"]["photo_url"].removeprefix("http://anshao.test"), headers={"Range": "bytes=4-7"}
    )
    assert (part.status_code, part.data) == (206, b"ftyp")
    assert phone.plant.problems() == []


def test_what_is_no_film_is_refused_with_a_reason(plant):
    phone = plant.phone(GUARDIAN)
    phone.sends_video(b"MZ" + b"\0" * 100)
    phone.sees("视频")
    assert phone.plant.problems() == []


def test_after_a_longer_break_at_height_weather_and_harness_are_asked_anew(plant):
    phone = ask_for(plant, "高处", "P-102A", "P-102A管架刷漆防腐", workers="孙丽", 作业高度="3", 风力="2")
    phone.taps("提交审批")
    p.approve(plant, approver="周敏", where="P-102A")
    plant.forward(minutes=1)
    p.prepare(plant, guardian="高峰", workers=("孙丽",))
    plant.forward(minutes=1)
    guardian = plant.phone("高峰")
    guardian.taps("开始作业", on=NUMBER)
    answer_all(guardian)
    guardian.sends_photo(scene(5))
    assert permit(plant).state == "active"
    guardian.taps("中断", on=NUMBER)
    plant.forward(minutes=61)
    guardian.taps("监护打卡", on=NUMBER).taps("恢复作业", on=NUMBER)
    answer_all(guardian, 风力="6")
    guardian.sees("还不能恢复", "五级及以上大风")
    assert permit(plant).state == "interrupted"
