"""What the reporter does: reopen, withdraw, correct, add photos, hide the name."""

from __future__ import annotations

from bot import outbox
from cards import hazard as cards
from handlers import duty
from handlers.hazard import dispatch
from handlers.hazard.actions.assigning import assign, dispatch_anew
from handlers.hazard.actions.steps import check, end, leave, tell
from handlers.hazard.understanding import understand
from rules.errors import RuleBroken
from rules.hazard import Action
from rules.terms import Grade, HazardState, Role
from storage.models import Hazard, Person
from storage.unit_of_work import UnitOfWork

MAX_WORDS = 2000  # of a description


def reopen(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str) -> None:
    """«还在»: the reporter's veto brings it back, one grade up, and goes past the one who closed it."""
    check(work, hazard, Action.REOPEN, by)
    before = hazard.state
    hazard.grade = {Grade.YELLOW: Grade.ORANGE, Grade.ORANGE: Grade.RED, Grade.RED: Grade.RED}[
        Grade(hazard.grade)
    ].value
    hazard.grade_why = "上报人反映整改后问题还在,升一级"
    hazard.state, hazard.reopened_from = HazardState.REPORTED.value, hazard.reopened_from + 1
    hazard.closed_at = hazard.submitted_at = hazard.started_at = hazard.confirmed_at = None
    closer_id, hazard.rectified_by, hazard.accepted_by = hazard.accepted_by_id, None, None
    hazard.asked_again_at, hazard.policy_version = None, None  # it opens anew, under the policy of now
    hazard.evidence_sha, hazard.evidence_state, hazard.signals, hazard.round = "", "", [], hazard.round + 1
    hazard.generation += 1
    leave(work, hazard, "reopened", by=by, via=via, from_state=before, why=hazard.grade_why)
    work.ladder.call_off("hazard", hazard.id, at=work.at)
    assign(work, hazard, via=via)
    for boss in _above(work, hazard, closer_id):
        tell(
            work,
            hazard,
            boss,
            f"上报人反映 {hazard.number} 整改验收后问题还在,已升为{Grade(hazard.grade).zh}重新派单。",
            tag="reopened",
        )
    outbox.redraw(work, cards.reporter_key(hazard.id), cards.reporter_card(hazard))


def _above(work: UnitOfWork, hazard: Hazard, closer_id: int | None) -> list[Person]:
    """Past whoever closed it, and past their boss: the executives. Never only the one who closed it."""
    executives = dispatch.people_for(work, hazard, Role.EXECUTIVE.value)
    for people in (executives, duty.safety_officers(work), work.people.with_role(Role.ADMIN)):
        others = [person for person in people if person.id != closer_id]
        if others:
            return others
    return []


def withdraw(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str, reason: str = "") -> None:
    """The reporter takes it back; everyone who had the card sees it."""
    check(work, hazard, Action.WITHDRAW, by)
    before, hazard.state = hazard.state, HazardState.WITHDRAWN.value
    last = leave(work, hazard, "withdrawn", by=by, via=via, from_state=before, why=reason)
    end(work, hazard)
    dispatch.redraw(work, hazard, last)
    outbox.redraw(work, cards.reporter_key(hazard.id), cards.reporter_card(hazard))


def correct(work: UnitOfWork, hazard: Hazard, *, by: Person, description: str, via: str) -> None:
    """The reporter puts the description right; the old words stay in the trail.

    It is understood anew: more serious words raise the grade and dispatch it again, milder ones never lower it.
    """
    check(work, hazard, Action.CORRECT, by)
    old, hazard.description = hazard.description, description
    last = leave(work, hazard, "corrected", by=by, via=via, from_state=hazard.state, why=description, old=old)
    if not _more_serious(work, hazard, via=via):
        dispatch.redraw(work, hazard, last)
    outbox.redraw(work, cards.reporter_key(hazard.id), cards.reporter_card(hazard))


def add_words(work: UnitOfWork, hazard: Hazard, *, by: Person, text: str, via: str) -> None:
    """The reporter says more about an open hazard; what it means is seen anew."""
    check(work, hazard, Action.ADD_PHOTO, by)
    if text not in hazard.description:
        hazard.description = f"{hazard.description}\n{text}"[:MAX_WORDS]
    last = leave(work, hazard, "words_added", by=by, via=via, from_state=hazard.state, why=text)
    if not _more_serious(work, hazard, via=via):
        dispatch.redraw(work, hazard, last)


def _more_serious(work: UnitOfWork, hazard: Hazard, *, via: str) -> bool:
    """Understand the words; when they raise the grade, dispatch by the new one. Whether they did."""
    before = hazard.grade
    understand(work, hazard)
    if hazard.grade == before:
        return False
    leave(work, hazard, "graded", by=None, via=via, from_state=hazard.state, why=hazard.grade_why)
    dispatch_anew(work, hazard, raised=True, via=via)
    return True


def add_photos(work: UnitOfWork, hazard: Hazard, *, by: Person, count: int, via: str) -> int:
    """Note in the trail that photos were added, and show it on the card. Returns `count`."""
    check(work, hazard, Action.ADD_PHOTO, by)
    if count:
        last = leave(work, hazard, "photo_added", by=by, via=via, from_state=hazard.state, why=f"{count}张")
        dispatch.redraw(work, hazard, last)
    return count


def hide_reporter(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str) -> None:
    """From now on nobody sees who reported it: cards, pages, API, exports and logs."""
    if hazard.reporter_id != by.id:
        raise RuleBroken("not_reporter", "只有上报人能改为匿名。")
    hazard.anonymous = True
    leave(work, hazard, "hidden", by=by, via=via, from_state=hazard.state)
    dispatch.redraw(work, hazard, "")
    outbox.redraw(work, cards.reporter_key(hazard.id), cards.reporter_card(hazard))
