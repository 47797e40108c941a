"""«待办»: what waits for one person, of every kind: to rectify, accept, decide; permits; roll calls; cards to review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.flow import Flow, said
from bot.turn import Turn
from cards import hazard as hazard_cards
from cards import permit as permit_cards
from cards import roll_call as roll_call_cards
from handlers.hazard import actions
from handlers.knowledge import veterans
from handlers.permit import mine
from rules.hazard import Action, allowed
from rules.terms import HazardState, Role
from storage.models import Hazard, Permit, Person, RollCall
from storage.people import has_role
from storage.unit_of_work import UnitOfWork

TODO = ("待办", "我的待办", "要办的", "待办事项", "我的待办事项", "我要办的", "有什么待办", "我有什么要办的", "查待办")
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one person. `permits`: each with what is to be done; `reviews`: how many cards of experience."""

    roll_calls: Sequence[RollCall]
    permits: Sequence[tuple[Permit, str]]
    rectify: Sequence[Hazard]
    accept: Sequence[Hazard]
    decide: Sequence[Hazard]
    ownerless: Sequence[Hazard]
    reviews: int


def waiting_for(work: UnitOfWork, person: Person) -> Waiting:
    """What waits for this person now; of hazards and permits of others the longest waiting 200 are looked at."""
    hazards = work.hazards
    officer = has_role(person, Role.SAFETY_OFFICER)
    reviews = work.knowledge.waiting_for_review() if veterans.may_review(person) else ()
    return Waiting(
        roll_calls=work.roll_calls.open_for(person.id),
        permits=mine.waiting_for(work, person),
        rectify=hazards.owned_by(person.id, limit=50),
        accept=[h for h in hazards.to_accept(limit=200) if _may(work, h, person, Action.ACCEPT)],
        decide=[h for h in hazards.asking_extension(limit=200) if _decides(work, h, person)],
        ownerless=hazards.without_owner() if officer else (),
        reviews=sum(1 for card in reviews if card.author_id != person.id),
    )


def _may(work: UnitOfWork, hazard: Hazard, person: Person, action: Action) -> bool:
    return action in allowed(state=HazardState(hazard.state), relations=actions.relations(work, hazard, person))


def _decides(work: UnitOfWork, hazard: Hazard, person: Person) -> bool:
    """Nobody decides their own request."""
    asked = hazard_cards.open_extension(hazard)
    if asked is not None and asked.by_id == person.id:
        return False
    return _may(work, hazard, person, Action.APPROVE_EXTENSION)


def todo(turn: Turn) -> None:
    """The list in chat; a number said then brings the card with its buttons."""
    found = waiting_for(turn.work, turn.person)
    lines = [f"点名没确认:{roll_call_cards.line(call)}" for call in found.roll_calls]
    lines += _group("作业票", [f"{permit_cards.line(permit)}:{what}" for permit, what in found.permits])
    late = [
        hazard_cards.line(h) + (" ⚠已逾期" if h.due_at is not None and h.due_at < turn.at else "")
        for h in found.rectify
    ]
    lines += _group("要整改的", late)
    lines += _group("要验收的", [hazard_cards.line(h) for h in found.accept])
    lines += _group("要批延期的", [hazard_cards.line(h) for h in found.decide])
    lines += _group("没有责任人的", [hazard_cards.line(h) for h in found.ownerless])
    if found.reviews:
        lines.append(f"等审核的经验{found.reviews}张,发“待审经验”。")
    turn.say("\n".join([*lines, "发编号就能办理。"]) if lines else "没有待办,辛苦了。")


def _group(title: str, lines: Sequence[str]) -> list[str]:
    more = [f"……另有{len(lines) - SHOWN}条,打开“待办”页面看"] if len(lines) > SHOWN else []
    return [f"{title}({len(lines)}):", *lines[:SHOWN], *more] if lines else []


flow = Flow(name="todo", first=[said(TODO, todo)], starts=[said(TODO, todo)], menus={"query.todo": todo})
