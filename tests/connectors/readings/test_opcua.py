"""A gas system over OPC UA, with a real server on the loopback."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.readings import SourceLost
from connectors.readings.source import Status
from emulators.gas import Gas, Trouble
from emulators.gas.opcua import OpcUaSystem
from tests.connectors.readings.conftest import Clock, Inbox, free_port, run, serving, source_of, until


def table(url: str, **more: object) -> dict[str, object]:
    return {
        "name": "dcs",
        "type": "opcua",
        "url": url,
        "interval_s": 0.05,
        "point": [
            {
                "detector": "GT-1",
                "unit": "%LEL",
                "node": "ns=2;s=GT-1.PV",
                "status_node": "ns=2;s=GT-1.Fault",
                "status_bits": {"0": "fault"},
            },
            {"detector": "GT-2", "unit": "ppm", "node": "ns=2;s=GT-2.PV", "scale": 0.5},
        ],
        **more,
    }


@pytest.fixture
def gas() -> Gas:
    return Gas.of("GT-1", "GT-2", value=10.0)


def test_quality_time_and_scale_of_each_look(clock: Clock, gas: Gas):
    async def talk() -> None:
        system = OpcUaSystem(gas, port=free_port(), clock=clock)
        await system.start()
        source = source_of(table(system.url), clock)
        await source.open()

        async def seen(trouble: Trouble) -> dict[str, tuple]:
            gas.set("GT-1", trouble=trouble)
            gas.set("GT-2", trouble=trouble)
            await system.show()
            return {s.detector: (s.value, s.status, s.at - clock.now) for s in await source.poll()}

        now = timedelta()
        assert await seen(Trouble.NONE) == {"GT-1": (10.0, "ok", now), "GT-2": (5.0, "ok", now)}
        assert await seen(Trouble.FAULT) == {"GT-1": (None, "fault", now), "GT-2": (None, "fault", now)}
        assert (await seen(Trouble.CALIBRATING))["GT-2"] == (5.0, "suspect", now)
        assert (await seen(Trouble.NAN))["GT-2"] == (None, "fault", now)
        assert (await seen(Trouble.FROZEN_ZERO))["GT-2"] == (0.0, "ok", now)
        assert (await seen(Trouble.FUTURE))["GT-2"] == (5.0, "suspect", now)
        assert (await seen(Trouble.LATE))["GT-2"] == (5.0, "ok", timedelta(hours=-3))  # history, no fresh value
        gas.set("GT-2", trouble=Trouble.NONE)
        await system.cut_off()
        assert {s.status for s in await source.poll()} == {Status.OFFLINE}
        await source.close()
        await system.stop()

    run(talk)


def test_received_time_is_for_servers_that_stamp_changes_only(clock: Clock, gas: Gas):
    async def talk() -> None:
        system = OpcUaSystem(gas, port=free_port(), clock=clock)
        await system.start()
        source = source_of(table(system.url, time="received"), clock)
        await source.open()
        clock.now += timedelta(minutes=20)
        assert {s.at for s in await source.poll()} == {clock.now}
        await source.close()
        await system.stop()

    run(talk)


@pytest.mark.parametrize("mode", ["subscribe", "poll"])
def test_changes_are_told_and_a_lost_server_is_noticed(clock: Clock, gas: Gas, mode: str):
    async def talk() -> None:
        system = OpcUaSystem(gas, port=free_port(), clock=clock)
        await system.start()
        inbox = Inbox()
        source = source_of(table(system.url, mode=mode, interval_s=60.0 if mode == "subscribe" else 0.05), clock)
        async with serving(source, inbox):
            await until(lambda: inbox.samples, "the first look")
            gas.set("GT-2", 60.0)
            await system.show()
            await until(lambda: inbox.last("GT-2").value == 30.0, "a change")
            gas.set("GT-1", trouble=Trouble.FAULT)
            await system.show()
            await until(lambda: inbox.last("GT-1").status is Status.FAULT, "a fault")
        await system.stop()
        with pytest.raises(SourceLost):
            await source.serve(inbox.emit)

    run(talk)
