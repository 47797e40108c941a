"""One plant with a hazard, a permit and experience cards, and every button of the bot in a state where it means something."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot import outbox
from cards.card import Card
from cards.permit import WATCH_UNTIL
from handlers import moments
from handlers.hazard import actions, filing
from handlers.knowledge import actions as knowledge
from handlers.permit.handover import HANDOVER_TO
from handlers.permit.measures import Evidence, measures_of
from handlers.roll_call import actions as roll_calls
from rules import escalation
from rules.terms import HazardState, Role
from storage.models import (
    HazardExtension,
    KnowledgeQuestion,
    KnowledgeUse,
    PermitApproval,
    RoleGrant,
)
from storage.unit_of_work import UnitOfWork
from tests import permits
from tests.pictures import scene
from tests.plant import Plant
from tests.security.trying import Button

HAZARD_ROLES = {
    "上报人": "张伟", "责任人": "吴涛", "班组长": "李强", "车间主任": "陈刚", "别的车间主任": "何静", "安全员": "王芳",
    "分管领导": "赵建国", "管理员": "孙丽", "其他工人": "黄梅",
}  # fmt: skip
PERMIT_ROLES = {
    "申请人": "马德顺", "监护人": "郑凯", "作业人": "吴涛", "班组长": "李强", "车间主任": "陈刚", "别的车间主任": "何静",
    "安全员": "王芳", "分管领导": "赵建国", "气体分析工": "林雪", "管理员": "孙丽", "其他工人": "黄梅",
}  # fmt: skip
CARD_ROLES = {
    "作者": "孙丽", "提问人": "黄梅", "老师傅": "马德顺", "安全员": "王芳", "管理员": "林雪", "其他工人": "张伟",
}  # fmt: skip

UNIT = 900_000  # id of the countersign in the scene


def build(plant: Plant) -> None:
    """The plant's things: hazard 1 (grade yellow, at the loading rack), permit 1 (hot work that runs), cards, a question."""
    with plant.work() as work:
        for name in ("孙丽", "林雪"):
            work.db.add(RoleGrant(person_id=work.people.by_name(name)[0].id, role=Role.ADMIN.value))
        work.commit()
    with plant.work() as work:  # before anything is searched, which brings the plant its first cards
        author, asker = work.people.by_name("孙丽")[0], work.people.by_name("黄梅")[0]
        for state in ("in_review", "published"):
            told = knowledge.new_draft(work, by=author, told="泵响")
            told.state, told.title, told.kind, told.cause = state, "泵体咔咔响", "pump", "轴承磨损"
            told.first_action, told.danger_sign = "停机测温", "冒烟"
            work.flush()
        for state in ("offered", "helped"):
            hits = [{"code": told.code, "score": 0.9, "confidence": "很像", "why": "声音"}]
            asked = KnowledgeQuestion(
                text="泵体咔咔响", asker=asker, asked_at=plant.now, platform="dingtalk", state=state, hits=hits
            )
            work.db.add(asked)
            work.flush()
        use = KnowledgeUse(question_id=asked.id, card_id=told.id, person_id=asker.id, helped=True, at=plant.now)
        work.db.add(use)
        work.commit()
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    permits.at_work(plant)
    with plant.work() as work:
        hazard = work.hazards.get(1)
        officer, owner = work.people.by_name("王芳")[0], work.people.by_name("吴涛")[0]
        actions.transfer(work, hazard, by=officer, to=owner, via="wecom")
        filing.open_draft(work, by=work.people.by_name("张伟")[0], at=plant.now)  # hazard 2
        work.policies.publish(escalation.DEFAULT, at=plant.now, by_id=None)  # version 1: open cases may be moved to it
        work.commit()


Scene = Callable[[UnitOfWork], None]


def hazard(state: HazardState, **values: Any) -> Scene:
    def make(work: UnitOfWork) -> None:
        row = work.hazards.get(1)
        row.state = state.value
        for name, value in values.items():
            setattr(row, name, value)
        if state in (HazardState.TO_ACCEPT, HazardState.CLOSED):
            row.rectified_by, row.submitted_at = row.owner, work.at

    return make


def asked_for_time(work: UnitOfWork) -> None:
    hazard(HazardState.RECTIFYING)(work)
    row = work.hazards.get(1)
    row.extensions.append(
        HazardExtension(
            hazard_id=1, by_id=row.owner_id, reason="等备件", measure="拉警戒线", asked_at=work.at,
            until=work.at + timedelta(days=9),
        )
    )  # fmt: skip


def permit(state: str, **values: Any) -> Scene:
    """The permit put back (or on) into a state, with what belongs to it still open."""

    def make(work: UnitOfWork) -> None:
        row = work.permits.get(1)
        row.state = state
        for name, value in values.items():
            setattr(row, name, value)
        if state in ("draft", "submitted"):
            row.approved_at = row.started_at = None
        if state == "submitted":
            for signature in row.approvals:
                if signature.kind == "approve":
                    signature.granted = signature.person = signature.decided_at = None
            row.approvals.append(
                PermitApproval(
                    id=UNIT, kind="countersign", step="x", wanted_role=Role.SAFETY_OFFICER.value, words="安全部门"
                )
            )
        if state == "approved":
            row.started_at = None
            work.permits.drop_approvals(row, "shift_leader", "start")
            for party in row.parties:
                party.briefed_at = party.checked_in_at = None

    return make


def open_measures(work: UnitOfWork) -> None:
    permit("approved")(work)
    for row in work.permits.get(1).approvals:
        if row.kind == "measure":
            row.granted = row.person = None


def ready_to_start(work: UnitOfWork) -> None:
    permit("approved")(work)
    row, leader = work.permits.get(1), work.people.by_name("李强")[0]
    row.approvals.append(PermitApproval(kind="shift_leader", step="shift_leader", person=leader, granted=True))
    for party in row.parties:
        party.briefed_at = party.checked_in_at = work.at


def called(work: UnitOfWork) -> None:
    permit("suspended", suspended_at=work.at, suspend_why=[])(work)
    for party in work.permits.get(1).parties:
        party.called_at, party.confirmed_at = work.at, None


def finished(work: UnitOfWork) -> None:
    permit("active", ended_at=work.at)(work)
    row = work.permits.get(1)
    row.facts = {**row.facts, "residual_fire_checked": True}


def watched(work: UnitOfWork) -> None:
    """The time of the fire watch is over."""
    permit("active", ended_at=work.at - timedelta(hours=3))(work)
    row = work.permits.get(1)
    row.facts = {**row.facts, WATCH_UNTIL: (work.at - timedelta(minutes=1)).isoformat(), "residual_fire_checked": False}


def handed_over(work: UnitOfWork) -> None:
    """The gas analyst was asked to relieve the guardian and has not read the items yet."""
    permit("active")(work)
    row = work.permits.get(1)
    row.facts = {**row.facts, HANDOVER_TO: work.people.by_name("林雪")[0].id}


def roll_call(work: UnitOfWork) -> None:
    """An evacuation of the loading rack and its people, started by the team leader."""
    people = [work.people.by_name(name)[0] for name in ("张伟", "黄梅", "李强")]
    area = next(a for a in work.plant.areas() if a.code == "ZX").id
    leader = work.people.by_name("李强")[0]
    roll_calls.start(work, people, kind="evacuation", area_id=area, why="演练", by=leader, via="dingtalk")


def charge(work: UnitOfWork) -> None:
    """The owner told what is to be charged and asked the team leader to check it too."""
    first, second = (work.people.by_name(name)[0].id for name in ("吴涛", "李强"))
    area = next(a for a in work.plant.areas() if a.code == "ZX").id
    data = {"micro": "MA-20", "where": "LA-402", "second": second}
    why = "LA-402 甲醇 批号1124-3"
    work.trail.add(moments.CASE, area, "charge_told", at=work.at, by_id=first, why=why, via="wecom", data=data)


def failed_delivery(work: UnitOfWork) -> None:
    outbox.post_card(
        work, "delivery:failed", Card(title="x", colour="red", state="open"), [], purpose="delivery.failed"
    )


def other_buttons(plant: Plant) -> list[Button]:
    with plant.work(read_only=True) as work:
        area = next(a for a in work.plant.areas() if a.code == "ZX").id
    sure = ("roll_call", "sure", {"area": area, "why": "演练"})
    return [
        Button(f"roll.start:{area}", nothing, talk=sure),
        Button("roll.no", nothing),
        Button("roll.safe:1", roll_call),
        Button("roll.help:1", roll_call),
        Button("roll.again:1", roll_call),
        Button("roll.end:1", roll_call),
        Button(f"moment.area:{area}", nothing, talk=(moments.FLOW, "place", {"kind": "卸车"})),
        Button(f"moment.agree:{area}.1", charge),
        Button(f"moment.differ:{area}.1", charge),
        Button("policy.move:1", nothing),
        Button("delivery.seen:delivery:failed", failed_delivery, done="已记下"),
    ]


def card(state: str) -> Scene:
    def make(work: UnitOfWork) -> None:
        row = work.knowledge.find(1)
        assert row is not None
        row.state = state

    return make


def nothing(work: UnitOfWork) -> None:
    return None


_A, _R, _T, _C = HazardState.ASSIGNED, HazardState.RECTIFYING, HazardState.TO_ACCEPT, HazardState.CLOSED


def hazard_buttons(plant: Plant) -> list[Button]:
    with plant.work(read_only=True) as work:
        area = next(a for a in work.plant.areas() if a.code == "ZX").id
        other = work.people.by_name("刘洋")[0].id
    return [
        Button(f"hazard.area:2.{area}", nothing),
        Button(f"hazard.where:1.{area}", hazard(_A, area=None, area_id=None)),
        Button("hazard.nophoto:2", nothing),
        Button("hazard.join:2.1", nothing),
        Button("hazard.separate:2", nothing),
        Button("hazard.withdraw:1", hazard(_A)),
        Button("hazard.correct:1", hazard(_A)),
        Button("hazard.more:1", hazard(_A)),
        Button("hazard.hide:1", hazard(_A)),
        Button("hazard.confirm:1", hazard(_A)),
        Button("hazard.start:1", hazard(_A)),
        Button("hazard.submit:1", hazard(_R)),
        Button("hazard.transfer:1", hazard(_A)),
        Button(f"hazard.give:1.{other}", hazard(_A)),
        Button("hazard.extend:1", hazard(_R)),
        Button("hazard.extendto:1.3", hazard(_R)),
        Button("hazard.grant:1", asked_for_time),
        Button("hazard.refuse:1", asked_for_time),
        Button("hazard.accept:1", hazard(_T)),
        Button("hazard.reject:1", hazard(_T)),
        Button("hazard.still:1", hazard(_C)),
        Button("hazard.thanks:1", hazard(_C)),
        Button("hazard.this:", nothing),
        Button("help.no:", nothing),
    ]


def permit_buttons(plant: Plant) -> list[Button]:
    with plant.work(read_only=True) as work:
        row = work.permits.get(1)
        area, guardian = row.area_id, work.people.by_name("高峰")[0].id
        worker = work.people.by_name("刘洋")[0].id
        measures = measures_of(row)
        plain = next(m.id for m in measures if m.na)
        ticked = next(m.id for m in measures if m.evidence is Evidence.TICK)
    gas = {
        "permit": 1,
        "values": [{"gas": "combustible", "value": 0.1, "unit": ""}],
        "then": "nothing",
        "gas_done": True,
    }
    group = {"permit": 1, "group": [["cross_work", False]], "then": "request", "gas_done": True, "guardian_done": True}
    fact = {"permit": 1, "fact": "cross_work", "then": "request", "gas_done": True, "guardian_done": True}
    draft = permit("draft")
    talk = "permit"
    return [
        Button("permit.this:", nothing),
        Button("permit.new:hot_work", nothing),
        Button("permit.more", nothing),
        Button(f"permit.area:1.{area}", draft),
        Button("permit.carry:1", draft),
        Button("permit.aside:1.hot_work", draft),
        Button("permit.when:1.4", draft),
        Button("permit.height:1.0", draft),
        Button(f"permit.guardian:1.{guardian}", draft),
        Button(f"permit.worker:1.{worker}", draft),
        Button("permit.nogas:1.request", draft, talk=(talk, "gas", {"permit": 1, "then": "request"})),
        Button("permit.allright:1", draft, talk=(talk, "group", group)),
        Button("permit.notall:1", draft, talk=(talk, "group", group)),
        Button("permit.wrong:1.1", draft, talk=(talk, "group", group)),
        Button("permit.answer:1.true", draft, talk=(talk, "answer", fact)),
        Button("permit.judge:1", draft),
        Button("permit.fix:1", draft),
        Button("permit.edit:1", draft),
        Button("permit.change:1.content", draft),
        Button("permit.submit:1", draft),
        Button("permit.drop:1", draft),
        Button("permit.approve:1", permit("submitted")),
        Button("permit.sign:1", permit("submitted")),
        Button(f"permit.signfor:1.{UNIT}", permit("submitted")),
        Button("permit.refuse:1", permit("submitted")),
        Button("permit.return:1", permit("submitted")),
        Button("permit.leader:1", permit("approved")),
        Button("permit.brief:1", permit("approved")),
        Button("permit.measures:1", open_measures),
        Button(f"permit.done:1.{ticked}", open_measures),
        Button(f"permit.na:1.{plain}", open_measures),
        Button("permit.briefed:1", permit("approved")),
        Button("permit.checkin:1", permit("approved")),
        Button("permit.start:1", ready_to_start),
        Button("permit.gas:1", permit("active")),
        Button("permit.unit:1.lel", permit("active"), talk=(talk, "unit", gas)),
        Button("permit.point:1.around", permit("active"), talk=(talk, "point", {**gas, "values": [{**gas["values"][0], "unit": "%LEL"}]})),
        Button("permit.meter:1.0", permit("active"), talk=(talk, "meter", {**gas, "values": [{**gas["values"][0], "unit": "%LEL"}]})),
        Button("permit.pause:1", permit("active")),
        Button("permit.stop:1", permit("active")),
        Button("permit.confirm:1", called),
        Button("permit.resume:1", permit("interrupted")),
        Button("permit.handover:1", permit("active")),
        Button(f"permit.give:1.{guardian}", permit("active")),
        Button("permit.finish:1", permit("active")),
        Button("permit.unfinish:1", finished),
        Button("permit.accept:1", finished),
        Button("permit.renew:1", permit("expired")),
        Button(f"permit.told:1.{ticked}.x", open_measures),
        Button("permit.know:1.x", handed_over),
        Button("permit.watched:1", watched),
    ]  # fmt: skip


def card_buttons(plant: Plant) -> list[Button]:
    review, draft, live = card("in_review"), card("draft"), card("published")
    return [
        Button("know.helped:1", live),
        Button("know.wrong:1", live),
        Button("know.ask:1", live),
        Button("know.this:", nothing),
        Button("know.report:", nothing),
        Button("know.fixed:1", live),
        Button("know.back:1", live),
        Button("know.answer:1", live),
        Button("know.submit:1", draft),
        Button("know.quiet:1", draft),
        Button("know.drop:1", draft),
        Button("know.approve:1", review),
        Button("know.reject:1", review),
        Button("know.fix:1", review),
        Button("know.merge:1", review, choice="2"),
    ]
