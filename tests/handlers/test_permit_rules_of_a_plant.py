"""A plant's own permit rules: what is refused before it can be put in force."""

from __future__ import annotations

import json

import pytest

from handlers.permit import tables
from rules import escalation
from tests.plant import Plant


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"rules": {"HW-A03": {"max_vol": 0.6}}}, "只能从严"),
        ({"rules": {"HW-G09": {"enabled": False}}}, "标准规则不能停用"),
        ({"rules": {"HW-A03": {"result": "conditional"}}}, "不能把不通过改为有条件"),
        ({"settings": {"ticket_keep_days": 300}}, "保存天数少于规定"),
        ({"settings": {"nights": "22:00"}}, "不认识的设置"),
        ({"settings": {"night_start": "late"}}, "settings"),
        ({"setings": {}}, "不认识的设置"),
        ({"posts": {"safety_department": "team_leader"}}, "不得降低审批层级"),
        ({"posts": {"leader_in_charge": "safety_officer"}}, "不得降低审批层级"),
        ({"posts": {"local_unit": "boss"}}, "没有岗位 boss"),
        ({"posts": {"mayor": "executive"}}, "不在表B.1"),
        ({"posts": {"消防": "workshop_director"}}, "会签单位“消防”(所在单位专业部门)"),
        ({"posts": {"食堂": "executive"}}, "不在表B.1"),
        ({"settings": {"clock_skew_minutes": 600}}, "settings.clock_skew_minutes:须是 0 到 10 之间的数(现为 600)"),
        ({"settings": {"night_start": "03:00", "night_end": "03:01"}}, "夜间须包含 22:00–05:00"),
        ({"settings": {"hours_lifting": 1e12}}, "settings.hours_lifting"),
        ({"ranks": {"team_leader": 5}}, "不能提高"),
        ({"ranks": {"worker": 3}, "posts": {"safety_department": "worker"}}, "不能提高"),
        ({"ranks": {"executive": "high"}}, "须是整数"),
        ({"rules": {"HW-X99": {}}}, "没有规则 HW-X99"),
        ({"add": [{"id": "E-1", "when": "import os"}]}, "E-1"),
        ("strict", "应是一个对象"),
        ({"posts": ["executive"]}, "应是对象"),
    ],
)
def test_a_policy_that_weakens_or_cannot_be_read_is_refused(content, words):
    problems = tables.problems_of(content)
    assert len(problems) == 1
    assert words in problems[0]


def test_a_stricter_policy_is_taken():
    content = {
        "settings": {"fire_watch_minutes": 30, "guardian_cert_valid_months": 24},
        "rules": {"HW-A03": {"max_vol": 0.4}, "HW-A14": {"enabled": False}},
        "posts": {"local_unit": "safety_officer", "消防": "executive"},
        "add": [
            {
                "id": "E-001",
                "work": "hot_work",
                "facts": ["wind_force"],
                "when": "wind_force >= 4",
                "result": "fail",
                "message": "四级及以上大风,本厂不动火。",
                "clause": "企业规定",
            }
        ],
    }
    assert tables.problems_of(content) == []
    rules = tables.PlantRules(content)
    assert rules.table.param("HW-A03.max_vol") == 0.4
    assert rules.post("local_unit").value == "safety_officer"
    assert [rules.post_of_unit(unit).value for unit in ("消防", "水")] == ["executive", "safety_officer"]


def test_settings_in_force_from_before_the_bounds_are_brought_within_them(sqlite_url, redis_client, tmp_path):
    """Refusing them would leave the work that runs unjudged."""
    plant = Plant(sqlite_url, redis_client, tmp_path)
    old = {
        "clock_skew_minutes": 600, "hours_lifting": 1e12, "night_start": "03:00", "night_end": "03:01",
        "fire_watch_minutes": 30,
    }  # fmt: skip
    with plant.work() as work:
        work.policies.publish({**escalation.DEFAULT, "permit": {"settings": old}}, at=work.at, by_id=None)
        work.commit()
    with plant.work(read_only=True) as work:
        found = tables.rules_of(work).table.settings
    assert (found.clock_skew_minutes, found.hours_lifting, found.fire_watch_minutes) == (10, 168, 30)
    assert (found.night_start, found.night_end) == ("20:00", "06:00")
    plant.services.engine.dispose()


def test_the_command_refuses_the_one_and_puts_the_other_in_force(sqlite_url, redis_client, tmp_path):
    plant = Plant(sqlite_url, redis_client, tmp_path)
    file, cli = tmp_path / "policy.json", plant.app.test_cli_runner()

    def put(permit):
        file.write_text(json.dumps({**escalation.DEFAULT, "permit": permit}), encoding="utf-8")
        return cli.invoke(args=["policy", "set", str(file)])

    refused = put({"rules": {"HW-A03": {"max_vol": 0.6}}})
    assert refused.exit_code == 1
    assert "permit:HW-A03" in refused.output
    taken = put({"rules": {"HW-A03": {"max_vol": 0.4}}})
    assert taken.exit_code == 0, taken.output
    with plant.work(read_only=True) as work:
        assert tables.rules_of(work).table.param("HW-A03.max_vol") == 0.4
    plant.services.engine.dispose()
