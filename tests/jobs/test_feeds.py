"""The readings process on real databases: rows through the common checks, permits woken, a source's state written."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from connectors.readings import IngestAway, SourceHealth
from jobs import feeds
from storage.models import Detector, Reading, SourceState
from storage.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


@dataclass
class Few:
    """What the feeds use of the services."""

    engine: Engine
    kicked: list[str] = field(default_factory=list)

    def clock(self) -> datetime:
        return NOW

    def new_work(self, *, read_only: bool = False) -> UnitOfWork:
        return UnitOfWork(self.engine, NOW, read_only=read_only)

    def kick(self, queue: str) -> None:
        self.kicked.append(queue)


@pytest.fixture
def few(engine: Engine) -> Any:
    made = Few(engine)
    with made.new_work() as work:
        work.db.add(Detector(code="GT-1", kind="combustible", unit="%LEL"))
        work.commit()
    return made


def row(value: float | None = 1.0, **more: Any) -> dict[str, Any]:
    return {
        "detector": "GT-1",
        "kind": "",
        "value": value,
        "unit": "%LEL",
        "status": "ok",
        "at": NOW.isoformat(),
        **more,
    }


def test_good_rows_go_in_and_bad_ones_are_named(few: Any):
    taken = feeds.ingest(few, [row(), row(2.0, detector="GT-9"), row(value=None)])
    assert (taken.new, [(e.index, e.field) for e in taken.errors]) == (1, [(1, "detector"), (2, "value")])
    assert feeds.ingest(few, [row()]).known == 1
    with few.new_work() as work:
        assert [r.value for r in work.db.scalars(select(Reading))] == [1.0]


def test_nobody_listens_at_the_database(tmp_path: Path):
    from storage.database import open_engine

    few: Any = Few(open_engine("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    with pytest.raises(IngestAway):
        feeds.ingest(few, [row()])
    with pytest.raises(IngestAway):
        feeds.note(few, SourceHealth("s"))


def test_a_sources_state_is_written_and_kept(few: Any):
    feeds.note(few, SourceHealth("gds", last_ok_at=NOW, facts={"samples": 3}))
    feeds.note(few, SourceHealth("gds", last_error="cable cut", last_error_at=NOW, facts={"samples": 4}))
    with few.new_work() as work:
        state = work.db.get(SourceState, "gds")
        assert (state.last_ok_at, state.last_error, state.facts) == (NOW, "cable cut", {"samples": 4})


def test_the_process_reads_a_controller_until_it_is_told_to_stop(few: Any, tmp_path: Path):
    import asyncio
    import time

    from connectors.readings.config import parse
    from emulators.gas import Gas, ModbusController

    loop = asyncio.new_event_loop()
    controller = ModbusController(Gas.of("GT-1", value=12.5))
    loop.run_until_complete(controller.start())
    emulator = threading.Thread(target=loop.run_forever)
    emulator.start()
    point = {"detector": "GT-1", "unit": "%LEL", "type": "f32", "address": 0}
    source = {"name": "gds", "type": "modbus", "host": "127.0.0.1", "port": controller.port, "point": [point]}
    stop = threading.Event()
    process = threading.Thread(target=feeds.run, args=(few, parse({"source": [source]}, data_dir=tmp_path), stop))
    process.start()

    def value() -> float | None:
        with few.new_work(read_only=True) as work:
            found = work.readings.detector("GT-1")
            return found.last_value if found else None

    deadline = time.monotonic() + 10
    while value() is None and time.monotonic() < deadline:
        process.join(0.02)
    stop.set()
    process.join(10)
    asyncio.run_coroutine_threadsafe(controller.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    emulator.join(5)
    loop.close()
    assert not process.is_alive()
    assert value() == 12.5
