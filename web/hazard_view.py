"""A hazard as a signed-in person may see it: facts, pictures, trail without an anonymous reporter, what they may do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cards import hazard as cards
from cards import treatment
from cards.words import local, name_of, place_of, reporter_name
from handlers.hazard import actions, dispatch, plans, proof
from rules import hazard as rules
from rules.escalation import LADDERS, notice_zh
from rules.hazard import Action
from rules.hazard.evidence import FIVE_FIXES, FIVE_FIXES_ZH
from rules.hazard.treatment import ASKS_ZH, EVALUATION
from rules.terms import Grade, HazardState, PlaceSource
from storage.models import Hazard, HazardPhoto, Person, TrailLine
from storage.unit_of_work import UnitOfWork

# what only somebody who reported it does: with the name it would say who that was
REPORTER_SIDE = actions.REPORTER_SIDE | {"joined", "merged"}
VIA_ZH = {"wecom": "企业微信", "dingtalk": "钉钉", "web": "页面", "clock": "到点自动"}


def is_hidden(line: TrailLine, hazard: Hazard) -> bool:
    """Whether the line must not say who it was: also lines written before the reporter chose to be anonymous."""
    if line.by_hidden:
        return True
    hidden = {j.person_id for j in hazard.joiners if j.anonymous}
    if hazard.anonymous and hazard.reporter_id is not None:
        hidden.add(hazard.reporter_id)
    return line.by_id in hidden and line.action in REPORTER_SIDE


@dataclass(frozen=True, slots=True)
class Step:
    when: str
    who: str
    what: str
    why: str
    via: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One due step of the case's ladders: when, whom it tells, and whether it has."""

    ladder: str
    when: str
    who: str
    state: str


@dataclass(frozen=True, slots=True)
class Picture:
    thumb: str
    large: str
    when: str
    kind: str


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing the person may do now; `form` names the template block that asks for what it needs."""

    verb: str
    label: str
    style: str
    form: str = "press"


@dataclass(frozen=True, slots=True)
class Part:
    """One of the five fixes as it stands: `words` to change, `shown` with who wrote them when."""

    name: str
    zh: str
    words: str
    shown: str
    ask: str


@dataclass(frozen=True, slots=True)
class TreatmentView:
    """Treatment of a hazard that is, or may be, major."""

    decided: str
    parts: Sequence[Part]
    missing: str
    evaluation: str
    evaluation_ask: str


@dataclass(frozen=True, slots=True)
class CaseView:
    number: str
    title: str
    grade: str
    state: str
    state_zh: str
    facts: Sequence[tuple[str, str]]
    description: str
    annotation: str
    reasons: Sequence[tuple[str, str]]
    place_notes: Sequence[str]
    signals: Sequence[str]
    rectification: str
    evidence: str
    before: Sequence[Picture]
    after: Sequence[Picture]
    extension: str
    ladder: Sequence[Rung]
    policy: str
    trail: Sequence[Step]
    deeds: Sequence[Deed]
    people: Sequence[tuple[int, str]]
    grades: Sequence[tuple[str, str]]
    due_day: str
    treatment: TreatmentView | None


def view(
    work: UnitOfWork, hazard: Hazard, person: Person, *, link: Callable[[str, str], str], today: datetime
) -> CaseView:
    """`link(sha256, kind)` makes a picture's address; `today` is now in plant time."""
    state, grade = HazardState(hazard.state), Grade(hazard.grade)
    extension = cards.open_extension(hazard)
    deeds = list(_deeds(work, hazard, person))
    return CaseView(
        number=hazard.number or "",
        title=f"{hazard.number} {grade.zh}隐患",
        grade=grade.value,
        state=state.value,
        state_zh=state.zh,
        facts=_facts(hazard),
        description=hazard.description,
        annotation=hazard.annotation,
        reasons=_reasons(hazard),
        place_notes=[str(note) for note in hazard.place_notes],
        signals=[str(s["message"]) for s in hazard.signals],
        rectification=hazard.rectification,
        evidence=link(hazard.evidence_sha, "small") if hazard.evidence_sha else "",
        before=[_picture(p, link) for p in proof.before_photos(hazard) if not p.dropped],
        after=[_picture(p, link) for p in proof.after_photos(hazard)],
        extension=(
            f"申请延期到{local(extension.until)}:{extension.reason};临时措施:{extension.measure}" if extension else ""
        ),
        ladder=_ladder(work, hazard),
        policy=f"v{hazard.policy_version or 0}" if hazard.plan else "",
        trail=[_step(work, hazard, line) for line in work.trail.of("hazard", hazard.id)],
        deeds=deeds,
        people=[(p.id, f"{p.name} {p.title}".strip()) for p in dispatch.candidates(work, hazard)]
        if any(d.form == "transfer" for d in deeds)
        else [],
        grades=[(g.value, g.zh) for g in Grade if g is not grade],
        due_day=max(today, (hazard.due_at or today).astimezone(today.tzinfo)).strftime("%Y-%m-%d"),
        treatment=_treatment(hazard) if treatment.concerns(hazard) else None,
    )


def _treatment(hazard: Hazard) -> TreatmentView:
    known, written = treatment.five_fixes(hazard), treatment.evaluation(hazard)
    return TreatmentView(
        decided="重大隐患" if hazard.major else "待安全员或分管领导核定",
        parts=[
            Part(
                name=part,
                zh=FIVE_FIXES_ZH[part],
                words=known[part].words if part in known and known[part].by else "",
                shown=_entry(known.get(part)),
                ask=ASKS_ZH[part],
            )
            for part in FIVE_FIXES
        ],
        missing=treatment.missing(hazard),
        evaluation=_entry(written),
        evaluation_ask=ASKS_ZH[EVALUATION],
    )


def _entry(entry: treatment.Entry | None) -> str:
    if entry is None:
        return ""
    return entry.words + (f"({name_of(entry.by)} {local(entry.at)})" if entry.by else "")


def _ladder(work: UnitOfWork, hazard: Hazard) -> list[Rung]:
    """The steps of the generation that counts: those taken, and those to come unless the case is over."""
    rungs = []
    for step in work.ladder.of("hazard", hazard.id, generation=hazard.generation):
        if step.called_off_at is not None and step.taken_at is None:
            continue
        known = plans.plan_of(hazard).hours
        who = "、".join(notice_zh(n, known) for n in plans.notices_of(step)) or "(没有安排人)"
        taken = f"{local(step.taken_at)} 已通知" if step.taken_at is not None else "等待"
        rungs.append(Rung(LADDERS.get(step.ladder, step.ladder), local(step.due_at), who, taken))
    return rungs


def _facts(hazard: Hazard) -> list[tuple[str, str]]:
    facts = [
        ("位置", place_of(hazard)),
        ("类别", cards.category_zh(hazard)),
        ("上报人", f"{reporter_name(hazard)} {local(hazard.reported_at)}"),
        ("责任人", name_of(hazard.owner) if hazard.owner else "待指定"),
        ("期限", local(hazard.due_at)),
    ]
    if hazard.joiners:
        facts.append(("一起反映", f"{len(hazard.joiners)}人"))
    if hazard.rectified_by is not None:
        facts.append(("整改人", f"{hazard.rectified_by.name} {local(hazard.submitted_at)}"))
    if hazard.accepted_by is not None:
        facts.append(("验收人", f"{hazard.accepted_by.name} {local(hazard.closed_at)}"))
    if hazard.merged_into is not None:
        facts.append(("并入", hazard.merged_into.number or ""))
    return facts


def _reasons(hazard: Hazard) -> list[tuple[str, str]]:
    """Why the bot says what it says: grade, category, each annotation, the place."""
    found = [("定级", hazard.grade_why), ("类别", hazard.category_why)]
    found += [(str(a["value"]), str(a["why"])) for a in hazard.annotations]
    if hazard.major is not None:
        found.append(("重大隐患", "已核定为重大隐患" if hazard.major else "已核定为一般隐患"))
    elif hazard.major_candidate:
        found.append(("疑似重大隐患", f"{hazard.major_candidate},请安全员核定"))
    if hazard.place_source:
        source = PlaceSource(hazard.place_source).zh
        rough = f",误差约{hazard.accuracy_m:.0f}米" if hazard.accuracy_m is not None else ""
        found.append(("位置来源", f"{source}{rough}"))
    return [(name, why) for name, why in found if why]


def _picture(photo: HazardPhoto, link: Callable[[str, str], str]) -> Picture:
    when = local(photo.taken_at or photo.received_at)
    return Picture(
        link(photo.sha256, "thumb"),
        link(photo.sha256, "small"),
        f"{when} {'拍摄' if photo.taken_at else '收到'}",
        photo.kind,
    )


def _step(work: UnitOfWork, hazard: Hazard, line: TrailLine) -> Step:
    if is_hidden(line, hazard):
        who = "匿名"
    else:
        who = work.people.get(line.by_id).name if line.by_id is not None else "系统"
    via = VIA_ZH.get(line.via, line.via)
    return Step(local(line.at), who, actions.VERB_ZH.get(line.action, line.action), line.why, via)


def _deeds(work: UnitOfWork, hazard: Hazard, person: Person) -> Sequence[Deed]:
    held = actions.relations(work, hazard, person)
    may = set(rules.allowed(state=HazardState(hazard.state), relations=held))
    extension = cards.open_extension(hazard)
    if extension is None:
        may -= {Action.APPROVE_EXTENSION, Action.REFUSE_EXTENSION}
    else:
        may.discard(Action.REQUEST_EXTENSION)
        if extension.by_id == person.id:
            may -= {Action.APPROVE_EXTENSION, Action.REFUSE_EXTENSION}
    if hazard.confirmed_at is not None and hazard.asked_again_at is None:
        may.discard(Action.CONFIRM)
    if not treatment.concerns(hazard):
        may -= {Action.TREAT, Action.EVALUATE}
    found = [deed for action, deed in DEEDS if action in may]
    if hazard.reporter_id == person.id and not hazard.anonymous:
        found.append(Deed("hide", "改为匿名", "normal"))
    return list({deed.verb: deed for deed in found}.values())


DEEDS: tuple[tuple[Action, Deed], ...] = (
    (Action.CONFIRM, Deed("confirm", "确认收到", "primary")),
    (Action.START, Deed("start", "开始整改", "primary")),
    (Action.SUBMIT, Deed("submit", "提交整改", "primary", "submit")),
    (Action.ACCEPT, Deed("accept", "验收通过", "primary")),
    (Action.REJECT, Deed("reject", "退回", "danger", "reason")),
    (Action.APPROVE_EXTENSION, Deed("grant", "同意延期", "primary")),
    (Action.REFUSE_EXTENSION, Deed("refuse", "不同意延期", "danger")),
    (Action.ASSIGN, Deed("transfer", "指派", "normal", "transfer")),
    (Action.TRANSFER, Deed("transfer", "转派", "normal", "transfer")),
    (Action.REQUEST_EXTENSION, Deed("extend", "申请延期", "normal", "extend")),
    (Action.REOPEN, Deed("still", "还在,没改好", "danger")),
    (Action.TREAT, Deed("treat", "写五落实", "normal", "treat")),
    (Action.EVALUATE, Deed("evaluate", "写治理评估", "normal", "evaluate")),
    (Action.DECIDE_MAJOR, Deed("major", "核定重大隐患", "normal", "major")),
    (Action.GRADE, Deed("grade", "改等级", "normal", "grade")),
    (Action.ADD_PHOTO, Deed("more", "补照片", "normal", "photos")),
    (Action.CORRECT, Deed("correct", "更正描述", "normal", "correct")),
    (Action.WITHDRAW, Deed("withdraw", "撤回", "danger")),
)
