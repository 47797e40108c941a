"""What every action does: check the rule, leave a line in the trail, tell people, keep the ladders right."""

from __future__ import annotations

from bot import outbox
from cards import hazard as cards
from cards.words import local
from handlers import duty
from handlers.hazard import dispatch
from rules import hazard as rules
from rules.errors import RuleBroken
from rules.escalation import LADDERS
from rules.hazard import Action, Relation
from rules.terms import Grade, HazardState, Role
from storage.models import Hazard, Person
from storage.unit_of_work import UnitOfWork

VERB_ZH = {
    "filed": "上报",
    "assigned": "派单",
    "confirmed": "确认收到",
    "transferred": "转派",
    "started": "开始整改",
    "submitted": "提交整改",
    "accepted": "验收通过",
    "rejected": "退回",
    "extension_asked": "申请延期",
    "extension_granted": "同意延期",
    "extension_refused": "不同意延期",
    "reopened": "反映“还在”",
    "withdrawn": "撤回",
    "merged": "合并",
    "graded": "调整定级",
    "corrected": "更正描述",
    "photo_added": "补充照片",
    "words_added": "补充情况",
    "place_added": "补充位置",
    "hidden": "改为匿名",
    "joined": "加入",
    "escalated": "系统升级提醒",
    "handed_over": "因不在岗转交",
    "alarmed_again": "终端再次报警",
    "terminal_silent": "终端又没有消息",
    "terminal_back": "终端恢复",
    "policy_moved": "改用新策略",
    "major_decided": "核定",
    "treatment_written": "写五落实",
    "evaluated": "写治理评估",
}


HELD_BY_ROLE = {
    Role.SAFETY_OFFICER: {Relation.SAFETY_OFFICER},
    Role.EXECUTIVE: {Relation.EXECUTIVE, Relation.DISPATCHER},
    Role.WORKSHOP_DIRECTOR: {Relation.DISPATCHER},
}


LADDER_PURPOSES = [f"hazard.{name}" for name in LADDERS]


REPORTER_SIDE = frozenset(
    {"filed", "corrected", "photo_added", "words_added", "place_added", "withdrawn", "reopened", "hidden", "graded"}
)


def relations(work: UnitOfWork, hazard: Hazard, person: Person) -> frozenset[Relation]:
    """What the person is to this hazard: decides which buttons they may press."""
    out = set()
    if hazard.reporter_id == person.id:
        out.add(Relation.REPORTER)
    if hazard.owner_id == person.id:
        out.add(Relation.OWNER)
    if hazard.rectified_by_id == person.id:
        out.add(Relation.RECTIFIER)
    if any(joiner.person_id == person.id for joiner in hazard.joiners):
        out.add(Relation.CO_REPORTER)
    if duty.stands_in_for(work, person, hazard.owner_id):
        out.add(Relation.OWNER)
    roles = duty.roles_of(work, person, hazard.area_id)
    for role, held in HELD_BY_ROLE.items():
        if role in roles:
            out |= held
    if hazard.grade == Grade.YELLOW.value and Role.TEAM_LEADER in roles:
        out.add(Relation.DISPATCHER)
    if hazard.plan and any(p.id == person.id for p in dispatch.acceptors(work, hazard)):
        out.add(Relation.ACCEPTOR)
    return frozenset(out)


def check(work: UnitOfWork, hazard: Hazard, action: Action, by: Person) -> None:
    rules.check(action, state=HazardState(hazard.state), relations=relations(work, hazard, by))


def leave(
    work: UnitOfWork,
    hazard: Hazard,
    action: str,
    *,
    by: Person | None,
    via: str,
    from_state: str,
    why: str = "",
    **data: object,
) -> str:
    """Write the trail line; returns the grey last line of the card."""
    # only what a reporter does is hidden: «整改人匿名» would tell who an anonymous reporter is
    hidden = hazard.anonymous and by is not None and by.id == hazard.reporter_id and action in REPORTER_SIDE
    work.trail.add(
        "hazard",
        hazard.id,
        action,
        at=work.at,
        by_id=by.id if by else None,
        by_hidden=hidden,
        from_state=from_state,
        to_state=hazard.state,
        why=why,
        via=via,
        data=dict(data),
    )
    name = "匿名" if hidden else (by.name if by else "系统")
    return f"{name} {local(work.at)} {VERB_ZH[action]}" + (f":{why[:40]}" if why else "")


def tell(work: UnitOfWork, hazard: Hazard, person: Person, text: str, *, tag: str) -> None:
    address = outbox.address_of(person)
    if address is not None:
        outbox.say(
            work,
            address,
            text,
            purpose=f"hazard.{tag}",
            case=dispatch.case_of(hazard),
            urgency=outbox.URGENT,
            dedupe_key=f"tell:{hazard.id}:{hazard.generation}:{tag}",
        )


def tell_reporters(work: UnitOfWork, hazard: Hazard, words: str) -> None:
    """Reporter and joiners get the after-picture and the card with «还在»."""
    people = [hazard.reporter] if hazard.reporter is not None else []
    people += [work.people.get(j.person_id) for j in hazard.joiners]
    card = cards.reporter_card(hazard)
    for person in {p.id: p for p in people}.values():
        address = outbox.address_of(person)
        if address is None:
            continue
        if hazard.evidence_sha:
            outbox.send_picture(
                work,
                address,
                hazard.evidence_sha,
                name=f"{hazard.number}.jpg",
                purpose="hazard.closed",
                dedupe_key=f"closed-picture:{hazard.id}:{hazard.generation}",
                case=dispatch.case_of(hazard),
            )
        outbox.post_card(
            work,
            cards.reporter_key(hazard.id),
            card,
            [address],
            purpose="hazard.closed",
            case=dispatch.case_of(hazard),
            batch=f"closed:{hazard.id}:{hazard.generation}",
            again=True,
        )


def restart_rectify_ladder(work: UnitOfWork, hazard: Hazard) -> None:
    work.ladder.call_off("hazard", hazard.id, at=work.at, ladder="rectify")
    if hazard.due_at is not None:
        dispatch.start_ladder(work, hazard, "rectify", start=max(hazard.due_at, work.at))


def end(work: UnitOfWork, hazard: Hazard) -> None:
    """A case that is over can never wake anybody again."""
    hazard.generation += 1
    work.ladder.call_off("hazard", hazard.id, at=work.at)
    work.outbox.cancel_case("hazard", hazard.id, purposes=LADDER_PURPOSES)
    outbox.finish_todos(work, dispatch.case_of(hazard))


def who_did(work: UnitOfWork, hazard: Hazard, action: str, otherwise: str) -> str:
    """«已由王芳 11-24 14:02 验收通过»: for the second presser."""
    for trail in reversed(work.trail.of("hazard", hazard.id)):
        if trail.action == action and trail.by_id is not None:
            name = "匿名" if trail.by_hidden else work.people.get(trail.by_id).name
            return f"{hazard.number} 已由{name} {local(trail.at)} {VERB_ZH[action]}。"
    return otherwise


def explain_late_press(work: UnitOfWork, hazard: Hazard, action: str, broken: RuleBroken) -> str:
    """The sentence for a press that came too late: who was first and when, else the rule's own sentence."""
    done_by = {
        "confirm": ("confirmed", "started"),
        "start": ("started",),
        "submit": ("submitted",),
        "accept": ("accepted", "rejected"),
        "reject": ("rejected", "accepted"),
        "grant": ("extension_granted", "extension_refused"),
        "refuse": ("extension_refused", "extension_granted"),
        "transfer": ("accepted", "submitted"),
        "still": ("reopened",),
        "withdraw": ("withdrawn", "accepted"),
    }
    if broken.rule not in ("state", "already", "no_extension"):
        return broken.message_zh
    for wanted in done_by.get(action, ()):
        sentence = who_did(work, hazard, wanted, "")
        if sentence:
            return sentence
    return broken.message_zh
