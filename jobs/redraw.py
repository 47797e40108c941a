"""Making posted cards true: a post that shows an older revision is changed in place, or posted anew when it cannot be.

WeCom gives a right to change a card with its posting and one with every press, each for a single call. A right is spent
only for what the card does not show yet, comes back when the call never arrived, and is tried once more when nobody knows:
that it is spent then says that the call did arrive.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot import outbox
from bot.platforms.base import Failure, PlatformError, Target, only_answers
from bot.platforms.rates import sending
from cards.card import Card
from jobs.context import Services
from jobs.send import platform_of
from storage.models import CardPost
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

LEASE = timedelta(seconds=30)
CODE_LIFE = timedelta(hours=71)  # WeCom: 72 h
LONGEST_S = 300.0  # a platform that is away for hours leaves no card behind: it is tried until it works
NOT_TAKEN = (Failure.RETRY, Failure.THROTTLED, Failure.CONFIG, Failure.QUOTA)


def redraw(services: Services, post_id: int) -> int:
    """Bring one post up to date. 0 when another worker has it."""
    now = services.clock()
    with services.new_work() as work:
        if not work.cards.claim_post(post_id, now, lease=LEASE):
            return 0
        post = work.cards.post(post_id)
        right, needs_code = _take_code(post, now), post.platform == "wecom"
        code = str(right.get("code", ""))
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
        with sending(outbox.NORMAL):
            platform_of(services, platform_name).redraw_card(card, targets, ref=ref, code=code)
    except PlatformError as failed:
        error = failed
    with services.new_work() as work:
        _note(work, work.cards.post(post_id), revision, error, right)
        work.commit()
    return 1


def _take_code(post: CardPost, now: datetime) -> dict[str, Any]:
    """Spend the oldest right to change the card that is still valid; what is too old is dropped. {} when none is left."""
    fresh = [code for code in post.codes if datetime.fromisoformat(code["at"]) + CODE_LIFE > now]
    post.codes = fresh[1:]
    return dict(fresh[0]) if fresh else {}


def _post_again(work: UnitOfWork, post: CardPost) -> None:
    """No right is left to change it: the old copy is given up and the same people get the card anew."""
    post.state, post.lease_until = "dead", None
    to = [
        outbox.Address(post.platform, user_id=copy.user_id, group_id=copy.group_id, person_id=copy.person_id)
        for copy in post.copies
        if not only_answers(copy.group_id)  # nobody asked: there is nothing to answer
    ]
    if not to:
        return
    outbox.post_card(
        work,
        post.card.card_key,
        Card.from_json(post.card.content),
        to,
        case=(post.card.case_kind, post.card.case_id) if post.card.case_kind else None,
        purpose="card.again",
        batch=f"again:{post.id}:{post.card.revision}",
    )
    log.info("card.posted_again", post=post.id, card=post.card_id)


def _note(work: UnitOfWork, post: CardPost, revision: int, error: PlatformError | None, right: dict[str, Any]) -> None:
    """Write down how one change ended. `right` is what was spent for it; `tried` in it: the revision it may have drawn."""
    post.lease_until = None
    if error is not None and error.failure is Failure.SPENT and "tried" in right:
        post.error, error, revision = "", None, int(right["tried"])  # spent by our own call: that one did arrive
    if error is None:
        post.shown_revision, post.redrawn_at, post.attempts, post.error = revision, work.at, 0, ""
        post.next_try_at = None
        log.info("card.redrawn", post=post.id, revision=revision, platform=post.platform)
        return
    if right and error.failure is Failure.UNKNOWN:
        post.codes = [{**right, "tried": revision}, *post.codes]
    elif right and error.failure in NOT_TAKEN:
        post.codes = [right, *post.codes]
    post.error = f"{error.failure.value} {error.code}"[:100]
    log.warning("card.redraw_failed", post=post.id, code=error.code, failure=error.failure.value)
    if error.failure is Failure.NOBODY:
        post.state = "dead"
    elif error.failure in (Failure.SPENT, Failure.PERMANENT, Failure.EXPIRED):
        if post.codes:
            post.next_try_at = None  # another right is left
        else:
            _post_again(work, post)
    else:
        wait = max(error.wait_s, min(LONGEST_S, 2.0 ** min(post.attempts, 10)) * random.uniform(1.0, 1.3))
        post.next_try_at = work.at + timedelta(seconds=wait)
