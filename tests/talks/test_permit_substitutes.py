"""Who signs a permit while its signer is away: who stands in with a post that is not lower, else the hole is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handlers.permit import cast, signing
from rules.terms import Role
from storage.models import Duty, PermitApproval
from tests import permits as p
from tests.plant import walked

NUMBER = "ZY-0001"
OFFICERS = ("周敏", "王芳")


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def away(plant, name, substitute=""):
    with plant.work() as work:
        person, others = work.people.by_name(name)[0], work.people.by_name(substitute) if substitute else []
        other = others[0] if others else None
        ends = work.at + timedelta(days=3)
        work.roster.add_leave(person, starts_at=work.at, ends_at=ends, substitute=other, at=work.at)
        work.commit()


@walked
def submit(plant):
    p.feed(plant)
    return p.hand_in(plant)


def asked(plant, purpose="permit.submitted"):
    """Names of those the request was sent to, beside those on the permit."""
    with plant.work(read_only=True) as work:
        permit = work.permits.by_number(NUMBER)
        on_it = {party.person_id for party in permit.parties}
        names = {person.id: person.name for person in work.people.everyone()}
        rows = [r for r in work.outbox.of_case("permit", permit.id) if r.purpose == purpose]
        return {names[row.person_id] for row in rows if row.person_id not in on_it}


def line_of(plant, action):
    with plant.work(read_only=True) as work:
        lines = work.trail.of("permit", work.permits.by_number(NUMBER).id)
        return next(line for line in reversed(lines) if line.action == action)


def id_of(plant, name):
    with plant.work(read_only=True) as work:
        return work.people.by_name(name)[0].id


def test_who_stands_in_with_a_post_that_is_not_lower_is_asked_and_signs(plant):
    away(plant, "周敏", "赵建国")
    away(plant, "王芳")
    submit(plant)
    assert asked(plant) == {"赵建国"}
    p.approve(plant, approver="赵建国").sees("已批准")
    assert line_of(plant, "approved").data["stands_in_for"] == [id_of(plant, "周敏")]


def test_nobody_gets_authority_by_standing_in_and_the_hole_is_told(plant):
    for officer in OFFICERS:
        away(plant, officer, "李强")
    applicant = submit(plant)
    assert asked(plant) == set()
    applicant.sees("ZY-0001 要安全管理部门签字,现在没有人可签", "可以签的还有:赵建国")
    plant.phone("李强").sees("ZY-0001", "代班人李强的岗位不够", "不得由更低一级的人代签")  # stands in as safety officer
    plant.phone("李强").says(NUMBER).taps("到现场审批", on=NUMBER).sees("由安全管理部门签")
    plant.phone("赵建国").says(NUMBER)
    p.approve(plant, approver="赵建国").sees("已批准")
    assert "stands_in_for" not in line_of(plant, "approved").data


def test_by_a_kept_roster_only_who_is_on_duty_is_asked(plant):
    with plant.work() as work:
        wang = work.people.by_name("王芳")[0]
        span = {"starts_at": work.at - timedelta(hours=1), "ends_at": work.at + timedelta(hours=7)}
        work.db.add(Duty(person_id=wang.id, role=Role.SAFETY_OFFICER.value, shift="白班", **span))
        work.commit()
    submit(plant)
    assert asked(plant) == {"王芳"}


def test_a_line_of_the_roster_makes_nobody_a_signer(plant):
    with plant.work() as work:
        li = work.people.by_name("李强")[0]
        span = {"starts_at": work.at - timedelta(hours=1), "ends_at": work.at + timedelta(hours=7)}
        work.db.add(Duty(person_id=li.id, role=Role.SAFETY_OFFICER.value, shift="白班", **span))
        work.commit()
    applicant = submit(plant)
    assert asked(plant) == set()
    applicant.sees("现在没有人可签", "周敏", "王芳")


def test_leave_that_begins_while_the_request_waits_asks_the_substitute(plant):
    away(plant, "王芳")
    applicant = submit(plant)
    assert asked(plant) == {"周敏"}
    plant.phone("周敏").says("请假3天 赵建国代班")
    plant.phone("赵建国").sees(NUMBER, "待审批")
    applicant.does_not_see("现在没有人可签")
    plant.phone("赵建国").says("请假1天")
    applicant.sees("现在没有人可签")


def test_without_a_shift_leader_the_director_checks_and_the_officer_hears_of_the_hole(plant):
    away(plant, "李强", "黄梅")  # a worker leads nobody
    submit(plant)
    p.approve(plant)
    plant.phone("王芳").sees("ZY-0001 待验票", "李强请假,代班人黄梅的岗位不够", "已请陈刚验票")
    assert "黄梅" not in asked(plant, "permit.approved")
    plant.phone("陈刚").taps("班长验票", on=NUMBER)
    assert line_of(plant, "leader_checked").by_id == id_of(plant, "陈刚")


def test_each_post_that_countersigns_is_asked_and_signs_in_any_order(plant):
    submit(plant)
    with plant.work() as work:
        permit = work.permits.by_number(NUMBER)
        for step, role in (("leader", Role.EXECUTIVE), ("unit", Role.WORKSHOP_DIRECTOR)):
            permit.approvals.append(PermitApproval(kind="countersign", step=step, wanted_role=role.value, words=step))
        work.flush()
        assert [person.name for person in cast.signers(work, permit, "countersign")] == ["赵建国", "陈刚"]
        chen, zhao = work.people.by_name("陈刚")[0], work.people.by_name("赵建国")[0]
        assert signing.countersign(work, permit, by=chen, via="chat") == "unit"
        assert signing.countersign(work, permit, by=zhao, via="chat") == "leader"
