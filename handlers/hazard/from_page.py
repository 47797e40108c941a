"""What a page sends, brought into the dialogue: the report goes on in chat as if it had been answered there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot import outbox
from bot.message import Inbound, Kind, Position
from bot.turn import Fetched, Turn
from handlers.hazard import actions, buttons, filing, place, proof, report, taking
from rules import hazard as rules
from rules.errors import RuleBroken
from rules.geo import Point
from rules.hazard import Action
from rules.terms import HazardState, PhotoKind, PlaceSource
from storage.inbox import store
from storage.models import Account, Area, Conversation, Hazard, Person
from storage.unit_of_work import UnitOfWork

WEB = "web"


class Result(StrEnum):
    REFUSED = "refused"  # not used at all: too rough, impossible
    OUTSIDE = "outside"  # noted, but it lies in no area: the area has to be chosen
    NOTED = "noted"  # noted, the report still lacks something
    JOINING = "joining"  # noted; the bot asks in chat whether it is the same as an open hazard
    FILED = "filed"
    OVER = "over"  # the report was filed, joined or withdrawn before


@dataclass(frozen=True, slots=True)
class PlaceOutcome:
    """What became of a place that a page sent; `message_zh` is what the page says."""

    result: Result
    message_zh: str
    number: str = ""
    area: str = ""
    draft_id: int = 0


def place_sent(
    work: UnitOfWork,
    person: Person,
    draft_id: int,
    where: Point | Area,
    *,
    accuracy_m: float | None,
    at: datetime,
    submit_key: str,
    account_id: int | None = None,
) -> PlaceOutcome:
    """A position (WGS84) or a chosen area for the person's own draft, or for a new one when `draft_id` is 0.

    Goes on with the dialogue in the chat where the report is being told. The same `submit_key` twice counts once.
    Raises RuleBroken("not_reporter") for another person's draft and ("no_draft") when there is none.
    """
    hazard = _draft(work, person, draft_id, at=at)
    if hazard.state != HazardState.DRAFT.value:
        return _over(hazard)
    turn = _turn(work, person, hazard, where, accuracy_m=accuracy_m, at=at, key=submit_key, account_id=account_id)
    if turn is None:  # this very submission was taken before
        return _outcome(work, hazard, None)
    if isinstance(where, Area):
        place.choose_area(hazard, where)
    else:
        problem = place.add_position(hazard, PlaceSource.H5, where, accuracy_m=accuracy_m, at=at)
        if problem:
            return PlaceOutcome(Result.REFUSED, problem, draft_id=hazard.id)
    report.told_by_button(turn, hazard)
    work.flush()
    return _outcome(work, hazard, turn)


def _draft(work: UnitOfWork, person: Person, draft_id: int, *, at: datetime) -> Hazard:
    if draft_id == 0:
        return work.hazards.draft_of(person.id, since=at - report.TOGETHER) or filing.open_draft(work, by=person, at=at)
    found = work.hazards.find(draft_id)
    if found is None:
        raise RuleBroken("no_draft", "没有找到这条上报,请回到聊天里重新拍照上报。")
    if found.reporter_id != person.id:
        raise RuleBroken("not_reporter", "只有上报人自己能补位置,请让上报人打开这个页面。")
    return work.hazards.get(draft_id, lock=True)


def _turn(
    work: UnitOfWork,
    person: Person,
    hazard: Hazard,
    where: Point | Area,
    *,
    accuracy_m: float | None,
    at: datetime,
    key: str,
    account_id: int | None,
) -> Turn | None:
    """The turn of a message that the person might have sent; None when it was taken before.

    It gets an inbox row of its own: that row's unique key stops repeats, and its id names the answers.
    """
    account, talk, group = _chat(work, person, hazard, at=at, account_id=account_id)
    position = None
    if isinstance(where, Point):
        position = Position(where.lat, where.lon, datum="wgs84", accuracy_m=accuracy_m)
    message = Inbound(
        platform=account.platform,
        key=f"h5:{hazard.id}:{key}"[:160],
        sender=account.user_id,
        kind=Kind.PLACE,
        sent_at=at,
        group=group,
        position=position,
    )
    row = {
        "platform": message.platform,
        "key": message.key,
        "sender": message.sender,
        "payload": message.to_json(),
        "state": "done",
        "needs_media": False,
        "media": [],
        "received_at": at,
        "sent_at": at,
        "handled_at": at,
        "attempts": 1,
        "error": "",
    }
    new = store(work.db.connection(), [row])
    if not new:
        return None
    return Turn(work=work, message=message, inbox_id=new[0], account=account, person=person, at=at, conversation=talk)


def _chat(
    work: UnitOfWork, person: Person, hazard: Hazard, *, at: datetime, account_id: int | None
) -> tuple[Account, Conversation | None, str]:
    """The account, dialogue and group in which this draft is being told; else the 1:1 chat used last."""
    account = next((a for a in person.accounts if a.id == account_id), None) or outbox.pick_account(person)
    if account is None:
        raise RuleBroken("no_account", "您还没有绑定企业微信或钉钉账号,请联系安全员。")
    told = [talk for talk in work.conversations.of_person(person.id, at=at) if talk.facts.get("draft") == hazard.id]
    if not told:
        return account, None, ""
    _, _, chat = told[0].chat_key.partition("@")
    platform, _, group = chat.partition(":")
    if group:
        there = next((a for a in person.accounts if a.platform == platform), None)
        if there is not None:
            return there, told[0], group
    # in the 1:1 chat the report goes on where the person spoke last, which need not be where the page was opened
    return outbox.pick_account(person) or account, told[0], ""


def _over(hazard: Hazard) -> PlaceOutcome:
    state = HazardState(hazard.state)
    words = f"{hazard.number} {state.zh}" if hazard.number else state.zh
    return PlaceOutcome(
        Result.OVER, f"这条上报已经处理过了({words}),不用再补位置。", number=hazard.number or "", draft_id=hazard.id
    )


def _outcome(work: UnitOfWork, hazard: Hazard, turn: Turn | None) -> PlaceOutcome:
    area = hazard.area.name if hazard.area else ""
    note = "".join(f"\n⚠ {note}。" for note in hazard.place_notes) if area else ""

    def so(result: Result, words: str) -> PlaceOutcome:
        return PlaceOutcome(result, words, number=hazard.number or "", area=area, draft_id=hazard.id)

    if hazard.number is not None:
        return so(Result.FILED, f"位置:{area or '待核对'}。隐患 {hazard.number} 已上报,回执在聊天里。{note}")
    if not area:
        return so(Result.OUTSIDE, "定位不在厂区任何区域内,请在下面选一个区域。")
    talk = turn and work.conversations.load(turn.chat_key, at=turn.at)
    if talk and talk.state == report.JOINING:
        return so(Result.JOINING, f"位置:{area}。像是已经有人报过,请回聊天里点一下是不是同一个。{note}")
    missing = [] if hazard.photos else ["一张现场照片"]
    missing += [] if hazard.description else ["一句话说明"]
    rest = f"还缺{'和'.join(missing)},请回聊天里接着发。" if missing else "请回聊天里接着办。"
    return so(Result.NOTED, f"位置:{area}。{rest}{note}")


@dataclass(frozen=True, slots=True)
class ProofOutcome:
    """`refused_zh`: why it is no proof and what to do; "" when it was handed in."""

    refused_zh: str = ""


def proof_sent(
    work: UnitOfWork, hazard: Hazard, *, by: Person, photos: Sequence[Fetched], words: str, at: datetime
) -> ProofOutcome:
    """After-photos and words from a page. Raises RuleBroken; photos that are no proof are kept, but dropped as such."""
    relations = actions.relations(work, hazard, by)
    rules.check(Action.SUBMIT, state=HazardState(hazard.state), relations=relations)
    if not words.strip():
        raise RuleBroken("words", "还缺一句话:是怎么改的?请写上再提交。")
    taking.add_photos(_page_turn(work, by, photos, at=at), hazard, PhotoKind.AFTER, limit=taking.MAX_PHOTOS)
    try:
        actions.submit(work, hazard, by=by, words=words.strip()[: taking.MAX_WORDS], via=WEB)
    except RuleBroken as broken:
        if not broken.rule.startswith("FC-"):
            raise
        for photo in proof.after_photos(hazard):
            photo.dropped = True
        return ProofOutcome(broken.message_zh)
    _end_talk_about(work, by, hazard, at=at)
    return ProofOutcome()


def more_photos(work: UnitOfWork, hazard: Hazard, *, by: Person, photos: Sequence[Fetched], at: datetime) -> int:
    """Further photos of the hazard from its reporters. Returns how many were new. Raises RuleBroken."""
    relations = actions.relations(work, hazard, by)
    rules.check(Action.ADD_PHOTO, state=HazardState(hazard.state), relations=relations)
    room = taking.MAX_PHOTOS - len(proof.before_photos(hazard))
    if room <= 0:
        raise RuleBroken("photos", f"一条隐患最多{taking.MAX_PHOTOS}张照片,已经满了。")
    added = taking.add_photos(_page_turn(work, by, photos, at=at), hazard, PhotoKind.BEFORE, limit=room)
    return actions.add_photos(work, hazard, by=by, count=added, via=WEB)


def _page_turn(work: UnitOfWork, by: Person, photos: Sequence[Fetched], *, at: datetime) -> Turn:
    """A turn that only carries photos; nothing is said through it."""
    account = outbox.pick_account(by)
    if account is None:
        raise RuleBroken("no_account", "您还没有绑定企业微信或钉钉账号,请联系安全员。")
    message = Inbound(platform=account.platform, key="", sender=account.user_id, kind=Kind.IMAGE, sent_at=at)
    return Turn(work=work, message=message, inbox_id=0, account=account, person=by, at=at, fetched=tuple(photos))


def _end_talk_about(work: UnitOfWork, person: Person, hazard: Hazard, *, at: datetime) -> None:
    """A chat dialogue that still waits for this proof is over."""
    for talk in work.conversations.of_person(person.id, at=at):
        if talk.flow == buttons.WORK and talk.state == buttons.PROOF and talk.facts.get("hazard") == hazard.id:
            work.conversations.end(talk.chat_key, at=at)
