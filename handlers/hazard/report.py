"""Reporting (隐患随手拍): a photo, a place and a sentence, in any order. The bot asks only for what is missing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from bot.flow import Flow, like, on, said
from bot.message import Kind
from bot.turn import Turn
from handlers.hazard import filing, place, taking
from rules import hazard as rules
from rules.terms import HazardState, PhotoKind, PlaceSource
from storage.models import Hazard
from storage.people import account_key

FLOW = "hazard.report"
TELLING, JOINING, FILED = "telling", "joining", "filed"
TOGETHER = timedelta(minutes=10)
PLACE_FOLLOWS = timedelta(minutes=2)  # a location this soon after the filing is still part of the report
BEGIN = ("上报", "隐患上报", "报隐患", "随手拍")
CANCEL = ("取消", "不报了", "算了")


def told(turn: Turn) -> None:
    """Anything that can belong to a report: take it in, then file, or ask for the next missing thing."""
    hazard = current_draft(turn)
    if hazard is None and (_belongs_to_filed(turn) or _place_of_filed(turn)):
        return
    if hazard is None:
        hazard = filing.open_draft(turn.work, by=turn.person, at=turn.at)
        hazard.places = list(_facts(turn).get("places", []))
    before = len(hazard.photos), hazard.description, len(hazard.places)
    refusals = taking.absorb(turn, hazard)
    _go_on(turn, hazard, refusals, changed=before != (len(hazard.photos), hazard.description, len(hazard.places)))


def told_by_button(turn: Turn, hazard: Hazard) -> None:
    """Go on after a tapped answer (the area, «没法拍照»)."""
    _go_on(turn, hazard, [], changed=True)


def current_draft(turn: Turn) -> Hazard | None:
    """The draft being told, if any."""
    draft_id = _facts(turn).get("draft")
    if draft_id:
        hazard = turn.work.hazards.find(int(draft_id))
        if hazard is not None and hazard.state == HazardState.DRAFT.value:
            return hazard
    return turn.work.hazards.draft_of(turn.person.id, since=turn.at - TOGETHER)


def _belongs_to_filed(turn: Turn) -> bool:
    """A photo that was taken for a report filed a moment ago, but arrived late, is added to it."""
    if turn.message.kind is not Kind.IMAGE or turn.text:  # a picture with words of its own is a report of its own
        return False
    last = next(iter(turn.work.hazards.reported_by(turn.person.id, limit=1)), None)
    if last is None or last.reporter_id != turn.person.id or last.reported_at is None or last.number is None:
        return False
    if last.state not in (HazardState.REPORTED.value, HazardState.ASSIGNED.value):
        return False
    # Compared with the words that filed it, not with the time of filing: under load that is later, and the pictures
    # of the next report were sent before it.
    sender = account_key(turn.message.platform, turn.message.sender)
    told_at = turn.work.inbox.sent_of_handled(turn.message.platform, sender, last.reported_at)
    if turn.message.sent_at > (told_at or last.reported_at) or turn.at - last.reported_at > TOGETHER:
        return False
    added = taking.add_photos(turn, last, PhotoKind.BEFORE)
    if added:
        turn.say(f"照片已补充到 {last.number}。", case=("hazard", last.id))
    return bool(added)


def _facts(turn: Turn) -> dict[str, Any]:
    """What this dialogue remembers; words of danger and pressed buttons may come while another one is open."""
    return turn.facts if turn.conversation is not None and turn.conversation.flow == FLOW else {}


def _place_of_filed(turn: Turn) -> bool:
    """A location sent right after its report was complete without it: noted there, and kept for a next report."""
    if turn.message.kind is not Kind.PLACE or turn.message.position is None:
        return False
    last = next(iter(turn.work.hazards.reported_by(turn.person.id, limit=1)), None)
    if last is None or last.reporter_id != turn.person.id or last.reported_at is None:
        return False
    if last.state not in (HazardState.REPORTED.value, HazardState.ASSIGNED.value):
        return False
    own = {PlaceSource.LOCATION_MESSAGE.value, PlaceSource.H5.value}
    if turn.at - last.reported_at > PLACE_FOLLOWS or any(p["source"] in own for p in last.places):
        return False
    refusals = taking.take_place(turn, last)
    if not refusals:
        filing.place_added(turn, last)
    turn.stay(flow=FLOW, state=FILED, facts={"places": last.places[-1:]}, expires_after=TOGETHER)
    note = "".join(f"⚠ {reason}。\n" for reason in (*refusals, *map(str, last.place_notes)))
    turn.say(f"{note}位置已补充到 {last.number}。要报另一条,请发照片。", case=("hazard", last.id))
    return True


def _go_on(turn: Turn, hazard: Hazard, refusals: list[str], *, changed: bool) -> None:
    """File when nothing is missing, else ask for the next thing, once."""
    facts = _facts(turn)
    no_photo = bool(facts.get("no_photo")) or bool(turn.data.get("no_photo"))
    known_place = place.settle(turn.work, hazard)
    danger = rules.emergency(hazard.description) if hazard.description else None
    if danger is not None:
        if not answered_by_callback(turn):
            turn.say(danger.line_zh, case=("hazard", hazard.id), urgency=0)
        filing.file_now(turn, hazard, refusals)
        return
    missing = _missing(hazard, known_place=known_place, no_photo=no_photo)
    if missing is None:
        _check_duplicate_then_file(turn, hazard, refusals, facts)
        return
    facts = {**facts, "draft": hazard.id, "no_photo": no_photo}
    gave_what_was_asked = missing == "place" and turn.message.position is not None
    if facts.get("asked") == missing and not refusals and changed and not gave_what_was_asked:
        turn.stay(flow=FLOW, state=TELLING, facts=facts, expires_after=TOGETHER)  # do not repeat the same question
        return
    facts["asked"] = missing
    _ask(turn, hazard, missing, refusals, facts)


def answered_by_callback(turn: Turn) -> bool:
    """The callback gave the line itself for words typed in the 1:1 chat (ADR 0007); the receipt carries it once more."""
    typed = turn.message.kind is Kind.TEXT and not turn.in_group
    return typed and turn.at - turn.data.get("received_at", turn.at) < timedelta(seconds=10)


def _missing(hazard: Hazard, *, known_place: bool, no_photo: bool) -> str | None:
    if not hazard.photos and not no_photo:
        return "photo"
    if not known_place:
        return "place"
    if not hazard.description:
        return "words"
    return None


def _ask(turn: Turn, hazard: Hazard, missing: str, refusals: list[str], facts: dict[str, object]) -> None:
    note = "\n".join(f"⚠ {reason}。" for reason in refusals)
    if missing == "photo":
        question, choices, page = "请拍一张现场照片发来。", [("没法拍照", f"hazard.nophoto:{hazard.id}")], ""
    elif missing == "place":
        areas = place.choices(turn.work, hazard)[:6]
        choices = [(area.name, f"hazard.area:{hazard.id}.{area.id}") for area in areas]
        question, page = "在哪个区域?点一下,或发位置、扫设备码。", f"/h5/place/{hazard.id}"
        note = "\n".join([note, *map(str, hazard.place_notes)]).strip()
    else:
        question, choices, page = "说说是什么问题?一句话就行,打字或语音都可以。", [], ""
    turn.ask(
        question, flow=FLOW, state=TELLING, facts=facts, choices=choices, note=note, page=page, expires_after=TOGETHER
    )


def _check_duplicate_then_file(turn: Turn, hazard: Hazard, refusals: list[str], facts: dict[str, object]) -> None:
    match = None if facts.get("new") else filing.likely_duplicate(turn.work, hazard)
    if match is None:
        filing.file_now(turn, hazard, refusals)
        return
    other, why = match
    turn.ask(
        f"和 {other.number} 是同一个问题吗?",  # WeCom cuts a longer title
        flow=FLOW,
        state=JOINING,
        facts={**facts, "draft": hazard.id, "other": other.id},
        choices=[
            ("是同一个,加入", f"hazard.join:{hazard.id}.{other.id}"),
            ("不是,另报一条", f"hazard.separate:{hazard.id}"),
        ],
        note=f"已经有人报过({why}):{other.description[:60]}",
        page=f"/h5/hazards/{other.number}",
    )


def answered_joining(turn: Turn) -> None:
    """«是» or «不是» typed instead of tapped."""
    facts = turn.facts
    hazard = turn.work.hazards.find(int(facts["draft"]))
    if hazard is None or hazard.state != HazardState.DRAFT.value:
        turn.done()
        turn.say("这条已经处理过了。发编号可以查看进度。")
    elif turn.text.startswith(("不", "另", "否", "新")):
        filing.file_now(turn, hazard, [])
    else:
        filing.join(turn, hazard, turn.work.hazards.get(int(facts["other"])))


def cancelled(turn: Turn) -> None:
    """Stop telling; nothing is filed, nobody was told."""
    hazard = current_draft(turn)
    if hazard is not None:
        filing.drop_draft(turn.work, hazard, by=turn.person)
    turn.done()
    turn.say("好的,这条没有上报。需要时再拍照发给我。")


def looks_like_hazard(turn: Turn) -> bool:
    """Whether words that start no dialogue are worth a report: lexicon words or danger, not a question."""
    if not turn.text or rules.emergency(turn.text) is not None:
        return bool(turn.text)
    seen = rules.understand(turn.text)
    return bool(seen.phrase_ids) and not seen.is_question and not seen.claims_done


def remind(turn: Turn) -> None:
    """Something else was answered: the open report is still there, and what it lacks."""
    hazard = current_draft(turn)
    if hazard is None:
        return
    lacks = _missing(hazard, known_place=hazard.area is not None, no_photo=bool(_facts(turn).get("no_photo")))
    words_zh = {"photo": "一张现场照片", "place": "位置", "words": "一句问题"}
    turn.say(f"刚才的隐患还没报完,还缺{words_zh[lacks]},接着发就行。" if lacks else "刚才的隐患还在,接着发就行。")


def has_draft(turn: Turn) -> bool:
    return turn.work.hazards.draft_of(turn.person.id, since=turn.at - TOGETHER) is not None


def begin(turn: Turn) -> None:
    """From the menu or «上报»."""
    turn.ask(
        "请拍一张现场照片发来,再说一句是什么问题;能发位置更好。",
        flow=FLOW,
        state=TELLING,
        facts={},
        note="三样顺序不限,10分钟内发完即可。说“匿名”可不留名。",
        expires_after=TOGETHER,
    )


def photo_menu(turn: Turn) -> None:
    """The client has opened the camera for the person; the photos follow as messages of their own."""


# a whole request for a permit: it begins that dialogue, and the draft waits
_PERMIT = re.compile(
    r"^(?:我们?|咱们?|俺)?(?:要|想要?|需要|准备|帮我|请)*(?:申请|办理?|开)(?:一?[张个份])?\S{0,4}(?:动火|受限空间|盲板|高处|吊装|临时用电|动土|断路)\S{0,3}票?$"
)


def _is_told(turn: Turn) -> bool:
    return _PERMIT.match(turn.command) is None or looks_like_hazard(turn)


_TELLING = [
    said(BEGIN, begin),
    on(Kind.IMAGE, told),
    on(Kind.PLACE, told),
    on(Kind.SCAN, told),
    on(Kind.VOICE, told, fits=_is_told),
    on(Kind.TEXT, told, fits=_is_told),
]

flow = Flow(
    name=FLOW,
    starts=[
        said(BEGIN, begin),
        on(Kind.IMAGE, told),
        on(
            Kind.PLACE, told, fits=lambda turn: turn.message.position is not None and not turn.message.position.by_event
        ),
        on(Kind.SCAN, told),
        on(Kind.VOICE, told, fits=lambda turn: has_draft(turn) or looks_like_hazard(turn)),
        like("^匿名", told),
        like(r"^(?:我)?(?:想|要|能|可以)+匿名(?:举报|上报|报)?", told),
        on(Kind.TEXT, told, fits=lambda turn: has_draft(turn) or looks_like_hazard(turn)),
    ],
    states={FILED: [], TELLING: _TELLING, JOINING: [on(kind, answered_joining) for kind in (Kind.TEXT, Kind.VOICE)]},
    anywhere=[said(CANCEL, cancelled)],
    gives_way=frozenset({TELLING, JOINING}),
    menus={"hazard.photo": photo_menu},
)
