"""A new policy: open cases keep theirs until somebody who may has seen what changes and presses once."""

from __future__ import annotations

import copy
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from handlers import policies
from jobs import policies as job
from rules import escalation
from storage.models import Hazard, LadderStep
from tests.pictures import scene
from tests.plant import Plant
from tests.web.conftest import Browser

LIGHT, ORANGE = "装卸台照明不足,灯坏一片", "V-201 旁边地沟盖板缺失,踩空危险"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


@pytest.fixture
def cli(plant):
    def run(*arguments, code=0, **kwargs):
        result = plant.app.test_cli_runner().invoke(args=["policy", *map(str, arguments)], **kwargs)
        assert result.exit_code == code, result.output
        plant.tick()
        return result.output

    return run


def quicker(content):
    """Orange: confirmed within an hour, rectified within two days."""
    plan = content["plans"][1]
    plan.update(confirm_minutes=60, rectify_hours=48)
    plan["ladders"]["confirm"][0]["after_minutes"] = 60
    return content


def write(tmp_path, content):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def report(plant, words=ORANGE, *, who="张伟", seed=1):
    plant.phone(who).sends_photo(scene(seed)).says(words)


def steps(plant, number="YH-0001"):
    with plant.work(read_only=True) as work:
        hazard = work.hazards.by_number(number)
        return work.ladder.of("hazard", hazard.id, generation=hazard.generation)


def test_a_press_on_the_card_moves_open_cases(plant, cli, tmp_path):
    report(plant)
    report(plant, LIGHT, who="林雪", seed=8)
    before = plant.hazard("YH-0001")
    said = cli("set", write(tmp_path, quicker(copy.deepcopy(escalation.DEFAULT))))
    assert "版本 1" in said and "2条在办按旧版本走,其中1条会变" in said
    zhou = plant.phone("周敏")
    zhou.sees("策略 v1 已生效", "2条在办", "1条", "确认时限:2小时 ⇒ 1小时", buttons=["改用新策略", "看全部变化"])
    assert plant.hazard("YH-0001").policy_version == 0
    zhou.taps("改用新策略").sees("正在改用策略 v1")
    plant.tick()
    zhou.sees("在办案件已改用策略 v1:2条").sees("策略 v1:在办案件已改用", "共2条")
    after = plant.hazard("YH-0001")
    assert (after.policy_version, after.plan["confirm_minutes"]) == (1, 60)
    assert after.due_at == before.due_at - timedelta(hours=24)
    assert after.confirm_due_at == before.confirm_due_at - timedelta(hours=1)
    plant.phone("陈刚").sees("YH-0001", "整改期限改为")
    plant.forward(hours=1, minutes=2)
    plant.phone("陈刚").sees("还没有人确认", "YH-0001")
    with plant.work(read_only=True) as work:
        assert list(work.trail.broken()) == []
        assert work.trail.of("hazard", after.id)[-2].action == "policy_moved"


def test_the_page_shows_what_changes_and_moves(plant, cli, tmp_path):
    report(plant)
    cli("set", write(tmp_path, quicker(copy.deepcopy(escalation.DEFAULT))))
    zhou = Browser(plant, "周敏")
    page = zhou.get("/h5/policy").text
    for words in (
        "升级策略 v1",
        "YH-0001",
        "确认时限:2小时 ⇒ 1小时",
        "整改期限 11-27 09:00 ⇒ 11-26 09:00",
        "1条在办案件改用 v1",
        "二级(橙)",
    ):
        assert words in page, words
    answer = zhou.post("/h5/policy/1/move", data={"csrf": zhou.csrf("/h5/policy")})
    assert "正在改用策略 v1" in zhou.get(answer.location).text
    plant.tick()
    assert plant.hazard("YH-0001").policy_version == 1
    page = zhou.get("/h5/policy").text
    assert "改用完成,共1条" in page and "没有按其他版本走的在办案件" in page


@pytest.mark.parametrize("who", ["张伟", "陈刚"])
def test_others_may_neither_see_nor_move(plant, cli, tmp_path, who):
    report(plant)
    cli("set", write(tmp_path, quicker(copy.deepcopy(escalation.DEFAULT))))
    other = Browser(plant, who)
    assert other.get("/h5/policy").status_code == 403
    answer = other.post("/h5/policy/1/move", data={"csrf": other.csrf("/h5/place")})
    assert answer.status_code == 303
    plant.tick()
    assert plant.hazard("YH-0001").policy_version == 0
    assert other.post("/h5/policy/1/move", data={}).status_code == 403


def test_the_executive_sees_it_but_has_no_button(plant, cli, tmp_path):
    report(plant)
    cli("set", write(tmp_path, quicker(copy.deepcopy(escalation.DEFAULT))))
    page = Browser(plant, "赵建国").get("/h5/policy").text
    assert "YH-0001" in page and "案件改用" not in page


def test_an_older_card_is_refused_once_a_newer_version_is_there(plant, cli, tmp_path):
    report(plant)
    cli("set", write(tmp_path, quicker(copy.deepcopy(escalation.DEFAULT))))
    cli("set", write(tmp_path, copy.deepcopy(escalation.DEFAULT)))
    with plant.work() as work, pytest.raises(Exception, match="已有更新的策略 v2"):
        policies.ask_move(work, 1, by=work.people.by_name("周敏")[0], via="wecom")


def test_what_was_told_is_not_told_again_and_what_is_over_comes_once(plant, cli, tmp_path):
    report(plant)
    plant.forward(hours=2, minutes=2)
    chen = plant.phone("陈刚")
    told = chen.count("还没有人确认")
    assert told == 1

    def move(content):
        cli("set", write(tmp_path, content))
        cli("move", "--yes")
        plant.tick()

    same = copy.deepcopy(escalation.DEFAULT)
    same["plans"][1]["accept_hours"] = 12
    move(same)
    assert chen.count("还没有人确认") == told
    assert [s.position for s in steps(plant) if s.ladder == "confirm" and s.taken_at] == [0]

    earlier = copy.deepcopy(same)
    earlier["plans"][1]["ladders"]["confirm"] = [
        {"after_minutes": 5, "notices": [{"to": "owner", "channels": ["app"]}]},
        {"after_minutes": 60, "notices": [{"to": "safety_officer", "channels": ["app"]}]},
        {"after_minutes": 90, "notices": [{"to": "executive", "channels": ["app"]}]},
        {"after_minutes": 600, "notices": [{"to": "admin", "channels": ["app"]}]},
    ]
    cli("set", write(tmp_path, earlier))
    assert "确认阶梯:马上通知分管领导" in cli("preview")
    cli("move", "--yes")
    plant.tick()
    plant.phone("赵建国").sees("还没有人确认", "YH-0001")
    plant.phone("王芳").does_not_see("还没有人确认")  # only the highest of those whose time is over
    assert plant.phone("赵建国").count("还没有人确认") == 1


def test_a_granted_extension_stays(plant, cli, tmp_path):
    report(plant)
    plant.phone("陈刚", "dingtalk").taps("申请延期", on="YH-0001").taps("3天").says("等备件").says(
        "已拉警戒线并盖板遮挡"
    )
    plant.phone("王芳").taps("同意延期", on="YH-0001")
    due = plant.hazard("YH-0001").due_at
    cli("set", write(tmp_path, quicker(copy.deepcopy(escalation.DEFAULT))))
    cli("move", "--yes")
    assert (plant.hazard("YH-0001").due_at, plant.hazard("YH-0001").policy_version) == (due, 1)


def test_a_closed_case_is_left_alone_and_one_that_fails_hinders_nobody(plant, cli, tmp_path, monkeypatch):
    report(plant)
    report(plant, LIGHT, who="林雪", seed=8)
    plant.phone("林雪").taps("撤回", on="YH-0002")
    report(plant, "V-204 旁边护栏缺损,栏杆断了", who="林雪", seed=5)
    cli("set", write(tmp_path, quicker(copy.deepcopy(escalation.DEFAULT))))
    move = policies.move

    def broken(work, hazard, row):
        if hazard.number == "YH-0001":
            raise RuntimeError("a bad row")
        return move(work, hazard, row)

    monkeypatch.setattr(policies, "move", broken)
    plant.phone("周敏").taps("改用新策略")
    plant.tick()
    assert [plant.hazard(f"YH-000{n}").policy_version for n in (1, 2, 3)] == [0, 0, 1]
    plant.phone("周敏").sees("1条", "有1条没有改成")
    monkeypatch.setattr(policies, "move", move)
    cli("move", "--yes")
    assert plant.hazard("YH-0001").policy_version == 1


@pytest.fixture
def either(database_url, redis_client, tmp_path):
    """A plant on each kind of database."""
    made = Plant(database_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


def test_two_schedulers_move_each_case_once(either):
    report(either)
    with either.work() as work:
        policies.publish(work, quicker(copy.deepcopy(escalation.DEFAULT)), by=None)
        work.flush()
        policies.ask_move(work, 1, by=None, via="cli")
        work.commit()
    assert job.move_due(either.services) == 1
    assert job.move_due(either.services) == 0
    with either.work(read_only=True) as work:
        rows = work.db.scalars(select(LadderStep).join(Hazard, Hazard.id == LadderStep.case_id)).all()
        assert (work.policies.version(1).moved_count, work.policies.open_by_version()) == (1, {1: 1})
    assert max(row.generation for row in rows) == 2


def test_the_commands(plant, cli, tmp_path):
    assert json.loads(cli("default")) == escalation.DEFAULT
    report(plant)
    bad = copy.deepcopy(escalation.DEFAULT)
    bad["plans"][0]["owner"] = "boss"
    bad["plans"].insert(0, copy.deepcopy(bad["plans"][1]) | {"when": {"grade": "orange", "area": "ZZ"}})
    said = cli("check", write(tmp_path, bad), code=1)
    assert "plans[1].owner:“boss”不是角色" in said and "plans[0].when.area:没有区域“ZZ”" in said
    assert "没有发布" in cli("set", write(tmp_path, bad), code=1)
    assert "没有可以改用的版本" in cli("move", code=1)
    assert "可以发布" in cli("check", write(tmp_path, escalation.DEFAULT))
    cli("set", write(tmp_path, quicker(copy.deepcopy(escalation.DEFAULT))))
    assert "1条在办案件按旧版本走,其中1条会变" in cli("preview")
    assert "Aborted" in cli("move", code=1, input="n\n")
    cli("move", input="y\n")
    assert "v1" in cli("list") and "在办1条" in cli("list")
    assert "都已按策略 v1 走" in cli("move", "--yes", code=1)
    (tmp_path / "no.json").write_text("{", encoding="utf-8")
    assert "不是 JSON" in cli("check", tmp_path / "no.json", code=1)


def test_the_case_shows_its_ladder_and_version(plant):
    report(plant)
    chen = plant.phone("陈刚", "dingtalk")
    chen.sees("没人确认时:2小时后催陈刚,4小时后告知安全员,8小时后告知分管领导").does_not_see("升级(")
    page = Browser(plant, "陈刚").get("/h5/hazards/YH-0001").text
    assert "升级阶梯" in page and "策略 v0" in page and "确认 11-24 11:00" in page
    plant.forward(hours=2, minutes=2)
    found = plant.api().get("/api/v1/hazards/YH-0001").get_json()
    assert (found["policy_version"], found["confirmed_at"]) == (0, None)
    first = found["ladder"][0]
    assert (first["ladder"], first["state"], first["notices"][0]["to"]) == ("confirm", "told", "owner")
    assert {rung["state"] for rung in found["ladder"]} == {"told", "waiting"}
    chen.taps("确认收到").sees("确认后没动作时:1天后催陈刚,1天8小时后告知安全员")
    chen.taps("开始整改").sees("没改完时:到期前1天提醒陈刚,到期时告知安全员,过期1天告知分管领导")
