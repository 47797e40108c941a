"""Messages that cannot be delivered become a card for the admins: one a day for each cause, redrawn as it grows."""

from __future__ import annotations

from datetime import timedelta

from bot import outbox
from bot.flow import Flow
from bot.turn import Turn
from cards import deliveries as cards
from cards.card import Card
from cards.words import local, zone
from handlers.budgets import NOT_YOURS, may_see
from rules.terms import Role
from storage.models import Delivery
from storage.unit_of_work import UnitOfWork

PAUSE = timedelta(minutes=1)  # while a platform is down thousands fail: they are not counted one by one
OURS = ("delivery.", "budget", "audit.")  # news about news would never end


def tell_admins(work: UnitOfWork, row: Delivery, *, remedy: str) -> None:
    """Note a failed message on today's card of its cause. The card changes at 1, 2, 4, 8 … messages: each change of a
    WeCom card costs a right, and nobody needs to see every single one."""
    if row.purpose.startswith(OURS):
        return
    today = work.at.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    for_good = row.state == "refused"
    key = f"failed:{today:%Y%m%d}:{row.platform}:{'x' if for_good else 'w'}:{row.error}"[:64]
    known = work.cards.by_key(key)
    if known is not None and known.updated_at > work.at - PAUSE:
        return
    work.flush()
    how_many = work.outbox.refused_like(row, since=today)
    if known is not None and how_many & (how_many - 1):
        return
    card = cards.failed_card(
        platform=row.platform,
        error=row.error,
        how_many=how_many,
        latest=work.at,
        for_good=for_good,
        remedy=remedy,
        number=_number(work, row),
        button=f"delivery.seen:{key}",
    )
    if known is not None:
        outbox.redraw(work, key, card)
        return
    to = []
    for admin in work.people.with_role(Role.ADMIN):
        others = [a.platform for a in admin.accounts if a.platform != row.platform and a.user_id and a.left_at is None]
        address = outbox.address_of(admin, prefer=others[0] if others else "")
        if address is not None:
            to.append(address)
    urgency = outbox.URGENT if row.urgency <= outbox.URGENT else outbox.NORMAL
    outbox.post_card(work, key, card, to, purpose="delivery.failed", urgency=urgency)


def _number(work: UnitOfWork, row: Delivery) -> str:
    """«YH-0001» or «ZY-0001», "" when it belongs to nothing that has a number."""
    if row.case_id is None or row.case_kind not in ("hazard", "permit"):
        return ""
    case = work.hazards.find(row.case_id) if row.case_kind == "hazard" else work.permits.find(row.case_id)
    return (case.number or "") if case is not None else ""


def seen(turn: Turn, key: str) -> None:
    """«知道了»: everybody sees who looks after it."""
    if not may_see(turn.person):
        turn.say(NOT_YOURS)
        return
    known = turn.work.cards.by_key(key)
    if known is None:
        turn.say("这张卡片已经过期,打开“额度和投递”页面看现在的情况。")
        return
    card = Card.from_json(known.content)
    last = f"{turn.person.name} {local(turn.at)} 已知悉"
    outbox.redraw(turn.work, key, _acknowledged(card, last))
    turn.say("已记下,大家能看到是您在处理。")


def _acknowledged(card: Card, last: str) -> Card:
    return Card(
        title=card.title, colour="grey", facts=card.facts, body=card.body, note=last, page=card.page, state="seen"
    )


flow = Flow(name="deliveries", buttons={"delivery.seen": seen})
