"""Permits with real processes: from a message to the verdict card, and from a reading to the card that stops the work.

Both ends are the emulated phone's and this process's clock on one machine. Nothing polls while it is measured; the
emulators and the load share the cores with the product.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any

import requests
from sqlalchemy import Engine

from bench import load
from bench.measuring import Row, at_most, quantile, row
from bench.permit_rules import good_facts
from rules.permit import load as load_table
from rules.permit.model import plain
from storage.database import open_engine
from storage.models import Certificate, Detector, GasTest, Permit, PermitApproval, PermitParty, Person
from storage.unit_of_work import UnitOfWork
from tools.alone import free_ports
from tools.stack import Stack, http, running

APPLICANTS, ROUNDS, VERDICTS_PER_S = 60, 3, 5.0
PERMITS, DETECTORS = 500, 250
READINGS_PER_S, ROWS_A_CALL, SECONDS, STOPS = 200, 20, 30, 10
VERDICT_GOAL_MS, STOP_GOAL_MS = 1000.0, 2000.0
LAT, LON, STEP_LAT = 38.2, 118.9, 300 / 111_320  # a field of its own, detectors 300 m apart
ALL_SEEN_WITHIN_S = 60.0
HIGH, LOW = 60.0, 1.0  # %LEL


@dataclass(frozen=True, slots=True)
class Ours:
    id: int
    user: str


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="anshao-bench-") as folder:
        app_port, phones_port = free_ports(2)
        with running(Path(folder), app_port=app_port, phones_port=phones_port) as stack, _database(stack) as engine:
            verdicts = _verdicts(stack, engine)
            stops, rate = _stops(stack, engine)
    return [
        row("permit.message_to_card.p50", quantile(verdicts, 0.5), "ms", n=len(verdicts), note=f"{VERDICTS_PER_S:g}/s"),
        at_most(
            "permit.message_to_card.p99", quantile(verdicts, 0.99), "ms", VERDICT_GOAL_MS, n=len(verdicts),
            note="WeCom: the last answer sent until the verdict card is on the phone",
        ),
        row("permit.reading_to_stop.p50", quantile(stops, 0.5), "ms", n=len(stops), note=f"{rate:.0f} readings/s"),
        at_most(
            "permit.reading_to_stop.p99", quantile(stops, 0.99), "ms", STOP_GOAL_MS, n=len(stops),
            note=f"{PERMITS} active permits, {PERMITS // DETECTORS} stopped every {SECONDS // STOPS} s, card on the guardian's phone",
        ),
    ]  # fmt: skip


@contextmanager
def _database(stack: Stack) -> Iterator[Engine]:
    engine = open_engine(stack.environment["ANSHAO_DATABASE_URL"])
    yield engine
    engine.dispose()


def _hire(stack: Stack, engine: Engine, prefix: str, count: int) -> list[Ours]:
    """People with a WeCom account, known to the emulator and to the product."""
    client, now = http(), datetime.now(UTC)
    users = [f"{prefix}{number:04d}" for number in range(count)]
    for user in users:
        body = {"user": user, "name": user}
        client.post(f"{stack.phones_url}/wecom/_phone/people", json=body, timeout=5).raise_for_status()
    with UnitOfWork(engine, now) as work:
        people = [Person(code=user.lower(), name=user, created_at=now) for user in users]
        work.db.add_all(people)
        work.flush()
        for person, user in zip(people, users, strict=True):
            work.people.add_account("wecom", user, at=now, person=person)
        work.commit()
        return [Ours(person.id, user) for person, user in zip(people, users, strict=True)]


def _facts(kind: str) -> dict[str, Any]:
    table = load_table()
    known = {name: value for name, value in good_facts(table, kind).items() if not isinstance(value, datetime)}
    return plain(known) | {"coordinator_id": "1", "jsa_done": True, "toxic_ratio": 0, "isolation_method": "blind"}


# -- a message to its verdict


def _verdicts(stack: Stack, engine: Engine) -> list[float]:
    """Milliseconds from the last answer (which meter measured) to the verdict card."""
    crowd = _hire(stack, engine, "Ask", APPLICANTS)
    took: list[float] = []
    for _ in range(ROUNDS):
        _ready_to_be_judged(engine, crowd)
        after = {one.user: _seq(stack, one.user) for one in crowd}
        said = json.dumps({"text": "BX-01"}).encode()
        asked = [
            load.request("POST", f"/wecom/_phone/{one.user}/say", said, {"Content-Type": "application/json"})
            for one in crowd
        ]
        sent = load.open_loop(stack.phones_port, asked, per_s=VERDICTS_PER_S)
        if sent.bad:
            raise RuntimeError(f"the phones refused: {sent.bad}")
        took += [_wait_for_card(stack, one.user, after[one.user], "受限空间 · ") for one in crowd]
    return took


def _ready_to_be_judged(engine: Engine, crowd: Sequence[Ours]) -> None:
    """Each has told everything but the meter; what they say next is the last answer."""
    now, facts = datetime.now(UTC), _facts("confined_space")
    values = [
        {"gas": "o2", "value": 20.8, "unit": "%vol"},
        {"gas": "combustible", "value": 0.1, "unit": "%LEL"},
        {"gas": "methanol", "value": 0.0, "unit": "ppm"},
    ]
    with UnitOfWork(engine, now) as work:
        guardian, worker = work.people.by_code("gaofeng"), work.people.by_code("sunli")
        tank = next(item for item in work.plant.all_equipment() if item.code == "V-206")
        assert guardian is not None
        assert worker is not None
        for one in crowd:
            permit = Permit(
                work="confined_space", state="draft", content="V-206检查内壁", created_at=now, applicant_id=one.id,
                guardian_id=guardian.id, equipment_id=tank.id, area_id=tank.area_id, planned_start=now + timedelta(minutes=5),
                planned_end=now + timedelta(hours=4), facts=facts, suspend_why=[], next_due=[],
                parties=[
                    PermitParty(person_id=guardian.id, role="guardian", joined_at=now),
                    PermitParty(person_id=worker.id, role="worker", joined_at=now),
                ],
            )  # fmt: skip
            work.permits.add(permit)
            told = {"permit": permit.id, "values": values, "said": "", "then": "request", "guardian_done": True}
            work.conversations.move(
                f"person:{one.id}",
                flow="permit",
                state="meter",
                facts=told,
                at=now,
                expires_at=now + timedelta(hours=1),
            )
        work.commit()


# -- a reading to its stop


def _stops(stack: Stack, engine: Engine) -> tuple[list[float], float]:
    """(milliseconds from the call that brings the reading to the stopped card, readings a second that were taken)."""
    guards = _hire(stack, engine, "Guard", PERMITS)
    workers = _hire(stack, engine, "Work", PERMITS)
    _at_work(engine, guards, workers)
    token = stack.flask("token", "create", "bench").split()[-1]
    _send(stack, token, [_reading(n, LOW) for n in range(DETECTORS)])
    after = {one.user: _seq(stack, one.user) for one in guards}
    sent_at, rate = _feed(stack, token)
    per = PERMITS // DETECTORS
    took = []
    for detector, at in sent_at.items():
        for one in guards[detector * per : (detector + 1) * per]:
            seen = _card_at(stack, one.user, after[one.user], "已叫停", within_s=ALL_SEEN_WITHIN_S)
            took.append((seen - at) * 1000)
    calm = [one for n, one in enumerate(guards) if n // per not in sent_at][:50]
    wrong = [one.user for one in calm if _find(stack, one.user, after[one.user], "已叫停") is not None]
    if wrong:
        raise RuntimeError(f"permits were stopped without a reason: {wrong[:5]}")
    return took, rate


def _feed(stack: Stack, token: str) -> tuple[dict[int, float], float]:
    """Calls of 20 rows, ten a second; every third second one detector goes over the limit. Returns when each such call left."""
    every_s, sent_at = ROWS_A_CALL / READINGS_PER_S, {}
    calls = int(SECONDS / every_s)
    began = monotonic()
    for call in range(calls):
        sleep(max(0.0, began + call * every_s - monotonic()))
        first = call * ROWS_A_CALL
        batch = [_reading((first + n) % DETECTORS, LOW + 0.1 * (call % 3), ahead_ms=n) for n in range(ROWS_A_CALL)]
        stop = call // (calls // STOPS) if call % (calls // STOPS) == 0 else -1
        if 0 <= stop < STOPS:
            detector = stop * (DETECTORS // STOPS)
            batch[-1] = _reading(detector, HIGH, ahead_ms=900)
            sent_at[detector] = time()
        _send(stack, token, [row for row in batch if row is batch[-1] or row["detector"] not in _gone(sent_at)])
    return sent_at, calls * ROWS_A_CALL / (monotonic() - began)


def _gone(sent_at: dict[int, float]) -> set[str]:
    return {f"BG-{detector}" for detector in sent_at}


def _reading(detector: int, value: float, *, ahead_ms: int = 0) -> dict[str, Any]:
    at = datetime.now(UTC) + timedelta(milliseconds=ahead_ms)
    return {"detector": f"BG-{detector}", "value": value, "unit": "%LEL", "at": at.isoformat()}


def _send(stack: Stack, token: str, batch: list[dict[str, Any]]) -> None:
    answer = _api(stack).post(
        f"{stack.app_url}/api/v1/readings",
        data=json.dumps(batch),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        timeout=30,
    )
    answer.raise_for_status()
    if answer.json()["refused"]:
        raise RuntimeError(f"readings were refused: {answer.json()['errors'][:2]}")


_sessions: dict[str, requests.Session] = {}


def _api(stack: Stack) -> requests.Session:
    return _sessions.setdefault(stack.app_url, http())


def _at_work(engine: Engine, guards: Sequence[Ours], workers: Sequence[Ours]) -> None:
    """Active permits, two around each detector; entries, because night and holidays change nothing for them."""
    now, facts, per = datetime.now(UTC), _facts("confined_space"), PERMITS // DETECTORS
    ends = (now + timedelta(days=300)).date()
    gases = [("o2", 20.8, "%vol"), ("combustible", 0.1, "%LEL"), ("h2s", 0.0, "ppm")]
    with UnitOfWork(engine, now) as work:
        for n in range(DETECTORS):
            work.db.add(
                Detector(
                    code=f"BG-{n}", kind="combustible", unit="%LEL", medium="甲醇", lat=LAT + n * STEP_LAT, lon=LON,
                    calibrated_until=ends, max_age_s=600,
                )
            )  # fmt: skip
        for n, (guard, worker) in enumerate(zip(guards, workers, strict=True)):
            work.db.add(Certificate(person_id=guard.id, kind="guardian", number=f"B-{n}", valid_until=ends))
            test = GasTest(
                at=now - timedelta(minutes=5), by_id=guard.id, meter="BX-01",
                values=[{"gas": gas, "value": value, "unit": unit} for gas, value, unit in gases],
            )  # fmt: skip
            work.db.add(
                Permit(
                    number=f"ZY-9{n:04d}", work="confined_space", level="none", state="active", content="罐内检查",
                    lat=LAT + (n // per) * STEP_LAT + 0.00005 * (n % per), lon=LON, applicant_id=worker.id,
                    guardian_id=guard.id, planned_start=now - timedelta(minutes=10), planned_end=now + timedelta(hours=6),
                    valid_from=now - timedelta(minutes=10), valid_until=now + timedelta(hours=6),
                    started_at=now - timedelta(minutes=3), created_at=now - timedelta(hours=1), facts=facts,
                    suspend_why=[], next_due=[], gas_tests=[test], judge_at=now + timedelta(hours=1),
                    approvals=[
                        PermitApproval(kind="measure", step="m", words="m", person_id=guard.id, granted=True, decided_at=now),
                        PermitApproval(kind="approve", step="local_unit", person_id=1, granted=True, decided_at=now, lat=LAT, lon=LON),
                    ],
                    parties=[
                        PermitParty(person_id=guard.id, role="guardian", joined_at=now, briefed_at=now, checked_in_at=now),
                        PermitParty(person_id=worker.id, role="worker", joined_at=now, briefed_at=now),
                    ],
                )
            )  # fmt: skip
        work.commit()


# -- phones


def _screen(stack: Stack, user: str, after: int) -> dict[str, Any]:
    answer = _api(stack).get(f"{stack.phones_url}/wecom/_phone/{user}/screen", params={"after": after}, timeout=10)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _seq(stack: Stack, user: str) -> int:
    return int(_screen(stack, user, 2**60)["seq"])


def _find(stack: Stack, user: str, after: int, title: str) -> dict[str, Any] | None:
    items = [i for i in _screen(stack, user, after)["items"] if i["card"] and title in (i["card"]["title"] or "")]
    return min(items, key=lambda item: item["at"], default=None)


def _card_at(stack: Stack, user: str, after: int, title: str, *, within_s: float) -> float:
    end = monotonic() + within_s
    while True:
        item = _find(stack, user, after, title)
        if item is not None:
            return float(item["at"])
        if monotonic() > end:
            there = [i["card"]["title"] if i["card"] else i["text"] for i in _screen(stack, user, after)["items"]]
            raise RuntimeError(f"{user} never saw «{title}»; there: {there[-4:]}; see {stack.folder}/logs")
        stack.check_children()
        sleep(0.2)


def _wait_for_card(stack: Stack, user: str, after: int, title: str) -> float:
    """Milliseconds from what was said to the card."""
    seen = _card_at(stack, user, after, title, within_s=ALL_SEEN_WITHIN_S)
    said = max(item["at"] for item in _screen(stack, user, after)["items"] if item["from"] == "me")
    return (seen - said) * 1000
