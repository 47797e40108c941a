"""Work under work at height: judged for both, told to those below, shown on their live card (8.2.8, 4.7)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handlers.permit import feel, judge, overhead
from rules.permit import Stage
from storage.models import Permit
from tests import permits as p
from tests.permits import APPLICANT, GUARDIAN, WORKER

LOWER, UPPER = "ZY-0001", "ZY-0900"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def height(plant, state: str, *, barrier: bool | None = None, **values) -> int:
    """Work at height 12 m over P-102B, straight into the database; its own talk is another test's."""
    told = {} if barrier is None else {"barrier": barrier}
    with plant.work() as work:
        lat, lon = p.spot(plant, "P-102B")
        made = Permit(created_at=work.at, suspend_why=[], next_due=[], parties=[], approvals=[], gas_tests=[])
        made.work, made.level, made.number, made.state, made.content = "work_at_height", "II", UPPER, state, "管架检修"
        made.area_id, made.lat, made.lon, made.height_m = work.plant.area_by_code("BF").id, lat, lon, 12.0
        made.generation, made.facts = 1, {"coordinator_id": "周敏", **told, **values}
        work.permits.add(made)
        work.commit()
        return made.id


def becomes(plant, permit_id: int, state: str) -> None:
    """The work above gets into this state; those around it are judged."""
    with plant.work() as work:
        upper = work.permits.get(permit_id)
        upper.state = state
        overhead.changed(work, upper)
        work.commit()
    plant.settle()


def lower(plant) -> Permit:
    with plant.work(read_only=True) as work:
        return work.permits.by_number(LOWER)


def judged(plant, number: str, stage: Stage) -> tuple[str, bool | None]:
    """(result of WH-007, whether the barrier is known)."""
    with plant.work(read_only=True) as work:
        found = judge.judge(work, work.permits.by_number(number), stage=stage)
    row = next((row for row in found.verdict.rules if row.id == "WH-007"), None)
    return row.result.value if row else "", found.gathered.facts.get("barrier")


@pytest.mark.parametrize(("barrier", "result"), [(None, "pending"), (False, "pending"), (True, "pass")])
def test_a_request_under_work_at_height_is_judged_by_its_barrier(plant, barrier, result):
    height(plant, "approved", barrier=barrier)
    p.feed(plant)
    phone = plant.phone(APPLICANT)
    for words in (
        "动火",
        "P-102B",
        "P-102B出口法兰电焊,离地1米",
        "现在干4小时",
        GUARDIAN,
        WORKER,
        "动火点可燃0.1%LEL,氧20.8",
    ):
        phone.says(words)
    phone.taps("BX-01")
    with plant.work(read_only=True) as work:
        draft = work.permits.draft_of(work.people.by_code("madeshun").id, since=plant.now - timedelta(days=1))
        found = judge.judge(work, draft)
    row = next(row for row in found.verdict.rules if row.id == "WH-007")
    assert row.result.value == result
    assert found.gathered.notes[0] == f"上方有作业 {UPPER}高处(高12m)"


def test_without_a_barrier_the_request_fails_with_clause_and_way_out(plant):
    height(plant, "approved")
    p.feed(plant)
    phone = p.ask_for(plant, what="P-102B出口法兰电焊,离地1米")
    phone.sees("注意:上方有作业", UPPER)  # everything was confirmed, the barrier too
    with plant.work() as work:
        draft = work.permits.draft_of(work.people.by_code("madeshun").id, since=plant.now - timedelta(days=1))
        assert draft.facts["barrier"] is True
        draft.facts = {**draft.facts, "barrier": False}
        work.commit()
    phone.taps("重新判定").sees("动火 · 不通过", "上下交叉作业未设安全防护层", "8.2.8")
    phone.sees("设安全防护层")


def test_on_the_ground_without_anything_above_nothing_is_asked(plant):
    p.feed(plant)
    p.ask_for(plant).sees("一级动火 · 通过")
    with plant.work(read_only=True) as work:
        draft = work.permits.draft_of(work.people.by_code("madeshun").id, since=plant.now - timedelta(days=1))
        assert "barrier" not in draft.facts and "stacked_work" not in draft.facts


@pytest.mark.parametrize(
    ("below", "above", "lower_result", "upper_result"),
    [
        (True, None, "pass", "pass"),  # told on one ticket, it holds for both
        (None, True, "pass", "pass"),
        (None, None, "pending", "pending"),
        (False, True, "fail", "pass"),  # whoever says no is not overruled
        (True, False, "pass", "fail"),
    ],
)
def test_one_barrier_lies_between_two_works(plant, below, above, lower_result, upper_result):
    height(plant, "active", barrier=above)
    with plant.work() as work:
        upper = work.permits.by_number(UPPER)
        under = Permit(created_at=work.at, suspend_why=[], next_due=[], parties=[], approvals=[], gas_tests=[])
        under.work, under.level, under.number, under.state, under.content = "hot_work", "l1", LOWER, "active", "电焊"
        under.area_id, under.lat, under.lon, under.height_m, under.generation = (
            upper.area_id,
            upper.lat,
            upper.lon,
            1.0,
            1,
        )
        under.facts = {} if below is None else {"barrier": below}
        work.permits.add(under)
        work.commit()
    assert judged(plant, LOWER, Stage.RUN)[0] == lower_result
    assert judged(plant, UPPER, Stage.RUN)[0] == upper_result


def test_those_below_see_the_work_above_begin_be_stopped_and_end(plant):
    guardian = p.at_work(plant)
    upper_id = height(plant, "approved", barrier=True)
    becomes(plant, upper_id, "approved")
    assert lower(plant).state == "active" and "above" not in lower(plant).facts  # nobody works there yet
    becomes(plant, upper_id, "active")
    assert lower(plant).state == "active"  # with a barrier both go on
    for name in (GUARDIAN, WORKER, APPLICANT):
        plant.phone(name).sees(LOWER, f"上方有作业 {UPPER}高处(高12m)")
        plant.phone(name).sees("不要站在正下方")
    with plant.work() as work:
        why = {"rule": "4.8", "clause": "4.8", "message": "脚手板松动", "resumes_when": "固定后"}
        feel.suspend(work, work.permits.get(upper_id), [why], by=None, via="clock")
        work.commit()
    plant.settle()
    for name in (GUARDIAN, WORKER):
        plant.phone(name).sees(f"上方 {UPPER}高处作业已叫停,先确认上面没有松动的工具、材料")
    guardian.taps("监护打卡", on=LOWER)
    card = next(
        item["card"]
        for item in reversed(plant.phone(WORKER).screen())
        if item["card"] and LOWER in item["card"]["title"]
    )
    assert f"上方 {UPPER}高处作业已叫停" in card["body"]  # it stays on the card when something else happens
    becomes(plant, upper_id, "closed")
    assert "above" not in lower(plant).facts
    assert plant.problems() == []


def test_work_above_without_a_barrier_stops_the_work_below_too(plant):
    p.at_work(plant)
    upper_id = height(plant, "approved")
    becomes(plant, upper_id, "active")
    found = lower(plant)
    assert found.state == "suspended"
    assert "WH-007" in {why["rule"] for why in found.suspend_why}
    assert UPPER in found.suspend_why[0]["message"]
    plant.phone(WORKER).sees("立即停止作业", "已设安全防护层", UPPER)
