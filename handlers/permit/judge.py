"""Judging a permit: facts gathered, rules asked, the verdict kept with what it rested on so that it can be replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import perf_counter

from cards.words import zone
from handlers.permit import facts, guarding, tables
from handlers.permit.facts import Gathered
from rules.permit import (
    FixOptions,
    LevelProposal,
    Result,
    RuleTable,
    Stage,
    Verdict,
    evaluate,
    facts_to_json,
    guardian_change,
    hours,
    propose_level,
    smallest_fix,
)
from rules.permit.life import PermitState
from rules.permit.model import Change, plain
from storage.models import Permit, PermitVerdict
from storage.permit_seen import JudgedPermit
from storage.unit_of_work import UnitOfWork

MAX_GUARDIANS = 5
NEVER_LATER_THAN = timedelta(minutes=15)  # a running permit is judged at least this often: wind, calendar, ledger

REMIND_BEFORE = timedelta(minutes=15)  # what falls due is said this long before

STAGE_OF = {
    PermitState.APPROVED: Stage.START,
    PermitState.ACTIVE: Stage.RUN,
    PermitState.INTERRUPTED: Stage.RUN,
    PermitState.SUSPENDED: Stage.RUN,
    PermitState.EXPIRED: Stage.CLOSE,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    gathered: Gathered
    table: RuleTable
    took_ms: float

    @property
    def result(self) -> Result:
        return self.verdict.result

    @property
    def level(self) -> LevelProposal:
        """The level the job needs by the same facts; only a request asks, so it is found when asked."""
        return _proposal(self.table, self.verdict.work, self.verdict.at, self.gathered)


def _proposal(table: RuleTable, kind: str, at: datetime, gathered: Gathered) -> LevelProposal:
    return propose_level(table, work=kind, at=at, facts=gathered.facts)


def stage_of(permit: JudgedPermit) -> Stage:
    """The stage whose rules the permit is under now."""
    return STAGE_OF.get(PermitState(permit.state), Stage.REQUEST)


def judge(work: UnitOfWork, permit: JudgedPermit, *, stage: Stage | None = None, with_fix: bool = False) -> Judgement:
    """What the rules say of the permit now. Writes nothing but the proposed level of a request, which has to be an entity."""
    started = perf_counter()
    table = tables.rules_of(work).table
    stage = stage or stage_of(permit)
    at = work.at
    gathered = facts.gather(work, table, permit, at=at, stage=stage)
    if stage is Stage.REQUEST and permit.state in ("draft", "pending_facts"):
        if not isinstance(permit, Permit):
            raise TypeError("the level of a request is proposed, it must be there to be written")
        proposal = _proposal(table, permit.work, at, gathered)
        permit.level, permit.level_why = proposal.level, f"{proposal.reason}({proposal.clause})"
    verdict = evaluate(
        table,
        work=permit.work,
        level=permit.level or None,
        at=at,
        facts=gathered.facts,
        stage=stage,
        options=_options(work, permit, at) if with_fix else None,
        with_fix=with_fix,
    )
    return Judgement(verdict, gathered, table, (perf_counter() - started) * 1000)


def with_fix(work: UnitOfWork, permit: Permit, judged: Judgement) -> Judgement:
    """The same judgement, with the smallest changes that would make it pass."""
    started, verdict = perf_counter(), judged.verdict
    fix = smallest_fix(
        judged.table,
        work=verdict.work,
        level=verdict.level,
        at=verdict.at,
        facts=plain(judged.gathered.facts),
        stage=verdict.stage,
        options=_options(work, permit, verdict.at),
    )
    took_ms = judged.took_ms + (perf_counter() - started) * 1000
    return Judgement(replace(verdict, fix=tuple(fix)), judged.gathered, judged.table, took_ms)


def _options(work: UnitOfWork, permit: JudgedPermit, at: datetime) -> FixOptions:
    """What a fix may propose here and now: these guardians, no day that is free."""
    first = max(at, permit.planned_start or at).astimezone(zone()).date()
    return FixOptions(guardians=_guardian_changes(work, permit, at), rest_days=tables.rest_days(first))


def keep(work: UnitOfWork, permit: Permit, judged: Judgement, *, cause: str) -> PermitVerdict:
    """Store the verdict with its facts and the table's version; it becomes the permit's current one."""
    verdict = judged.verdict
    row = work.permit_verdicts.add(
        PermitVerdict(
            permit_id=permit.id,
            at=work.at,
            cause=cause[:48],
            facts=facts_to_json(judged.gathered.facts),
            verdict={**verdict.as_dict(), "notes": judged.gathered.notes},
            result=verdict.result.value,
            table_version=verdict.table_version,
            took_ms=round(judged.took_ms, 3),
        )
    )
    permit.result, permit.verdict_id = verdict.result.value, row.id
    permit.next_due = [due.as_dict() for due in verdict.due_next]
    return row


def differs(work: UnitOfWork, permit: JudgedPermit, judged: Judgement) -> bool:
    """Whether the verdict says something else than the stored one: another result, or other rules in the way."""
    last = work.permit_verdicts.get(permit.verdict_id)
    if last is None or last.verdict.get("stage") != (judged.verdict.stage.value if judged.verdict.stage else None):
        return True
    before = {(row["id"], row["result"]) for row in last.verdict["rules"] if row["result"] != Result.PASS.value}
    now = {(row.id, row.result.value) for row in judged.verdict.rules if row.result is not Result.PASS}
    return before != now


def next_judgement(table: RuleTable, permit: JudgedPermit, judged: Judgement, now: datetime) -> datetime:
    """When the clock alone may change the verdict: a deadline, old data, night, midnight, the end of validity."""
    moments = [moment for due in judged.verdict.due_next for moment in (due.at, due.at - REMIND_BEFORE)]
    moments += [hours.next_night_start(now, table.settings), hours.next_midnight(now, table.settings)]
    if judged.gathered.fresh_until is not None:
        moments.append(judged.gathered.fresh_until)
    if judged.gathered.shift_ends is not None:
        moments += [judged.gathered.shift_ends, judged.gathered.shift_ends - REMIND_BEFORE]
    for party in permit.parties:
        if party.person_id == permit.guardian_id and party.checked_in_at and not party.left_at:
            moments += [party.checked_in_at + facts.CHECK_IN_EVERY, party.checked_in_at + facts.GONE_AFTER]
    if permit.valid_until is not None:
        moments.append(permit.valid_until)
    later = [moment for moment in moments if moment > now]
    return min([*later, now + NEVER_LATER_THAN]) + timedelta(milliseconds=1)  # just past the edge, where it counts


def _guardian_changes(work: UnitOfWork, permit: JudgedPermit, at: datetime) -> tuple[Change, ...]:
    return tuple(
        guardian_change(guardian_id=str(row.person_id), label=row.name, cert_no=row.number, cert_expiry=row.valid_until)
        for row in guarding.for_permit(work, permit, at)[:MAX_GUARDIANS]
        if row.person_id != permit.guardian_id
    )


def still_unknown(judged: Judgement) -> Sequence[str]:
    """Facts that keep rules pending and that no machine knows, in the order of the table."""
    return [name for name in judged.verdict.missing if judged.gathered.facts.get(name) is None]


__all__ = ["Judgement", "judge", "keep", "next_judgement", "still_unknown"]
