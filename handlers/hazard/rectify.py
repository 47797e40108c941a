"""The dialogue about one case: proof of the rectification, reasons, extension, corrections, more photos."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.flow import Flow, on, said
from bot.message import Kind
from bot.turn import Turn
from cards.words import place_of
from handlers import spoken
from handlers.hazard import actions, buttons, dispatch, filing, place, proof, report, taking
from rules import geo
from rules import hazard as hazard_rules
from rules import text as words
from rules.errors import RuleBroken
from rules.terms import HazardState, PhotoKind
from storage.models import Hazard

BACK = ("取消", "算了", "返回")


def _hazard(turn: Turn) -> Hazard:
    return turn.work.hazards.get(int(turn.facts["hazard"]), lock=True)


def proof_sent(turn: Turn) -> None:
    """After-photos and words, in any order; handed in when both are there."""
    hazard = _hazard(turn)
    case = ("hazard", hazard.id)
    facts = turn.facts
    refusals = [f.refused for f in turn.fetched if f.refused]
    if hazard.state not in (HazardState.ASSIGNED.value, HazardState.RECTIFYING.value):
        turn.done()
        turn.say(f"{hazard.number} 现在是“{HazardState(hazard.state).zh}”,不用再提交。", case=case)
        return
    taking.add_photos(turn, hazard, PhotoKind.AFTER)
    if turn.text and turn.message.kind in (Kind.TEXT, Kind.VOICE, Kind.IMAGE):
        facts["words"] = f"{facts.get('words', '')}\n{turn.text}".strip()[: taking.MAX_WORDS]
    photos = proof.after_photos(hazard)
    turn.stay(flow=buttons.WORK, state=buttons.PROOF, facts=facts, expires_after=timedelta(days=2))
    note = "".join(f"⚠ {reason}。\n" for reason in refusals)
    if not photos:
        turn.say(note + "还缺整改后的照片,请在现场拍一张发来。", case=case)
    elif not facts.get("words"):
        if not facts.get("asked_words"):
            turn.stay(
                flow=buttons.WORK,
                state=buttons.PROOF,
                facts={**facts, "asked_words": True},
                expires_after=timedelta(days=2),
            )
            turn.say(note + "照片收到。说一句是怎么改的?", case=case)
        elif note:
            turn.say(note.strip(), case=case)
    else:
        _hand_in(turn, hazard, facts)


def proof_place(turn: Turn) -> None:
    """Where the fixer stands: taken for the after-photos that do not say so themselves (FC-04)."""
    hazard, position = _hazard(turn), turn.message.position
    if position is None or position.by_event:
        return
    point = place.to_point(position)
    problem = geo.position_problem(point.lat, point.lon)
    if problem:
        turn.say(f"⚠ {problem}。整改照片照常发来就行。", case=("hazard", hazard.id))
        return
    facts = {**turn.facts, "at": [point.lat, point.lon]}
    turn.stay(flow=buttons.WORK, state=buttons.PROOF, facts=facts, expires_after=timedelta(days=2))
    if proof.after_photos(hazard) and facts.get("words"):
        _hand_in(turn, hazard, facts)
    elif not proof.after_photos(hazard):
        turn.say("位置收到。再拍一张整改后的照片发来。", case=("hazard", hazard.id))


def _hand_in(turn: Turn, hazard: Hazard, facts: dict[str, Any]) -> None:
    said_words = str(facts["words"])
    for photo in proof.after_photos(hazard) if facts.get("at") else ():
        if photo.lat is None or photo.lon is None:
            photo.lat, photo.lon = facts["at"]
    try:
        actions.submit(turn.work, hazard, by=turn.person, words=said_words, via=turn.via)
    except RuleBroken as broken:
        if broken.rule.startswith("FC-"):
            for photo in proof.after_photos(hazard):
                photo.dropped = True  # kept for the record, not as proof
            turn.stay(
                flow=buttons.WORK,
                state=buttons.PROOF,
                facts={"hazard": hazard.id, "words": said_words},
                expires_after=timedelta(days=2),
            )
        else:
            turn.done()
        turn.say(broken.message_zh, case=("hazard", hazard.id))
        return
    turn.done()
    turn.say(f"{hazard.number} 已提交,等{_acceptor_words(turn, hazard)}验收。", case=("hazard", hazard.id))


def _acceptor_words(turn: Turn, hazard: Hazard) -> str:
    names = [person.name for person in dispatch.acceptors(turn.work, hazard)[:2]]
    return "、".join(names) or "安全员"


def reason_given(turn: Turn) -> None:
    hazard = _hazard(turn)
    turn.done()
    try:
        actions.reject(turn.work, hazard, by=turn.person, reason=turn.text[:300], via=turn.via)
        turn.say(f"{hazard.number} 已退回,原因已告诉整改人。", case=("hazard", hazard.id))
    except RuleBroken as broken:
        turn.say(actions.explain_late_press(turn.work, hazard, "reject", broken), case=("hazard", hazard.id))


def extension_reason(turn: Turn) -> None:
    facts = turn.facts
    if "days" not in facts:
        days = next((int(c) for c in words.normalise(turn.text).split("天")[0].split() if c.isdigit()), 0)
        if not 1 <= days <= 90:
            turn.say("请点上面的天数,或回复“3天”。")
            return
        turn.ask(
            "为什么要延期?一句话说明。",
            flow=buttons.WORK,
            state=buttons.EXTEND_WHY,
            facts={**facts, "days": days},
            expires_after=buttons.ANSWER_WITHIN,
        )
        return
    turn.ask(
        "延期期间怎么防护?说一句临时措施(如“已拉警戒线并停用”)。",
        flow=buttons.WORK,
        state=buttons.EXTEND_MEASURE,
        facts={**facts, "reason": turn.text[:300]},
        expires_after=buttons.ANSWER_WITHIN,
    )


def extension_measure(turn: Turn) -> None:
    hazard, facts = _hazard(turn), turn.facts
    until = (hazard.due_at or turn.at) + timedelta(days=int(facts["days"]))
    if until <= turn.at:
        until = turn.at + timedelta(days=int(facts["days"]))
    turn.done()
    try:
        actions.ask_extension(
            turn.work,
            hazard,
            by=turn.person,
            reason=str(facts["reason"]),
            measure=turn.text[:300],
            until=until,
            via=turn.via,
        )
        turn.say(f"{hazard.number} 的延期申请已发出,批准前仍按原期限。", case=("hazard", hazard.id))
    except RuleBroken as broken:
        turn.say(broken.message_zh, case=("hazard", hazard.id))


def corrected(turn: Turn) -> None:
    hazard = _hazard(turn)
    problem = words.content_problem(turn.text, max_chars=taking.MAX_WORDS)
    if problem is not None:
        turn.say("没看懂,请用一句话说说哪里有什么问题。")
        return
    turn.done()
    try:
        actions.correct(turn.work, hazard, by=turn.person, description=turn.text, via=turn.via)
        turn.say(f"{hazard.number} 的描述已更正。", case=("hazard", hazard.id))
    except RuleBroken as broken:
        turn.say(broken.message_zh, case=("hazard", hazard.id))


def _filed_as_heard(turn: Turn) -> Hazard | None:
    """The report filed a moment ago with words that this typed message puts right."""
    heard = "" if hazard_rules.emergency(turn.text) is not None else spoken.heard_wrong(turn)
    last = next(iter(turn.work.hazards.reported_by(turn.person.id, limit=1)), None) if heard else None
    if last is None or last.reported_at is None or turn.at - last.reported_at > spoken.FOR:
        return None
    return last if last.reporter_id == turn.person.id and heard in last.description else None


def put_right(turn: Turn) -> None:
    """«不对请打字» after the report was filed: the typed words take the place of those that were heard."""
    hazard = _filed_as_heard(turn)
    if hazard is None:
        report.told(turn)
        return
    words_now = hazard.description.replace(spoken.heard_wrong(turn), spoken.typed(turn), 1)
    spoken.settled(turn)
    try:
        actions.correct(turn.work, hazard, by=turn.person, description=words_now[: taking.MAX_WORDS], via=turn.via)
    except RuleBroken as broken:
        turn.say(broken.message_zh, case=("hazard", hazard.id))
        return
    turn.say(f"已按您打的字更正 {hazard.number}。要是另一件事,请发“上报”。", case=("hazard", hazard.id))


def more_photos(turn: Turn) -> None:
    hazard = _hazard(turn)
    refusals = [f.refused for f in turn.fetched if f.refused]
    added = actions.add_photos(
        turn.work, hazard, by=turn.person, via=turn.via, count=taking.add_photos(turn, hazard, PhotoKind.BEFORE)
    )
    note = "".join(f"⚠ {reason}。\n" for reason in refusals)
    if added:
        turn.say(f"{note}已补充{added}张到 {hazard.number}。", case=("hazard", hazard.id))
    elif note:
        turn.say(note.strip(), case=("hazard", hazard.id))


def place_corrected(turn: Turn) -> None:
    """«位置不对»: another location or code for a report that is filed."""
    hazard = _hazard(turn)
    before = list(hazard.places)
    refusals = taking.take_place(turn, hazard)
    if hazard.places == before:
        note = "".join(f"⚠ {reason}。\n" for reason in refusals)
        turn.say(f"{note}请发位置、扫设备码,或说出区域名。", case=("hazard", hazard.id))
        return
    turn.done()
    try:
        filing.place_added(turn, hazard)
    except RuleBroken as broken:
        turn.say(broken.message_zh, case=("hazard", hazard.id))
        return
    notes = "".join(f"\n⚠ {note}" for note in hazard.place_notes)
    turn.say(f"{hazard.number} 的位置现在是{place_of(hazard)}。{notes}", case=("hazard", hazard.id))


def enough(turn: Turn) -> None:
    turn.done()
    turn.say("好的。")


def where_told(turn: Turn) -> None:
    """The place of a hazard filed in haste: a location, a code or a name."""
    hazard = _hazard(turn)
    taking.take_place(turn, hazard)
    filing.place_told(turn, hazard)


def transfer_named(turn: Turn) -> None:
    hazard = _hazard(turn)
    people = turn.work.people.by_name(turn.text)
    if len(people) != 1:
        found = "没有找到" if not people else f"有{len(people)}位叫"
        turn.say(f"{found}“{turn.text[:10]}”,请点名单里的人,或打全名。")
        return
    turn.done()
    try:
        actions.transfer(turn.work, hazard, by=turn.person, to=people[0], via=turn.via)
        turn.say(f"{hazard.number} 已转给{people[0].name}。", case=("hazard", hazard.id))
    except RuleBroken as broken:
        turn.say(broken.message_zh, case=("hazard", hazard.id))


def left(turn: Turn) -> None:
    turn.done()
    turn.say("好的,先不办。发“待办”可以随时接着办。")


_PROOF = [*(on(kind, proof_sent) for kind in (Kind.IMAGE, Kind.TEXT, Kind.VOICE)), on(Kind.PLACE, proof_place)]
_PLACE = [on(Kind.PLACE, place_corrected), on(Kind.SCAN, place_corrected)]

flow = Flow(
    name=buttons.WORK,
    starts=[on(Kind.TEXT, put_right, fits=lambda turn: _filed_as_heard(turn) is not None)],
    states={
        buttons.PROOF: _PROOF,
        buttons.REASON: [on(Kind.TEXT, reason_given), on(Kind.VOICE, reason_given)],
        buttons.EXTEND_WHY: [on(Kind.TEXT, extension_reason), on(Kind.VOICE, extension_reason)],
        buttons.EXTEND_MEASURE: [on(Kind.TEXT, extension_measure), on(Kind.VOICE, extension_measure)],
        buttons.CORRECT: [on(Kind.TEXT, corrected), on(Kind.VOICE, corrected), *_PLACE],
        buttons.MORE: [on(Kind.IMAGE, more_photos), said(("好了", "完了", "没了"), enough), *_PLACE],
        buttons.TRANSFER_TO: [on(Kind.TEXT, transfer_named), on(Kind.VOICE, transfer_named)],
        filing.WHERE: [on(kind, where_told) for kind in (Kind.TEXT, Kind.VOICE, Kind.PLACE, Kind.SCAN)],
    },
    anywhere=[said(BACK, left)],
    gives_way=frozenset({buttons.PROOF, buttons.MORE}),
)
