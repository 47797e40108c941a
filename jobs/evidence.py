"""Making the before/after picture of a submitted rectification, outside any transaction, then calling the acceptors."""

from __future__ import annotations

import structlog

from cards import images
from cards.words import name_of, place_of, zone
from handlers.hazard import actions, proof
from jobs.context import Services
from jobs.queue import DELIVERY
from storage.media import MediaUnavailable
from storage.models import Media

log = structlog.get_logger()


def make_due(services: Services) -> int:
    """Make every picture that is due; returns how many."""
    with services.new_work(read_only=True) as work:
        ids = work.hazards.evidence_due()
    made = sum(make(services, hazard_id) for hazard_id in ids)
    if made:
        services.kick(DELIVERY)
    return made


def make(services: Services, hazard_id: int) -> int:
    with services.new_work(read_only=True) as work:
        hazard = work.hazards.get(hazard_id)
        if hazard.evidence_state != "due":
            return 0
        submission, before = hazard.round, proof.before_photos(hazard)
        pairs = _small(work, before[:3]), _small(work, proof.after_photos(hazard)[:3])
        facts = {
            "number": hazard.number or "",
            "place": place_of(hazard),
            "before_at": hazard.reported_at,
            "after_at": hazard.submitted_at,
            "people": f"整改:{name_of(hazard.rectified_by)}",
            "description": hazard.description,
        }
    sha = _draw(services, hazard_id, *pairs, facts)
    with services.new_work() as work:
        hazard = work.hazards.get(hazard_id, lock=True)
        if hazard.evidence_state == "due" and hazard.round == submission:
            actions.evidence_made(work, hazard, sha)
            work.commit()
            log.info("evidence.made", hazard=hazard_id, drawn=bool(sha))
    return 1


def _small(work, photos) -> list[str]:
    rows = [work.media.get(photo.sha256) for photo in photos]
    return [row.small_sha for row in rows if row is not None and row.small_sha]


def _draw(services: Services, hazard_id: int, before: list[str], after: list[str], facts: dict) -> str:
    """The picture's hash; "" when the pictures cannot be read now (the acceptors are called all the same)."""
    try:
        picture = images.side_by_side(
            [services.media.open(sha) for sha in before],
            [services.media.open(sha) for sha in after],
            number=facts["number"],
            place=facts["place"],
            before_at=facts["before_at"],
            after_at=facts["after_at"],
            description=facts["description"],
            note=facts["people"],
            zone=zone(),
        )
        sha = services.media.save(picture, mime="image/jpeg")
    except (MediaUnavailable, images.PhotoRefused) as error:
        log.error("evidence.not_drawn", hazard=hazard_id, exc_info=error)
        return ""
    with services.new_work() as work:
        work.media.add(Media(sha256=sha, mime="image/jpeg", bytes=len(picture), small_sha=sha, stored_at=work.at))
        work.commit()
    return sha
