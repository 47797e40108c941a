"""`flask import-roster`: both shapes of a roster, Excel and CSV; wrong cells are named; what was there is replaced."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from openpyxl import Workbook

from rules.terms import Role
from tests.pictures import scene
from tests.plant import Plant


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def take(plant, tmp_path):
    def run(rows, code=0, name="roster.csv"):
        path = tmp_path / name
        if name.endswith("xlsx"):
            book = Workbook()
            for row in rows:
                book.active.append(row)
            book.save(path)
        else:
            path.write_text("\n".join(",".join(row) for row in rows), encoding="gb18030")
        result = plant.app.test_cli_runner().invoke(args=["import-roster", str(path)])
        assert result.exit_code == code, result.output
        return result.output

    return run


def lines(plant):
    with plant.work(read_only=True) as work:
        rows = work.roster.between(
            datetime.fromisoformat("2026-11-01T00:00+00:00"), datetime.fromisoformat("2027-02-01T00:00+00:00")
        )
        zone = plant.services.zone
        return [
            (r.person.name, r.role, r.area.code if r.area else "", f"{r.starts_at.astimezone(zone):%m-%d %H:%M}", f"{r.ends_at.astimezone(zone):%m-%d %H:%M}", r.shift)
            for r in rows
        ]  # fmt: skip


LIST = [
    ["日期", "班次", "角色", "区域", "值班人"],
    ["2026-11-24", "白班", "班组长", "JC", "李强"],
    ["11月24日", "夜班", "班组长", "甲醇罐区", "刘洋(liuyang)"],
    ["2026/11/25", "06:30-18:30", "安全员", "", "王芳;周敏"],
]


def test_one_line_a_duty(plant, take):
    assert "值班表:新增4,更新0,不变0,有问题0" in take(LIST)
    assert lines(plant) == [
        ("李强", "team_leader", "JC", "11-24 08:00", "11-24 20:00", "白班"),
        ("刘洋", "team_leader", "JC", "11-24 20:00", "11-25 08:00", "夜班"),
        ("王芳", "safety_officer", "", "11-25 06:30", "11-25 18:30", "06:30-18:30"),
        ("周敏", "safety_officer", "", "11-25 06:30", "11-25 18:30", "06:30-18:30"),
    ]
    assert "新增0,更新0,不变4" in take(LIST)
    assert len(lines(plant)) == 4


def test_a_new_file_replaces_the_days_it_speaks_of_and_leaves_the_others(plant, take):
    take(LIST)
    assert "新增1" in take([LIST[0], ["2026-11-24", "白班", "班组长", "JC", "高峰"]])
    assert [row[0] for row in lines(plant)] == ["高峰", "王芳", "周敏"]


@pytest.mark.parametrize("name", ["roster.xlsx", "roster.csv"])
def test_one_line_a_person_with_a_column_a_day(plant, take, name):
    rows = [
        ["2026年11月储运车间排班表", "", "", "", "", ""],
        ["姓名", "角色", "区域", "24日", "25日", "26日"],
        ["李强", "班组长", "JC", "白", "夜", "休"],
        ["高峰", "", "", "夜", "休", "白班"],
    ]
    assert "新增4" in take(rows, name=name)
    assert lines(plant) == [
        ("李强", "team_leader", "JC", "11-24 08:00", "11-24 20:00", "白班"),
        ("高峰", "team_leader", "", "11-24 20:00", "11-25 08:00", "夜班"),
        ("李强", "team_leader", "JC", "11-25 20:00", "11-26 08:00", "夜班"),
        ("高峰", "team_leader", "", "11-26 08:00", "11-26 20:00", "白班"),
    ]


def test_cells_of_a_spreadsheet(plant, take):
    day = datetime.fromisoformat("2026-11-24T00:00:00")
    take(
        [
            ["值班日期", "工号", "姓名", "岗位", "开始时间", "结束时间"],
            [day, "zhaojianguo", "赵建国", "分管领导", time(17, 30), time(8, 0)],
        ],
        name="r.xlsx",
    )
    assert lines(plant) == [("赵建国", "executive", "", "11-24 17:30", "11-25 08:00", "")]


def test_the_year_nearest_to_today_is_meant(plant, take):
    take([LIST[0], ["01-02", "全天", "安全员", "", "王芳"]])
    assert lines(plant)[0][3:5] == ("01-02 00:00", "01-03 00:00")


def test_shifts_of_the_policy_are_known(plant, take):
    with plant.work() as work:
        from rules import escalation

        work.policies.publish(escalation.DEFAULT | {"shifts": {"大夜": "00:00-08:00"}}, at=plant.now, by_id=None)
        work.commit()
    take([LIST[0], ["2026-11-24", "大夜", "安全员", "", "王芳"]])
    assert lines(plant)[0][3:] == ("11-24 00:00", "11-24 08:00", "大夜")


def test_wrong_lines_are_named_and_the_others_come_in(plant, take):
    bad = [
        ["昨天", "白班", "班组长", "JC", "李强"],
        ["2026-11-24", "大夜", "班组长", "JC", "李强"],
        ["2026-11-24", "白班", "老板", "JC", "李强"],
        ["2026-11-24", "白班", "班组长", "ZZ", "李强"],
        ["2026-11-24", "白班", "班组长", "JC", "王五"],
        ["2026-11-24", "白班", "班组长", "JC", ""],
        ["2026-11-24", "白班", "", "JC", "张伟"],
        LIST[1],
        LIST[1],
        ["2026-11-31", "白班", "班组长", "JC", "李强"],
        ["2026-11-24", "白班", "班组长", "JC", "李强(liuyang)"],
    ]
    said = take([LIST[0], *bad], code=1)
    assert "新增1" in said and "有问题10" in said
    for number, words in (
        (2, "日期“昨天”看不懂"), (3, "不认识班次“大夜”"), (4, "角色“老板”不认识"), (5, "没有区域“ZZ”"), (6, "没有“王五”"),
        (7, "缺少值班人"), (8, "张伟没有角色"), (10, "和上面某一行重复"), (11, "日期“2026-11-31”"), (12, "工号 liuyang 是刘洋"),
    ):  # fmt: skip
        assert f"第{number}行:{words}" in said, (number, said)


def test_a_table_of_something_else_is_refused_in_words(plant, take):
    assert "每行一个值班要有“日期”和“值班人”列" in take([["姓名", "手机"], ["李强", "139"]], code=1)


def test_the_imported_roster_decides_who_is_called(plant, take):
    take([LIST[0], ["2026-11-24", "白班", "车间主任", "JC", "何静"]])
    plant.phone("张伟").sends_photo(scene(1)).says("V-201 旁边地沟盖板缺失,踩空危险")
    assert plant.hazard("YH-0001").owner.name == "何静"


# -- questions


def test_who_is_on_duty(plant, take):
    zhang = plant.phone("张伟")
    zhang.says("谁值班").sees("现在值班", "安全员 王芳", "分管领导 赵建国")
    zhang.says("明天谁值班").sees("明天没有排班", "import-roster")
    plant.phone("赵建国").says("请假3天 陈刚代班")
    take([*LIST, ["11-24", "夜班", "班组长", "BF", "高峰"]])
    zhang.says("值班表").sees(
        "班组长 甲醇罐区 李强", "白班 11-24 08:00—11-24 20:00", "安全员 ⚠值班表上现在没有人", "分管领导 陈刚(代赵建国)"
    )
    zhang.says("夜班谁值班").sees("今天夜班值班", "刘洋", "高峰")
    zhang.says("3号泵房谁值班?").sees("今天3号泵房值班", "高峰")
    zhang.says("明天谁值班").sees("明天值班", "王芳", "周敏")
    zhang.says("后天谁值班").sees("后天没有排班")


def test_leave_between_dates_and_the_list_of_substitutes(plant):
    chen = plant.phone("陈刚")
    chen.says("请假11月28日到30日 李强代班").sees("已登记", "11-28 00:00到12-01 00:00", "由李强代班")
    plant.phone("李强").sees("陈刚请您代班", "可以替他确认")
    plant.phone("何静").says("请假2天")
    plant.phone("王芳").says("代班表").sees("陈刚 11-28 00:00—12-01 00:00 李强代班", "何静", "没有代班人")
    with plant.work(read_only=True) as work:
        assert work.roster.stand_in(work.people.by_name("陈刚")[0], plant.now).name == "陈刚"
    plant.now = plant.now.replace(day=29)
    with plant.work(read_only=True) as work:
        assert work.roster.stand_in(work.people.by_name("陈刚")[0], plant.now).name == "李强"


@pytest.mark.parametrize("words", ["请假13月1日到2日", "请假", "请假11月1日到2日 李强代班"])
def test_a_leave_that_cannot_be_is_explained(plant, words):
    plant.phone("陈刚").says(words).sees("请假3天 李强代班")


def test_roles_of_the_roster_end_with_the_shift(plant, take):
    from handlers import duty

    take([LIST[0], ["2026-11-24", "白班", "车间主任", "JC", "何静"]])
    with plant.work(read_only=True) as work:
        he, area = work.people.by_name("何静")[0], work.plant.area_by_code("JC")
        assert Role.WORKSHOP_DIRECTOR in duty.roles_of(work, work.people.get(he.id), area.id)
    plant.forward(hours=12)
    with plant.work(read_only=True) as work:
        assert Role.WORKSHOP_DIRECTOR not in duty.roles_of(work, work.people.get(he.id), area.id)
