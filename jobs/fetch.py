"""Fetching what people sent from the platforms before it is handled: never inside a transaction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.message import Inbound, Kind, MediaRef
from bot.platforms.base import Failure, PlatformError
from cards import images
from connectors.errors import OutsideError
from connectors.speech import SpeechRefused
from jobs.context import Services
from jobs.leases import LEASE, Leases
from jobs.queue import CHAT
from storage.media import MediaUnavailable
from storage.models import Media

log = structlog.get_logger()

THREADS = 4
AT_ONCE = 2 * THREADS  # then it is looked again whether something more urgent waits
MAX_ATTEMPTS = 5
EXPIRED = "这张照片已经过期,取不到了,请重新发一次"
NO_VIDEO = "这段视频打不开,请用手机重新录一段发来"
LOST = "这张照片没有取到,请重新发一次;其它内容都在"
_NAMED = {Kind.VOICE: "这段语音", Kind.VIDEO: "这段视频"}


def fetch_ready(services: Services) -> int:
    with services.new_work(read_only=True) as work:
        ids = work.inbox.to_fetch(services.clock(), limit=AT_ONCE)
    if not ids:
        return 0
    with Leases(services, lambda work, held, until: work.inbox.renew_fetch(held, until)) as leases:
        if len(ids) == 1:
            done = int(fetch(services, ids[0], leases))
        else:
            with ThreadPoolExecutor(THREADS, thread_name_prefix="fetch") as pool:
                done = sum(pool.map(lambda row_id: fetch(services, row_id, leases), ids))
    if done:
        services.kick(CHAT)
    return done


def fetch(services: Services, row_id: int, leases: Leases) -> bool:
    """Fetch the pictures or voice of one message. False when another worker has it."""
    leases.hold([row_id])
    try:
        return _fetch(services, row_id)
    finally:
        leases.drop([row_id])


def _fetch(services: Services, row_id: int) -> bool:
    with services.new_work() as work:
        row = work.inbox.take_fetch(row_id, services.clock(), lease=LEASE)
        if row is None:
            return False
        message, attempts = Inbound.from_json(row.payload), row.attempts
        work.commit()
    try:
        found = [_fetch_one(services, message.platform, ref, last=attempts >= MAX_ATTEMPTS) for ref in message.media]
    except (PlatformError, MediaUnavailable) as error:
        _later(services, row_id, attempts, error)
        return True
    with services.new_work() as work:
        for row_media, _ in found:
            if row_media is not None:
                work.media.add(row_media)
        row = work.inbox.get(row_id)
        row.media = [facts for _, facts in found]
        row.needs_media, row.state, row.lease_until, row.attempts, row.next_try_at = False, "new", None, 0, None
        work.commit()
    log.info("inbound.fetched", id=row_id, parts=len(found))
    return True


def _fetch_one(services: Services, platform: str, ref: MediaRef, *, last: bool) -> tuple[Media | None, dict[str, Any]]:
    try:
        data = services.platforms[platform].download(ref)
    except PlatformError as error:
        if error.failure in (Failure.EXPIRED, Failure.PERMANENT):
            return None, {"kind": ref.kind.value, "refused": _about(EXPIRED, ref)}
        if last:
            return None, {"kind": ref.kind.value, "refused": _about(LOST, ref)}
        raise
    if ref.kind is Kind.VOICE:
        return _keep_voice(services, data, ref)
    if ref.kind is Kind.VIDEO:
        return _keep_video(services, data)
    return keep_photo(services, data)


def _about(sentence: str, ref: MediaRef) -> str:
    """The sentence about a photo, said of what was sent."""
    return sentence.replace("这张照片", _NAMED.get(ref.kind, "这张照片"))


def keep_photo(services: Services, data: bytes) -> tuple[Media | None, dict[str, Any]]:
    """Check, turn upright, make small copies, store. The facts say why when it cannot be used."""
    try:
        photo = images.prepare(data)
    except images.PhotoRefused as refused:
        return None, {"kind": "image", "refused": refused.message_zh, "reason": refused.reason_code}
    services.media.save(data, mime=photo.mime)
    small = services.media.save(photo.working, mime="image/jpeg")
    thumb = services.media.save(photo.thumbnail, mime="image/jpeg")
    codes = [code.text for code in images.decode_codes(data)]  # the small copy loses small codes
    taken_at = photo.exif.taken_at
    if taken_at is not None and taken_at.tzinfo is None:
        taken_at = taken_at.replace(tzinfo=services.zone)
    facts = {"exif": _position(photo.exif), "codes": codes, "flags": list(photo.exif.flags), "look": photo.look}
    row = Media(
        sha256=photo.sha256,
        mime=photo.mime,
        bytes=len(data),
        width=photo.width,
        height=photo.height,
        small_sha=small,
        thumb_sha=thumb,
        dhash=photo.hashes,
        taken_at=taken_at,
        facts=facts,
        stored_at=services.clock(),
    )
    return row, {"kind": "image", "sha256": photo.sha256, "codes": codes}


def _position(exif: Any) -> dict[str, Any]:
    if exif.lat is None or exif.lon is None:
        return {}
    return {"lat": exif.lat, "lon": exif.lon, "accuracy_m": exif.accuracy_m}


def _keep_voice(services: Services, data: bytes, ref: MediaRef) -> tuple[Media | None, dict[str, Any]]:
    """Keep the recording; the words too when a speech service is configured."""
    sha = services.media.save(data, mime=f"audio/{ref.format or 'amr'}")
    row = Media(sha256=sha, mime=f"audio/{ref.format or 'amr'}", bytes=len(data), stored_at=services.clock())
    words, refused = _words_of(services, data, ref)
    return row, {"kind": "voice", "sha256": sha, "words": words, "refused": refused}


def _keep_video(services: Services, data: bytes) -> tuple[Media | None, dict[str, Any]]:
    """Keep the film as it is: nothing here decodes it. Only the container that phones write is taken."""
    if data[4:8] != b"ftyp":
        return None, {"kind": "video", "refused": NO_VIDEO}
    sha = services.media.save(data, mime="video/mp4")
    row = Media(sha256=sha, mime="video/mp4", bytes=len(data), stored_at=services.clock())
    return row, {"kind": "video", "sha256": sha}


def _words_of(services: Services, data: bytes, ref: MediaRef) -> tuple[str, str]:
    """(words, Chinese reason when there are none). Whatever fails, the recording is kept and the person is asked to type."""
    if services.speech is None:
        return "", ""
    try:
        return services.speech.transcribe(data, format=ref.format or "amr").text, ""
    except SpeechRefused as refused:
        return "", refused.message_zh
    except OutsideError as error:
        log.warning("voice.not_recognised", system=error.system, code=error.code)
        return "", ""


def _later(services: Services, row_id: int, attempts: int, error: Exception) -> None:
    wait = max(getattr(error, "wait_s", 0.0), min(60.0, 2.0**attempts))
    now: datetime = services.clock()
    with services.new_work() as work:
        row = work.inbox.get(row_id)
        row.state, row.lease_until, row.next_try_at = "new", None, now + timedelta(seconds=wait)
        work.commit()
    log.warning("inbound.fetch_failed", id=row_id, attempts=attempts, code=getattr(error, "code", ""), again_in_s=wait)
