"""The demo's detectors: what they report, how one is raised, and what the product makes of it."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests

from emulators.demo_plant import demo_plant, demo_secrets
from tests import permits as p
from tools import demo_gas

NOW = datetime(2026, 11, 24, 1, 0, 7, tzinfo=UTC)


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    from tests.plant import Plant

    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "demo"
    (made / "logs").mkdir(parents=True)
    plant_file = demo_plant(public_url="http://app.test", secrets=demo_secrets())
    (made / "plant.json").write_text(json.dumps(plant_file), encoding="utf-8")
    return made


def detectors(folder):
    return json.loads((folder / "plant.json").read_text(encoding="utf-8"))["detectors"]


def test_hot_work_beside_them_passes_and_a_raised_one_stops_it(plant, folder):
    answer = p.send(plant, demo_gas.history(detectors(folder), plant.now))
    assert answer["refused"] == 0
    again = p.send(plant, demo_gas.history(detectors(folder), plant.now))
    assert (again["new"], again["refused"]) == (0, 0)  # a demo that starts again repeats itself
    p.send(plant, demo_gas.now_rows(detectors(folder), plant.now, {}))
    p.ask_for(plant).sees("一级动火 · 通过").taps("提交审批")
    p.approve(plant)
    p.prepare(plant)
    guardian = p.start(plant)
    guardian.sees("ZY-0001", "已开始")
    demo_gas.wish(folder, "gt-301", "40", 5, now=plant.now)
    plant.now += timedelta(seconds=15)
    p.send(plant, demo_gas.now_rows(detectors(folder), plant.now, demo_gas.wishes_in(folder)))
    guardian.sees("ZY-0001", "立即停止作业")
    assert plant.problems() == []


def test_wishes_end_by_themselves(folder):
    demo_gas.wish(folder, "GT-201", "40", 5, now=NOW)
    demo_gas.wish(folder, "GT-202", "fault", 5, now=NOW)
    demo_gas.wish(folder, "GT-101", "off", 5, now=NOW)

    def said(at):
        rows = demo_gas.now_rows(detectors(folder), at, demo_gas.wishes_in(folder))
        return {row["detector"]: (row["value"], row["status"]) for row in rows}

    during, after = said(NOW + timedelta(minutes=4)), said(NOW + timedelta(minutes=6))
    assert (during["GT-201"], during["GT-202"]) == ((40, "ok"), (None, "fault"))
    assert "GT-101" not in during
    assert "BX-01" not in during  # carried by people
    assert after["GT-201"][0] < 2
    assert after["GT-202"][1] == "ok"
    assert "GT-101" in after
    demo_gas.wish(folder, "calm", "", 5, now=NOW)
    assert demo_gas.wishes_in(folder) == {}


@pytest.mark.parametrize(
    ("detector", "value", "words"),
    [("GT-999", "40", "GT-301"), ("BX-01", "40", "GT-301"), ("GT-201", "a lot", "fault"), ("GT-201", "nan", "fault")],
)
def test_a_senseless_wish_is_named(folder, detector, value, words):
    with pytest.raises(ValueError, match=words):
        demo_gas.wish(folder, detector, value, 5, now=NOW)
    assert demo_gas.wishes_in(folder) == {}


def test_without_a_demo_it_says_so(tmp_path):
    with pytest.raises(ValueError, match="anshao demo"):
        demo_gas.wish(tmp_path, "GT-201", "40", 5, now=NOW)


def test_the_gateway_sends_the_past_once_and_goes_on_after_an_outage(folder):
    calls: list[int] = []
    seen = threading.Event()
    clock = iter(NOW + timedelta(seconds=20 * n) for n in range(1000))

    def post(rows):
        calls.append(len(rows))
        if len(calls) == 1:
            raise requests.ConnectionError("refused")
        if len(calls) == 3:
            seen.set()

    gateway = demo_gas.Gateway(folder, detectors(folder), post, clock=lambda: next(clock))
    gateway.stop.wait = lambda _s: gateway.stop.is_set()
    gateway.start()
    assert seen.wait(10)
    gateway.stop.set()
    gateway.join(10)
    live = len(demo_gas.mounted(detectors(folder)))
    assert calls[:3] == [38 * live + live, 38 * live + live, live]
    assert "ConnectionError" in (folder / "logs" / "gas.log").read_text(encoding="utf-8")
