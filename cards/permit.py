"""Permit cards: the verdict for the applicant, and the one live card that everyone on the permit shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cards.card import Button, Card, Colour, Fact
from cards.words import clock_time, local, name_of, short
from rules.permit import LEVEL_ZH, Result, Work
from rules.permit.facts import fact_dictionary
from rules.permit.life import PermitState
from storage.models import Permit, PermitApproval, PermitParty

VERDICT_COLOUR: Mapping[str, Colour] = {"pass": "green", "conditional": "yellow", "pending": "blue", "fail": "red"}
STATE_COLOUR: Mapping[PermitState, Colour] = {
    PermitState.SUBMITTED: "blue",
    PermitState.APPROVED: "blue",
    PermitState.ACTIVE: "green",
    PermitState.INTERRUPTED: "yellow",
    PermitState.SUSPENDED: "red",
    PermitState.EXPIRED: "orange",
    PermitState.REFUSED: "red",
}
AID = "判定供参考,审批人须到现场签发(4.11)。"
ROLE_ZH = {
    "guardian": "监护人",
    "worker": "作业人",
    "applicant": "申请人",
    "approver": "审批人",
    "shift_leader": "当班班长",
    "analyst": "分析人",
    "countersigner": "会签人",
}
CHOICE_ZH: Mapping[str, Mapping[str, str]] = {
    "isolation_method": {
        "blind": "盲板",
        "spool_removed": "拆除短管",
        "valve": "关阀",
        "water_seal": "水封",
        "none": "没有",
    },
    "plate_action": {"insert": "堵盲板", "remove": "抽盲板", "both": "又抽又堵"},
    "waiver_approver_role": {
        "production_head": "生产负责人",
        "safety_head": "安全管理负责人",
        "other": "没有人批准",
    },
    "anchor_type": {
        "anchor": "地锚",
        "structure": "承重结构",
        "none": "不用锚点",
        "pipe": "管道",
        "pipe_rack": "管架",
        "pole": "电杆",
        "machine": "机电设备",
    },
}
HANDOVER_TO = "handover_to"  # among a permit's facts: the id of who was asked to take over as guardian
ABOVE = "above"  # among a permit's facts: what goes on above it, in words
WATCH_UNTIL = "fire_watch_until"  # among a permit's facts: the end of the watch in force when the work ended
Row = Mapping[str, Any]


def live_key(permit_id: int) -> str:
    return f"permit:{permit_id}:live"


def verdict_key(permit_id: int) -> str:
    return f"permit:{permit_id}:verdict"


def page_of(permit: Permit) -> str:
    return f"/h5/permits/{permit.id}"


def name(permit: Permit) -> str:
    """«一级动火», «受限空间»."""
    level = LEVEL_ZH.get(permit.level, "") if permit.level not in ("", "none") else ""
    return f"{level}{Work(permit.work).zh}"


def place(permit: Permit) -> str:
    parts = [permit.area.name if permit.area else ""]
    parts.append(f"{permit.equipment.code} {permit.equipment.name}" if permit.equipment else permit.place_words)
    return " · ".join(part for part in parts if part) or "位置待定"


def span(permit: Permit) -> str:
    start, end = permit.valid_from or permit.planned_start, permit.valid_until or permit.planned_end
    if start is None or end is None:
        return "待定"
    same_day = local(start)[:5] == local(end)[:5]
    return f"{local(start)}—{clock_time(end) if same_day else local(end)}"


def people(permit: Permit, role: str) -> str:
    names = [party.person.name for party in permit.parties if party.role == role and party.left_at is None]
    return "、".join(names)


# -- verdict


def sms_params(permit: Permit, *, at: datetime) -> dict[str, str]:
    """The variables of the approved SMS template. No names, no reasons: an SMS passes through others' hands."""
    return {
        "grade": f"作业票{PermitState(permit.state).zh}",
        "number": permit.number or "",
        "area": permit.area.name if permit.area is not None else "厂区",
        "time": local(permit.suspended_at or at),
    }


def value_zh(fact: str, value: Any) -> str:
    """A fact's value as people read it: 是/否, «周围没有», «0.66 %vol»."""
    entry = fact_dictionary().get(fact)
    if value is None:
        return "没有"
    if isinstance(value, bool):
        return "是" if value else "否"
    if fact in CHOICE_ZH:
        return CHOICE_ZH[fact].get(str(value), str(value))
    if value == "none":
        return "周围没有"
    if isinstance(value, (list, tuple)):
        return "、".join(_item(fact, item) for item in value) or "无"
    if entry is not None and entry.type in ("time", "expiry") and isinstance(value, str) and "T" in value:
        return local(datetime.fromisoformat(value))
    unit = entry.unit if entry is not None else ""
    number = f"{value:g}" if isinstance(value, (int, float)) else str(value)
    return f"{number} {unit}".strip()


def _item(fact: str, item: Any) -> str:
    if fact in ("involved_works", "tickets_held") and item in Work.__members__.values():
        return Work(item).zh
    if isinstance(item, Mapping):
        return " ".join(str(part) for part in item.values())
    return {"top": "上", "middle": "中", "bottom": "下", "left": "左", "right": "右"}.get(str(item), str(item))


def rule_line(row: Row) -> str:
    """«HW-A03 可燃气体浓度超标…:可燃气体浓度 0.66 %vol,限值 ≤ 0.5%(5.3.2 a)»."""
    sign = {"fail": "✗", "pending": "?", "conditional": "!"}.get(row["result"], "✓")
    if row["result"] == Result.PENDING.value:
        return f"{sign} {row['id']} {row['message']}({row['clause']})"
    facts = [
        f"{fact_dictionary()[fact].zh} {value_zh(fact, value)}"
        for fact, value in row["facts"].items()
        if fact in fact_dictionary() and value is not None
    ]
    seen = ";现为" + "、".join(facts[:2]) if facts and row["result"] != Result.PASS.value else ""
    source = "" if row["src"] == "std" else ",企业规则"
    return f"{sign} {row['id']} {row['message'].rstrip('。')}{seen};限值:{row['limit']}({row['clause']}{source})"


def in_the_way(verdict: Row) -> list[Row]:
    return [row for row in verdict["rules"] if row["result"] != Result.PASS.value]


def fix_lines(verdict: Row) -> list[str]:
    """The smallest set of changes that makes it pass, one change a line; [] when there is none."""
    sets = verdict.get("fix") or []
    return [change["text"] for change in sets[0]["changes"]] if sets else []


def others_lines(verdict: Row) -> list[str]:
    """What else would do: other sets as small, one a line."""
    return ["或:" + ";".join(change["text"] for change in one["changes"]) for one in (verdict.get("fix") or [])[1:]]


def due_lines(due: Sequence[Row]) -> list[str]:
    return [str(row["message"]) for row in due]


def verdict_text(permit: Permit, verdict: Row) -> str:
    """The whole verdict in words: what fails first with fact, limit and clause, the fix, what falls due next."""
    lines = [f"判定:{Result(verdict['result']).zh} · {name(permit)}", f"{verdict['basis']}", f"定级:{permit.level_why}"]
    lines += [rule_line(row) for row in in_the_way(verdict)]
    fixes = fix_lines(verdict)
    if fixes:
        lines += ["这样就能通过:", *(f"{n}. {text}" for n, text in enumerate(fixes, start=1)), *others_lines(verdict)]
    lines += [f"接下来:{text}" for text in due_lines(verdict["due_next"])[:3]]
    lines += [f"注意:{note}" for note in verdict.get("notes", [])[:4]]
    return "\n".join([*lines, AID])


def sample_card(permit: Permit) -> Card:
    """To the applicant of a request for later: the sample that is taken now counts."""
    start = clock_time(permit.planned_start) if permit.planned_start is not None else ""
    return Card(
        title=f"{name(permit)}{start}开始,现在可以取样了",
        colour="blue",
        subtitle=place(permit),
        body=short(permit.content, 60),
        note="测完点“报气体”,报读数和取样部位。",
        buttons=(Button("报气体", f"permit.gas:{permit.id}", "primary"), Button("改内容", f"permit.edit:{permit.id}")),
    )


def verdict_card(permit: Permit, verdict: Row) -> Card:
    """The verdict with what can be done about it. Long verdicts are sent as text beside it."""
    result = Result(verdict["result"])
    failing = [row for row in in_the_way(verdict) if row["result"] != Result.CONDITIONAL.value]
    body = [short(row["message"], 34) + f"({row['clause']})" for row in failing[:2]]
    if len(failing) > 2:
        body.append(f"等{len(failing)}项")
    if not failing:
        body = [short(row["message"], 34) for row in in_the_way(verdict)[:2]]
    fixes = fix_lines(verdict)
    if fixes:
        body.append("改:" + short(";".join(fixes), 60))
    body += [f"注意:{short(note, 40)}" for note in verdict.get("notes", [])[:1]]
    n = permit.id
    if result.allows_work:
        buttons = [Button("提交审批", f"permit.submit:{n}", "primary"), Button("重新判定", f"permit.judge:{n}")]
    else:
        buttons = [Button("重新判定", f"permit.judge:{n}", "primary")]
        if fixes:
            buttons.append(Button("按建议办理", f"permit.fix:{n}"))
    buttons += [
        Button("报气体", f"permit.gas:{n}"),
        Button("改内容", f"permit.edit:{n}"),
        Button("撤回", f"permit.drop:{n}", "danger"),
    ]
    due = due_lines(verdict["due_next"])
    return Card(
        title=f"{name(permit)} · {result.zh}",
        colour=VERDICT_COLOUR[result.value],
        subtitle=short(permit.content, 40),
        facts=(
            Fact("位置", place(permit)),
            Fact("时间", span(permit)),
            Fact("监护人", name_of(permit.guardian)),
            Fact("定级", short(permit.level_why, 30)),
        ),
        body="\n".join(body),
        note=short("接下来:" + due[0] if due else AID, 60),
        page=page_of(permit),
        buttons=tuple(buttons[:6]),
        state=f"verdict.{result.value}",
    )


# -- the live card


def live_card(permit: Permit, *, last: str = "", waiting: Sequence[str] = ()) -> Card:
    """What everyone on the permit sees. `waiting`: what is still to be done before the next step, in words."""
    state = PermitState(permit.state)
    body = list(waiting)
    if state is PermitState.SUSPENDED:
        missing = list(dict.fromkeys(party.person.name for party in unconfirmed(permit)))
        body = [f"叫停:{short(why['message'], 50)}" for why in permit.suspend_why[:1]]
        body.append("未确认:" + "、".join(missing) if missing else "全员已确认停工")
        body += [f"恢复:{short(why['resumes_when'], 50)}" for why in permit.suspend_why[:1] if why.get("resumes_when")]
    elif state in (PermitState.ACTIVE, PermitState.INTERRUPTED):
        body += due_lines(permit.next_due)[:2]
    if not state.is_final:
        body += [short(text, 60) for text in permit.facts.get(ABOVE, [])[:2]]
    return Card(
        title=f"{permit.number or ''} {name(permit)} · {state.zh}".strip(),
        colour=STATE_COLOUR.get(state, "grey"),
        subtitle=short(permit.content, 40),
        facts=(
            Fact("位置", place(permit)),
            Fact("有效期", span(permit)),
            Fact("监护人", name_of(permit.guardian)),
            Fact("作业人", people(permit, "worker") or "—"),
            Fact("申请人", name_of(permit.applicant)),
            Fact("审批人", people(permit, "approver") or "待审批"),
        ),
        body="\n".join(body),
        note=last,
        page=page_of(permit),
        buttons=tuple(_buttons(permit, state)),
        state=permit.state,
    )


def unconfirmed(permit: Permit) -> list[PermitParty]:
    """Parties who were called and have not confirmed; also who was relieved since: nobody has seen them safe."""
    return [p for p in permit.parties if p.called_at is not None and p.confirmed_at is None]


def watched_until(permit: Permit) -> datetime | None:
    """Until when the point is watched after the work (监火); None when no watch is wanted or it was closed."""
    until = permit.facts.get(WATCH_UNTIL)
    return datetime.fromisoformat(until) if until and not permit.facts.get("residual_fire_checked") else None


def _buttons(permit: Permit, state: PermitState) -> list[Button]:
    n = permit.id

    def button(label: str, verb: str, style: str = "normal") -> Button:
        return Button(label, f"permit.{verb}:{n}", style)  # type: ignore[arg-type]

    calls = [button("确认停工", "confirm", "primary")] if unconfirmed(permit) else []
    if permit.ended_at is not None and not state.is_final:
        if watched_until(permit) is not None:
            return [*calls, button("监火结束", "watched", "primary"), button("还没完,继续", "unfinish")]
        return [*calls, button("验收关闭", "accept", "primary"), button("还没完,继续", "unfinish")]
    if state is PermitState.SUBMITTED:
        first = [button("会签", "sign")] if _open(permit, "countersign") else []
        return [
            button("到现场审批", "approve", "primary"),
            *first,
            button("退回补充", "return"),
            button("不予批准", "refuse", "danger"),
            button("撤回", "drop"),
        ]
    if state is PermitState.APPROVED:
        rows = [
            button("班长验票", "leader")
            if not _granted(permit, "shift_leader") and permit.work == "hot_work"
            else None,
            button("确认措施", "measures") if _open(permit, "measure") else None,
            button("接受交底", "briefed") if not _all_briefed(permit) else None,
            button("监护到位", "checkin"),
            button("开始作业", "start", "primary"),
            button("报气体", "gas"),
        ]
        return [row for row in rows if row is not None]
    if state is PermitState.ACTIVE:
        return [
            button("监护打卡", "checkin"),
            button("报气体", "gas"),
            button("中断", "pause"),
            button("监护交接", "handover"),
            button("收工", "finish", "primary"),
            button("叫停", "stop", "danger"),
        ]
    if state is PermitState.INTERRUPTED:
        return [
            button("恢复作业", "resume", "primary"),
            button("报气体", "gas"),
            button("监护打卡", "checkin"),
            button("收工", "finish"),
            button("叫停", "stop", "danger"),
        ]
    if state is PermitState.SUSPENDED:
        return [
            button("确认停工", "confirm", "primary"),
            button("报气体", "gas"),
            button("监护打卡", "checkin"),
            button("恢复作业", "resume"),
            button("收工", "finish"),
        ]
    if state is PermitState.EXPIRED:
        return [*calls, button("收工", "finish", "primary"), button("重新办票", "renew")]
    return []


def _open(permit: Permit, kind: str) -> list[PermitApproval]:
    return [row for row in permit.approvals if row.kind == kind and row.granted is None]


def _granted(permit: Permit, kind: str) -> bool:
    return any(row.kind == kind and row.granted for row in permit.approvals)


def _all_briefed(permit: Permit) -> bool:
    heard = [p for p in permit.parties if p.role in ("worker", "guardian") and p.left_at is None]
    return bool(heard) and all(p.briefed_at is not None for p in heard)


def line(permit: Permit) -> str:
    """One line of a list: «ZY-0007 一级动火 作业中 3号泵房 · P-102B(11-24 10:00—14:00)»."""
    state = PermitState(permit.state).zh
    return f"{permit.number or '草稿'} {name(permit)} {state} {place(permit)}({span(permit)})"
