"""A leave that begins: whoever is asked and is away now is replaced, entered days ahead or at once; nobody waits in vain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs import away
from rules.terms import Role
from storage.models import Duty
from tests import permits as p
from tests.pictures import scene

NUMBER, PERMIT = "YH-0001", "ZY-0001"
ORANGE = "1号甲醇储罐V-201旁边地沟盖板没了,踩空危险"
YELLOW = "装卸台照明不足,灯坏一片"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def leave(plant, name, substitute="", *, after=timedelta(hours=1), days=2):
    """Entered now, for later."""
    with plant.work() as work:
        person = work.people.by_name(name)[0]
        other = work.people.by_name(substitute)[0] if substitute else None
        starts = work.at + after
        work.roster.add_leave(
            person, starts_at=starts, ends_at=starts + timedelta(days=days), substitute=other, at=work.at
        )
        work.commit()


def begins(plant, **span):
    plant.now += timedelta(**(span or {"hours": 1}))
    away.hand_over(plant.services)
    plant.settle()


def report(plant, words=ORANGE):
    plant.phone("张伟").sends_photo(scene(1)).says(words)
    return plant.hazard(NUMBER).owner.name


def rows(plant, purpose, *, case=("hazard", 1)):
    with plant.work(read_only=True) as work:
        names = {person.id: person.name for person in work.people.everyone()}
        return {(names.get(r.person_id, ""), r.what) for r in work.outbox.of_case(*case) if r.purpose == purpose}


def test_the_owners_hazard_goes_to_who_stands_in_when_the_leave_begins(plant):
    owner = report(plant)
    leave(plant, owner, "何静")
    begins(plant, minutes=59)
    plant.phone("何静").does_not_see(NUMBER)
    begins(plant, minutes=1)
    plant.phone("何静").sees(f"{owner}请假", "请您代管", NUMBER).taps("开始整改", on=NUMBER)
    assert plant.hazard(NUMBER).state == "rectifying"
    said = plant.phone("何静").count("请您代管")
    begins(plant, minutes=30)
    assert plant.phone("何静").count("请您代管") == said == 1
    with plant.work(read_only=True) as work:
        line = next(x for x in work.trail.of("hazard", 1) if x.action == "handed_over")
        assert line.why == f"{owner}请假,何静代{owner}"


def test_when_who_stands_in_leaves_too_the_next_one_gets_it(plant):
    owner = report(plant)
    leave(plant, owner, "何静")
    leave(plant, "何静", "周敏", after=timedelta(hours=2))
    begins(plant)
    plant.phone("周敏").does_not_see("请您代管")
    begins(plant)
    plant.phone("周敏").sees(f"{owner}请假", "请您代管", NUMBER)


def test_without_anybody_to_stand_in_an_unconfirmed_hazard_climbs_at_once(plant):
    owner = report(plant)
    leave(plant, owner, after=timedelta(minutes=5))
    begins(plant, minutes=5)
    plant.tick()
    plant.phone("王芳").sees(NUMBER, "没有在岗的人,已直接通知下一级")
    with plant.work(read_only=True) as work:
        steps = [s for s in work.ladder.of("hazard", 1, generation=1) if s.ladder == "confirm"]
        assert steps[0].taken_at is not None


def test_without_anybody_to_stand_in_the_hole_of_a_confirmed_hazard_is_told(plant):
    owner = report(plant)
    plant.phone(owner).says(NUMBER).taps("开始整改", on=NUMBER)
    leave(plant, owner)
    begins(plant)
    plant.phone("王芳").sees(NUMBER, f"责任人{owner}请假", "请转派或安排代班")


def test_a_low_grade_waits_for_working_hours(plant):
    owner = report(plant, YELLOW)
    leave(plant, owner, "何静", after=timedelta(hours=15))  # from midnight on
    begins(plant, hours=15)
    plant.phone("何静").does_not_see(NUMBER)
    plant.forward(hours=9)
    plant.phone("何静").sees(f"{owner}请假", NUMBER)


def test_an_acceptance_is_asked_of_somebody_else(plant):
    owner = report(plant)
    chief = plant.phone(owner)
    chief.says(NUMBER).taps("开始整改", on=NUMBER)
    plant.forward(minutes=30)
    chief.sends_photo(scene(1, mended=True)).says("盖板已复位并固定")
    assert plant.hazard(NUMBER).state == "to_accept"
    asked = {name for name, _ in rows(plant, "hazard.accept")}
    assert asked
    for officer in ("王芳", "周敏"):
        leave(plant, officer, "何静" if officer == "王芳" else "")
    begins(plant)
    plant.phone("何静").sees("王芳请假", "待验收", NUMBER).taps("验收通过", on=NUMBER)
    assert plant.hazard(NUMBER).state == "closed"


def test_a_request_is_signed_by_who_stands_in_and_the_hole_is_told_when_nobody_does(plant):
    p.feed(plant)
    applicant = p.hand_in(plant)
    leave(plant, "王芳", after=timedelta(minutes=10))
    leave(plant, "周敏", "赵建国", after=timedelta(minutes=20))
    leave(plant, "赵建国", after=timedelta(minutes=30))
    begins(plant, minutes=10)
    plant.phone("赵建国").does_not_see(PERMIT)
    begins(plant, minutes=10)
    plant.phone("赵建国").sees(PERMIT, "待审批")
    applicant.does_not_see("现在没有人可签")
    begins(plant, minutes=10)
    applicant.sees("现在没有人可签")


def test_who_signs_is_asked_when_the_leave_is_over(plant):
    for officer in ("王芳", "周敏"):
        leave(plant, officer, after=timedelta(), days=1)
    begins(plant, seconds=1)
    p.feed(plant)
    p.hand_in(plant).sees("现在没有人可签")
    plant.phone("周敏").does_not_see(PERMIT, "待审批")
    begins(plant, days=1)
    plant.phone("周敏").sees(PERMIT, "待审批")


def test_the_shift_leaders_look_is_asked_of_the_director(plant):
    p.feed(plant)
    p.hand_in(plant)
    p.approve(plant)
    plant.phone("陈刚").does_not_see(PERMIT)
    leave(plant, "李强", after=timedelta(minutes=5))
    begins(plant, minutes=5)
    plant.phone("王芳").sees(f"{PERMIT} 待验票", "李强请假")
    plant.phone("陈刚").taps("班长验票", on=PERMIT)


def on_duty(plant, name, *, hours):
    with plant.work() as work:
        person = work.people.by_name(name)[0]
        begins, ends = (work.at + timedelta(hours=hour) for hour in hours)
        work.db.add(Duty(person_id=person.id, role=Role.SAFETY_OFFICER.value, starts_at=begins, ends_at=ends))
        work.commit()


def shifts_change(plant, **span):
    plant.now += timedelta(**span)
    away.change_shift(plant.services)
    plant.settle()


def test_the_next_shift_is_asked_to_sign_what_the_last_one_did_not(plant):
    on_duty(plant, "王芳", hours=(-4, 1))
    on_duty(plant, "周敏", hours=(1, 2))
    p.feed(plant)
    applicant = p.hand_in(plant)
    shifts_change(plant, minutes=30)
    plant.phone("周敏").does_not_see(PERMIT)
    shifts_change(plant, minutes=31)
    plant.phone("周敏").sees(PERMIT, "待审批")
    shifts_change(plant, seconds=20)
    assert len([r for r in rows(plant, "permit.submitted", case=("permit", 1)) if r[0] == "周敏"]) == 1
    applicant.does_not_see("现在没有人可签")
    shifts_change(plant, hours=1)  # and nobody after that
    applicant.sees("现在没有人可签")


def test_the_next_shift_is_asked_by_a_scheduler_that_was_away_at_the_change(plant):
    on_duty(plant, "王芳", hours=(-4, 1))
    on_duty(plant, "周敏", hours=(1, 8))
    p.feed(plant)
    p.hand_in(plant)
    shifts_change(plant, minutes=30)
    shifts_change(plant, hours=2)  # nothing ran for an hour and a half
    plant.phone("周敏").sees(PERMIT, "待审批")


def test_a_shift_that_could_not_be_asked_is_asked_again(plant, monkeypatch):
    on_duty(plant, "王芳", hours=(-4, 1))
    on_duty(plant, "周敏", hours=(1, 8))
    p.feed(plant)
    p.hand_in(plant)
    with monkeypatch.context() as broken:
        broken.setattr(away.holes, "ask_about", lambda work, permit_id: 1 / 0)
        shifts_change(plant, minutes=61)
    plant.phone("周敏").does_not_see(PERMIT, "待审批")
    shifts_change(plant, seconds=20)
    plant.phone("周敏").sees(PERMIT, "待审批")


def test_work_whose_guardian_leaves_is_judged_at_once(plant):
    p.at_work(plant)
    leave(plant, p.GUARDIAN, after=timedelta(minutes=2))
    begins(plant, minutes=2)
    with plant.work(read_only=True) as work:
        assert work.permits.by_number(PERMIT).state == "suspended"


def test_one_case_that_cannot_be_seen_to_keeps_nobody_from_the_others(plant, monkeypatch):
    owner = report(plant)
    p.feed(plant)
    p.hand_in(plant)
    leave(plant, owner, "何静")
    real, broken = away.holes.ask_about, [True]

    def ask_about(work, permit_id):
        if broken:
            raise RuntimeError("poison")
        real(work, permit_id)

    monkeypatch.setattr(away.holes, "ask_about", ask_about)
    begins(plant)
    plant.phone("何静").sees("请您代管", NUMBER)
    with plant.work(read_only=True) as work:
        assert len(work.roster.to_feel(work.at)) == 1  # tried again
    broken.clear()
    begins(plant, seconds=1)
    with plant.work(read_only=True) as work:
        assert not work.roster.to_feel(work.at)
    assert plant.phone("何静").count("请您代管") == 1


def test_a_leave_that_was_called_off_before_it_began_changes_nothing(plant):
    owner = report(plant)
    leave(plant, owner, "何静")
    with plant.work() as work:
        work.roster.end_leave(work.people.by_name(owner)[0], at=work.at)
        work.commit()
    begins(plant, hours=1)
    plant.phone("何静").does_not_see("请您代管")
