"""Gathering what is known about a rectification, for the signals of formal closure (FC-01 … FC-15)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from bot.message import Position
from cards import treatment
from handlers.hazard import likeness, place
from handlers.hazard.likeness import hash_of, second_hash
from rules import hazard as rules
from rules.geo import Point, distance_m
from rules.hazard import Evidence, ExtensionFacts, Findings, PhotoFacts, Signal
from rules.terms import PhotoKind
from rules.text import bigram_similarity
from storage.models import Hazard, HazardPhoto, Media, Person
from storage.unit_of_work import UnitOfWork

REPEAT_WITHIN = timedelta(days=30)
SAME_WORDS = 0.45  # likeness of two descriptions [L], as for duplicates
VISIT_WITHIN = timedelta(hours=2)  # a position older than that says nothing of the acceptance [L]


def after_photos(hazard: Hazard) -> list[HazardPhoto]:
    """Photos of the submission being worked at."""
    return [p for p in hazard.photos if p.kind == PhotoKind.AFTER.value and p.round == hazard.round and not p.dropped]


def before_photos(hazard: Hazard) -> list[HazardPhoto]:
    return [p for p in hazard.photos if p.kind == PhotoKind.BEFORE.value]


def judge_submission(work: UnitOfWork, hazard: Hazard, *, by: Person, words: str) -> Findings:
    """The signals when a rectification is handed in. Photos that are no proof are dropped so that others can follow."""
    return rules.examine(_evidence(work, hazard, fixer=by, acceptor=None, words=words))


def judge_closing(work: UnitOfWork, hazard: Hazard, *, by: Person) -> Findings:
    """The signals once it is accepted: what the safety officer samples."""
    return rules.examine(
        _evidence(work, hazard, fixer=hazard.rectified_by, acceptor=by, words=hazard.rectification, closing=True)
    )


OF_TREATMENT = ("FC-12", "FC-14")


def judge_treatment(hazard: Hazard) -> list[Signal]:
    """Of the signals those that rest on what is written down of a major hazard's treatment."""
    found = rules.signals(Evidence(**_treatment(hazard)))
    return [signal for signal in found if signal.id in OF_TREATMENT]


def _treatment(hazard: Hazard) -> dict[str, Any]:
    """Evidence of FC-12 and FC-14; rows are looked up only of what may be major."""
    major = treatment.is_major(hazard)
    if major is False:
        return {"is_major": False}
    return {
        "is_major": major,
        "has_evaluation": treatment.evaluation(hazard) is not None,
        "five_fixes": frozenset(treatment.five_fixes(hazard)),
    }


def as_rows(signals: Iterable[Signal]) -> list[dict[str, Any]]:
    return [{"id": s.id, "strength": s.strength.value, "message": s.message_zh} for s in signals]


def _evidence(
    work: UnitOfWork,
    hazard: Hazard,
    *,
    fixer: Person | None,
    acceptor: Person | None,
    words: str,
    closing: bool = False,
) -> Evidence:
    # a photo refused for its place or time may be sent again with better facts: it is no «earlier» photo of itself
    mine = {p.id for p in hazard.photos if p.kind == PhotoKind.AFTER.value and p.round == hazard.round}
    mine |= {p.id for p in hazard.photos if p.kind == PhotoKind.BEFORE.value}
    after = _facts(work, after_photos(hazard))
    repeats = _repeats(work, hazard)
    point = Point(lat=hazard.lat, lon=hazard.lon) if hazard.lat is not None and hazard.lon is not None else None
    return Evidence(
        now=work.at,
        before=likeness.looked_at(work, _facts(work, before_photos(hazard)), after),
        after=after,
        earlier=likeness.candidates(work, after, skip=mine),
        place=point,
        place_accuracy_m=hazard.accuracy_m,
        dispatched_at=hazard.assigned_at,
        confirm_due_at=hazard.confirm_due_at,
        confirmed_at=hazard.confirmed_at,
        confirmed=hazard.confirmed_at is not None,
        due_at=hazard.due_at,
        finished_at=hazard.submitted_at or work.at,
        closed_at=work.at if closing else None,
        closed_same_minute=_closed_in_minute(work, acceptor) if closing and acceptor is not None else None,
        fixer=fixer.id if fixer else None,
        acceptor=acceptor.id if acceptor else None,
        fix_text=words,
        reported_at=hazard.reported_at,
        same_kind_closed_at=[row.closed_at for row in repeats if row.closed_at is not None],
        acceptor_visited=_visited(work, hazard, acceptor),
        extensions=[
            ExtensionFacts(approved=bool(e.granted), interim_measure=e.measure)
            for e in hazard.extensions
            if e.decided_at
        ],
        **_treatment(hazard),
    )


def _repeats(work: UnitOfWork, hazard: Hazard) -> list[Hazard]:
    """Closed ones of the same place that tell of the same thing: a phrase of the lexicon or much of the words in common."""
    phrases = set(rules.phrases_in(hazard.description))
    rows = work.hazards.closed_like(hazard, since=(hazard.reported_at or work.at) - REPEAT_WITHIN)
    return [
        row
        for row in rows
        if phrases & set(rules.phrases_in(row.description))
        or bigram_similarity(hazard.description, row.description) >= SAME_WORDS
    ]


def _visited(work: UnitOfWork, hazard: Hazard, acceptor: Person | None) -> bool | None:
    """Whether the acceptor's phone told a position at the hazard's place lately; None when it told none (FC-13)."""
    if acceptor is None or hazard.lat is None or hazard.lon is None:
        return None
    here = Point(lat=hazard.lat, lon=hazard.lon)
    near: list[bool] = []
    for account in acceptor.accounts:
        at = account.last_position_at
        if account.last_lat is None or account.last_lon is None or at is None or work.at - at > VISIT_WITHIN:
            continue
        there = place.to_point(Position(account.last_lat, account.last_lon, datum="gcj02"))
        error = (account.last_accuracy_m or 0.0) + (hazard.accuracy_m or 0.0)
        near.append(distance_m(here, there) - error <= place.DISAGREE_M)
    return any(near) if near else None


def _closed_in_minute(work: UnitOfWork, acceptor: Person) -> int:
    return 1 + work.hazards.closed_by_since(acceptor.id, since=work.at - timedelta(minutes=1))


def _facts(work: UnitOfWork, photos: Sequence[HazardPhoto]) -> list[PhotoFacts]:
    out = []
    for photo in photos:
        media: Media | None = work.media.get(photo.sha256)
        position = Point(lat=photo.lat, lon=photo.lon) if photo.lat is not None and photo.lon is not None else None
        out.append(
            PhotoFacts(
                sha256=photo.sha256,
                phash=hash_of(media.dhash) if media else None,
                dhash=second_hash(media.dhash) if media else None,
                taken_at=photo.taken_at,
                position=position,
            )
        )
    return out
