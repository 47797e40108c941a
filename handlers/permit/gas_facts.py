"""What meters say: the permit's own tests, the detectors around it, how long they are calibrated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from cards.words import clock_time
from handlers.permit import surroundings, tables
from handlers.permit.surroundings import Watch
from rules.permit import RuleTable, Work, gas, sample_points
from rules.permit.life import PermitState
from rules.permit.media_names import NO_GAS, media_names
from storage.models import GasTest, Permit, PermitApproval
from storage.permit_seen import JudgedPermit, SeenApproval, SeenTest
from storage.unit_of_work import UnitOfWork

NEVER_BURN = frozenset({"nitrogen", "carbon_dioxide", "sulfur_dioxide", "hydrogen_chloride", "chlorine"})
"""Media that are one thing and do not burn; «溶剂», «高温液体», «酸碱» and «可燃粉尘» are many, and some of those do."""
NOTHING_BURNS = 3.99
"""Kept as the LEL (% vol) where people say that nothing burns there: below 4, so that the strict limit holds (5.3.2 b)."""
NOTHING_BURNT = 100.0
"""What was kept in its place once; it widened the limit."""
SAMPLE_COUNTS = timedelta(minutes=30)  # 5.3.1 c, 6.3 a; only for the note, the limits are HW-A02's and CS-002's


def tests_of(permit: JudgedPermit) -> tuple[Sequence[GasTest | SeenTest], datetime | None]:
    """The permit's gas tests newest first, and the time the permit's sample counts from (`_counts_from`)."""
    tests = _newest_first(permit)
    return tests, _counts_from(permit, tests)[0]


def _newest_first(permit: JudgedPermit) -> list[GasTest | SeenTest]:
    return sorted([*permit.gas_tests], key=lambda test: (test.at, test.id), reverse=True)


def _counts_from(permit: JudgedPermit, tests: Sequence[GasTest | SeenTest]) -> tuple[datetime | None, str]:
    """(time the sample counts from, the point it was taken at): the oldest of what the work needs, at every point.

    A combustible value is needed; in a confined space oxygen too, and every toxic gas that was measured (6.3, 6.4).
    """
    times = sample_points.oldest([(test.at, test.values) for test in tests])
    needed = {"combustible"}
    if permit.work == Work.CONFINED_SPACE:
        needed |= {"o2", *times}
    if needed - times.keys():
        return None, ""
    return min(times[name] for name in needed)


def still_to_sample(permit: JudgedPermit, at: datetime) -> str:
    """Which point has an old sample beside newer ones, where work is to begin or to go on; "" for none."""
    tests = _newest_first(permit)
    return _older(permit, at, tests, *_counts_from(permit, tests))


def _older(
    permit: JudgedPermit, at: datetime, tests: Sequence[GasTest | SeenTest], sampled_at: datetime | None, point: str
) -> str:
    if sampled_at is None or permit.state == PermitState.ACTIVE or sampled_at == tests[0].at:
        return ""
    stopped = permit.suspended_at or permit.interrupted_at
    if at - sampled_at <= SAMPLE_COUNTS and (stopped is None or sampled_at >= stopped):
        return ""
    return f"{point or '另一处'}的样还是{clock_time(sampled_at)}取的,也须重新取"


def sampled(permit: JudgedPermit, work: UnitOfWork, notes: list[str]) -> dict[str, Any]:
    tests = _newest_first(permit)
    sampled_at, point = _counts_from(permit, tests)
    if permit.work not in (Work.HOT_WORK, Work.CONFINED_SPACE) and not tests:
        return {}
    if older := _older(permit, work.at, tests, sampled_at, point):
        notes.append(older)
    found: dict[str, Any] = {"last_analysis_time": sampled_at.isoformat() if sampled_at else None}
    newest = sample_points.counting((test.values for test in tests), work=permit.work)
    if "combustible" in newest:
        found["gas_reading"] = {"value": newest["combustible"]["value"], "unit": newest["combustible"]["unit"]}
        if permit.facts.get("gas_lel_vol") in (NOTHING_BURNS, NOTHING_BURNT) and not media_of(permit):
            found["gas_lel_vol"] = NOTHING_BURNS
            if newest["combustible"]["unit"] == "%LEL":  # of what nobody knows: as if all of it were % vol
                found["gas_reading_vol"] = newest["combustible"]["value"]
    if "o2" in newest:
        found["oxygen_vol"] = newest["o2"]["value"]
    toxic = [
        {"medium": name, "value": value["value"], "unit": value["unit"]}
        for name, value in newest.items()
        if name not in ("combustible", "o2")
    ]
    if toxic:
        found["toxic_readings"] = toxic
    if permit.work == Work.CONFINED_SPACE and (missing := _unmeasured(permit, work, toxic)):
        notes.append(f"{'、'.join(missing)}还没有读数(6.4 b)")
        found |= {"toxic_readings": None, "toxic_ratio": None}  # no word that nothing poisons stands for a reading
    if tests and permit.work == Work.CONFINED_SPACE:
        found["last_record_time"] = tests[0].at.isoformat()
    return found


def needs_meter(work: UnitOfWork, permit: Permit) -> bool:
    """Whether a gas test belongs to this permit, or was told: then the date of its meter has to be known (G-019).

    Temporary power needs one unless its place is known to be no hazardous one (10.1).
    """
    if permit.work in (Work.HOT_WORK, Work.CONFINED_SPACE) or permit.gas_tests:
        return True
    if permit.work != Work.TEMP_POWER:
        return False
    point, exact = surroundings.point_of(permit), permit.equipment_id is not None
    return surroundings.zones_at(work, point, permit.area, exact=exact).hazardous is not False


def media_of(permit: JudgedPermit) -> list[str]:
    """Names of what may be in the air there: the equipment's medium, else the area's; steam and water left out."""
    names = [permit.equipment.medium] if permit.equipment and permit.equipment.medium else []
    if not names and permit.area is not None:
        names = [str(name) for name in permit.area.media]
    told = [name for text in names for name in media_names(text)]
    return [name for name in dict.fromkeys(told) if name not in NO_GAS]


def with_limit(names: Iterable[str]) -> list[gas.Medium]:
    """Of these media, each once, those with an occupational limit (GBZ 2.1)."""
    found = {medium.id: medium for medium in map(gas.find_medium, names) if medium is not None}
    return [medium for medium in found.values() if gas.toxic_limit(medium, basis="twa") is not None]


def toxic_media(permit: JudgedPermit) -> list[gas.Medium]:
    """What may poison people there: each has to be measured before anybody goes in (6.4 b)."""
    return with_limit(media_of(permit))


def _unmeasured(permit: JudgedPermit, work: UnitOfWork, toxic: Sequence[Mapping[str, Any]]) -> list[str]:
    """Toxic media of the place without a reading, when nothing that was read is over its limit already."""
    told = {medium.id for medium in with_limit(str(row["medium"]) for row in toxic)}
    missing = [medium.zh for medium in toxic_media(permit) if medium.id not in told]
    if missing and toxic:
        try:
            if gas.toxic_ratio(toxic, basis=tables.rules_of(work).table.settings.toxic_basis) > 1:
                return []
        except gas.BadReading:
            pass
    return missing


def lel_of(answers: Mapping[str, Any], found: Mapping[str, Any]) -> float | None:
    names = [found["medium"]] if "medium" in found else list(found.get("media", ()))
    if not names and isinstance(answers.get("medium"), str):
        names = [answers["medium"]]
    given = answers.get("gas_lel_vol")
    return float(given) if isinstance(given, (int, float)) else gas.lowest_lel(names)


def watch(work: UnitOfWork, table: RuleTable, permit: JudgedPermit, lel_vol: float | None) -> Watch | None:
    if permit.work not in (Work.HOT_WORK, Work.CONFINED_SPACE, Work.TEMP_POWER):
        return None
    high = lel_vol is not None and lel_vol >= 4
    limit = table.param("HW-A03.max_vol" if high else "HW-A04.max_vol")
    point = surroundings.point_of(permit)
    return surroundings.watch(work, table, point, permit.area_id, at=work.at, lel_vol=lel_vol, limit_vol=limit)


def seen_by_detectors(
    permit: JudgedPermit, seen: Watch | None, notes: list[str], *, watching: frozenset[str]
) -> dict[str, Any]:
    if seen is None:
        return {}
    notes += seen.notes
    found: dict[str, Any] = {}
    if permit.work == Work.HOT_WORK:
        found |= seen.trend.facts() if seen.trend is not None else {"trend3h_count": 0}
    if seen.over_limit:
        found["alarm_active"] = True
        notes.append(f"{seen.over_limit} 读数超过合格限值")
    if seen.alive is None:  # nothing mounted in range: people answer for the meter they carry
        return found
    if not seen.over_limit and seen.alive:
        found["alarm_active"] = False
    elif not seen.over_limit and seen.detectors[0].code in watching:
        found["alarm_active"] = None  # the one that watched over this work is silent: no earlier answer stands for it
    if seen.alive:
        found["continuous_monitoring"] = True
    return found


def watched(permit: JudgedPermit) -> frozenset[str]:
    """Codes of the detectors that were alive when the work began or went on; while it runs they must stay so."""
    if permit.state not in (PermitState.ACTIVE, PermitState.INTERRUPTED):
        return frozenset()
    approvals: Sequence[Any] = permit.approvals
    row = latest(approvals, "start")
    return frozenset(row.words.split()) if row is not None else frozenset()


def meter(work: UnitOfWork, permit: JudgedPermit, seen: Watch | None) -> dict[str, Any]:
    """How long the meters are calibrated whose values count; before any test the mounted detectors.

    A test by a meter that nobody named, or that is not in the ledger, leaves it unknown: the date is asked.
    """
    tests = _newest_first(permit)
    if tests:
        counting = {number for number, _ in sample_points.standing(test.values for test in tests)}
        used = [work.readings.detector(tests[n].meter) if tests[n].meter else None for n in sorted(counting)]
        days = [one.calibrated_until if one is not None else None for one in used]
    else:
        days = [d.calibrated_until for d in seen.detectors] if seen is not None else []
    if not days and permit.work not in (Work.HOT_WORK, Work.CONFINED_SPACE):
        # nothing is measured for the permit itself: what counts is that a calibrated meter is at hand
        days = [max((m.calibrated_until for m in work.readings.portable() if m.calibrated_until), default=None)]
    known = [day for day in days if day is not None]
    return {"detector_calibration_expiry": min(known).isoformat()} if known and len(known) == len(days) else {}


Signature = TypeVar("Signature", bound=PermitApproval | SeenApproval)


def latest(rows: Sequence[Signature], kind: str) -> Signature | None:
    return next((row for row in reversed(rows) if row.kind == kind and row.decided_at is not None), None)
