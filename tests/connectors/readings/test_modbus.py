"""A gas controller over Modbus TCP, spoken for real on the loopback."""

from __future__ import annotations

import pytest

from connectors.readings import SourceLost
from connectors.readings.config import BadConfig
from connectors.readings.modbus import Register, spans
from connectors.readings.source import Status
from emulators.gas import Gas, ModbusController, Trouble
from tests.connectors.readings.conftest import Clock, Inbox, Plant, run, running, serving, source_of, until

BITS = {"0": "ok", "3": "fault", "4": "calibrating"}


def table(port: int, **more: object) -> dict[str, object]:
    def status(address: int) -> dict[str, object]:
        return {"status_address": address, "status_bits": BITS}

    return {
        "name": "gds",
        "type": "modbus",
        "host": "127.0.0.1",
        "port": port,
        "interval_s": 0.02,
        "timeout_s": 2.0,
        "point": [
            {"detector": "GT-1", "unit": "%LEL", "type": "f32", "address": 0, "low": -5, "high": 100, **status(3)},
            {"detector": "GT-2", "unit": "%LEL", "type": "s16", "address": 12, "scale": 0.1, "sentinels": [-32768],
             "function": 4, "zero_drift": 1.0, **status(13)},
        ],
        **more,
    }  # fmt: skip


def test_values_arrive_with_unit_scale_and_both_functions(clock: Clock):
    async def talk() -> None:
        gas = Gas.of("GT-1", "GT-2")
        gas.set("GT-1", 12.5)
        gas.set("GT-2", 3.4)
        controller = ModbusController(gas)
        await controller.start()
        source = source_of(table(controller.port), clock)
        await source.open()
        first, second = await source.poll()
        await source.close()
        await controller.stop()
        assert (first.detector, first.value, first.unit, first.status, first.at) == (
            "GT-1", 12.5, "%LEL", Status.OK, clock.now,
        )  # fmt: skip
        assert (second.value, second.status) == (3.4, Status.OK)

    run(talk)


@pytest.mark.parametrize(
    ("trouble", "value", "first", "second"),
    [
        (Trouble.FAULT, 5.0, (5.0, "fault"), (5.0, "fault")),
        (Trouble.CALIBRATING, 5.0, (5.0, "calibrating"), (5.0, "calibrating")),
        (Trouble.NAN, 5.0, (None, "fault"), (None, "fault")),
        (Trouble.FROZEN_ZERO, 5.0, (0.0, "ok"), (0.0, "ok")),  # only the look-back can tell that
        (Trouble.NONE, 100.0, (100.0, "ok"), (100.0, "ok")),
        (Trouble.NONE, 100.1, (None, "fault"), (100.1, "ok")),  # over the range the file gives GT-1
        (Trouble.NONE, -0.5, (-0.5, "ok"), (0.0, "ok")),  # drift of the zero the file allows GT-2
        (Trouble.NONE, -5.1, (None, "fault"), (-5.1, "ok")),
    ],
)
def test_what_a_value_is_worth(clock: Clock, trouble: Trouble, value: float, first: tuple, second: tuple):
    async def talk() -> None:
        gas = Gas.of("GT-1", "GT-2")
        for code in gas.detectors:
            gas.set(code, value, trouble)
        controller = ModbusController(gas)
        await controller.start()
        source = source_of(table(controller.port), clock)
        await source.open()
        samples = await source.poll()
        await source.close()
        await controller.stop()
        for sample, (wanted, status) in zip(samples, (first, second), strict=True):
            assert sample.value == (None if wanted is None else pytest.approx(wanted, abs=1e-5))
            assert sample.status == status

    run(talk)


def test_a_register_the_gateway_refuses_is_a_fault_of_that_point_alone(clock: Clock):
    async def talk() -> None:
        controller = ModbusController(Gas.of("GT-1"))
        await controller.start()
        source = source_of(table(controller.port), clock)  # GT-2 is not there
        await source.open()
        first, second = await source.poll()
        await source.close()
        await controller.stop()
        assert first.status == "ok"
        assert (second.value, second.status) == (None, "fault")

    run(talk)


def test_a_dead_heart_makes_every_value_offline(clock: Clock):
    async def talk() -> None:
        gas = Gas.of("GT-1", "GT-2", value=1.0)
        controller = ModbusController(gas)
        await controller.start()
        source = source_of(table(controller.port, heartbeat_address=9999, heartbeat_s=30), clock)
        await source.open()
        assert {s.status for s in await source.poll()} == {Status.OK}
        controller.heart_beats = False
        await source.poll()
        clock.now = clock.now.replace(second=30)
        assert {s.status for s in await source.poll()} == {Status.OK}  # exactly at the limit
        clock.now = clock.now.replace(second=31)
        assert {s.status for s in await source.poll()} == {Status.OFFLINE}
        controller.heart_beats = True
        assert {s.status for s in await source.poll()} == {Status.OK}
        await source.close()
        await controller.stop()

    run(talk)


def test_a_lost_controller_is_found_again(clock: Clock, tmp_path):
    from connectors.readings import Spool

    async def talk() -> None:
        gas = Gas.of("GT-1", "GT-2", value=1.0)
        controller = ModbusController(gas)
        await controller.start()
        plant = Plant()
        feed = plant.feed([source_of(table(controller.port), clock)], Spool(tmp_path, max_bytes=10**6), clock)
        async with running(feed):
            await until(lambda: plant.rows, "first rows")
            await controller.stop()
            await until(lambda: plant.health["gds"].last_error, "the loss is noted")
            gas.set("GT-1", 44.0)
            before = len(plant.rows)
            await controller.start()
            await until(lambda: any(r["value"] == 44.0 for r in plant.rows[before:]), "back again")
        assert plant.health["gds"].facts["samples"] >= 2

    run(talk)


def test_nobody_there(clock: Clock):
    async def talk() -> None:
        controller = ModbusController(Gas.of("GT-1"))
        await controller.start()
        port = controller.port
        await controller.stop()
        with pytest.raises(SourceLost, match="refused"):
            await source_of(table(port), clock).open()

    run(talk)


def test_it_polls_by_itself(clock: Clock):
    async def talk() -> None:
        gas = Gas.of("GT-1", "GT-2")
        controller = ModbusController(gas)
        await controller.start()
        inbox = Inbox()
        async with serving(source_of(table(controller.port), clock), inbox):
            await until(lambda: inbox.samples)
            gas.set("GT-1", 30.0)
            await until(lambda: inbox.last("GT-1").value == 30.0)
        await controller.stop()

    run(talk)


def test_registers_are_read_in_few_spans():
    asked = [Register(3, 0, 2), Register(3, 3), Register(3, 12), Register(3, 22), Register(4, 23), Register(3, 200, 2)]
    assert spans(asked) == [Register(3, 0, 13), Register(3, 22), Register(3, 200, 2), Register(4, 23)]
    assert spans([Register(3, n) for n in range(101)]) == [Register(3, 0, 100), Register(3, 100)]
    assert spans([Register(3, 5), Register(3, 5)]) == [Register(3, 5)]
    assert spans([Register(3, 0), Register(3, 9)]) == [Register(3, 0, 10)]  # a gap of 8
    assert spans([Register(3, 0), Register(3, 10)]) == [Register(3, 0), Register(3, 10)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"port": 70000}, "port must be 0 to 65535"),
        ({"interval_s": 0}, "interval_s must be more than 0"),
        ({"point": []}, "at least one"),
        ({"point": [{"detector": "a", "unit": "ppm", "address": -1}]}, "zero-based"),
        ({"point": [{"detector": "a", "unit": "ppm", "address": 1, "function": 6}]}, "3 (holding) or 4 (input)"),
        ({"point": [{"detector": "a", "address": 1}]}, "unit is missing"),
        ({"point": [{"detector": "a", "unit": "ppm", "address": 1, "adress": 2}]}, "unknown adress"),
        ({"point": [{"detector": "a", "unit": "ppm", "address": 1, "type": "f64"}]}, "one of u16"),
        ({"point": [{"detector": "a", "unit": "ppm", "address": 1, "status_bits": {"x": "fault"}}]}, "bit number"),
        ({"point": [{"detector": "a", "unit": "ppm", "address": 1, "status_bits": {"3": "fault"}}]}, "status_address"),
        ({"wrong": 1}, "unknown wrong"),
        ({"type": "modbuz"}, "one of modbus, opcua, hj212"),
        ({"name": ""}, "1 to 60"),
    ],
)
def test_a_wrong_file_is_refused_and_says_where(clock: Clock, change: dict, says: str):
    with pytest.raises(BadConfig) as caught:
        source_of(table(502) | change, clock)
    assert says in str(caught.value)
    assert "source[0]" in str(caught.value)
