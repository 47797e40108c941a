"""What those on duty do: confirm, transfer, start, submit, accept, reject."""

from __future__ import annotations

from datetime import timedelta

from bot import outbox
from cards.words import local, name_of
from handlers.hazard import dispatch, proof
from handlers.hazard.actions.steps import check, end, leave, restart_rectify_ladder, tell, tell_reporters, who_did
from rules.errors import RuleBroken
from rules.hazard import Action
from rules.terms import HazardState
from storage.models import Hazard, Person
from storage.unit_of_work import UnitOfWork


def confirm(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str) -> None:
    """The owner (or somebody above) has seen it. A confirmation that went stale is given again, and its clock restarts."""
    check(work, hazard, Action.CONFIRM, by)
    if hazard.confirmed_at is not None and hazard.asked_again_at is None:
        raise RuleBroken("already", who_did(work, hazard, "confirmed", "已经有人确认收到了。"))
    again, hazard.asked_again_at = hazard.asked_again_at is not None, None
    hazard.confirmed_at = hazard.confirmed_at or work.at  # the first one tells whether it was in time (FC-07)
    for name in ("confirm", "stale"):
        work.ladder.call_off("hazard", hazard.id, at=work.at, ladder=name)
    plan = dispatch.plan_of(hazard)
    if plan.stale_minutes:
        dispatch.start_ladder(work, hazard, "stale", start=work.at + timedelta(minutes=plan.stale_minutes))
    why = "再次确认" if again else ""
    dispatch.redraw(work, hazard, leave(work, hazard, "confirmed", by=by, via=via, from_state=hazard.state, why=why))


def transfer(work: UnitOfWork, hazard: Hazard, *, by: Person, to: Person, via: str, why: str = "") -> None:
    """Another person sees to it (转派)."""
    reported = hazard.state == HazardState.REPORTED.value
    check(work, hazard, Action.ASSIGN if reported else Action.TRANSFER, by)
    if to.id == hazard.owner_id:
        raise RuleBroken("same_owner", f"{hazard.number} 已经由{to.name}负责。")
    before, hazard.owner, hazard.state = hazard.state, to, HazardState.ASSIGNED.value
    hazard.confirmed_at = hazard.asked_again_at = None
    last = leave(
        work,
        hazard,
        "transferred",
        by=by,
        via=via,
        from_state=before,
        why=f"转给{to.name}" + (f":{why}" if why else ""),
    )
    work.ladder.call_off("hazard", hazard.id, at=work.at, ladder="confirm")
    hazard.generation += 1
    hazard.assigned_at = work.at
    dispatch.start_ladder(work, hazard, "confirm", start=work.at)
    restart_rectify_ladder(work, hazard)
    address = outbox.address_of(to)
    dispatch.post_duty_card(work, hazard, [address] if address else [], purpose="hazard.transfer", last=last)


def start(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str) -> None:
    """Rectification begins; it also confirms."""
    check(work, hazard, Action.START, by)
    before, hazard.state = hazard.state, HazardState.RECTIFYING.value
    hazard.started_at = work.at
    hazard.confirmed_at, hazard.asked_again_at = hazard.confirmed_at or work.at, None
    for ladder in ("confirm", "stale"):
        work.ladder.call_off("hazard", hazard.id, at=work.at, ladder=ladder)
    dispatch.redraw(work, hazard, leave(work, hazard, "started", by=by, via=via, from_state=before))


def submit(work: UnitOfWork, hazard: Hazard, *, by: Person, words: str, via: str) -> None:
    """Hand in the rectification with its proof. Raises RuleBroken asking kindly for another photo when it is no proof."""
    check(work, hazard, Action.SUBMIT, by)
    findings = proof.judge_submission(work, hazard, by=by, words=words)
    if findings.strong:
        raise RuleBroken(findings.strong[0].id, findings.refusal_zh)
    before, hazard.state = hazard.state, HazardState.TO_ACCEPT.value
    hazard.rectified_by, hazard.rectification, hazard.submitted_at = by, words, work.at
    hazard.started_at = hazard.started_at or work.at
    hazard.confirmed_at, hazard.asked_again_at = hazard.confirmed_at or work.at, None
    hazard.signals = proof.as_rows(findings.weak)
    hazard.evidence_state = "due"  # the picture is made outside this transaction, then the acceptors are told
    work.wake.add("media")
    work.flush()
    last = leave(
        work,
        hazard,
        "submitted",
        by=by,
        via=via,
        from_state=before,
        why=words,
        signals=[s.id for s in findings.signals],
    )
    for ladder in ("confirm", "stale", "rectify"):
        work.ladder.call_off("hazard", hazard.id, at=work.at, ladder=ladder)
    plan = dispatch.plan_of(hazard)
    dispatch.start_ladder(work, hazard, "accept", start=work.at + timedelta(hours=plan.accept_hours))
    dispatch.redraw(work, hazard, last)


def evidence_made(work: UnitOfWork, hazard: Hazard, sha256: str) -> None:
    """The before/after picture is there: show it on the card and call those who accept."""
    hazard.evidence_sha, hazard.evidence_state = sha256, "done"
    if hazard.state != HazardState.TO_ACCEPT.value:
        return
    to = [a for p in dispatch.acceptors(work, hazard) if (a := outbox.address_of(p)) is not None]
    by = name_of(hazard.rectified_by)
    dispatch.post_duty_card(
        work, hazard, to, purpose="hazard.accept", last=f"{by} {local(hazard.submitted_at)} 提交整改"
    )
    for address in to:
        if sha256:
            outbox.send_picture(
                work,
                address,
                sha256,
                name=f"{hazard.number}.jpg",
                purpose="hazard.accept",
                dedupe_key=f"evidence:{hazard.id}:{hazard.round}",
                case=dispatch.case_of(hazard),
            )


def accept(work: UnitOfWork, hazard: Hazard, *, by: Person, via: str, words: str = "") -> None:
    """Close a hazard whose rectification passed acceptance (验收通过), by another person than the rectifier."""
    check(work, hazard, Action.ACCEPT, by)
    before, hazard.state = hazard.state, HazardState.CLOSED.value
    hazard.accepted_by, hazard.closed_at = by, work.at
    hazard.signals = proof.as_rows(proof.judge_closing(work, hazard, by=by).signals)
    last = leave(
        work,
        hazard,
        "accepted",
        by=by,
        via=via,
        from_state=before,
        why=words,
        signals=[s["id"] for s in hazard.signals],
    )
    end(work, hazard)
    dispatch.redraw(work, hazard, last)
    tell_reporters(work, hazard, "已整改并验收通过")


def reject(work: UnitOfWork, hazard: Hazard, *, by: Person, reason: str, via: str) -> None:
    """Send it back to the rectifier with the reason."""
    check(work, hazard, Action.REJECT, by)
    before, hazard.state = hazard.state, HazardState.RECTIFYING.value
    last = leave(work, hazard, "rejected", by=by, via=via, from_state=before, why=reason)
    rectifier = hazard.rectified_by
    hazard.rectified_by, hazard.submitted_at = None, None
    hazard.evidence_sha, hazard.evidence_state, hazard.round = "", "", hazard.round + 1
    hazard.generation += 1
    work.ladder.call_off("hazard", hazard.id, at=work.at)
    restart_rectify_ladder(work, hazard)
    dispatch.redraw(work, hazard, last)
    for person in {p.id: p for p in (rectifier, hazard.owner) if p is not None}.values():
        tell(
            work,
            hazard,
            person,
            f"{hazard.number} 验收没有通过:{reason}\n请整改后再提交(点卡片“提交整改”)。",
            tag="rejected",
        )
