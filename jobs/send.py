"""One platform call for one prepared message or one batch of cards. No database here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.outbox import URGENT
from bot.platforms.base import Failure, Platform, PlatformError, Target
from cards.card import Card
from connectors.errors import OutsideError
from jobs.context import Services
from jobs.reconcile import MARK
from storage.media import MediaUnavailable
from storage.models import CardCopy
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. `post` writes what belongs to it (the card's posting) in the noting transaction."""

    ref: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    failed: PlatformError | None = None
    post: Callable[[UnitOfWork], None] | None = None


def target_of(job: dict[str, Any]) -> Target:
    asked = job["payload"].get("reply_to") or {}
    answer_url = str(asked.get("response_url") or "") if job["group_id"] else ""
    return Target(user=job["user_id"], group=job["group_id"], union_id=job["union_id"], answer_url=answer_url)


def platform_of(services: Services, name: str) -> Platform:
    platform = services.platforms.get(name)
    if platform is None:
        raise PlatformError(Failure.PERMANENT, "platform_off")
    return platform


def short_key(dedupe_key: str) -> str:
    """A key platforms accept: letters and digits, stable over repeats."""
    return hashlib.sha256(dedupe_key.encode()).hexdigest()[:32]


def send_one(services: Services, jobs: Sequence[dict[str, Any]]) -> Outcome:
    """Send the only message in `jobs`. Raises PlatformError."""
    job = jobs[0]
    payload, key = job["payload"], short_key(job["dedupe_key"])
    if job["what"] == "sms":
        return Outcome(ref=_send_sms(services, job["user_id"], payload, key))
    platform, target = platform_of(services, job["platform"]), target_of(job)
    if job["what"] == "text":
        reply_to = payload.get("reply_to") if job["attempts"] == 1 else None
        sent = platform.send_text(target, payload["text"], key=key, reply_to=reply_to)
    elif job["what"] == "image":
        try:
            data = services.media.open(payload["sha256"])
        except MediaUnavailable as error:
            raise PlatformError(Failure.RETRY, "media_unavailable") from error
        if payload.get("maybe_repeat"):
            platform.send_text(target, f"下一张图片{MARK}", key=f"{key}-said")
        sent = platform.send_image(target, data, name=payload["name"], key=key)
    elif job["what"] == "notice":
        sent = platform.send_notice(target, Card.from_json(payload["card"]), key=key)
    elif job["what"] == "todo":
        ref = platform.create_todo(
            target,
            subject=payload["subject"],
            due_ms=payload["due_ms"],
            page=services.public_url + payload["page"],
            key=key,
        )
        return Outcome(ref=ref)
    elif job["what"] == "todo_done":
        if job["todo_ref"]:
            platform.finish_todo(target, job["todo_ref"])
        return Outcome()
    else:
        raise PlatformError(Failure.PERMANENT, f"unknown:{job['what']}")
    return Outcome(ref=sent.ref, refused=dict(sent.refused))


def _send_sms(services: Services, mobile: str, payload: dict[str, Any], key: str) -> str:
    if services.sms is None:
        raise PlatformError(Failure.PERMANENT, "sms_off")
    try:
        return services.sms.send(mobile, payload["params"], key=key)
    except OutsideError as error:
        failure = Failure.PERMANENT if error.permanent else Failure.UNKNOWN if error.unknown else Failure.RETRY
        raise PlatformError(failure, error.code, wait_s=error.wait_s) from error


def send_card_batch(services: Services, jobs: Sequence[dict[str, Any]]) -> Outcome:
    """Post one card, or say one digest, to everybody in the batch. A posting's ref is made from the batch, so that a
    repeat is recognised."""
    first = jobs[0]
    if "digest" in first:
        return _send_digest(services, first)
    card_id, content, revision = first["card"]
    platform = platform_of(services, first["platform"])
    ref = f"c{card_id}-{hashlib.sha256(first['batch_key'].encode()).hexdigest()[:16]}"
    targets = [target_of(job) for job in jobs]
    posted = platform.post_card(Card.from_json(content), targets, ref=ref)
    at: datetime = services.clock()

    def write(work: UnitOfWork) -> None:
        work.outbox.forget_contents([job["id"] for job in jobs])
        for job, target in zip(jobs, targets, strict=True):
            if job["urgency"] <= URGENT and target.key in posted.handles:
                work.outbox.get(job["id"]).payload = {"handle": posted.handles[target.key]}
        copies = [
            CardCopy(person_id=job["person_id"], user_id=job["user_id"], group_id=job["group_id"])
            for job, target in zip(jobs, targets, strict=True)
            if target.key not in posted.refused
        ]
        if copies and work.cards.post_by_ref(posted.ref) is None:
            card = work.cards.get(card_id)
            work.cards.add_post(
                card, first["platform"], posted.ref, revision=revision, codes=list(posted.codes), copies=copies, at=at
            )

    return Outcome(ref=posted.ref, refused=dict(posted.refused), post=write)


def _send_digest(services: Services, job: dict[str, Any]) -> Outcome:
    """One text in the place of all messages of the batch (frugal mode)."""
    text = job["digest"] + (f"\n{MARK}" if job["payload"].get("maybe_repeat") else "")
    sent = platform_of(services, job["platform"]).send_text(target_of(job), text, key=short_key(job["batch_key"]))
    return Outcome(ref=sent.ref, refused=dict(sent.refused))
