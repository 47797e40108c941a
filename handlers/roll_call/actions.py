"""Starting, confirming, asking again and ending a roll call; its ladder. The caller commits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import structlog

from bot import outbox
from bot.outbox import Address
from cards import roll_call as cards
from cards.words import local
from handlers import duty
from handlers.hazard import plans
from rules import escalation
from rules.errors import RuleBroken
from rules.terms import Role
from storage.models import Delivery, LadderStep, Person, RollCall, RollCallMember
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

LEADERS = (Role.TEAM_LEADER, Role.WORKSHOP_DIRECTOR, Role.SAFETY_OFFICER, Role.EXECUTIVE)
LADDER = "everyone"
REDRAW_AFTER = timedelta(seconds=60)  # the leaders' card is not posted anew for every single confirmation
OTHERS_BY_SMS = ("list", "step", "help")  # beside the alarm, what those who lead must hear by any channel
SMALL = 8  # …unless the call is this small


def case_of(call: RollCall) -> tuple[str, int]:
    return ("roll_call", call.id)


def start(
    work: UnitOfWork,
    people: Iterable[Person],
    *,
    kind: str,
    area_id: int | None,
    why: str,
    case: tuple[str, int] | None = None,
    by: Person | None = None,
    via: str,
    announce: bool = True,
) -> RollCall:
    """Call these people: card to each of them, the list to those who lead, the ladder of the policy in force.

    `by` counts as confirmed. Without `announce` others have told them already (a permit's own card).
    """
    version, content = plans.content_of(work, None)
    steps = escalation.roll_call_steps(content, kind)
    call = work.roll_calls.add(
        RollCall(
            kind=kind,
            area_id=area_id,
            why=why[:300],
            case_kind=case[0] if case else "",
            case_id=case[1] if case else None,
            plan=[plans.stored(step) for step in steps],
            policy_version=version,
            generation=1,
            started_at=work.at,
            started_by=by,
            members=[],
        )
    )
    for person in {p.id: p for p in people}.values():
        done = work.at if by is not None and person.id == by.id else None
        call.members.append(
            RollCallMember(
                person_id=person.id, person=person, called_at=work.at, confirmed_at=done, via=via if done else ""
            )
        )
    work.flush()
    for position, step in enumerate(steps):
        add_step(work, call, position, plans.stored(step)["notices"], after=timedelta(minutes=step.after_minutes))
    leave(work, call, "started", by=by, via=via, why=f"{len(call.members)}人:{call.why}")
    if announce:
        _call_members(work, call, [m for m in call.members if m.confirmed_at is None], batch=f"roll:{call.id}:start")
    _post_leaders(work, call, batch=f"roll:{call.id}:lead")
    log.warning("roll_call.started", call=call.id, kind=kind, people=len(call.members))
    return call


def add_step(work: UnitOfWork, call: RollCall, position: int, notices: object, *, after: timedelta) -> None:
    work.ladder.add(
        LadderStep(
            case_kind="roll_call",
            case_id=call.id,
            generation=call.generation,
            ladder=LADDER,
            position=position,
            step={"notices": notices},
            due_at=work.at + after,
        )
    )


def leave(work: UnitOfWork, call: RollCall, action: str, *, by: Person | None, via: str, why: str = "") -> None:
    before = "" if action == "started" else "open"
    after = "over" if action == "ended" else "open"
    work.trail.add(
        "roll_call",
        call.id,
        action,
        at=work.at,
        by_id=by.id if by else None,
        via=via,
        from_state=before,
        to_state=after,
        why=why,
    )


# -- who is told


def leaders(work: UnitOfWork, call: RollCall) -> list[Person]:
    """Those who look after the people called: leaders of the area, safety officers, executives."""
    found = [p for role in LEADERS for p in duty.on_duty(work, role, call.area_id)]
    return list({p.id: p for p in [*found, *([call.started_by] if call.started_by else [])]}.values())


def _addresses(people: Iterable[Person]) -> list[Address]:
    return [address for person in people if (address := outbox.address_of(person)) is not None]


def _call_members(work: UnitOfWork, call: RollCall, members: Sequence[RollCallMember], *, batch: str) -> None:
    """The card to those who can be reached in chat, an SMS to the others."""
    outbox.post_card(
        work,
        cards.member_key(call.id),
        cards.member_card(call),
        _addresses(m.person for m in members),
        purpose=f"roll_call.{call.kind}",
        case=case_of(call),
        urgency=outbox.ALARM,
        batch=batch,
        again=True,
    )
    for member in members:
        if outbox.address_of(member.person) is None:
            sms(work, call, member.person, tag=batch)


def sms(work: UnitOfWork, call: RollCall, person: Person, *, tag: str, what: str = "") -> Delivery | None:
    """To who is called; `what` (OTHERS_BY_SMS) when it is for those who lead. None without a mobile number, or when it was
    written before."""
    return outbox.send_sms(
        work,
        person,
        cards.sms_params(call),
        purpose=f"roll_call.{what or call.kind}",
        case=case_of(call),
        dedupe_key=f"sms:{tag}",
    )


def _post_leaders(work: UnitOfWork, call: RollCall, *, batch: str) -> None:
    outbox.post_card(
        work,
        cards.leader_key(call.id),
        cards.leader_card(call),
        _addresses(leaders(work, call)),
        purpose="roll_call.list",
        case=case_of(call),
        urgency=outbox.URGENT,  # who is in danger hears of it before those who count
        batch=batch,
    )


def say(work: UnitOfWork, call: RollCall, people: Iterable[Person], text: str, *, tag: str) -> int:
    """One line to each of these; returns how many can be reached."""
    to = _addresses(people)
    for address in to:
        outbox.say(
            work,
            address,
            text,
            purpose=f"roll_call.{tag.split(':')[0]}",
            case=case_of(call),
            urgency=outbox.ALARM,
            dedupe_key=f"roll:{call.id}:{tag}",
        )
    return len(to)


def redraw(work: UnitOfWork, call: RollCall) -> None:
    outbox.redraw(work, cards.leader_key(call.id), cards.leader_card(call))


# -- what people do


def member_of(call: RollCall, person: Person) -> RollCallMember | None:
    return next((m for m in call.members if m.person_id == person.id), None)


def may_lead(work: UnitOfWork, call: RollCall, person: Person) -> bool:
    """Who may ask again, confirm for others and end it: who started it, and those who lead the area or the plant."""
    return call.started_by_id == person.id or bool(set(LEADERS) & duty.roles_of(work, person, call.area_id))


def need_open(call: RollCall) -> None:
    if call.ended_at is not None:
        raise RuleBroken("state", f"{call.number} 已在{local(call.ended_at)}解除,不用再确认。")


def confirm(work: UnitOfWork, call: RollCall, *, person: Person, by: Person, via: str) -> RollCallMember:
    """This person is safe; `by` is the person, or somebody who leads and has seen them. Raises RuleBroken."""
    need_open(call)
    member = member_of(call, person)
    if member is None:
        raise RuleBroken("who", f"{call.number} 没有点到{'您' if by.id == person.id else person.name},不用确认。")
    if by.id != person.id and not may_lead(work, call, by):
        raise RuleBroken("who", "替别人确认只能由班组长、车间主任、安全员或分管领导进行。")
    if member.confirmed_at is not None:
        raise RuleBroken(
            "already", f"{'您' if by.id == person.id else person.name}已在{local(member.confirmed_at)}确认过了。"
        )
    member.confirmed_at, member.via = work.at, via
    member.by_id = by.id if by.id != person.id else None
    leave(work, call, "confirmed", by=by, via=via, why=f"替{person.name}确认" if by.id != person.id else "")
    work.flush()
    left = cards.missing(call)
    if not left:
        call.all_confirmed_at = work.at
        work.ladder.call_off("roll_call", call.id, at=work.at)
        say(
            work,
            call,
            leaders(work, call),
            f"{call.number} {cards.kind_zh(call)}:全员{len(call.members)}人已确认。",
            tag="all",
        )
        redraw(work, call)
    elif len(call.members) <= SMALL or _drawn_long_ago(work, call):
        redraw(work, call)
    return member


def _drawn_long_ago(work: UnitOfWork, call: RollCall) -> bool:
    card = work.cards.by_key(cards.leader_key(call.id))
    return card is not None and work.at - card.updated_at >= REDRAW_AFTER


def ask_help(work: UnitOfWork, call: RollCall, *, by: Person, via: str) -> None:
    """«需要救援»: those who lead hear of it at once, with the number to call. Raises RuleBroken."""
    need_open(call)
    member = member_of(call, by)
    if member is None:
        raise RuleBroken("who", f"{call.number} 没有点到您;需要救援请直接发消息说明位置。")
    member.help_at, member.confirmed_at = work.at, None
    call.all_confirmed_at = None
    leave(work, call, "help", by=by, via=via)
    work.flush()
    phone = f",电话{by.mobile}" if by.mobile else ""
    people = leaders(work, call)
    text = f"⚠ {call.number} {by.name}需要救援!位置:{cards.place(call)}{phone}。做好防护再施救。"
    say(work, call, people, text, tag=f"help:{by.id}:{work.at:%H%M%S}")
    for person in people:
        sms(work, call, person, tag=f"roll:{call.id}:help:{by.id}", what="help")
    _keep_asking(work, call)
    redraw(work, call)


def _keep_asking(work: UnitOfWork, call: RollCall) -> None:
    """The ladder was called off when all had confirmed: it goes on with its last step."""
    steps = work.ladder.of("roll_call", call.id, generation=call.generation)
    if call.plan and not any(s.taken_at is None and s.called_off_at is None for s in steps):
        last = max((s.position for s in steps), default=-1)
        add_step(work, call, last + 1, call.plan[-1]["notices"], after=timedelta(minutes=2))


def again(work: UnitOfWork, call: RollCall, *, by: Person, via: str) -> int:
    """Ask everybody who has not confirmed once more; returns how many. Raises RuleBroken."""
    need_open(call)
    if not may_lead(work, call, by):
        raise RuleBroken("who", "再催一次只能由班组长、车间主任、安全员或分管领导进行。")
    left = cards.missing(call)
    ask(work, call, left, ("app", "sms"), tag=f"again:{work.at:%d%H%M%S}")
    leave(work, call, "again", by=by, via=via, why=f"{len(left)}人")
    redraw(work, call)
    return len(left)


def ask(
    work: UnitOfWork, call: RollCall, members: Sequence[RollCallMember], channels: Sequence[str], *, tag: str
) -> None:
    if set(channels) - {"sms"}:
        _call_members(work, call, members, batch=f"roll:{call.id}:{tag}")
    if "sms" in channels:
        for member in members:
            sms(work, call, member.person, tag=f"roll:{call.id}:{tag}")


def end(work: UnitOfWork, call: RollCall, *, by: Person | None, via: str, quiet: bool = False) -> None:
    """All clear: nobody is asked any more, everybody called hears of it. Raises RuleBroken while somebody needs help."""
    need_open(call)
    if by is not None and not may_lead(work, call, by):
        raise RuleBroken("who", "解除只能由发起人、班组长、车间主任、安全员或分管领导进行。")
    lost = cards.helpless(call)
    if lost and by is not None:
        raise RuleBroken(
            "help", f"还有人需要救援:{cards.names(lost)}。先确认他们安全(发“{call.number} 姓名 安全”),再解除。"
        )
    call.ended_at, call.ended_by = work.at, by
    call.generation += 1
    work.ladder.call_off("roll_call", call.id, at=work.at)
    work.outbox.cancel_case("roll_call", call.id, purposes=[f"roll_call.{call.kind}"])
    leave(work, call, "ended", by=by, via=via, why=cards.standing(call))
    work.flush()
    redraw(work, call)
    outbox.redraw(work, cards.member_key(call.id), cards.member_card(call))
    if not quiet:
        text = f"{call.number} {cards.kind_zh(call)}({cards.place(call)})已解除。"
        say(work, call, [m.person for m in call.members], text, tag="over")
