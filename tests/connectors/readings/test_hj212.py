"""HJ 212: the standard's own example, frames torn in every way, and a logger of each edition on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.readings.config import BadConfig
from connectors.readings.hj212.frame import BadPacket, FrameReader, build, crc16, crc16_modbus, parse
from connectors.readings.source import Status
from emulators.gas import Gas, Logger, Trouble
from emulators.gas.hj212 import ASK_TIME, HEARTBEAT, MINUTE
from tests.connectors.readings.conftest import Clock, Inbox, run, serving, source_of, until

MN, PASSWORD = "010000A8900016F000169DC0", "123456"
EXAMPLE = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
READY = (
    b"##0142QN=20261123120000000;ST=31;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;"
    b"CP=&&DataTime=20261123120000;a24088-Rtd=12.345,a24088-Flag=N&&A6C1\r\n"
)
ACK = b"##0087QN=20261123120000000;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&9AC1\r\n"
PLANT = ZoneInfo("Asia/Shanghai")


def table(**more: object) -> dict[str, object]:
    return {
        "name": "loggers",
        "type": "hj212",
        "host": "127.0.0.1",
        "port": 0,
        "password": PASSWORD,
        "device": [
            {
                "mn": MN,
                "factor": [
                    {"code": "a24088", "detector": "VOC-1"},
                    {"code": "a05002", "detector": "GT-1", "unit": "%LEL", "high": 100},
                ],
            }
        ],
        **more,
    }


# -- frames


def test_the_crc_is_the_standards_and_not_modbus():
    assert len(EXAMPLE) == 101
    assert crc16(EXAMPLE) == 0x1C80
    assert crc16_modbus(EXAMPLE) == 0x0759
    assert crc16(b"123456789") == 0x2F80


def test_ready_frames():
    (frame,) = FrameReader().feed(READY)
    assert frame.good
    packet = parse(frame.segment)
    assert (packet.cn, packet.mn, packet.version, packet.wants_answer) == ("2011", MN, "2017", True)
    assert packet.value("DataTime") == "20261123120000"
    assert build(qn=packet.qn, st="91", cn="9014", pw="123456", mn=MN, flag=4) == ACK


@pytest.mark.parametrize(
    ("flag", "version", "answer"),
    [(0, "2005", False), (1, "2005", True), (4, "2017", False), (5, "2017", True), (7, "2017", True),
     (8, "2025", False), (9, "2025", True), (11, "2025", True)],
)  # fmt: skip
def test_the_flag_says_edition_and_answer(flag: int, version: str, answer: bool):
    packet = parse(f"QN=1;ST=31;CN=2011;PW=1;MN=1;Flag={flag};CP=&&&&".encode())
    assert (packet.version, packet.wants_answer) == (version, answer)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.binary(max_size=30))
def test_frames_come_whole_however_the_stream_is_cut(cuts: list[int], noise: bytes):
    stream = noise.replace(b"#", b"") + READY + b"\r\n" + READY.lower().replace(b"qn", b"QN")[:0] + READY
    reader, found = FrameReader(), []
    for cut in [*cuts, len(stream)]:
        found += list(reader.feed(stream[:cut]))
        stream = stream[cut:]
    assert [f.good for f in found] == [True, True]


@given(st.binary(max_size=400))
def test_noise_never_breaks_the_reader(noise: bytes):
    reader = FrameReader()
    list(reader.feed(noise))
    found = list(reader.feed(b"\r\n" + READY + b"\r\n" + READY + b"\r\n" + READY))
    assert any(f.good for f in found)  # at the latest the third: a false head may swallow what follows it


@pytest.mark.parametrize(
    "before",
    [b"##", b"####", b"##0999QN=1", b"##00x1abc", b"#", b"##0005abcde0000\r\n", b"\x00" * 70_000],
    ids=["head", "two heads", "long", "no digits", "half a head", "bad crc", "flood"],
)
def test_a_good_frame_after_rubbish_is_found(before: bytes):
    reader = FrameReader()
    found = list(reader.feed(before)) + list(reader.feed(b"\r\n" + READY)) + list(reader.feed(b"\r\n" + READY))
    assert sum(f.good for f in found) >= 1


def test_a_changed_byte_is_not_taken():
    (frame,) = FrameReader().feed(READY.replace(b"12.345", b"12.346"))
    assert not frame.good
    assert not frame.modbus


def test_lower_case_crc_and_spaces_are_tolerated():
    frame = READY[:-6] + READY[-6:].lower()
    assert next(iter(FrameReader().feed(frame))).good
    packet = parse(b"QN=1; ST=31;cn=2011;PW=1;MN=1;Flage=5;CP=&&DataTime=20261123120000; a-Rtd=1 ;&&")
    assert (packet.st, packet.cn, packet.flag, packet.value("a-Rtd")) == ("31", "2011", 5, "1")


@pytest.mark.parametrize("segment", [b"", b"CN=2011", b"CN=2011;CP=&&x", b"ST=31;CP=&&&&", b"CN=x;CP=&&&&"])
def test_a_segment_without_command_or_data_is_refused(segment: bytes):
    with pytest.raises(BadPacket):
        parse(segment)


# -- the server


@asynccontextmanager
async def dialled(
    clock: Clock, version: str = "2017", config: dict[str, Any] | None = None, **more: Any
) -> AsyncIterator[tuple[Any, Logger, Inbox]]:
    gas = Gas.of("VOC-1", "GT-1", value=8.0)
    source, inbox = source_of(config or table(), clock), Inbox()
    source.bound = asyncio.get_running_loop().create_future()
    async with serving(source, inbox):
        logger = Logger(
            gas,
            **{"mn": MN, "password": PASSWORD, **more},
            factors={"VOC-1": "a24088", "GT-1": "a05002"},
            clock=lambda: clock.now.astimezone(PLANT),
            version=version,
        )
        await logger.connect(*await source.bound)
        yield source, logger, inbox
        await logger.hang_up()


@pytest.mark.parametrize(("version", "flag"), [("2017", 4), ("2025", 8)])
def test_realtime_data_are_taken_and_answered_in_the_loggers_edition(clock: Clock, version: str, flag: int):
    async def talk() -> None:
        async with dialled(clock, version) as (source, logger, inbox):
            await logger.report()
            answer = await logger.read_answer()
            assert f"ST=91;CN=9014;PW={PASSWORD};MN={MN};Flag={flag};CP=&&&&" in answer
            assert [(s.detector, s.value, s.unit, s.status, s.at) for s in inbox.samples] == [
                ("VOC-1", 8.0, "mg/m3", Status.OK, clock.now),
                ("GT-1", 8.0, "%LEL", Status.OK, clock.now),
            ]
            assert logger.kept == []
            assert source.health.facts["last_version"] == version

    run(talk)


@pytest.mark.parametrize(
    ("trouble", "value", "seen"),
    [
        (Trouble.FAULT, 8.0, (8.0, "fault")),
        (Trouble.CALIBRATING, 8.0, (8.0, "calibrating")),
        (Trouble.NAN, 8.0, (None, "fault")),
        (Trouble.FROZEN_ZERO, 8.0, (0.0, "ok")),
        (Trouble.NONE, 100.0, (100.0, "ok")),
        (Trouble.NONE, 100.001, (None, "fault")),
        (Trouble.OVER_RANGE, 104.0, (100.0, "ok")),  # the worst air of all must not come in as a fault
        (Trouble.OVER_RANGE, 60.0, (60.0, "ok")),
        (Trouble.OVER_RANGE, -1.0, (-1.0, "ok")),
    ],
)
def test_what_a_factor_is_worth(clock: Clock, trouble: Trouble, value: float, seen: tuple):
    async def talk() -> None:
        async with dialled(clock) as (_, logger, inbox):
            logger.gas.set("GT-1", value, trouble)
            await logger.report()
            await logger.read_answer()
            assert (inbox.last("GT-1").value, inbox.last("GT-1").status) == seen

    run(talk)


@pytest.mark.parametrize(
    ("flag", "status"),
    [("N", "ok"), ("T", "ok"), ("n", "ok"), ("F", "offline"), ("B", "offline"), ("D", "fault"), ("M", "calibrating"),
     ("C", "calibrating"), ("S", "suspect"), ("X", "suspect")],
)  # fmt: skip
def test_only_normal_and_over_range_data_count(clock: Clock, flag: str, status: str):
    async def talk() -> None:
        async with dialled(clock) as (_, logger, inbox):
            await logger.report(cp=f"DataTime=20261124090000;a05002-Rtd=9.5,a05002-Flag={flag}")
            await logger.read_answer()
            assert inbox.last("GT-1").status == status

    run(talk)


@pytest.mark.parametrize(
    ("text", "seen"),
    [("104", (100.0, "ok")), ("9999", (100.0, "ok")), ("", (100.0, "ok")), ("1e999", (100.0, "ok")),
     ("-6", (None, "fault"))],
)  # fmt: skip
def test_over_its_range_a_factor_counts_as_the_end_of_its_range(clock: Clock, text: str, seen: tuple):
    config = table()
    config["device"][0]["factor"][1] |= {"low": -5, "sentinels": [9999]}  # type: ignore[index]

    async def talk() -> None:
        async with dialled(clock, config=config) as (_, logger, inbox):
            await logger.report(cp=f"DataTime=20261124090000;a05002-Rtd={text},a05002-Flag=T")
            await logger.read_answer()
            assert (inbox.last("GT-1").value, inbox.last("GT-1").status) == seen

    run(talk)


def test_over_a_range_that_nobody_told_the_value_stands(clock: Clock):
    async def talk() -> None:
        async with dialled(clock) as (_, logger, inbox):
            await logger.report(cp="DataTime=20261124090000;a24088-Rtd=500,a24088-Flag=T")
            await logger.read_answer()
            assert (inbox.last("VOC-1").value, inbox.last("VOC-1").status) == (500.0, "ok")
            await logger.report(cp="DataTime=20261124090001;a24088-Rtd=,a24088-Flag=T")
            await logger.read_answer()
            assert (inbox.last("VOC-1").value, inbox.last("VOC-1").status) == (None, "fault")

    run(talk)


def test_minute_data_bring_their_highest_value_with_their_own_time(clock: Clock):
    async def talk() -> None:
        async with dialled(clock) as (_, logger, inbox):
            await logger.report(MINUTE, "DataTime=20261124060000;a05002-Min=1,a05002-Avg=3,a05002-Max=7")
            await logger.read_answer()
            assert inbox.last("GT-1").value == 7.0
            assert inbox.last("GT-1").at == datetime(2026, 11, 23, 22, tzinfo=UTC)

    run(talk)


def test_times_from_ahead_are_suspect_and_late_ones_are_history(clock: Clock):
    async def talk() -> None:
        async with dialled(clock) as (source, logger, inbox):
            for trouble in (Trouble.FUTURE, Trouble.LATE):
                logger.gas.set("VOC-1", trouble=trouble)  # the first detector's clock is the logger's
                await logger.report()
                await logger.read_answer()
            ahead, late = inbox.samples[1], inbox.samples[3]
            assert (ahead.status, ahead.at) == (Status.SUSPECT, clock.now)
            assert (late.status, late.at) == (Status.OK, clock.now - timedelta(hours=3))
            assert source.health.facts["from_future"] == 2

    run(talk)


@pytest.mark.parametrize(("ahead_s", "status"), [(119, "ok"), (120, "ok"), (121, "suspect")])
def test_two_minutes_of_skew_are_allowed(clock: Clock, ahead_s: int, status: str):
    async def talk() -> None:
        async with dialled(clock) as (_, logger, inbox):
            at = (clock.now + timedelta(seconds=ahead_s)).astimezone(PLANT)
            await logger.report(cp=f"DataTime={at:%Y%m%d%H%M%S};a05002-Rtd=1")
            await logger.read_answer()
            assert inbox.last("GT-1").status == status

    run(talk)


def test_a_bad_crc_gets_no_answer_and_the_logger_sends_again(clock: Clock):
    async def talk() -> None:
        async with dialled(clock) as (source, logger, inbox):
            logger.gas.set("GT-1", trouble=Trouble.BAD_CRC)
            await logger.report()
            logger.gas.set("GT-1", trouble=Trouble.NONE)
            await logger.report()
            await logger.read_answer()
            assert source.health.facts["bad_crc"] == 1
            assert len(inbox.samples) == 2
            assert len(logger.kept) == 1

    run(talk)


@pytest.mark.parametrize(
    ("wrong", "counted"), [({"password": "000000"}, "wrong_password"), ({"mn": "9" * 24}, "unknown_mn")]
)
def test_strangers_get_no_answer(clock: Clock, wrong: dict[str, str], counted: str):
    async def talk() -> None:
        async with dialled(clock, **wrong) as (source, logger, inbox):
            await logger.report()
            await until(lambda: source.health.facts.get(counted) == 1, counted)
            assert inbox.samples == []
            assert logger.answers == []

    run(talk)


def test_modbus_crc_only_where_the_file_allows_it(clock: Clock):
    body = READY[6:-6]
    frame = b"##0142" + body + b"%04X\r\n" % crc16_modbus(body)

    async def talk() -> None:
        async with dialled(clock) as (source, logger, inbox):
            await logger.send(frame)
            await until(lambda: source.health.facts.get("bad_crc") == 1)
            assert inbox.samples == []
        lenient = table()
        lenient["device"][0]["modbus_crc"] = True  # type: ignore[index]
        async with dialled(clock, config=lenient) as (source, logger, inbox):
            await logger.send(frame)
            await until(lambda: inbox.samples)

    run(talk)


def test_a_split_packet_takes_its_time_from_the_first_part(clock: Clock):
    def part(cp: str, number: int) -> bytes:
        segment = (
            f"QN=20261124090000777;ST=31;CN=2011;PW={PASSWORD};MN={MN};Flag=7;PNUM=2;PNO={number};CP=&&{cp}&&".encode()
        )
        return b"##%04d%b%04X\r\n" % (len(segment), segment, crc16(segment))

    async def talk() -> None:
        async with dialled(clock) as (source, logger, inbox):
            await logger.send(part("DataTime=20261124090000;a24088-Rtd=1.5", 1) + part("a05002-Rtd=2.5", 2))
            await until(lambda: len(inbox.samples) == 2)
            assert {s.at for s in inbox.samples} == {clock.now}
            await logger.report(cp="a05002-Rtd=3.5")  # another QN: no time at all
            await until(lambda: source.health.facts.get("without_time") == 1)
            assert len(inbox.samples) == 2

    run(talk)


def test_heartbeat_is_answered_and_a_clock_is_set(clock: Clock):
    async def talk() -> None:
        async with dialled(clock, "2025") as (_, logger, inbox):
            await logger.report(HEARTBEAT, "")
            assert "CN=9013" in await logger.read_answer()
            await logger.report(ASK_TIME, "PolId=a05002")
            assert "CN=9013" in await logger.read_answer()
            assert "CN=1012" in (told := await logger.read_answer())
            assert "Flag=9;CP=&&PolId=a05002;SystemTime=20261124090000&&" in told
            assert inbox.samples == []

    run(talk)


def test_nothing_is_answered_before_it_is_safe(clock: Clock):
    async def talk() -> None:
        safe = asyncio.Event()
        source, asked = source_of(table(), clock), []

        async def slow(samples: Any) -> None:
            asked.append(samples)
            await safe.wait()

        source.bound = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(source.serve(slow))
        logger = Logger(
            Gas.of("VOC-1"),
            mn=MN,
            password=PASSWORD,
            factors={"VOC-1": "a24088"},
            clock=lambda: clock.now.astimezone(PLANT),
        )
        await logger.connect(*await source.bound)
        await logger.report()
        await until(lambda: asked)
        with pytest.raises(TimeoutError):
            await logger.read_answer(timeout_s=0.05)
        safe.set()
        await logger.read_answer()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await logger.hang_up()

    run(talk)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": ""}, "password is missing"),
        ({"timezone": "Mars/Base"}, "timezone Mars/Base is not known"),
        ({"device": [{"mn": MN, "factor": [{"code": "a05002", "detector": "GT-1"}]}]}, "unit is missing"),
        ({"device": [{"mn": MN, "factor": []}]}, "at least one [[factor]]"),
        ({"password_file": "/none"}, "password_file cannot be read"),
    ],
)
def test_a_wrong_file_is_refused(clock: Clock, change: dict, says: str):
    with pytest.raises(BadConfig) as caught:
        source_of(table() | change, clock)
    assert says in str(caught.value)
