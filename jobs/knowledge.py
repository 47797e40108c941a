"""Keeping the cards (slow work): the starter pack, the weekly lists, who helped whom in a month, «did it come back?».

Every message has a key made of its week or month, so any number of schedulers and restarts send it once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot import outbox
from cards.words import local, short
from handlers.knowledge import feedback, rulebook, starter, veterans
from handlers.knowledge.review import month_start
from jobs.context import Services
from jobs.queue import DELIVERY
from rules.knowledge import CardLife, Look, needs_look
from rules.terms import Role
from storage.models import KnowledgeCard, Person
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

HOUR = 8  # not before eight in the morning, plant time
FOLLOW_UP_AFTER = timedelta(days=3)
LISTED = 10


class Duty(Protocol):
    def __call__(self, work: UnitOfWork, *, now: datetime) -> int:
        """Write what is due; returns how many messages. `now` is in plant time."""
        ...


def keep(services: Services) -> int:
    """Do what is due; returns how many messages were written."""
    with services.new_work() as work:
        loaded = starter.load(work) if starter.needed(work) else 0
        work.commit()
    now = services.clock().astimezone(services.zone)
    sent = 0
    if now.hour >= HOUR:
        sent += _do(services, follow_ups)
        if now.weekday() == 0:
            sent += _do(services, weekly_review)
            sent += _do(services, weekly_questions)
        if now.day <= 3:
            sent += _do(services, monthly_thanks)
    if sent:
        services.kick(DELIVERY)
        log.info("knowledge.kept", messages=sent, loaded=loaded)
    return sent


def _do(services: Services, duty: Duty) -> int:
    with services.new_work() as work:
        done = duty(work, now=services.clock().astimezone(services.zone))
        work.commit()
    return done


def _say(work: UnitOfWork, to: Person, text: str, *, key: str, purpose: str) -> int:
    address = outbox.address_of(to)
    if address is None:
        return 0
    sent = outbox.say(work, address, text, purpose=purpose, dedupe_key=key, urgency=outbox.LATER)
    return 1 if sent is not None else 0


def weekly_review(work: UnitOfWork, *, now: datetime) -> int:
    """Unused, often rejected, expired cards and those under an old edition of the rules, to everybody who may review."""
    edition = rulebook.edition()
    found = [(card, looks) for card in work.knowledge.published() if (looks := look_again(card, edition, at=work.at))]
    if not found:
        return 0
    found.sort(key=lambda pair: (_weight(pair[1]), pair[0].code))
    lines = [f"{card.code} {short(card.title, 18)}:{'、'.join(look.zh for look in looks)}" for card, looks in found]
    more = f"\n…共{len(lines)}张" if len(lines) > LISTED else ""
    text = (
        "经验卡本周要看一看:\n"
        + "\n".join(lines[:LISTED])
        + more
        + "\n回“确认 编号”继续用一年,“更正 编号 先做:…”出新版,或“停用 编号 原因”。"
    )
    people = dict.fromkeys([*veterans.any_veterans(work), *work.people.with_role(Role.SAFETY_OFFICER)])
    key = f"know.review:{now:%G-%V}"
    return sum(_say(work, person, text, key=key, purpose="knowledge.review_list") for person in people)


def look_again(card: KnowledgeCard, edition: str, *, at: datetime) -> tuple[Look, ...]:
    """Why the card should be looked at; empty when it is fine."""
    if card.published_at is None:
        return ()
    life = CardLife(
        published_at=card.published_at,
        last_used_at=card.last_used_at,
        valid_until=card.valid_until,
        used=card.used,
        rejected=card.rejected,
        rule_edition=card.rule_edition,
        mentions_rules=bool(card.rule_note),
    )
    return needs_look(life, at=at, rule_edition=edition)


_ORDER = (Look.OFTEN_REJECTED, Look.RULE_CHANGED, Look.EXPIRED, Look.UNUSED)


def _weight(looks: tuple[Look, ...]) -> int:
    return min(_ORDER.index(look) for look in looks)


def weekly_questions(work: UnitOfWork, *, now: datetime) -> int:
    """Questions of the week that nobody answered, to the veterans (equipment officers when there are none)."""
    open_ones = work.knowledge.unanswered(since=work.at - timedelta(days=7), limit=LISTED)
    if not open_ones:
        return 0
    lines = [f"{q.id}. {short(q.text, 40)}({local(q.asked_at)})" for q in open_ones]
    text = "这周没人答上来的问题:\n" + "\n".join(lines) + f"\n知道的回“答 {open_ones[0].id}”这样的编号,语音说就行。"
    people = veterans.any_veterans(work) or veterans.to_ask(work, asker_id=0, codes=(), area=None)
    key = f"know.questions:{now:%G-%V}"
    return sum(_say(work, person, text, key=key, purpose="knowledge.questions") for person in people)


def monthly_thanks(work: UnitOfWork, *, now: datetime) -> int:
    """«李师傅的经验上月帮到 14 人», to the author, and the list to the safety officers."""
    this = month_start(work.at)
    last = month_start(this - timedelta(days=1))
    helped = work.knowledge.helped(since=last, until=this)
    key, sent, lines = f"know.month:{last:%Y-%m}", 0, []
    for author_id, people in sorted(helped.items(), key=lambda pair: (-pair[1], pair[0])):
        author = work.people.get(author_id)
        lines.append(f"{author.name}师傅的经验上月帮到 {people} 人")
        if author.active:
            text = f"{author.name}师傅,您的经验上月帮到 {people} 人,积分 {work.knowledge.points_of(author_id)}。谢谢!"
            sent += _say(work, author, text, key=f"{key}:{author_id}", purpose="knowledge.thanks")
    if lines:
        for officer in work.people.with_role(Role.SAFETY_OFFICER):
            text = "经验帮到的人:\n" + "\n".join(lines[:LISTED])
            sent += _say(work, officer, text, key=key, purpose="knowledge.thanks")
    return sent


def follow_ups(work: UnitOfWork, *, now: datetime) -> int:
    """Three days after 有用: did the fault come back?"""
    return sum(feedback.follow_up(work, use) for use in work.knowledge.to_follow_up(before=work.at - FOLLOW_UP_AFTER))
