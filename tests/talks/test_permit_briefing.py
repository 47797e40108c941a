"""The sheet names who gave the briefing only when somebody said so; boxes nobody answered stay empty for the pen."""

from __future__ import annotations

import pytest

from storage.models import PermitApproval
from tests import permits as p
from tests.permits import APPLICANT, GUARDIAN, LEADER, WORKER
from web.permit_sheet import sheet_of

NUMBER = "ZY-0001"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def sheet(plant):
    with plant.work(read_only=True) as work:
        return sheet_of(work, work.permits.by_number(NUMBER), plant="演示厂", verify="v")


def test_the_briefer_is_who_said_so(plant):
    p.feed(plant)
    p.hand_in(plant)
    p.approve(plant)
    plant.phone(GUARDIAN).taps("接受交底", on=NUMBER)
    assert (sheet(plant).briefer, sheet(plant).briefed) == ("", [GUARDIAN])
    plant.phone(WORKER).says(f"我来交底 {NUMBER}").sees("接受交底的人不能给自己交底")
    plant.phone("孙丽").says("我来交底").sees("现在没有要您交底的作业票")
    plant.phone(APPLICANT).says("我来交底").sees(f"{NUMBER} 已记下由您交底")
    plant.phone(APPLICANT).says(f"{NUMBER} 我来交底").sees("已记下由您交底")
    plant.phone(LEADER).says("我来给大家交底").sees("已记下由您交底")
    assert sheet(plant).briefer == f"{APPLICANT}、{LEADER}"
    given = {one.title: one.by for one in sheet(plant).opinions}
    assert given["动火审批人意见"] == p.APPROVER
    assert {"所在单位意见", "安全管理部门意见"}.isdisjoint(given)


@pytest.mark.parametrize(
    ("work", "box"),
    [
        ("digging", "有关水、电、汽、工艺、设备、消防、安全等部门会签意见"),
        ("road_closing", "消防、安全管理部门意见"),
    ],
)
def test_countersigns_stand_in_the_forms_own_box(plant, work, box):
    p.feed(plant)
    p.hand_in(plant)
    with plant.work() as uow:
        found = uow.permits.by_number(NUMBER)
        found.work = work
        for unit, name in (("水", "王芳"), ("消防", "周敏"), ("电", "")):
            person = uow.people.by_name(name)[0] if name else None
            found.approvals.append(
                PermitApproval(
                    kind="countersign", step=unit, words=unit, wanted_role="safety_officer", person=person,
                    granted=True if person else None, decided_at=uow.at if person else None,
                )
            )  # fmt: skip
        uow.commit()
    rows = [one for one in sheet(plant).opinions if one.title == box]
    assert [(one.words, one.by) for one in rows] == [("水 同意(王芳);消防 同意(周敏)", "王芳、周敏")]
    assert not [one.title for one in sheet(plant).opinions if one.title.endswith("会签")]
