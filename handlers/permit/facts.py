"""Facts gathered by the machine (机器取数): what nobody has to type because plant, ledger and meters know it.

What people answered stays in `permit.facts`; what the machine knows is laid over it for each judgement, so the same
permit judged later sees the plant as it is then. Names and units are those of rules/permit/facts.toml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cards.words import zone
from handlers.permit import neighbours, surroundings, tables
from handlers.permit.surroundings import Watch
from rules import certificates
from rules.permit import RuleTable, Stage, Work, gas
from rules.permit.life import PermitState
from storage.models import GasTest, Permit, PermitApproval
from storage.permits import LIVE
from storage.unit_of_work import UnitOfWork

CHECK_IN_EVERY = timedelta(minutes=30)  # guardian at the point, MA-10; enterprise
GONE_AFTER = timedelta(minutes=60)  # without any sign of the guardian nobody knows that one is there
NO_GAS = frozenset({"蒸汽", "水", "循环水", "脱盐水", "氮气", "空气", "仪表风"})


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


def gather(work: UnitOfWork, table: RuleTable, permit: Permit, *, at: datetime, stage: Stage) -> Gathered:
    """Everything known about the permit at `at`, the moment it is judged for (the planned start of a request)."""
    found: dict[str, Any] = {}
    notes: list[str] = []
    found |= _times(permit, at, stage)
    found |= _calendar(table, at)
    found |= _people(work, permit, at, stage)
    found |= _tests(permit, work)
    found |= _papers(work, permit, stage)
    found |= _place(work, permit, notes)
    lel_vol = _lel(permit.facts, found)
    seen = _watch(work, table, permit, lel_vol)
    found |= _gas_watch(permit, seen, notes, watching=watched(permit) if stage is Stage.RUN else frozenset())
    found |= _meter(work, permit, seen)
    force, wind_until = surroundings.wind_force(work, work.at)
    if force is not None:
        found["wind_force"] = force
    found |= neighbours.neighbours(work, permit, notes)
    found |= neighbours.hazards(work, permit, notes)
    answers = dict(permit.facts)
    facts = {**answers, **found}
    for name in _KEEP_ANSWER & answers.keys() & found.keys():
        facts[name] = answers[name] if found[name] is not True else found[name]
    for name in _NEARER & answers.keys() & found.keys():
        facts[name] = _nearer(answers[name], found[name])
    times = [moment for moment in (seen.fresh_until if seen else None, wind_until) if moment is not None]
    return Gathered(facts, frozenset(found), notes, min(times, default=None), lel_vol)


_KEEP_ANSWER = {"continuous_monitoring", "cross_work", "in_tank_dike"}
"""People may know more than the ledger: their answer stands unless the machine saw it with its own eyes."""

_NEARER = {"solvent_work_distance", "hot_work_distance", "blind_plate_distance"}


def _nearer(one: Any, other: Any) -> Any:
    numbers = [value for value in (one, other) if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return min(numbers) if numbers else one


# -- time and people


def _times(permit: Permit, at: datetime, stage: Stage) -> dict[str, Any]:
    start = permit.planned_start if stage is Stage.REQUEST else permit.started_at if stage is Stage.RUN else at
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


def _calendar(table: RuleTable, at: datetime) -> dict[str, Any]:
    holiday, rest = tables.day_kind(at.astimezone(table.settings.zone).date())
    return {} if holiday is None else {"is_holiday": holiday, "is_rest_day": rest}


def _people(work: UnitOfWork, permit: Permit, at: datetime, stage: Stage) -> dict[str, Any]:
    workers = [party for party in permit.parties if party.role == "worker" and party.left_at is None]
    found: dict[str, Any] = {"worker_ids": [str(party.person_id) for party in workers]}
    guardian = permit.guardian
    if guardian is None:
        found |= {"guardian_id": None, "guardian_cert_no": None, "guardian_training_passed": False}
        found |= {"guardian_cert_expiry": None, "guardian_active_sites": 0}
    else:
        card = work.certificates.best(guardian.id, certificates.guardian_kinds(permit.work))
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
    return found | _operators(work, permit, [party.person_id for party in workers], at)


def guardian_present(permit: Permit, at: datetime) -> bool | None:
    """Whether the guardian is at the point: checked in, not gone. None when there was no sign for too long."""
    party = next(
        (p for p in permit.parties if p.role == "guardian" and p.person_id == permit.guardian_id and not p.left_at),
        None,
    )
    if party is None or party.checked_in_at is None:
        return False
    return True if at - party.checked_in_at <= GONE_AFTER else None


def _operators(work: UnitOfWork, permit: Permit, workers: Sequence[int], at: datetime) -> dict[str, Any]:
    kinds = certificates.operator_kinds(permit.work, f"{permit.content} {permit.method}")
    if kinds is None:
        return {}
    if not kinds:
        return {"operator_cert_required": False}
    ends = (permit.valid_until or permit.planned_end or at).astimezone(zone()).date()
    cards = [work.certificates.best(person, kinds) for person in workers]
    valid = bool(cards) and all(
        card is not None and (card.valid_until is None or card.valid_until >= ends) for card in cards
    )
    return {"operator_cert_required": True, "operator_cert_valid": valid}


# -- gas tests and papers


def tests_of(permit: Permit) -> tuple[Sequence[GasTest], datetime | None]:
    """The permit's gas tests newest first, and the time the permit's sample counts from.

    That is the oldest of the newest values the work needs: a combustible value, and in a confined space oxygen too.
    """
    tests = sorted(permit.gas_tests, key=lambda test: (test.at, test.id), reverse=True)
    needed = ("combustible", "o2") if permit.work == Work.CONFINED_SPACE.value else ("combustible",)
    times = []
    for gas_name in needed:
        newest = next((test.at for test in tests if any(v["gas"] == gas_name for v in test.values)), None)
        if newest is None:
            return tests, None
        times.append(newest)
    return tests, min(times)


def _tests(permit: Permit, work: UnitOfWork) -> dict[str, Any]:
    tests, sampled_at = tests_of(permit)
    if permit.work not in (Work.HOT_WORK.value, Work.CONFINED_SPACE.value) and not tests:
        return {}
    found: dict[str, Any] = {"last_analysis_time": _iso(sampled_at) if sampled_at else None}
    newest: dict[str, Mapping[str, Any]] = {}
    for test in tests:
        for value in test.values:
            newest.setdefault(str(value["gas"]), value)
    if "combustible" in newest:
        found["gas_reading"] = {"value": newest["combustible"]["value"], "unit": newest["combustible"]["unit"]}
    if "o2" in newest:
        found["oxygen_vol"] = newest["o2"]["value"]
    toxic = [
        {"medium": name, "value": value["value"], "unit": value["unit"]}
        for name, value in newest.items()
        if name not in ("combustible", "o2")
    ]
    if toxic:
        found["toxic_readings"] = toxic
    if tests and permit.work == Work.CONFINED_SPACE.value:
        found["last_record_time"] = _iso(tests[0].at)
    return found


def _papers(work: UnitOfWork, permit: Permit, stage: Stage) -> dict[str, Any]:
    """What the permit's own signatures say; asked of nobody."""
    if stage is Stage.REQUEST:
        return {}
    rules = tables.rules_of(work)
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
        ranks = [rules.table.roles[row.step]["rank"] for row in approve if row.step in rules.table.roles]
        found["approver_rank"] = max(ranks, default=0)
        found["approver_on_site"] = all(row.lat is not None for row in approve)
    return found


def _all_done(permit: Permit, kind: str) -> bool:
    rows = [row for row in permit.approvals if row.kind == kind]
    return bool(rows) and all(row.granted for row in rows)


def _all_briefed(permit: Permit) -> bool:
    heard = [party for party in permit.parties if party.role in ("worker", "guardian") and party.left_at is None]
    return bool(heard) and all(party.briefed_at is not None for party in heard)


def latest(rows: Sequence[PermitApproval], kind: str) -> PermitApproval | None:
    return next((row for row in reversed(rows) if row.kind == kind and row.decided_at is not None), None)


# -- place


def _place(work: UnitOfWork, permit: Permit, notes: list[str]) -> dict[str, Any]:
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
    if permit.equipment is not None and permit.equipment.state not in ("", "running"):
        found["on_running_equipment"] = False
    media = media_of(permit)
    if len(media) == 1:
        found["medium"] = media[0]
    elif media:
        found["media"] = media
    known = [gas.find_medium(name) for name in media]
    if zones.dike is not None and media:
        found["flammable_stored"] = any(medium is not None and medium.lel_vol is not None for medium in known)
    return found


def media_of(permit: Permit) -> list[str]:
    """Names of what may be in the air there: the equipment's medium, else the area's; steam and water left out."""
    names = [permit.equipment.medium] if permit.equipment and permit.equipment.medium else []
    if not names and permit.area is not None:
        names = [str(name) for name in permit.area.media]
    return [name for name in names if name not in NO_GAS]


def _lel(answers: Mapping[str, Any], found: Mapping[str, Any]) -> float | None:
    names = [found["medium"]] if "medium" in found else list(found.get("media", ()))
    if not names and isinstance(answers.get("medium"), str):
        names = [answers["medium"]]
    given = answers.get("gas_lel_vol")
    return float(given) if isinstance(given, (int, float)) else gas.lowest_lel(names)


def watch_of(work: UnitOfWork, table: RuleTable, permit: Permit) -> Watch | None:
    """The detectors in range of a permit as they are now."""
    return _watch(work, table, permit, _lel(permit.facts, _place(work, permit, [])))


def _watch(work: UnitOfWork, table: RuleTable, permit: Permit, lel_vol: float | None) -> Watch | None:
    if permit.work not in (Work.HOT_WORK.value, Work.CONFINED_SPACE.value, Work.TEMP_POWER.value):
        return None
    high = lel_vol is not None and lel_vol >= 4
    limit = table.param("HW-A03.max_vol" if high else "HW-A04.max_vol")
    point = surroundings.point_of(permit)
    return surroundings.watch(work, table, point, permit.area_id, at=work.at, lel_vol=lel_vol, limit_vol=limit)


def _gas_watch(permit: Permit, seen: Watch | None, notes: list[str], *, watching: frozenset[str]) -> dict[str, Any]:
    if seen is None:
        return {}
    notes += seen.notes
    found: dict[str, Any] = {}
    if permit.work == Work.HOT_WORK.value:
        found |= seen.trend.facts() if seen.trend is not None else {"trend3h_count": 0}
    if seen.alive is None:  # nothing mounted in range: people answer for the meter they carry
        return found
    if seen.over_limit:
        found["alarm_active"] = True
        notes.append(f"{seen.over_limit} 读数超过合格限值")
    elif seen.alive:
        found["alarm_active"] = False
    elif seen.detectors[0].code in watching:
        found["alarm_active"] = None  # the one that watched over this work is silent: no earlier answer stands for it
    if seen.alive:
        found["continuous_monitoring"] = True
    return found


def watched(permit: Permit) -> frozenset[str]:
    """Codes of the detectors that were alive when the work began or went on; while it runs they must stay so."""
    if permit.state not in (PermitState.ACTIVE.value, PermitState.INTERRUPTED.value):
        return frozenset()
    row = latest(permit.approvals, "start")
    return frozenset(row.words.split()) if row is not None else frozenset()


def _meter(work: UnitOfWork, permit: Permit, seen: Watch | None) -> dict[str, Any]:
    """How long the meter that was used is calibrated; without one, the mounted detectors."""
    tests, _ = tests_of(permit)
    meter = work.readings.detector(tests[0].meter) if tests and tests[0].meter else None
    if meter is not None:
        days = [meter.calibrated_until]
    else:
        days = [d.calibrated_until for d in seen.detectors] if seen is not None else []
    known = [day for day in days if day is not None]
    return {"detector_calibration_expiry": min(known).isoformat()} if known and len(known) == len(days) else {}
