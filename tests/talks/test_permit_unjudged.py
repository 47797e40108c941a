"""A judgement that breaks: never a pass, never in silence, and another writer in between is no reason to wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError

from handlers.permit import feel, judge
from jobs import permits
from storage.models import Permit
from tests import permits as p

pytestmark = pytest.mark.sqlite_suffices

NUMBER, ADMIN, OFFICER = "ZY-0001", "周敏", "周敏"


def permit(plant):
    with plant.work(read_only=True) as work:
        return work.permits.by_number(NUMBER)


def breaks(monkeypatch, error=RuntimeError("no such table")):
    """The rules cannot be asked; returns how often they were."""
    asked = []

    def broken(*_args, **_known):
        asked.append(1)
        raise error

    monkeypatch.setattr(judge, "judge", broken)
    return asked


def due_now(plant):
    with plant.work() as work:
        work.permit_queue.later(permit(plant).id, plant.now)
        work.commit()


def test_gas_beside_work_that_cannot_be_judged_stops_it_at_once(plant, monkeypatch):
    p.at_work(plant)
    breaks(monkeypatch)
    p.one(plant, 50)
    found = permit(plant)
    assert (found.state, [why["message"] for why in found.suspend_why]) == ("suspended", ["情况不明,系统无法判定"])
    for name in (p.APPLICANT, p.GUARDIAN, p.WORKER):
        plant.phone(name).sees("立即停止作业", NUMBER, "系统无法判定")
    plant.phone(ADMIN).sees(NUMBER, "程序出错", "发给维护人员")
    assert plant.phone(ADMIN).count(NUMBER, "程序出错") == 1


@pytest.mark.both_databases
def test_three_that_break_in_a_row_stop_the_work_and_it_goes_on_when_it_can_be_judged(plant, monkeypatch):
    guardian = p.at_work(plant)
    with monkeypatch.context() as broken:
        breaks(broken)
        due_now(plant)
        plant.settle()
        assert permit(plant).state == "active"  # one that breaks may be a moment's
        plant.forward(seconds=31)
        assert permit(plant).state == "active"
        plant.forward(seconds=31)
        assert permit(plant).state == "suspended"
        plant.forward(minutes=10)
        assert plant.phone(p.WORKER).count(f"{NUMBER} 立即停止作业", "无法判定", "请点卡片") == 1  # told once
        assert plant.phone(OFFICER).count(NUMBER, "程序出错") == 1
    for name in (p.APPLICANT, p.GUARDIAN, p.WORKER, p.APPROVER, p.LEADER):
        plant.phone(name).taps("确认停工", on=NUMBER)
    p.feed(plant, minutes=15)
    plant.forward(seconds=31)
    assert permit(plant).judge_failures == 0 and permit(plant).unjudged_since is None
    guardian.taps("监护打卡", on=NUMBER)
    guardian.taps("报气体", on=NUMBER).says("动火点可燃0.1%LEL").taps("BX-01")
    guardian.taps("恢复作业", on=NUMBER)
    assert permit(plant).state == "active", guardian._all_words()


def test_a_failure_that_passes_is_forgotten(plant, monkeypatch):
    p.at_work(plant)
    for _ in range(2):
        with monkeypatch.context() as broken:
            breaks(broken)
            due_now(plant)
            plant.settle()
            plant.forward(seconds=31)
        assert permit(plant).judge_failures == 2
        due_now(plant)
        plant.settle()
        assert (permit(plant).state, permit(plant).judge_failures) == ("active", 0)


@pytest.mark.parametrize("error", [StaleDataError("x"), OperationalError("x", {}, Exception("deadlock detected"))])
def test_another_writer_in_between_is_met_again_at_once(plant, monkeypatch, error):
    p.at_work(plant)
    really, met = feel.judge_again, []

    def judge_again(work, permit_id):
        if len(met) < 3:
            met.append(permit_id)
            raise error
        return really(work, permit_id)

    monkeypatch.setattr(feel, "judge_again", judge_again)
    due_now(plant)
    assert permits.judge_due(plant.services) == 1
    assert len(met) == 3
    assert permit(plant).judge_at > plant.now + timedelta(minutes=1)  # judged, not put off
    assert permit(plant).judge_failures == 0


def test_writers_who_never_leave_it_alone_are_an_unknown_too(plant, monkeypatch):
    p.at_work(plant)
    breaks(monkeypatch, StaleDataError("x"))
    due_now(plant)
    plant.settle()
    plant.forward(seconds=100)
    assert (permit(plant).state, permit(plant).judge_failures) == ("active", 0)
    plant.forward(seconds=40)
    assert permit(plant).state == "suspended"


def test_a_danger_that_comes_meanwhile_is_not_put_off(plant, monkeypatch):
    p.at_work(plant)
    due_now(plant)
    danger = plant.now - timedelta(days=30)

    def at_once(services, due):
        with services.new_work() as work:
            work.permit_queue.later(due.id, danger)
            work.commit()
        raise RuntimeError("it broke")

    with monkeypatch.context() as broken:
        broken.setattr(permits, "_at_once", at_once)
        with plant.work(read_only=True) as work:
            (due,) = work.permit_queue.due(plant.now)
        permits._judge(plant.services, due)
    assert (permit(plant).judge_at, permit(plant).judge_failures) == (danger, 1)


def test_when_even_the_stop_breaks_people_are_told_to_do_it(plant, monkeypatch):
    p.at_work(plant)
    breaks(monkeypatch)

    def broken(*_args, **_known):
        raise RuntimeError("broken")

    monkeypatch.setattr(feel, "suspend", broken)
    due_now(plant)
    plant.forward(minutes=5)
    assert permit(plant).state == "active"
    for name in (OFFICER, p.WORKER, p.GUARDIAN):
        assert plant.phone(name).count(NUMBER, "请马上人工叫停") == 1


def test_what_nobody_works_by_is_only_tried_again(plant, monkeypatch):
    p.at_work(plant)
    with plant.work() as work:
        found = work.db.get_one(Permit, permit(plant).id)
        feel.stop_by_hand(work, work.permits.get(found.id), by=work.people.by_name(p.WORKER)[0], why="异味", via="chat")
        work.commit()
    breaks(monkeypatch)
    due_now(plant)
    plant.forward(minutes=5)
    assert permit(plant).suspend_why[0]["rule"] == "4.8"
    plant.phone(ADMIN).does_not_see("程序出错")
