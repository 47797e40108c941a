"""Asking for a permit (申请作业票): where, what, when, who, gas, then what no machine knows; then the verdict."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bot.message import Kind
from bot.turn import Turn
from cards import permit as cards
from cards.words import zone
from handlers.hazard import place as places
from handlers.permit import actions, answers, cast, gas_talk, judge
from handlers.permit.neighbours import WORK_WORDS
from handlers.permit.talk import FLOW, GONE, PATIENCE, TELLING, ask, here, permit_of
from rules import geo
from rules import text as words
from rules.errors import RuleBroken
from rules.geo import AreaIndex, Point
from rules.permit import Work
from rules.permit.life import PermitState
from rules.permit.spoken import said_time
from rules.terms import Role
from storage.models import Area, Equipment, Permit, Person

START_WORDS = {
    kind: (Work(kind).zh, f"{Work(kind).zh}作业", f"{Work(kind).zh}作业票", f"申请{Work(kind).zh}") for kind in Work
}
ALSO = {
    "高处作业": Work.WORK_AT_HEIGHT,
    "进罐": Work.CONFINED_SPACE,
    "有限空间": Work.CONFINED_SPACE,
    "登高": Work.WORK_AT_HEIGHT,
}
WANTS = re.compile(r"(申请|办|开|要|准备|安排).{0,12}(动火|受限空间|盲板|高处|吊装|临时用电|动土|断路)")
USUAL = timedelta(hours=4)
NEEDS_GAS = (Work.HOT_WORK.value, Work.CONFINED_SPACE.value)
MAX_PEOPLE = 12
EDITABLE = {"place": "地点", "content": "内容", "when": "时间", "guardian": "监护人", "workers": "作业人"}


def begin(turn: Turn, kind: str, *, said: str = "") -> None:
    """A new request; what the first sentence says already is used."""
    permit = actions.open_draft(turn.work, kind=kind, by=turn.person)
    if said:
        _place_said(turn, permit, said)
        _time_said(turn, permit, said)
        if _says_what(said, permit):
            permit.content = said[:500]
    go_on(turn, permit)


def begin_by_word(kind: str):  # type: ignore[no-untyped-def]
    return lambda turn: begin(turn, kind)


def begin_by_sentence(turn: Turn) -> None:
    """«我要在3号泵房 P-102B 焊接法兰,申请动火»."""
    kind = next((kind for kind, pattern in WORK_WORDS.items() if pattern.search(turn.text)), Work.HOT_WORK.value)
    begin(turn, kind, said=turn.text)


def _says_what(said: str, permit: Permit) -> bool:
    bare = words.normalise(said)
    for part in (permit.area.name if permit.area else "", permit.equipment.code if permit.equipment else ""):
        bare = bare.replace(part.lower(), "")
    return len(re.sub(r"[^一-鿿]", "", re.sub(r"申请|作业票|作业|我要|动火|办|开|在", "", bare))) >= 3


# -- what is missing


def go_on(turn: Turn, permit: Permit, *, note: str = "") -> None:
    """Ask for the next missing thing; with nothing missing, judge."""
    memory = {name: value for name, value in here(turn).items() if name in ("gas_done", "guardian_done")}
    if permit.area_id is None and permit.lat is None:
        _ask_place(turn, permit, note, memory)
    elif not permit.content:
        ask(
            turn,
            "干什么?一句话说清,如“P-102B出口法兰电焊”。",
            state=TELLING,
            permit=permit,
            slot="content",
            note=note,
            **memory,
        )
    elif permit.planned_start is None:
        choices = [("现在,干2小时", f"permit.when:{permit.id}.2"), ("现在,干4小时", f"permit.when:{permit.id}.4")]
        choices.append(("现在,干8小时", f"permit.when:{permit.id}.8"))
        question = "什么时候干,干多久?点一下,或说“今天下午2点到5点”。"
        ask(turn, question, state=TELLING, permit=permit, choices=choices, slot="when", note=note, **memory)
    elif permit.guardian_id is None and not memory.get("guardian_done"):
        _ask_guardian(turn, permit, note, memory)
    elif not cast.parties(permit, cast.WORKER):
        _ask_workers(turn, permit, note, memory)
    elif permit.work in NEEDS_GAS and not permit.gas_tests and not memory.get("gas_done"):
        gas_talk.ask_gas(turn, permit, then="request", note=note, **memory)
    else:
        judged = judge.judge(turn.work, permit)
        if not answers.ask_open(turn, permit, judged, then="request", note=note, **memory):
            show_verdict(turn, permit, note=note)


def _ask_place(turn: Turn, permit: Permit, note: str, memory: dict[str, object]) -> None:
    areas = list(turn.work.plant.areas())
    choices = [(area.name, f"permit.area:{permit.id}.{area.id}") for area in areas[:6]]
    question = f"{Work(permit.work).zh}作业票:在哪里干?说设备位号、扫码、发位置,或点区域。"
    ask(turn, question, state=TELLING, permit=permit, choices=choices, slot="place", note=note, **memory)


def _ask_guardian(turn: Turn, permit: Permit, note: str, memory: dict[str, object]) -> None:
    found = judge.guardians(turn.work, permit, permit.planned_start or turn.at)
    choices = [(person.name, f"permit.guardian:{permit.id}.{person.id}") for person, _ in found[:5]]
    choices.append(("先不定", f"permit.guardian:{permit.id}.0"))
    hint = "有证且空着的如下(近的在前);也可直接说名字。" if found else "现在没有持证又空着的监护人,可以说名字。"
    ask(turn, "谁监护?", state=TELLING, permit=permit, choices=choices, slot="guardian", note=note or hint, **memory)


def _ask_workers(turn: Turn, permit: Permit, note: str, memory: dict[str, object]) -> None:
    near = turn.work.people.with_role(Role.WORKER, area_id=permit.area_id, exact=permit.area_id is not None)
    people = [person for person in near if person.id not in (permit.guardian_id, turn.person.id)][:4]
    choices = [("我自己", f"permit.worker:{permit.id}.{turn.person.id}")]
    choices += [(person.name, f"permit.worker:{permit.id}.{person.id}") for person in people]
    question = "谁来干?点一下,几个人就说名字(如“吴涛、孙丽”)。"
    ask(turn, question, state=TELLING, permit=permit, choices=choices, slot="workers", note=note, **memory)


# -- what was said


def told(turn: Turn) -> None:
    """An answer in the request's dialogue: words, a position, a scanned plate, a picture of one."""
    permit = permit_of(turn, lock=True)
    if PermitState(permit.state) not in (PermitState.DRAFT, PermitState.PENDING_FACTS):
        turn.done()
        turn.say(f"这张票{PermitState(permit.state).zh},不用再填。发编号可以查看。")
        return
    message, note = turn.message, ""
    if message.position is not None:
        note = set_point(turn, permit, places.to_point(message.position))
    elif message.scanned or any(f.codes for f in turn.fetched):
        codes = [message.scanned] if message.scanned else [code for f in turn.fetched for code in f.codes]
        note = _scanned(turn, permit, codes)
    elif message.kind is Kind.UNKNOWN:
        note = "钉钉里发的位置我收不到,请说设备位号或点区域。"
    elif turn.text:
        note = _words(turn, permit, str(turn.facts.get("slot", "")))
    go_on(turn, permit, note=note)


def _words(turn: Turn, permit: Permit, slot: str) -> str:
    """Take the words as the answer to what was asked; returns a note when they do not answer it."""
    text = turn.text[:500]
    if slot == "place":
        found = _place_said(turn, permit, text)
        _time_said(turn, permit, text)
        if not found:
            return "没有找到这个区域或位号,请从列表里选一个。"
        if _says_what(text, permit) and not permit.content:
            permit.content = text
    elif slot == "content":
        if words.content_problem(text) is not None:
            return "没看懂,请用一句话说干什么,如“P-102B出口法兰电焊”。"
        permit.content = text
        _place_said(turn, permit, text, only_equipment=True)
        _time_said(turn, permit, text)
    elif slot == "when":
        if not _time_said(turn, permit, text):
            return "没听懂时间,请说“现在干2小时”或“今天下午2点到5点”。"
    elif slot == "guardian":
        return _guardian_said(turn, permit, text)
    elif slot == "workers":
        return _workers_said(turn, permit, text)
    return ""


def _place_said(turn: Turn, permit: Permit, text: str, *, only_equipment: bool = False) -> bool:
    for mention in words.equipment_codes(text):
        equipment = turn.work.plant.equipment_by_code(mention.code)
        if equipment is not None and (not only_equipment or equipment.area_id == permit.area_id):
            set_equipment(permit, equipment)
            return True
    area = None if only_equipment else places.area_named(turn.work, text)
    if area is not None:
        set_area(permit, area)
    return area is not None


def _scanned(turn: Turn, permit: Permit, codes: list[str]) -> str:
    for code in codes:
        equipment = turn.work.plant.equipment_by_code(code.rsplit("/", 1)[-1].rsplit("=", 1)[-1])
        if equipment is not None:
            set_equipment(permit, equipment)
            return ""
    return "台账里没有这个设备码,请直接说位号。"


def set_equipment(permit: Permit, equipment: Equipment) -> None:
    permit.equipment, permit.equipment_id = equipment, equipment.id
    permit.area, permit.area_id = equipment.area, equipment.area_id
    permit.lat, permit.lon = equipment.lat, equipment.lon


def set_area(permit: Permit, area: Area) -> None:
    permit.area, permit.area_id = area, area.id
    permit.equipment, permit.equipment_id, permit.lat, permit.lon = None, None, None, None


def set_point(turn: Turn, permit: Permit, point: Point) -> str:
    """The point of work from a phone; returns a note when it cannot be in the plant."""
    problem = geo.position_problem(point.lat, point.lon)
    if problem:
        return problem
    areas = {area.id: area for area in turn.work.plant.areas()}
    index = AreaIndex((area.id, area.polygon) for area in areas.values() if area.polygon)
    inside = index.containing(point) or [key for key, _ in index.near(point, within_m=places.NEAR_PLANT_M, limit=1)]
    if not inside:
        return "这个位置不在厂区内,请到现场发位置,或点区域。"
    permit.area, permit.area_id = areas[inside[0]], inside[0]
    permit.lat, permit.lon, permit.equipment, permit.equipment_id = point.lat, point.lon, None, None
    return ""


def _time_said(turn: Turn, permit: Permit, text: str) -> bool:
    found = said_time(text, now=turn.at, zone=zone())
    if found is None or (found.end is not None and found.end <= turn.at):
        return False
    start = max(found.start, turn.at)
    set_time(permit, start, found.end - start if found.end is not None else USUAL)
    return True


def set_time(permit: Permit, start: datetime, length: timedelta) -> None:
    permit.planned_start, permit.planned_end = start, start + max(length, timedelta(minutes=10))


def _named(turn: Turn, text: str) -> tuple[list[Person], list[str]]:
    """(people of the roll, names that nobody has)."""
    found, unknown = [], []
    for name in [part for part in re.split(r"[,,、;;和\s]+", text) if part][:MAX_PEOPLE]:
        people = turn.work.people.by_name(name)
        if name in ("我", "我自己"):
            people = [turn.person]
        if people:
            found.append(turn.work.people.get(people[0].id))
        else:
            unknown.append(name)
    return found, unknown


def _guardian_said(turn: Turn, permit: Permit, text: str) -> str:
    found, unknown = _named(turn, text)
    if not found:
        return f"名册里没有“{unknown[0][:8] if unknown else text[:8]}”,请说全名或点一下。"
    set_guardian(turn, permit, found[0])
    return ""


def set_guardian(turn: Turn, permit: Permit, person: Person) -> None:
    cast.leave(permit, cast.GUARDIAN, turn.work)
    permit.guardian, permit.guardian_id = person, person.id
    cast.join(permit, person, cast.GUARDIAN, turn.work)


def _workers_said(turn: Turn, permit: Permit, text: str) -> str:
    found, unknown = _named(turn, text)
    cast.leave(permit, cast.WORKER, turn.work)
    for person in found:
        cast.join(permit, person, cast.WORKER, turn.work)
    return f"名册里没有“{unknown[0][:8]}”,请核对名字。" if unknown else ""


# -- taps


def tapped_area(turn: Turn, permit: Permit, value: str) -> None:
    _need_draft(turn, permit)
    set_area(permit, turn.work.plant.area(int(value)))
    go_on(turn, permit)


def tapped_when(turn: Turn, permit: Permit, value: str) -> None:
    _need_draft(turn, permit)
    set_time(permit, turn.at, timedelta(hours=min(int(value), 24)))
    go_on(turn, permit)


def tapped_guardian(turn: Turn, permit: Permit, value: str) -> None:
    _need_draft(turn, permit)
    if value == "0":
        _remember(turn, permit, guardian_done=True)
    else:
        set_guardian(turn, permit, turn.work.people.get(int(value)))
    go_on(turn, permit)


def tapped_worker(turn: Turn, permit: Permit, value: str) -> None:
    _need_draft(turn, permit)
    cast.join(permit, turn.work.people.get(int(value)), cast.WORKER, turn.work)
    go_on(turn, permit)


def _need_draft(turn: Turn, permit: Permit) -> None:
    if permit.applicant_id != turn.person.id:
        raise RuleBroken("who", "这张票由申请人填写。")
    if PermitState(permit.state) not in (PermitState.DRAFT, PermitState.PENDING_FACTS):
        raise RuleBroken("state", f"这张票{PermitState(permit.state).zh},不能再改。")


def _remember(turn: Turn, permit: Permit, **facts: object) -> None:
    turn.work.conversations.move(
        turn.chat_key,
        flow=FLOW,
        state=TELLING,
        facts={**here(turn), **facts, "permit": permit.id},
        at=turn.at,
        expires_at=turn.at + PATIENCE,
    )
    turn.conversation = turn.work.conversations.load(turn.chat_key, at=turn.at)


def resume_request(turn: Turn, permit: Permit, *, gas_done: bool, guardian_done: bool) -> None:
    """Come back into the request after a question of another kind."""
    _remember(turn, permit, gas_done=gas_done, guardian_done=guardian_done)
    go_on(turn, permit)


# -- the verdict


def show_verdict(turn: Turn, permit: Permit, *, note: str = "") -> None:
    """Judge, keep, show: the card with what can be done, and in words what does not fit on it."""
    turn.work.flush()
    judged = actions.judge_request(turn.work, permit, cause="asked")
    verdict = {**judged.verdict.as_dict(), "notes": [*judged.gathered.notes, *([note] if note else [])]}
    turn.stay(
        flow=FLOW,
        state=TELLING,
        facts={"permit": permit.id, "gas_done": True, "guardian_done": True},
        expires_after=PATIENCE,
    )
    if len(cards.in_the_way(verdict)) > 1 or cards.fix_lines(verdict):
        turn.say(cards.verdict_text(permit, verdict), case=cast.case_of(permit))
    turn.show(cards.verdict_card(permit, verdict), key=cards.verdict_key(permit.id), case=cast.case_of(permit))


def judge_again(turn: Turn, permit: Permit) -> None:
    """«重新判定»: what is still open is asked, then the verdict."""
    _need_draft(turn, permit)
    _remember(turn, permit, gas_done=True, guardian_done=True)
    go_on(turn, permit)


def apply_fix(turn: Turn, permit: Permit) -> None:
    """«按建议办理»: the first proposed set. What has to be measured is asked for, never assumed."""
    _need_draft(turn, permit)
    stored = turn.work.permits.verdict(permit.verdict_id)
    sets = stored.verdict.get("fix") if stored is not None else None
    if not sets:
        show_verdict(turn, permit)
        return
    measured = False
    for change in sets[0]["changes"]:
        measured |= _apply_change(turn, permit, change)
    actions.leave_line(
        turn.work,
        permit,
        "fix_taken",
        by=turn.person,
        via=turn.via,
        why=";".join(c["text"] for c in sets[0]["changes"])[:300],
    )
    turn.work.flush()
    _remember(turn, permit, gas_done=True, guardian_done=True)
    if measured:
        gas_talk.ask_gas(turn, permit, then="request", note="按建议重新取样后,报一下数值。")
    else:
        go_on(turn, permit)


MEASURED = {"last_analysis_time", "gas_reading_vol", "oxygen_vol", "toxic_ratio", "alarm_active"}


def _apply_change(turn: Turn, permit: Permit, change: dict) -> bool:  # type: ignore[type-arg]
    """Make one change of the set true; returns whether it asks for a new gas test."""
    facts = change["facts"]
    if change["id"].startswith("guardian:"):
        set_guardian(turn, permit, turn.work.people.get(int(facts["guardian_id"])))
        return False
    if MEASURED & set(facts):
        return True
    if permit.planned_start is not None and permit.planned_end is not None:
        _move_time(permit, change)
    keep = {k: v for k, v in facts.items() if k not in _FROM_MACHINE and v != "@drop"}
    permit.facts = {**permit.facts, **keep}
    return False


_FROM_MACHINE = {
    "now", "today", "start_time", "end_time", "entry_time", "valid_from", "valid_to", "valid_hours", "valid_days",
    "is_night", "is_holiday", "is_rest_day", "guardian_id", "approver_rank", "tickets_held", "upgraded",
    "trend3h_max_vol", "trend3h_last_vol", "trend3h_slope", "in_fixed_hot_zone",
}  # fmt: skip


def _move_time(permit: Permit, change: dict) -> None:  # type: ignore[type-arg]
    assert permit.planned_start is not None
    assert permit.planned_end is not None
    length = permit.planned_end - permit.planned_start
    if change.get("at"):
        permit.planned_start = datetime.fromisoformat(change["at"])
        permit.planned_end = permit.planned_start + length
    ends = change["facts"].get("valid_to")
    if isinstance(ends, str):
        permit.planned_end = datetime.fromisoformat(ends)


def edit(turn: Turn, permit: Permit) -> None:
    _need_draft(turn, permit)
    choices = [(zh, f"permit.change:{permit.id}.{name}") for name, zh in EDITABLE.items()]
    ask(turn, "改哪一项?", state=TELLING, permit=permit, choices=choices, slot="")


def change(turn: Turn, permit: Permit, value: str) -> None:
    """Empty one slot and ask for it again."""
    _need_draft(turn, permit)
    if value == "place":
        permit.area, permit.area_id, permit.equipment, permit.equipment_id = None, None, None, None
        permit.lat = permit.lon = None
    elif value == "content":
        permit.content = ""
    elif value == "when":
        permit.planned_start = permit.planned_end = None
    elif value == "guardian":
        cast.leave(permit, cast.GUARDIAN, turn.work)
        permit.guardian, permit.guardian_id = None, None
        _remember(turn, permit, guardian_done=False)
    elif value == "workers":
        cast.leave(permit, cast.WORKER, turn.work)
    go_on(turn, permit)


def submit(turn: Turn, permit: Permit) -> None:
    judged = actions.submit(turn.work, permit, by=turn.person, via=turn.via)
    turn.done()
    names = "、".join(person.name for person in cast.signers(turn.work, permit, "approve")[:3])
    turn.say(
        f"{permit.number} {cards.name(permit)} 已提交({judged.result.zh}),等{names or '审批人'}到现场审批。",
        case=cast.case_of(permit),
    )


def drop(turn: Turn, permit: Permit) -> None:
    actions.withdraw(turn.work, permit, by=turn.person, via=turn.via)
    turn.done()
    turn.say(f"{permit.number or '这张票'}已撤回。", case=cast.case_of(permit))


def cancelled(turn: Turn) -> None:
    """«取消» within the dialogue: a draft is put away, anything else only ends the talk."""
    permit = turn.work.permits.find(int(turn.facts.get("permit", 0)))
    turn.done()
    if permit is not None and permit.number is None and permit.applicant_id == turn.person.id:
        actions.withdraw(turn.work, permit, by=turn.person, via=turn.via)
        turn.say("好的,这张票没有提交。")
    else:
        turn.say("好的。" if permit is not None else GONE)
