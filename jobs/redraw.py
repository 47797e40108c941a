"""Making posted cards true: a post that shows an older revision is changed in place, or posted anew when it cannot be."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from bot import outbox
from bot.platforms.base import Failure, PlatformError, Target
from cards.card import Card
from jobs.context import Services
from jobs.send import platform_of
from storage.models import CardPost
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

LEASE = timedelta(seconds=30)
CODE_LIFE = timedelta(hours=71)  # WeCom: 72 h
MAX_ATTEMPTS = 12
NOT_TAKEN = (Failure.RETRY, Failure.THROTTLED, Failure.CONFIG, Failure.QUOTA)


def redraw(services: Services, post_id: int) -> int:
    """Bring one post up to date. 0 when another worker has it."""
    now = services.clock()
    with services.new_work() as work:
        if not work.cards.claim_post(post_id, now, lease=LEASE):
            return 0
        post = work.cards.post(post_id)
        code, needs_code = _take_code(post, now), post.platform == "wecom"
        card, revision, ref, platform_name = (
            Card.from_json(post.card.content),
            post.card.revision,
            post.ref,
            post.platform,
        )
        targets = [Target(user=copy.user_id, group=copy.group_id) for copy in post.copies]
        if needs_code and not code:
            _post_again(work, post)
        work.commit()
    if needs_code and not code:
        services.kick("delivery")
        return 1
    error: PlatformError | None = None
    try:
        platform_of(services, platform_name).redraw_card(card, targets, ref=ref, code=code)
    except PlatformError as failed:
        error = failed
    with services.new_work() as work:
        _note(work, work.cards.post(post_id), revision, error, code)
        work.commit()
    return 1


def _take_code(post: CardPost, now: datetime) -> str:
    """Spend the oldest right to change the card that is still valid; what is too old is dropped."""
    fresh = [code for code in post.codes if datetime.fromisoformat(code["at"]) + CODE_LIFE > now]
    post.codes = fresh[1:]
    return str(fresh[0]["code"]) if fresh else ""


def _post_again(work: UnitOfWork, post: CardPost) -> None:
    """No right is left to change it: the old copy is given up and the same people get the card anew."""
    post.state, post.lease_until = "dead", None
    outbox.post_card(
        work,
        post.card.card_key,
        Card.from_json(post.card.content),
        [
            outbox.Address(post.platform, user_id=copy.user_id, group_id=copy.group_id, person_id=copy.person_id)
            for copy in post.copies
        ],
        case=(post.card.case_kind, post.card.case_id) if post.card.case_kind else None,
        purpose="card.again",
        batch=f"again:{post.id}:{post.card.revision}",
    )
    log.info("card.posted_again", post=post.id, card=post.card_id)


def _note(work: UnitOfWork, post: CardPost, revision: int, error: PlatformError | None, code: str) -> None:
    post.lease_until = None
    if error is not None and code and error.failure in NOT_TAKEN:
        post.codes = [{"code": code, "at": work.at.isoformat()}, *post.codes]  # the right was not spent
    if error is None:
        post.shown_revision, post.redrawn_at, post.attempts, post.error = revision, work.at, 0, ""
        post.next_try_at = None
        log.info("card.redrawn", post=post.id, revision=revision, platform=post.platform)
        return
    post.error = f"{error.failure.value} {error.code}"[:100]
    if error.failure in (Failure.SPENT, Failure.PERMANENT, Failure.NOBODY) or post.attempts >= MAX_ATTEMPTS:
        if error.failure is Failure.SPENT and post.codes:
            post.next_try_at = None  # another right is left
        elif error.failure is Failure.SPENT:
            _post_again(work, post)
        else:
            post.state = "dead"
        log.warning("card.redraw_failed", post=post.id, code=error.code, failure=error.failure.value)
        return
    wait = max(error.wait_s, min(300.0, 2.0**post.attempts))
    post.next_try_at = work.at + timedelta(seconds=wait)
    log.warning("card.redraw_waits", post=post.id, code=error.code, wait_s=wait)
