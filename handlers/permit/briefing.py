"""Who gave the safety briefing (安全交底, GB 30871-2022 4.4): said by the one who gave it, never guessed from who received it.

«我来交底 ZY-0001», by the applicant or a leader of the place. Nothing waits for it: without it the sheet keeps an empty line
for the pen.
"""

from __future__ import annotations

from bot.flow import like
from bot.turn import Turn
from cards import permit as cards
from cards.card import Button, Card
from handlers.permit import actions, cast, running
from handlers.permit.talk import GONE, NUMBER, guarded, number_said
from rules.errors import RuleBroken
from rules.permit.life import PermitState
from storage.models import Permit, PermitApproval, Person
from storage.unit_of_work import UnitOfWork

SAID = r"(?:我来(?:做|给大家)?(?:安全)?交底|(?:我)?(?:已经?)?(?:安全)?交底(?:完)?了|我(?:已)?交底)"
WORDS = rf"^(?:{NUMBER}[,,\s]*)?{SAID}[,,。\s]*(?:{NUMBER})?$"
SHOWN = 6
STATES = (PermitState.APPROVED, PermitState.ACTIVE, PermitState.INTERRUPTED)


def may_give(permit: Permit, person: Person) -> bool:
    """The applicant or a leader of the place, who does not receive it himself."""
    if cast.is_on(permit, person, cast.GUARDIAN, cast.WORKER):
        return False
    return permit.applicant_id == person.id or cast.may_lead(permit, person)


def give(work: UnitOfWork, permit: Permit, *, by: Person, via: str) -> None:
    """Record that this person gave the briefing. Raises RuleBroken."""
    running.need_state(permit, *STATES)
    if not may_give(permit, by):
        raise RuleBroken("who", "交底由申请人或当班班长、车间主任进行,接受交底的人不能给自己交底。")
    if any(row.kind == "briefing" and row.person_id == by.id for row in permit.approvals):
        raise RuleBroken("already", "已记下由您交底。")
    permit.approvals.append(
        PermitApproval(
            kind="briefing",
            step="briefing",
            person=by,
            person_id=by.id,
            granted=True,
            decided_at=work.at,
            words="交底人",
        )
    )
    cast.redraw(work, permit, actions.leave_line(work, permit, "gave_briefing", by=by, via=via))


def givers(permit: Permit) -> list[str]:
    """Names of those who gave it, for the sheet."""
    rows = [row for row in permit.approvals if row.kind == "briefing" and row.granted and row.person is not None]
    return list(dict.fromkeys(row.person.name for row in rows if row.person is not None))


def pressed(turn: Turn, permit: Permit) -> None:
    give(turn.work, permit, by=turn.person, via=turn.via)
    turn.say(f"{permit.number} 已记下由您交底。请作业人、监护人各自点“接受交底”。", case=cast.case_of(permit))


def said(turn: Turn) -> None:
    """«我来交底»: on the permit that was named, or the one that can be meant; a tap says which of several."""
    numbered, permit = number_said(turn)
    if numbered and permit is None:
        turn.say(GONE)
        return
    found = [permit] if permit is not None else _candidates(turn)
    if not found:
        turn.say("现在没有要您交底的作业票。发“我来交底 ZY-0001”可以指明是哪一张。")
    elif len(found) == 1:
        locked = turn.work.permits.get(found[0].id, lock=True)
        guarded(turn, locked, lambda: pressed(turn, locked))
    else:
        buttons = tuple(Button(one.number or "", f"permit.brief:{one.id}") for one in found[:SHOWN])
        body = "\n".join(cards.line(one) for one in found[:SHOWN])
        card = Card(title="给哪一张作业票交底?", colour="blue", body=body, buttons=buttons, state="ask")
        turn.show(card, key=f"ask:{turn.inbox_id}")


def _candidates(turn: Turn) -> list[Permit]:
    """Approved permits this person may brief for and has not yet."""
    live = turn.work.permits.live(states=[PermitState.APPROVED.value])
    return [
        one
        for one in live
        if may_give(one, turn.person)
        and not any(row.kind == "briefing" and row.person_id == turn.person.id for row in one.approvals)
    ]


STARTS = (like(WORDS, said),)
