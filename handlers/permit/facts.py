"""Facts gathered by the machine (机器取数): what nobody has to type because plant, ledger and meters know it.

What people answered stays in `permit.facts`; what the machine knows is laid over it for each judgement, so the same
permit judged later sees the plant as it is then. Names and units are those of rules/permit/facts.toml.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cards.words import clock_time, zone
from handlers.permit import gas_facts, neighbours, surroundings, tables, video
from handlers.permit.surroundings import Watch
from rules import certificates
from rules.permit import RuleTable, Stage, Work, gas, hours, plates
from rules.permit.equipment_state import is_stopped
from storage.certificates import best
from storage.permit_seen import JudgedPermit
from storage.permits import LIVE
from storage.plain import Asked
from storage.unit_of_work import UnitOfWork

CHECK_IN_EVERY = timedelta(minutes=30)  # guardian at the point, MA-10; enterprise
GONE_AFTER = timedelta(minutes=60)  # without any sign of the guardian nobody knows that one is there


@dataclass(slots=True)
class Gathered:
    """Facts for one judgement. `machine`: the names nobody needs to be asked for; `notes`: what people should see.

    `fresh_until`: when data that this rests on grows old, so that a new judgement is due.
    """

    facts: dict[str, Any]
    machine: frozenset[str]
    notes: list[str] = field(default_factory=list)
    fresh_until: datetime | None = None
    lel_vol: float | None = None
    shift_ends: datetime | None = None  # of the guardian, when the roster tells


def gather(work: UnitOfWork, table: RuleTable, permit: JudgedPermit, *, at: datetime, stage: Stage) -> Gathered:
    """Everything known about the permit at `at`, now; a request says by `start_time` when it is to begin."""
    with work.ahead(_asked(work, table, permit, at, stage)):
        return _gather(work, table, permit, at=at, stage=stage)


def _asked(work: UnitOfWork, table: RuleTable, permit: JudgedPermit, at: datetime, stage: Stage) -> Iterator[Asked]:
    """What the database is asked for every judgement: all that only the permit has to be known for."""
    if people := _holders(permit):
        yield work.certificates.asked_cards(people)
    if permit.guardian is not None:
        yield work.permits.asked_guarded(permit.guardian.id, but=permit.id)
        yield work.roster.asked_shifts([permit.guardian.id], _begins(permit, at, stage))
    yield from surroundings.asked(work, table, permit)


def _begins(permit: JudgedPermit, at: datetime, stage: Stage) -> datetime:
    """When the work begins, of a request; now for work that may begin."""
    return max(at, permit.planned_start or at) if stage is Stage.REQUEST else at


def _gather(work: UnitOfWork, table: RuleTable, permit: JudgedPermit, *, at: datetime, stage: Stage) -> Gathered:
    found: dict[str, Any] = {}
    notes: list[str] = []
    found |= _times(permit, at, stage)
    begins = _begins(permit, at, stage)
    found |= calendar(table, begins, permit.valid_until or permit.planned_end)
    found |= _people(work, permit, at, stage, notes)
    shift_ends = _shift(work, permit, begins, stage, found, notes)
    found |= gas_facts.sampled(permit, work, notes)
    found |= _papers(table, permit, stage)
    found |= _place(work, permit, notes)
    found |= _plate(permit)
    lel_vol = gas_facts.lel_of(permit.facts, found)
    seen = gas_facts.watch(work, table, permit, lel_vol)
    found |= gas_facts.seen_by_detectors(
        permit, seen, notes, watching=gas_facts.watched(permit) if stage is Stage.RUN else frozenset()
    )
    found |= gas_facts.meter(work, permit, seen)
    outside, weather_until = surroundings.weather(work, work.at)
    filmed, video_until = video.seen(work, permit, work.at)
    found |= outside | filmed
    found |= neighbours.neighbours(work, permit, notes, running=stage is Stage.RUN)
    found |= neighbours.hazards(work, permit, notes)
    answers = dict(permit.facts)
    facts = {**answers, **found}
    for name in _KEEP_ANSWER:
        if name in answers and name in found and found[name] is not True:
            facts[name] = answers[name]
    for name in _NEARER:
        if name in answers and name in found:
            facts[name] = _nearer(answers[name], found[name])
    times = [
        moment for moment in (seen.fresh_until if seen else None, weather_until, video_until) if moment is not None
    ]
    return Gathered(facts, frozenset(found), notes, min(times, default=None), lel_vol, shift_ends)


_KEEP_ANSWER = {
    "continuous_monitoring", "coordinator_id", "cross_work", "in_tank_dike",
    "raining_or_snowing", "rainstorm", "heavy_snow", "dense_fog",
}  # fmt: skip
"""People may know more than the ledger: their answer stands unless the machine saw it with its own eyes."""

_NEARER = {"solvent_work_distance", "hot_work_distance", "blind_plate_distance"}


def _nearer(one: Any, other: Any) -> Any:
    numbers = [value for value in (one, other) if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return min(numbers) if numbers else one


# -- time and people


def _times(permit: JudgedPermit, at: datetime, stage: Stage) -> dict[str, Any]:
    planned = max(permit.planned_start, at) if permit.planned_start is not None else at
    start = planned if stage is Stage.REQUEST else permit.started_at if stage is Stage.RUN else at
    begins, ends = permit.valid_from or permit.planned_start, permit.valid_until or permit.planned_end
    found: dict[str, Any] = {"start_time": _iso(start or at)}
    if begins is not None:
        found["valid_from"] = _iso(begins)
    if ends is not None:
        found["valid_to"] = _iso(ends)
    if stage is Stage.RUN:
        found["interrupted_at"] = _iso(permit.interrupted_at) if permit.interrupted_at else None
    return found


def _iso(moment: datetime) -> str:
    return moment.isoformat()


def calendar(table: RuleTable, at: datetime, until: datetime | None) -> dict[str, Any]:
    """Holiday or rest day at `at`, and the first midnight before `until` that begins one."""
    holiday, rest = tables.day_kind(at.astimezone(table.settings.zone).date())
    if holiday is None:
        return {}
    found: dict[str, Any] = {"is_holiday": holiday, "is_rest_day": rest, "rest_day_from": None}
    if until is not None and not (holiday or rest):
        midnight = hours.next_midnight(at, table.settings)
        while midnight < until:
            if any(tables.day_kind(midnight.astimezone(table.settings.zone).date())):
                found["rest_day_from"] = _iso(midnight)
                break
            midnight = hours.next_midnight(midnight, table.settings)
    return found


def _workers(permit: JudgedPermit) -> list[int]:
    return [party.person_id for party in permit.parties if party.role == "worker" and party.left_at is None]


def _holders(permit: JudgedPermit) -> list[int]:
    """People whose certificates count."""
    return [*_workers(permit), *([permit.guardian.id] if permit.guardian else [])]


def _people(work: UnitOfWork, permit: JudgedPermit, at: datetime, stage: Stage, notes: list[str]) -> dict[str, Any]:
    workers = _workers(permit)
    found: dict[str, Any] = {"worker_ids": [str(worker) for worker in workers]}
    guardian = permit.guardian
    kinds = certificates.guardian_kinds(permit.work)
    wanted = certificates.operator_kinds(permit.work, f"{permit.content} {permit.method}")
    cards = work.certificates.cards(_holders(permit))
    if guardian is None:
        found |= {"guardian_id": None, "guardian_cert_no": None, "guardian_training_passed": False}
        found |= {"guardian_cert_expiry": None, "guardian_active_sites": 0}
    else:
        card = best(cards, kinds).get(guardian.id)
        found |= {
            "guardian_id": str(guardian.id),
            "guardian_cert_no": card.number if card else None,
            "guardian_training_passed": card is not None,
            "guardian_cert_expiry": card.valid_until.isoformat() if card and card.valid_until else None,
            "guardian_active_sites": work.permits.guarded_by(guardian.id, but=permit.id) + 1,
        }
        if card is not None and card.issued_on is not None:
            found["guardian_cert_issued"] = card.issued_on.isoformat()
    if stage in (Stage.START, Stage.RUN):
        present = guardian_present(permit, at)
        if present is not None:
            found["guardian_on_site"] = present
    if wanted is None and permit.facts.get("operator_cert_required"):
        notes.append("作业内容里看不出要哪种操作证,请点“改内容”写明(如电焊、登高架设)")
    return found | _operators(permit, workers, cards, wanted, at)


def _shift(
    work: UnitOfWork, permit: JudgedPermit, at: datetime, stage: Stage, found: dict[str, Any], notes: list[str]
) -> datetime | None:
    """Until when the guardian is at work. One who is off (leave, end of shift) is not at the point, whoever checked in."""
    if permit.guardian is None:
        return None
    there, ends = work.roster.shift_of(permit.guardian.id, at)
    if there is False or not permit.guardian.active:
        notes.insert(0, f"监护人{permit.guardian.name}{'届时' if stage is Stage.REQUEST else '现在'}不当班,请交接")
        if "guardian_on_site" in found or stage is not Stage.REQUEST:
            found["guardian_on_site"] = False
    planned_end = permit.valid_until or permit.planned_end
    if ends is not None and planned_end is not None and ends < planned_end:
        notes.append(f"监护人{permit.guardian.name} {clock_time(ends)} 下班,之前须交接")
        return ends
    return None


def guardian_present(permit: JudgedPermit, at: datetime) -> bool | None:
    """Whether the guardian is at the point: checked in, not gone. None when there was no sign for too long."""
    party = next(
        (p for p in permit.parties if p.role == "guardian" and p.person_id == permit.guardian_id and not p.left_at),
        None,
    )
    if party is None or party.checked_in_at is None:
        return False
    return True if at - party.checked_in_at <= GONE_AFTER else None


def _operators(
    permit: JudgedPermit, workers: Sequence[int], known: Sequence[Any], kinds: Collection[str] | None, at: datetime
) -> dict[str, Any]:
    if kinds is None:
        return {}
    if not kinds:
        return {"operator_cert_required": False}
    ends = (permit.valid_until or permit.planned_end or at).astimezone(zone()).date()
    held = best(known, kinds)
    cards = [held.get(person) for person in workers]
    valid = bool(cards) and all(
        card is not None and (card.valid_until is None or card.valid_until >= ends) for card in cards
    )
    return {"operator_cert_required": True, "operator_cert_valid": valid}


# -- gas tests and papers


def _papers(table: RuleTable, permit: JudgedPermit, stage: Stage) -> dict[str, Any]:
    """What the permit's own signatures say; asked of nobody."""
    if stage is Stage.REQUEST:
        return {}
    granted = [row for row in permit.approvals if row.granted and row.decided_at is not None]
    approve = [row for row in granted if row.kind == "approve"]
    found: dict[str, Any] = {
        "ticket_status": "approved" if permit.state in LIVE else "submitted",
        "measures_confirmed": _all_done(permit, "measure"),
        "briefing_done": _all_briefed(permit),
        "shift_leader_checked": any(row.kind == "shift_leader" for row in granted),
        "countersigns_missing": any(row.kind == "countersign" and not row.granted for row in permit.approvals),
    }
    if approve:
        ranks = [table.roles[row.step]["rank"] for row in approve if row.step in table.roles]
        found["approver_rank"] = max(ranks, default=0)
        found["approver_on_site"] = all(row.lat is not None for row in approve)
    return found


def _all_done(permit: JudgedPermit, kind: str) -> bool:
    rows = [row for row in permit.approvals if row.kind == kind]
    return bool(rows) and all(row.granted for row in rows)


def _all_briefed(permit: JudgedPermit) -> bool:
    heard = [party for party in permit.parties if party.role in ("worker", "guardian") and party.left_at is None]
    return bool(heard) and all(party.briefed_at is not None for party in heard)


# -- place


def _place(work: UnitOfWork, permit: JudgedPermit, notes: list[str]) -> dict[str, Any]:
    point, exact = surroundings.point_of(permit), permit.equipment_id is not None
    zones = surroundings.zones_at(work, point, permit.area, exact=exact)
    pairs = {
        "in_hazard_area": zones.hazardous,
        "in_fixed_hot_zone": zones.fixed_hot_work,
        "in_major_hazard_dike": zones.dike,
        "in_tank_dike": zones.dike,
        "in_absolute_ban_zone": zones.ban,
    }
    found: dict[str, Any] = {name: value for name, value in pairs.items() if value is not None}
    if zones.names:
        notes.append("在" + "、".join(zones.names) + "内")
    if permit.equipment is not None and is_stopped(permit.equipment.state):
        found["on_running_equipment"] = False
    media = gas_facts.media_of(permit)
    if len(media) == 1:
        found["medium"] = media[0]
    elif media:
        found["media"] = media
    known = [gas.find_medium(name) for name in media]
    if zones.dike is not None and media:
        if any(medium is not None and medium.lel_vol is not None for medium in known):
            found["flammable_stored"] = True
        elif all(medium is not None and medium.id in gas_facts.NEVER_BURN for medium in known):
            found["flammable_stored"] = False  # a name that is not known, or of many things («溶剂»), may burn: asked
    return found


def _plate(permit: JudgedPermit) -> dict[str, Any]:
    """What the words of the job say to be done with the plate (7.11); asked when they leave it open."""
    told = plates.action_in(f"{permit.method} {permit.content}") if permit.work == Work.BLIND_PLATE else None
    return {"plate_action": told} if told else {}


def watch_of(work: UnitOfWork, table: RuleTable, permit: JudgedPermit) -> Watch | None:
    """The detectors in range of a permit as they are now."""
    return gas_facts.watch(work, table, permit, gas_facts.lel_of(permit.facts, _place(work, permit, [])))
