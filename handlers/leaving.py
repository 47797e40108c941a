"""The platform says that an account is gone: nothing is sent there any more, and who hands the open work over is told.

Nothing is handed over silently. Somebody who has no account left is away for good: `Person.gone`, which `duty.present`
heeds like a leave without anybody to stand in.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot import outbox
from bot.message import Inbound
from cards.deliveries import PLATFORM_ZH
from handlers import duty
from handlers.hazard import away, ladder, plans
from handlers.permit import holes
from rules.terms import HazardState, Role
from storage.models import Account, Hazard, Person
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

SKEW = timedelta(minutes=1)  # clocks of platform and server may differ by this much
SHOWN = 5
WHY = {"wecom": "已取消关注应用或离开企业", "dingtalk": "已离开企业"}


def left(work: UnitOfWork, message: Inbound) -> str:
    """«unsubscribe», «user_leave_org». Told late, of somebody who has spoken since, it means nothing."""
    account = work.people.account(message.platform, message.sender) if message.sender else None
    if account is None or account.left_at is not None:
        return "left.nothing"
    if account.last_seen_at is not None and message.sent_at < account.last_seen_at - SKEW:
        return "left.old"
    account.left_at = message.sent_at
    work.flush()
    log.warning("account.left", account=account.id)
    person = account.person
    if person is None or not person.active:
        return "left.noted"
    hazards = list(work.hazards.owned_by(person.id, limit=200))
    _tell(work, account, person, _open_work(work, person, hazards))
    if person.gone:
        _see_to(work, person, hazards)
    return "left.told"


def is_here(account: Account, message: Inbound) -> None:
    """Whoever speaks or joins has an account that works; what was said before it went does not bring it back."""
    if account.left_at is not None and message.sent_at >= account.left_at:
        account.left_at = None
        log.info("account.back", account=account.id)


def _open_work(work: UnitOfWork, person: Person, hazards: list[Hazard]) -> str:
    """«隐患 YH-0001、YH-0004,作业票 ZY-0002», "" for none."""
    kinds = (("隐患", [h.number for h in hazards]), ("作业票", [p.number for p in work.permits.of_person(person.id)]))
    return ",".join(f"{name} {_listed([n for n in numbers if n])}" for name, numbers in kinds if any(numbers))


def _listed(numbers: list[str]) -> str:
    more = f"等{len(numbers)}个" if len(numbers) > SHOWN else ""
    return "、".join(numbers[:SHOWN]) + more


def _tell(work: UnitOfWork, account: Account, person: Person, open_work: str) -> None:
    other = outbox.pick_account(person)
    reach = f"以后发到{PLATFORM_ZH[other.platform]}" if other is not None else "已没有能收到消息的账号"
    todo = f"名下没办完的:{open_work},请转派。" if open_work else ""
    platform = PLATFORM_ZH.get(account.platform, account.platform)
    text = f"{person.name}的{platform}账号{WHY.get(account.platform, '已停用')},{reach}。{todo}确已离职请在名册里停用。"
    people = [*work.people.with_role(Role.ADMIN), *duty.safety_officers(work)]
    for one in {p.id: p for p in people if p.id != person.id}.values():
        address = outbox.address_of(one)
        if address is not None:
            key = f"left:{account.id}:{work.at:%Y%m%d%H%M%S}:{one.id}"
            outbox.say(work, address, text, purpose="person.left", urgency=outbox.URGENT, dedupe_key=key)


def _see_to(work: UnitOfWork, person: Person, hazards: list[Hazard]) -> None:
    """As when a leave begins that nobody stands in for: what nobody confirmed climbs at once, permits ask who is there."""
    for found in hazards:
        if found.confirmed_at is not None or HazardState(found.state) not in plans.CONFIRMABLE:
            continue
        hazard = work.hazards.get(found.id, lock=True)
        key = f"left:{hazard.id}:{hazard.generation}:{person.id}"
        ladder.next_rung(work, hazard, "confirm", ["owner"], after=-1, key=key, at=away.when(work, hazard))
        work.trail.add(
            "hazard",
            hazard.id,
            away.HANDED_OVER,
            at=work.at,
            via="clock",
            from_state=hazard.state,
            to_state=hazard.state,
            why=f"{person.name}的账号已停用,已通知下一级",
            data={"person": person.id},
        )
    work.permit_queue.touch_people([person.id], at=work.at)
    for permit_id in holes.waiting(work):
        holes.ask_about(work, permit_id)
    work.wake.add("chat")
