"""The figures of permits: rules and fixes, live processes, and verdicts on a full plant against SQL written by hand.

    python -m bench.permit [--json] [--readings N] [--database sqlite|postgres|both]

The full plant has 10 million readings, 200 zones, 2 000 active permits; ANSHAO_BENCH_READINGS=1000000 is a quick look
(minutes are spent on filling). The floor is what any program must ask the database for one verdict: the permit, detectors
in reach and their three hours, zones of the place, neighbours, the guardian's card and other jobs: seven statements on a
bare driver, no objects, no rules. The plant is made by statements and a fixed seed, so every run measures the same.

What is held against the floor is a verdict as a live permit is judged on a new fact (`feel.judge_again`): its own
transaction, the permit, the facts, the rules. So before each one, and before each floor, another connection stores a new
reading of the nearest detector, which is not timed. "first" is a verdict of a process that knows nothing of the detectors
yet. Neither stores anything; "store" says what keeping a changed verdict costs.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, text

from bench import permit_live, permit_rules
from bench.measuring import Row, at_least, at_most, quantile, row
from bench.permit_rules import good_facts
from handlers import readings
from handlers.permit import judge
from rules.permit import load
from rules.permit.model import plain
from storage import schema
from storage.database import open_engine
from storage.models import Area, Certificate, Detector, GasTest, Permit, PermitApproval, PermitParty, Person, Zone
from storage.unit_of_work import UnitOfWork
from tools import postgres
from worker import settle

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
FULL = 10_000_000
DETECTORS, ZONES, PERMITS, AREAS = 400, 200, 2000, 40
EVERY_S = 60  # one stored value a minute and detector
SIDE = 20  # detectors stand on a grid of 20 × 20, 100 m apart
LAT, LON, STEP_LAT, STEP_LON = 37.45, 118.59, 100 / 111_320, 100 / 88_400
VERDICTS, INGEST_ROWS, BATCH = 400, 40_000, 5000
SLOWER, P99_MS, ROWS_A_SECOND = 3.0, 20.0, 5000.0

TURN = 25  # verdicts


@dataclass(frozen=True, slots=True)
class Place:
    """What the hand-written statements are asked with."""

    permit_id: int
    area_id: int
    guardian_id: int
    lat: float
    lon: float


def run(count: int | None = None, databases: Sequence[str] = ("sqlite", "postgres")) -> list[Row]:
    wanted = count or int(os.environ.get("ANSHAO_BENCH_READINGS", FULL))
    rows = [*permit_rules.rows_of(), *permit_live.rows()]
    with tempfile.TemporaryDirectory(prefix="anshao-bench-") as folder:
        for kind in databases:
            with _database(kind, Path(folder)) as engine:
                rows += _measure(kind, engine, wanted)
    return rows


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[Engine]:
    if kind == "sqlite":
        engine = open_engine(f"sqlite:///{folder / 'bench.db'}")
        yield engine
        engine.dispose()
        return
    with postgres.server() as server, postgres.Databases(server).fresh() as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


def _measure(kind: str, engine: Engine, count: int) -> list[Row]:
    schema.upgrade(engine)
    places = _plant(engine)
    started = perf_counter()
    stored = _fill(engine, kind, count)
    note = f"{stored:,} readings, {ZONES} zones, {PERMITS} active permits; filled in {perf_counter() - started:.0f} s"
    draw = random.Random(7)
    chosen = [draw.choice(places) for _ in range(VERDICTS)]
    first = _timed(chosen, lambda place: _verdict(engine, place))
    settle()  # as a worker does before its first job
    floor: list[float] = []
    ours: list[float] = []
    slower: list[float] = []
    with _arrivals(engine, kind) as arrive:
        for begin in range(0, VERDICTS, TURN):  # in turns: the machine may change its speed between one and the other
            some = chosen[begin : begin + TURN]
            low = _floor(engine, kind, some, arrive)
            high = _timed(some, lambda place: _verdict(engine, place), before=arrive)
            slower.append(quantile(high, 0.5) / quantile(low, 0.5))
            floor, ours = floor + low, ours + high
    fix = _timed(chosen[: VERDICTS // 4], lambda place: _verdict(engine, place, with_fix=True))
    rows = [
        row(
            f"permit.floor.{kind}.p50",
            quantile(floor, 0.5),
            "ms",
            n=len(floor),
            note="seven statements by hand, bare driver, one transaction; nothing judged or stored",
        ),
        row(f"permit.floor.{kind}.p99", quantile(floor, 0.99), "ms", n=len(floor)),
        row(f"permit.verdict.{kind}.p50", quantile(ours, 0.5), "ms", n=len(ours), note=note),
        at_most(
            f"permit.verdict.{kind}.p99",
            quantile(ours, 0.99),
            "ms",
            P99_MS,
            n=len(ours),
            note="from BEGIN to verdict; not stored",
        ),
        at_most(
            f"permit.verdict.{kind}.to_floor",
            quantile(slower, 0.5),
            "×",
            SLOWER,
            n=len(slower),
            note=f"p50 to p50 of {TURN} and {TURN} in turn; the middle of these",
        ),
        row(f"permit.verdict.{kind}.first.p50", quantile(first, 0.5), "ms", n=len(first)),
        row(f"permit.verdict_with_fix.{kind}.p99", quantile(fix, 0.99), "ms", n=len(fix)),
    ]
    return rows + _parts(engine, kind, chosen) + _ingest(kind, engine)


def _timed(
    places: Sequence[Place], act: Callable[[Place], Any], *, before: Callable[[Place], None] = lambda _: None
) -> list[float]:
    """Milliseconds of each; what happens `before` it is not counted."""
    for place in places[:20]:
        act(place)
    gc.collect()
    took = []
    for place in places:
        before(place)
        started = perf_counter()
        act(place)
        took.append((perf_counter() - started) * 1000)
    return took


@contextmanager
def _arrivals(engine: Engine, kind: str) -> Iterator[Callable[[Place], None]]:
    """Stores a new reading of the detector nearest to a place, as a gateway would."""
    connection: Any = engine.raw_connection()
    cursor = connection.cursor()
    cursor.execute("SELECT code, id FROM detector")
    detectors, arrived = dict(cursor.fetchall()), 0
    style = (lambda sql: sql) if kind == "sqlite" else _percent

    def arrive(place: Place) -> None:
        nonlocal arrived
        arrived += 1
        x, y = round((place.lon - LON) / STEP_LON), round((place.lat - LAT) / STEP_LAT)
        at: Any = NOW + timedelta(milliseconds=arrived, microseconds=500)
        at = f"{at:%Y-%m-%d %H:%M:%S.%f}" if kind == "sqlite" else at
        value = 1.0 + arrived % 7 * 0.05
        cursor.execute(style(ARRIVAL), {"detector": detectors[f"GT-{y * SIDE + x}"], "value": value, "at": at})
        connection.commit()

    try:
        yield arrive
    finally:
        connection.close()


def _verdict(engine: Engine, place: Place, *, with_fix: bool = False) -> Any:
    with UnitOfWork(engine, NOW, read_only=True) as work:
        return judge.judge(work, work.permits.seen(place.permit_id), with_fix=with_fix)


def _parts(engine: Engine, kind: str, places: Sequence[Place]) -> list[Row]:
    """Where the time of a verdict goes."""
    from handlers.permit import facts, tables
    from rules.permit import evaluate

    parts: dict[str, list[float]] = {"load": [], "gather": [], "rules": [], "store": []}
    for place in places[:100]:
        with UnitOfWork(engine, NOW, read_only=True) as work:
            t0 = perf_counter()
            permit = work.permits.seen(place.permit_id)
            t1 = perf_counter()
            table, stage = tables.rules_of(work).table, judge.stage_of(permit)
            gathered = facts.gather(work, table, permit, at=NOW, stage=stage)
            t2 = perf_counter()
            evaluate(
                table, work=permit.work, level=permit.level, at=NOW, facts=gathered.facts, stage=stage, with_fix=False
            )
            t3 = perf_counter()
        stored = _stored(engine, place)
        for name, took in (("load", t1 - t0), ("gather", t2 - t1), ("rules", t3 - t2), ("store", stored)):
            parts[name].append(took * 1000)
    words = {
        "load": "the permit's rows",
        "gather": "facts of the machine",
        "rules": "evaluation",
        "store": "a changed verdict with its facts, on top of the verdict; rolled back",
    }
    return [
        row(f"permit.verdict.{kind}.{name}.p50", quantile(took, 0.5), "ms", n=len(took), note=words[name])
        for name, took in parts.items()
    ]


def _stored(engine: Engine, place: Place) -> float:
    """Seconds that keeping a verdict takes."""
    with UnitOfWork(engine, NOW) as work:
        permit = work.permits.to_judge(place.permit_id)
        judged = judge.judge(work, permit)
        started = perf_counter()
        judge.keep(work, permit, judged, cause="again")
        work.flush()
        return perf_counter() - started


# -- the floor


STATEMENTS = (
    "SELECT id, work, level, state, lat, lon, facts FROM permit WHERE id = :permit",
    "SELECT id, kind, unit, last_at, last_value, last_status, max_age_s FROM detector"
    " WHERE active AND lat BETWEEN :south AND :north AND lon BETWEEN :west AND :east",
    "SELECT z.id, z.kind, z.polygon FROM zone z WHERE z.active",
    "SELECT id, work, state, lat, lon FROM permit WHERE state IN ('approved', 'active', 'interrupted', 'suspended')"
    " AND lat BETWEEN :south AND :north AND lon BETWEEN :west AND :east AND id <> :permit",
    "SELECT number, valid_until FROM certificate WHERE person_id = :guardian AND kind IN ('guardian', 'hot_work_guardian')",
    "SELECT count(*) FROM permit WHERE guardian_id = :guardian AND state IN ('approved', 'active', 'interrupted', 'suspended')",
)
SPAN = "SELECT detector_id, at, value, status FROM reading WHERE detector_id = :detector AND kind = 'combustible' AND at > :since AND at <= :until"
ARRIVAL = "INSERT INTO reading (detector_id, kind, value, status, at, received_at) VALUES (:detector, 'combustible', :value, 'ok', :at, :at)"


def _floor(engine: Engine, kind: str, places: Sequence[Place], arrive: Callable[[Place], None]) -> list[float]:
    """What a program by hand takes, which begins and ends a transaction as well: an open one sees no new fact."""
    connection = engine.raw_connection()
    cursor = connection.cursor()
    style = (lambda sql: sql) if kind == "sqlite" else _percent
    statements, span = [style(sql) for sql in STATEMENTS], style(SPAN)
    since, until = NOW - timedelta(hours=3), NOW + timedelta(minutes=2)
    if kind == "sqlite":
        since, until = (f"{t:%Y-%m-%d %H:%M:%S.%f}" for t in (since, until))  # type: ignore[assignment]

    def ask(place: Place) -> None:
        reach_lat, reach_lon = STEP_LAT * 0.3, STEP_LON * 0.3
        values = {
            "permit": place.permit_id, "guardian": place.guardian_id,
            "south": place.lat - reach_lat, "north": place.lat + reach_lat,
            "west": place.lon - reach_lon, "east": place.lon + reach_lon,
        }  # fmt: skip
        if kind == "sqlite":
            cursor.execute("BEGIN")  # psycopg begins by itself
        for number, statement in enumerate(statements):
            cursor.execute(statement, values)
            found = cursor.fetchall()
            if number == 1:
                for detector in found:
                    cursor.execute(span, {"detector": detector[0], "since": since, "until": until})
                    cursor.fetchall()
        connection.rollback()

    took = _timed(places, ask, before=arrive)
    connection.close()
    return took


def _percent(sql: str) -> str:
    """Named parameters in psycopg's way."""
    for name in ("permit", "south", "north", "west", "east", "guardian", "detector", "since", "until", "value", "at"):
        sql = sql.replace(f":{name}", f"%({name})s")
    return sql


# -- the plant


def _plant(engine: Engine) -> list[Place]:
    """Areas, detectors on a grid, zones over them, people with cards, permits a few metres from a detector."""
    draw, table = random.Random(3), load()
    answers = plain({k: v for k, v in good_facts(table, "hot_work").items() if not isinstance(v, datetime)})
    answers |= {"coordinator_id": "1", "jsa_done": True}  # five jobs at one point need somebody who coordinates
    with UnitOfWork(engine, NOW) as work:
        areas = [
            Area(
                code=f"A{n}",
                name=f"区域{n}",
                zone="hazardous",
                media=["甲醇"],
                polygon=_square(n % 8 * 2.5, n // 8 * 4, 2.5, 4),
            )
            for n in range(AREAS)
        ]
        work.db.add_all(areas)
        work.flush()
        spots = [(n % SIDE, n // SIDE) for n in range(DETECTORS)]
        work.db.add_all(
            Detector(
                code=f"GT-{n}", kind="combustible", unit="%LEL", medium="甲醇", lat=LAT + y * STEP_LAT, lon=LON + x * STEP_LON,
                area_id=areas[_area(x, y)].id, last_at=NOW, last_value=1.0, last_status="ok",
                calibrated_until=(NOW + timedelta(days=200)).date(),
            )
            for n, (x, y) in enumerate(spots)
        )  # fmt: skip
        kinds = ("hazardous", "dike", "fixed_hot_work", "ban")
        for n in range(ZONES):
            x, y = draw.uniform(0, SIDE), draw.uniform(0, SIDE)
            work.db.add(Zone(code=f"Z{n}", name=f"区{n}", kind=kinds[n % 4], polygon=_square(x, y, 0.3, 0.3)))
        people = [Person(code=f"p{n}", name=f"人{n}", created_at=NOW) for n in range(2 * PERMITS)]
        work.db.add_all(people)
        work.flush()
        ends = (NOW + timedelta(days=300)).date()
        work.db.add_all(
            Certificate(person_id=p.id, kind=("guardian", "welding")[n % 2], number=f"C-{p.id}", valid_until=ends)
            for n, p in enumerate(people)  # guardian and worker by turns
        )
        permits = [_permit(n, spots[draw.randrange(DETECTORS)], areas, people, answers, draw) for n in range(PERMITS)]
        work.db.add_all(permits)
        work.flush()
        places = [Place(p.id, p.area_id or 0, p.guardian_id or 0, p.lat or 0.0, p.lon or 0.0) for p in permits]
        work.commit()
    return places


def _area(x: int, y: int) -> int:
    return min(AREAS - 1, int(y // 4) * 8 + int(x // 2.5))


def _square(x: float, y: float, wide: float, high: float) -> list[list[float]]:
    corners = ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))
    return [[LON + cx * STEP_LON, LAT + cy * STEP_LAT] for cx, cy in corners]


def _permit(
    n: int, spot: tuple[int, int], areas: list[Area], people: list[Person], answers: dict[str, Any], draw: random.Random
) -> Permit:
    x, y = spot
    guardian, worker = people[2 * n], people[2 * n + 1]
    test = GasTest(
        at=NOW - timedelta(minutes=10), by_id=guardian.id, values=[{"gas": "combustible", "value": 0.1, "unit": "%vol"}]
    )
    return Permit(
        number=f"ZY-{n:05d}", work="hot_work", level="l1", state="active", content="出口法兰电焊", generation=1,
        area_id=areas[_area(x, y)].id, lat=LAT + (y + draw.uniform(-0.2, 0.2)) * STEP_LAT,
        lon=LON + (x + draw.uniform(-0.2, 0.2)) * STEP_LON, applicant_id=worker.id, guardian_id=guardian.id,
        planned_start=NOW - timedelta(hours=1), planned_end=NOW + timedelta(hours=4), valid_from=NOW - timedelta(hours=1),
        valid_until=NOW + timedelta(hours=4), started_at=NOW - timedelta(minutes=9), created_at=NOW - timedelta(hours=2),
        facts=answers, gas_tests=[test],
        approvals=[PermitApproval(kind="measure", step="m", words="m", person_id=guardian.id, granted=True, decided_at=NOW)],
        parties=[
            PermitParty(
                person_id=guardian.id, role="guardian", joined_at=NOW, briefed_at=NOW,
                checked_in_at=NOW - timedelta(minutes=5),
            ),
            PermitParty(person_id=worker.id, role="worker", joined_at=NOW, briefed_at=NOW),
        ],
    )  # fmt: skip


def _fill(engine: Engine, kind: str, count: int) -> int:
    """Readings every minute up to now, made inside the database; returns how many."""
    each = max(181, count // DETECTORS)
    with engine.begin() as connection:
        if kind == "postgres":
            made = (
                "SELECT d.id, 'combustible', 1.0 + (n % 7) * 0.05, 'ok', CAST(:now AS timestamptz) - n * interval '60 seconds',"
                " CAST(:now AS timestamptz) FROM generate_series(0, :last) AS n, detector AS d"
            )
            values: dict[str, Any] = {"now": NOW, "last": each - 1}
        else:
            made = (
                "WITH RECURSIVE minute(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM minute WHERE n < :last)"
                " SELECT d.id, 'combustible', 1.0 + (n % 7) * 0.05, 'ok',"
                " strftime('%Y-%m-%d %H:%M:%S', :now, '-' || (n * 60) || ' seconds') || '.000000', :now || '.000000'"
                " FROM detector d, minute ORDER BY d.id, n DESC"
            )
            values = {"now": f"{NOW:%Y-%m-%d %H:%M:%S}", "last": each - 1}
        connection.execute(
            text(f"INSERT INTO reading (detector_id, kind, value, status, at, received_at) {made}"), values
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if kind == "postgres" else "ANALYZE"))
        if kind == "postgres":
            connection.execute(text("CHECKPOINT"))  # or the server writes ten million rows beside what is measured
    return each * DETECTORS


# -- ingest


def _ingest(kind: str, engine: Engine) -> list[Row]:
    """Calls of 5 000 rows through every check, each in its own transaction."""
    took = []
    for call in range(INGEST_ROWS // BATCH):
        batch = [
            {
                "detector": f"GT-{n % DETECTORS}", "value": 1.0 + n % 5 * 0.1, "unit": "%LEL",
                "at": (NOW + timedelta(seconds=1 + call * 13 + n // DETECTORS)).isoformat(),
            }
            for n in range(BATCH)
        ]  # fmt: skip
        started = perf_counter()
        with UnitOfWork(engine, NOW + timedelta(minutes=2)) as work:
            taken = readings.take(work, batch)
            work.commit()
        took.append(perf_counter() - started)
        assert taken.new == BATCH, taken.errors[:3]
    rate = BATCH * len(took) / sum(took)
    name, note = f"readings.ingest.{kind}", f"calls of {BATCH}, checked, one transaction each"
    if kind == "postgres":
        return [at_least(name, rate, "rows/s", ROWS_A_SECOND, n=len(took), note=note)]
    return [row(name, rate, "rows/s", n=len(took), note=note)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readings", type=int, default=None)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    arguments = parser.parse_args()
    kinds = ("sqlite", "postgres") if arguments.database == "both" else (arguments.database,)
    for line in run(arguments.readings, kinds):
        if arguments.json:
            print(json.dumps(line, ensure_ascii=False))
        else:
            mark = {True: "ok", False: "MISSED", None: ""}[line["ok"]]
            print(
                f"{line['name']:<38}{line['value']:>10} {line['unit']:<7}{line['goal']:>14} {mark:<7}n={line['n']} {line['note']}"
            )


if __name__ == "__main__":
    main()
