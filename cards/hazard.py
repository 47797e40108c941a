"""Hazard cards: one for those on duty (redrawn on every change), one for the reporter, and the lines sent as text."""

from __future__ import annotations

from collections.abc import Sequence

from cards import treatment
from cards.card import Button, Card, Colour, Fact, Option, Select
from cards.words import local, name_of, place_of, reporter_name, short
from rules import escalation
from rules import hazard as rules
from rules.lexicon import Category
from rules.terms import Grade, HazardState
from storage.models import Hazard, HazardExtension, Person

COLOUR: dict[str, Colour] = {"red": "red", "orange": "orange", "yellow": "yellow"}


def duty_key(hazard_id: int) -> str:
    return f"hazard:{hazard_id}:duty"


def reporter_key(hazard_id: int) -> str:
    return f"hazard:{hazard_id}:reporter"


def page_of(hazard: Hazard) -> str:
    return f"/h5/hazards/{hazard.number}"


def category_zh(hazard: Hazard) -> str:
    return Category(hazard.category).zh if hazard.category else Category.UNKNOWN.zh


def _facts(hazard: Hazard) -> tuple[Fact, ...]:
    who = f"{name_of(hazard.owner)}" + (f"({hazard.owner.title})" if hazard.owner and hazard.owner.title else "")
    facts = [
        Fact("位置", place_of(hazard)),
        Fact("问题", short(hazard.description, 60)),
        Fact("上报人", f"{reporter_name(hazard)} {local(hazard.reported_at)}"),
        Fact("责任人", who if hazard.owner else "待指定"),
        Fact("期限", local(hazard.due_at)),
    ]
    if hazard.state == HazardState.CLOSED.value:
        facts[4] = Fact("闭环", local(hazard.closed_at))
    return tuple(facts)


def open_extension(hazard: Hazard) -> HazardExtension | None:
    return next((e for e in hazard.extensions if e.decided_at is None), None)


def _buttons(hazard: Hazard) -> list[Button]:
    n, state = hazard.id, HazardState(hazard.state)
    if state in (HazardState.REPORTED, HazardState.ASSIGNED):
        buttons = [Button("开始整改", f"hazard.start:{n}", "primary")]
        if hazard.confirmed_at is None or hazard.asked_again_at is not None:
            buttons.insert(0, Button("确认收到", f"hazard.confirm:{n}", "primary"))
        buttons += [Button("转派", f"hazard.transfer:{n}"), Button("申请延期", f"hazard.extend:{n}")]
    elif state is HazardState.RECTIFYING:
        buttons = [
            Button("提交整改", f"hazard.submit:{n}", "primary"),
            Button("转派", f"hazard.transfer:{n}"),
            Button("申请延期", f"hazard.extend:{n}"),
        ]
    elif state is HazardState.TO_ACCEPT:
        buttons = [Button("验收通过", f"hazard.accept:{n}", "primary"), Button("退回", f"hazard.reject:{n}", "danger")]
    else:
        return []
    if open_extension(hazard) is not None:
        buttons = [b for b in buttons if b.label != "申请延期"]
        buttons += [Button("同意延期", f"hazard.grant:{n}"), Button("不同意", f"hazard.refuse:{n}", "danger")]
    return buttons[:6]


def _body(hazard: Hazard) -> str:
    lines = []
    if hazard.annotation:
        lines.append(f"标注:{hazard.annotation}")
    lines.append(treatment.line(hazard))
    lines += [str(note) for note in hazard.place_notes]
    if hazard.rectification and hazard.state in (HazardState.TO_ACCEPT.value, HazardState.CLOSED.value):
        lines.append(f"整改:{short(hazard.rectification, 120)}")
    if hazard.state == HazardState.TO_ACCEPT.value:
        lines += [f"请留意:{signal['message']}" for signal in hazard.signals]
    extension = open_extension(hazard)
    if extension is not None:
        lines.append(
            f"申请延期到{local(extension.until)}:{short(extension.reason, 60)};临时措施:{short(extension.measure, 60)}"
        )
    if hazard.asked_again_at is not None:
        lines.append("确认后一直没有动作,请再确认一次或开始整改")
    lines.append(ladder_line(hazard))
    return "\n".join(line for line in lines if line)


LADDER_OF = {
    HazardState.REPORTED: "confirm",
    HazardState.ASSIGNED: "confirm",
    HazardState.RECTIFYING: "rectify",
    HazardState.TO_ACCEPT: "accept",
}


def ladder_line(hazard: Hazard) -> str:
    """Who hears of it when nothing happens: «没人确认时:2小时后催陈刚,4小时后告知安全员»; "" when there is no ladder.

    It says the same as long as the state stays, so that a climbed step costs no right to change the card. The version
    of the policy stands on the case's page.
    """
    name = LADDER_OF.get(HazardState(hazard.state), "")
    if name == "confirm" and hazard.confirmed_at is not None:
        name = "stale" if hazard.plan.get("stale_minutes") else "rectify"
    if not name or not hazard.plan:
        return ""
    owner = hazard.owner.name if hazard.owner else "责任人"
    return short(escalation.reminders_zh(escalation.read_plan(hazard.plan), name, owner=owner), 80)


def _note(hazard: Hazard, last: str) -> str:
    """The grey last line: what happened last, and who."""
    return last or f"定级理由:{short(hazard.grade_why, 60)}"


def duty_card(hazard: Hazard, *, candidates: Sequence[Person] = (), last: str = "") -> Card:
    """The card everybody on duty sees. `candidates` are the people it can be transferred to; `last` the last change."""
    state, grade = HazardState(hazard.state), Grade(hazard.grade)
    select = None
    if state in (HazardState.REPORTED, HazardState.ASSIGNED, HazardState.RECTIFYING) and candidates:
        options = tuple(Option(str(p.id), short(f"{p.name} {p.title}", 16)) for p in candidates[:10])
        select = Select("转派给", options)
    pictures = [p.sha256 for p in hazard.photos if p.kind == "before"]
    after = state in (HazardState.TO_ACCEPT, HazardState.CLOSED)
    return Card(
        title=f"{hazard.number} {grade.zh}隐患 · {state.zh}",
        colour="green" if state is HazardState.CLOSED else COLOUR[hazard.grade],
        subtitle=short(hazard.description, 40),
        facts=_facts(hazard),
        body=_body(hazard),
        note=_note(hazard, last),
        picture=(hazard.evidence_sha if after else "") or (pictures[0] if pictures else ""),
        page=page_of(hazard),
        buttons=tuple(_buttons(hazard)),
        select=select,
        state=hazard.state,
    )


OVER = {HazardState.CLOSED: "已闭环", HazardState.WITHDRAWN: "已撤回", HazardState.MERGED: "已合并"}


def reporter_card(hazard: Hazard) -> Card:
    """The reporter's receipt; redrawn only when the case ends, because changing it costs a right on WeCom."""
    state, grade, n = HazardState(hazard.state), Grade(hazard.grade), hazard.id
    buttons: tuple[Button, ...] = ()
    note = "谢谢上报。处理结果会发给您。"
    if state is HazardState.CLOSED:
        buttons = (
            Button("还在,没改好", f"hazard.still:{n}", "danger"),
            Button("已改好", f"hazard.thanks:{n}", "primary"),
        )
        note = "如果现场还有问题,点“还在”,会升一级重新派。"
    elif state in (HazardState.WITHDRAWN, HazardState.MERGED):
        note = {
            "withdrawn": "已按您的要求撤回。",
            "merged": f"已并入{hazard.merged_into.number if hazard.merged_into else ''},闭环时告诉您。",
        }[state.value]
    else:
        buttons = (
            Button("补照片", f"hazard.more:{n}"),
            Button("更正描述", f"hazard.correct:{n}"),
            Button("撤回", f"hazard.withdraw:{n}", "danger"),
        )
        if not hazard.anonymous:
            buttons = (*buttons, Button("改为匿名", f"hazard.hide:{n}"))
    return Card(
        title=f"{hazard.number} {OVER.get(state) or f'已上报 · {grade.zh}'}",
        colour="green" if state is HazardState.CLOSED else "grey" if state in OVER else COLOUR[hazard.grade],
        subtitle=short(hazard.description, 40),
        facts=(
            Fact("位置", place_of(hazard)),
            Fact("定级", short(f"{grade.zh}:{hazard.grade_why}", 60)),
            Fact("类别", category_zh(hazard)),
            Fact("责任人", name_of(hazard.owner) if hazard.owner else "安全员指派中"),
            Fact("闭环", f"{local(hazard.closed_at)} {name_of(hazard.accepted_by)}验收")
            if state is HazardState.CLOSED
            else Fact("期限", local(hazard.due_at)),
        ),
        body="\n".join(_reporter_lines(hazard)),
        note=note,
        picture=hazard.evidence_sha if state is HazardState.CLOSED else "",
        page=page_of(hazard),
        buttons=buttons,
        state=hazard.state,
    )


def _reporter_lines(hazard: Hazard) -> list[str]:
    danger = rules.emergency(hazard.description) if hazard.emergency and hazard.closed_at is None else None
    lines = [f"⚠ {danger.line_zh}"] if danger is not None else []
    lines += [f"标注:{hazard.annotation}"] if hazard.annotation else []
    return lines + [str(note) for note in hazard.place_notes]


def line(hazard: Hazard) -> str:
    """One line of a list: «YH-0007 二级(橙) 待整改 甲醇罐区 泵漏油(期限11-27 14:00)»."""
    end = f"(闭环{local(hazard.closed_at)})" if hazard.closed_at else f"(期限{local(hazard.due_at)})"
    return (
        f"{hazard.number} {Grade(hazard.grade).zh} {HazardState(hazard.state).zh} "
        f"{hazard.area.name if hazard.area else ''} {short(hazard.description, 24)}{end}"
    )


def sms_params(hazard: Hazard) -> dict[str, str]:
    """The variables of the approved SMS template. No names, no details: an SMS passes through others' hands."""
    return {
        "grade": f"{Grade(hazard.grade).zh}隐患",
        "number": hazard.number or "",
        "area": hazard.area.name if hazard.area else "厂区",
        "time": local(hazard.reported_at),
    }
