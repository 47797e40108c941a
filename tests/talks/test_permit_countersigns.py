"""Countersigns and raised approvals: a unit a signature, the approver is somebody else, a hole is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handlers.permit import cast, holes
from rules import escalation
from rules.terms import Role
from storage.models import Permit
from tests import permits as p

NUMBER = "ZY-0001"
UNITS = ["水", "电", "汽", "工艺", "设备", "消防", "安全管理等有关单位"]


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def permit(plant):
    with plant.work(read_only=True) as work:
        return work.permits.by_number(NUMBER)


def set_rules(plant, **permit_rules) -> None:
    with plant.work() as work:
        work.policies.publish({**escalation.DEFAULT, "permit": permit_rules}, at=work.at, by_id=None)
        work.commit()


def submitted(plant, kind: str, level: str = "", *, raised: bool = False) -> None:
    """A request that waits for its signatures, straight into the database."""
    with plant.work() as work:
        lat, lon = p.spot(plant, "P-102B")
        made = work.permits.add(
            Permit(
                created_at=work.at, submitted_at=work.at, suspend_why=[], next_due=[], parties=[], approvals=[],
                gas_tests=[], generation=1, area_id=work.plant.area_by_code("BF").id, lat=lat, lon=lon, number=NUMBER,
                work=kind, level=level, state="submitted", facts={}, planned_start=work.at,
                planned_end=work.at + timedelta(hours=2), applicant_id=work.people.by_code("madeshun").id,
            )
        )  # fmt: skip
        cast.plan_approvals(work, made, raised=raised)
        work.flush()
        asked = [*cast.signers(work, made, "countersign"), *cast.signers(work, made, "approve")]
        cast.post(work, made, asked, purpose="permit.submitted", last="")
        holes.tell_unsigned(work, made)
        work.commit()
    plant.settle()


def signed(plant) -> dict[str, str]:
    return {row.words: row.person.name for row in permit(plant).approvals if row.kind == "countersign" and row.granted}


def test_a_countersign_is_for_one_unit_and_who_gave_it_does_not_approve(plant):
    submitted(plant, "digging")
    zhou, wang = plant.phone("周敏"), plant.phone("王芳")
    zhou.taps("会签", on=NUMBER).sees("您代表哪个单位会签", buttons=UNITS[:6])
    assert signed(plant) == {}
    zhou.taps("消防").sees("已会签:消防。")
    assert signed(plant) == {"消防": "周敏"}
    zhou.taps("到现场审批", on=NUMBER).sees("您已为“消防”签字", "不能是同一个人(表B.1)")
    wang.taps("会签", on=NUMBER).taps("水").sees("已会签:水。")
    # both have countersigned: of their post nobody is left to approve, and that is told with who may
    wang.sees("要所在单位专业部门签字,现在没有人可签", "已为别的单位会签,不能再审批", "赵建国")
    assert signed(plant) == {"消防": "周敏", "水": "王芳"}


def test_a_unit_goes_to_its_own_post(plant):
    set_rules(plant, posts={"消防": "executive"})
    submitted(plant, "road_closing")
    rows = {row.words: row.wanted_role for row in permit(plant).approvals if row.kind == "countersign"}
    assert rows == {"消防": Role.EXECUTIVE.value, "安全管理部门等有关单位": Role.SAFETY_OFFICER.value}
    plant.phone("周敏").taps("会签", on=NUMBER).sees("已会签:安全管理部门等有关单位。")
    plant.phone("周敏").taps("会签", on=NUMBER).sees("这一步由消防签")
    plant.phone("赵建国").taps("会签", on=NUMBER).sees("已会签:消防。")
    assert signed(plant) == {"安全管理部门等有关单位": "周敏", "消防": "赵建国"}


def test_the_supplier_of_power_countersigns_and_approves_what_is_one_units(plant):
    set_rules(plant, posts={"power_supplier": "executive"})
    submitted(plant, "temp_power")
    plant.phone("赵建国").taps("会签", on=NUMBER).sees("已会签:配送电单位。")
    with plant.work(read_only=True) as work:
        found = work.permits.by_number(NUMBER)
        zhao = work.people.by_name("赵建国")[0]
        assert cast.may_sign(work, found, zhao, cast.open_signature(found, "approve"))


def test_special_hot_work_raised_needs_two_people_where_one_post_stands_for_both(plant):
    submitted(plant, "hot_work", "special", raised=True)
    rows = [(row.kind, row.words) for row in permit(plant).approvals]
    assert rows == [("approve", "企业主要负责人(上一级审批)"), ("countersign", "主管领导")]
    plant.phone("王芳").sees("要企业主要负责人(上一级审批)签字,现在没有人可签", "赵建国要为别的单位会签")
    plant.phone("赵建国").taps("会签", on=NUMBER).sees("已会签:主管领导。")
    plant.phone("赵建国").taps("到现场审批", on=NUMBER).sees("您已为“主管领导”签字")
    assert permit(plant).state == "submitted"


def test_level_two_raised_by_approver_goes_to_the_safety_department(plant):
    set_rules(plant, settings={"upgrade_manner": "approver"})
    submitted(plant, "hot_work", "l2", raised=True)
    assert [(row.kind, row.step) for row in permit(plant).approvals] == [("approve", "safety_department")]
