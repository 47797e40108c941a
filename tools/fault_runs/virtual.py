"""Runs in this process with a clock that is moved: hours pass in seconds. The plant, the wire and both servers are real."""

from __future__ import annotations

import gc
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import redis
from sqlalchemy import func, insert, select

from auditor.service import Auditor
from jobs import escalate
from storage import schema
from storage.database import open_engine
from storage.models import CardPost, CaseCard, Delivery, Hazard, Inbox, LadderStep
from tools import embedded, postgres
from tools.fault_runs.crowd import photo
from tools.fault_runs.run import Result

if TYPE_CHECKING:
    from tests.plant import Plant

Note = Callable[[str], None]
OPEN = ("reported", "assigned", "rectifying", "to_accept")
AREAS = ("甲醇罐区", "加热炉区", "合成车间", "3号泵房", "装卸台", "动力站")
WORDS = ("照明不足灯坏一片", "过道堆物", "护栏松动", "灭火器压力不足", "地沟盖板缺失", "警示牌脱落", "保温层破损")
REPORTERS = ("张伟", "孙丽", "马德顺", "吴涛", "黄梅", "郑凯")


@contextmanager
def plant_of(folder: Path, name: str, *, on_postgres: bool = False) -> Iterator[Plant]:
    """A plant in this process with an empty database of its own."""
    from tests.plant import Plant

    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    with embedded.valkey(place, keep=False) as url:
        client: Any = redis.Redis.from_url(url)
        if on_postgres:
            with postgres.server() as server:
                with server.admin() as admin:
                    admin.execute("CREATE DATABASE anshao_virtual")
                yield from _plant(Plant, server.url("anshao_virtual"), client, place)
        else:
            yield from _plant(Plant, f"sqlite:///{place / 'anshao.db'}", client, place)
        client.close()


def _plant(kind: type[Plant], url: str, client: Any, place: Path) -> Iterator[Plant]:
    engine = open_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    plant = kind(url, client, place)
    yield plant
    plant.services.engine.dispose()


def _count(plant: Plant, model: Any, *where: Any) -> int:
    with plant.work(read_only=True) as work:
        return work.db.scalar(select(func.count()).select_from(model).where(*where)) or 0


def _file(plant: Plant, number: int, seeded: random.Random) -> None:
    """A report that is filed: picture, place and words, «另报» when it looks like another one."""
    phone = plant.phone(REPORTERS[number % len(REPORTERS)])
    area = AREAS[seeded.randrange(len(AREAS))]
    phone.sends_photo(photo(50_000 + number))
    phone.says(f"{area}{seeded.choice(WORDS)},第{number}处")
    with plant.work(read_only=True) as work:
        person = work.people.by_code(str(phone.person["id"]))
        waiting = person is not None and work.hazards.draft_of(person.id, since=plant.now - timedelta(minutes=10))
    if waiting:
        phone.says("另报一条")


def checked(plant: Plant, result: Result) -> None:
    """The invariants on a plant in this process."""
    with plant.work(read_only=True) as work:
        result.wrong += [f"trail {line.case_id}.{line.seq}: {why}" for line, why in list(work.trail.broken())[:3]]
        for hazard in work.db.scalars(select(Hazard).where(Hazard.state.in_(OPEN))):
            steps = [s for s in work.ladder.of("hazard", hazard.id) if s.generation == hazard.generation]
            if hazard.due_at is None or not any(s.taken_at is None and s.called_off_at is None for s in steps):
                told = _count(plant, Delivery, Delivery.case_id == hazard.id, Delivery.state == "confirmed")
                if hazard.due_at is None or not told:
                    result.wrong.append(f"hazard {hazard.number} has no term or nobody to turn to next")
    late = plant.now - timedelta(minutes=2)
    stuck = _count(plant, Delivery, Delivery.state.in_(("due", "claimed", "unknown")), Delivery.due_at < late)
    unread = _count(plant, Inbox, Inbox.state.in_(("new", "taken", "fetching")))
    with plant.work(read_only=True) as work:
        stale = len(work.cards.stale_ids(plant.now, limit=1000))
    for count, words in ((stuck, "messages were never sent"), (unread, "messages were not handled")):
        if count:
            result.lost += count
            result.wrong.append(f"{count} {words}")
    if stale:
        result.wrong.append(f"{stale} cards are stale")
    result.wrong += [f"emulator: {problem}" for problem in plant.problems()[:3]]
    report = Auditor(plant.services.engine, lambda: plant.now).look()
    result.wrong += [f"auditor: {item.kind.value} {item.subject}" for item in report.found[:5]]
    result.runs += 1


def late_callbacks(folder: Path, seeded: random.Random, short: bool, note: Note) -> Result:
    """A push that was stored comes again two days later: nothing happens twice."""
    result = Result("callback again two days later")
    with plant_of(folder, "late") as plant:
        plant.wecom.core.switches.set({"duplicate_callbacks": 2})
        before = 0
        for number in range(4):
            _file(plant, number, seeded)
        before = _count(plant, Hazard, Hazard.number.is_not(None))
        plant.wecom.core.switches.set({"clear": True, "late_callbacks_s": 2 * 86400, "times": 1})
        plant.phone("张伟").says("3号泵房着火了")
        if _count(plant, Hazard, Hazard.number.is_not(None)) != before:
            result.wrong.append("a push that was held back came in at once")
        plant.forward(hours=49)
        filed = _count(plant, Hazard, Hazard.number.is_not(None))
        if filed != before + 1:
            result.lost += filed < before + 1
            result.doubled += filed > before + 1
            result.wrong.append(f"{filed - before} hazards of one late push")
        checked(plant, result)
    return result


def clock_jumps(folder: Path, seeded: random.Random, short: bool, note: Note) -> Result:
    """The clock of the server is set one hour on, and back, in the middle of open work."""
    result = Result("clock jumps ± 1 h")
    with plant_of(folder, "clock") as plant:
        for jump in (60, -60, 60, -60):
            number = plant_number(plant)
            _file(plant, number, seeded)
            plant.phone("张伟").says(f"3号泵房着火了,第{number}次")
            plant.now += timedelta(minutes=jump)
            _file(plant, number + 1, seeded)
            plant.forward(minutes=5)
        plant.forward(hours=2)
        checked(plant, result)
    return result


def plant_number(plant: Plant) -> int:
    return _count(plant, Hazard) * 2 + 1


def silent_drop(folder: Path, seeded: random.Random, short: bool, note: Note) -> Result:
    """WeCom says «ok» and shows nothing: nobody presses, so the ladder goes on to others and to SMS."""
    result = Result("sends silently dropped")
    with plant_of(folder, "silent") as plant:
        plant.wecom.core.switches.set({"silent_drop": True})
        plant.phone("张伟").says("3号泵房着火了")
        seen_at_once = [name for name in ("赵建国", "周敏") if plant.phone(name).count("YH-0001")]
        plant.wecom.core.switches.set({"clear": True})
        plant.forward(minutes=40)
        later = [name for name in ("赵建国", "周敏", "陈刚") if plant.phone(name, "wecom").count("YH-0001")]
        sms = len(plant.sms_of("赵建国"))
        if seen_at_once:
            result.wrong.append("nothing was dropped")
        if not later and not sms:
            result.lost += 1
            result.wrong.append("a red case reached nobody in 40 minutes")
        result.note = f"reached by the ladder within 40 min: {'、'.join(later)}, {sms} SMS"
        checked(plant, result)
    return result


def many_steps(folder: Path, seeded: random.Random, short: bool, note: Note) -> Result:
    """A long stop: very many ladder steps are due at once."""
    count = 1_500 if short else 100_000
    result = Result(f"{count:,} due steps after a long stop")
    with plant_of(folder, "steps", on_postgres=True) as plant:
        for number in range(20):
            _file(plant, number, seeded)
        with plant.work() as work:
            cases = list(work.db.scalars(select(Hazard).where(Hazard.state == "assigned")))
            step = {"notices": [], "after_minutes": 1}
            rows = [
                {
                    "case_kind": "hazard", "case_id": cases[n % len(cases)].id, "generation": 1, "ladder": "stale",
                    "position": 1000 + n // len(cases), "step": step, "due_at": plant.now - timedelta(minutes=n % 600),
                }
                for n in range(count)
            ]  # fmt: skip
            # most are of cases that moved on meanwhile: void, and still to be taken
            for n, row in enumerate(rows):
                row["generation"] = 1 if n % 50 == 0 else 0
            for start in range(0, count, 5000):
                work.db.execute(insert(LadderStep), rows[start : start + 5000])
            work.commit()
        before, began = _rss_mb(), monotonic()
        taken = one = escalate.escalate_due(plant.services)
        first_s = monotonic() - began
        while one:
            one = escalate.escalate_due(plant.services)
            taken += one
        took = monotonic() - began
        left = _count(plant, LadderStep, LadderStep.due_at <= plant.now, LadderStep.taken_at.is_(None),
                      LadderStep.called_off_at.is_(None))  # fmt: skip
        result.lost += left
        result.recover_s = took
        grown = _rss_mb() - before
        result.note = f"{taken} taken in {took:.0f} s ({taken / max(took, 0.001):.0f}/s), memory +{grown:.0f} MB"
        if first_s > 2 * escalate.FOR_S:
            result.wrong.append(f"the scheduler's other duties wait {first_s:.1f} s")
        if left:
            result.wrong.append(f"{left} steps are still due")
        if grown > 200:
            result.wrong.append(f"memory grew by {grown:.0f} MB")
        result.runs += 1
    return result


def soak(folder: Path, seeded: random.Random, short: bool, note: Note) -> Result:
    """Six hours of a plant's day in virtual time: nothing piles up."""
    hours = 2 if short else 6
    result = Result(f"soak, {hours} h of virtual time")
    with plant_of(folder, "soak") as plant:
        marks: list[tuple[int, int, float]] = []
        number = 0
        for hour in range(hours):
            for _ in range(6):
                number += 1
                _file(plant, number, seeded)
                if number % 6 == 0:
                    plant.phone("张伟").says(f"3号泵房第{number}台泵着火了")
                plant.forward(minutes=10)
            gc.collect()
            waiting = _count(
                plant, Delivery, Delivery.state.in_(("due", "claimed", "unknown")), Delivery.due_at <= plant.now
            )
            marks.append((waiting, threading.active_count(), _rss_mb()))
            note(f"   hour {hour + 1}: {waiting} messages waiting, {marks[-1][1]} threads, {marks[-1][2]:.0f} MB")
        (_, threads, first_mb), (waiting, threads_now, last_mb) = marks[min(1, hours - 1)], marks[-1]
        result.note = f"{waiting} waiting, threads {threads}→{threads_now}, RSS {first_mb:.0f}→{last_mb:.0f} MB"
        if waiting > 5 or threads_now > threads or last_mb - first_mb > 80:
            result.wrong.append(f"something grows: {result.note}")
        posts = _count(plant, CardPost, CardPost.state == "live")
        if posts < _count(plant, CaseCard, CaseCard.card_key.like("%duty")) // 2:
            result.wrong.append("cards have no living posts")
        checked(plant, result)
    return result


def _rss_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


RUNS: dict[str, Callable[[Path, random.Random, bool, Note], Result]] = {
    "late": late_callbacks,
    "clock": clock_jumps,
    "silent": silent_drop,
    "steps": many_steps,
    "soak": soak,
}
