"""The server that data loggers dial (we are the 上位机): checked, answered once the data are safe, clocks set on request.

Loggers of all editions may be mixed: each packet says its own by the version bits of Flag (integrations: 2017 is
4 to 7, 2025 is 8 to 11). A frame with a wrong CRC, number or password gets no answer, so the logger keeps its data.
"""

from __future__ import annotations

import asyncio
import hmac
import tomllib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from connectors.readings.config import BadConfig, Section
from connectors.readings.hj212 import meaning
from connectors.readings.hj212.frame import BadPacket, Frame, FrameReader, Packet, build, parse
from connectors.readings.hj212.meaning import Device, Factor, NoTime
from connectors.readings.source import Emit, ReadingSource, Sample, SourceLost, settled

log = structlog.get_logger()

NOTICE_REPLY, DATA_REPLY, SET_TIME = "9013", "9014", "1012"
ASKS_TIME, HEARTBEAT = "1013", "9015"
SYSTEM = "91"
ANSWERS = frozenset({"9011", "9012", NOTICE_REPLY, DATA_REPLY})  # a logger answering us wants no answer
MAX_CONNECTIONS = 200
READ_BYTES = 16 * 1024


class Hj212Source(ReadingSource):
    def __init__(
        self,
        name: str,
        clock: Callable[[], datetime],
        *,
        host: str,
        port: int,
        devices: Sequence[Device],
        idle_s: float = 900.0,
    ) -> None:
        super().__init__(name, clock)
        self.host, self.port, self.idle_s = host, port, idle_s
        self.devices = {device.mn: device for device in devices}
        self.bound: asyncio.Future[tuple[str, int]] | None = None  # where the server listens, once it does
        self._open: set[asyncio.Task[None]] = set()

    async def poll(self) -> Sequence[Sample]:
        """Loggers come by themselves; there is nothing to ask for."""
        return ()

    async def serve(self, emit: Emit) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            if len(self._open) >= MAX_CONNECTIONS:
                self.health.count("connections_refused")
                writer.close()
                return
            self._open.add(task)
            try:
                await self._talk(reader, writer, emit)
            except asyncio.CancelledError:
                pass  # the source is being stopped; the server's own clean-up must not see a cancelled task
            finally:
                self._open.discard(task)
                writer.close()

        try:
            server = await asyncio.start_server(talk, self.host, self.port)
        except OSError as error:
            raise SourceLost(f"cannot listen ({error.strerror})") from error
        try:
            if self.bound is not None and not self.bound.done():
                self.bound.set_result(server.sockets[0].getsockname()[:2])
            await server.serve_forever()
        finally:
            server.close()
            for task in list(self._open):
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, emit: Emit) -> None:
        frames, times = FrameReader(), dict[str, datetime]()
        while True:
            try:
                data = await asyncio.wait_for(reader.read(READ_BYTES), self.idle_s)
            except (TimeoutError, ConnectionError):
                break
            if not data:
                break
            for frame in frames.feed(data):
                answer = await self._handle(frame, emit, times)
                if answer:
                    writer.write(answer)
            try:
                await writer.drain()
            except ConnectionError:
                break
        if frames.skipped:
            self.health.count("skipped_bytes", frames.skipped)

    async def _handle(self, frame: Frame, emit: Emit, times: dict[str, datetime]) -> bytes:
        """What to answer; b"" for nothing."""
        checked = self._checked(frame)
        if checked is None:
            return b""
        packet, device = checked
        self.health.facts["last_version"] = packet.version
        if packet.cn in ANSWERS:
            return b""
        if packet.cn in (meaning.REALTIME, meaning.MINUTE):
            found = self._samples(packet, device, times)
            if found is None:
                return b""
            await emit(found)
        return self._answer(packet, device)

    def _checked(self, frame: Frame) -> tuple[Packet, Device] | None:
        if not (frame.good or frame.modbus):
            self.health.count("bad_crc")
            return None
        try:
            packet = parse(frame.segment)
        except BadPacket:
            self.health.count("bad_packets")
            return None
        device = self.devices.get(packet.mn)
        if device is None:
            self.health.count("unknown_mn")
            return None
        if not frame.good and not device.modbus_crc:
            self.health.count("bad_crc")
            return None
        if not hmac.compare_digest(packet.pw.encode(), device.password.encode()):
            self.health.count("wrong_password")
            log.warning("readings.password_wrong", source=self.name)
            return None
        return packet, device

    def _samples(self, packet: Packet, device: Device, times: dict[str, datetime]) -> list[Sample] | None:
        """The packet's samples; None when it says no time (a later part of a split packet takes it from the first)."""
        try:
            at = meaning.data_time(packet.value("DataTime"), device.zone)
        except NoTime:
            known = times.get(packet.qn)
            if known is None:
                self.health.count("without_time")
                return None
            at = known
        times.clear()
        times[packet.qn] = at
        found, unknown = meaning.samples(packet, device, at=at)
        if unknown:
            self.health.count("unknown_factors", unknown)
        now = self.clock()
        return [settled(sample, now=now, health=self.health) for sample in found]

    def _answer(self, packet: Packet, device: Device) -> bytes:
        if not packet.wants_answer:
            return b""
        version = packet.flag & ~0b11
        about: dict[str, Any] = {"pw": device.password, "mn": device.mn}
        code = NOTICE_REPLY if packet.cn in (ASKS_TIME, HEARTBEAT) else DATA_REPLY
        answer = build(qn=packet.qn, st=SYSTEM, cn=code, flag=version, **about)
        if packet.cn == ASKS_TIME:
            now = self.clock().astimezone(device.zone)
            moment = f"SystemTime={now:%Y%m%d%H%M%S}"
            pol = packet.value("PolId")
            cp = f"PolId={pol};{moment}" if pol else moment
            stamp = f"{now:%Y%m%d%H%M%S}{now.microsecond // 1000:03d}"
            answer += build(qn=stamp, st=packet.st, cn=SET_TIME, flag=version | 1, cp=cp, **about)
        return answer


@cache
def factor_units() -> dict[str, str]:
    """The usual unit of a factor code; codes without one are left out."""
    with (Path(__file__).parent / "factors.toml").open("rb") as file:
        rows = tomllib.load(file)["factor"]
    return {code: row["unit"] for code, row in rows.items() if "unit" in row}


def from_config(name: str, section: Section, clock: Callable[[], datetime]) -> Hj212Source:
    """Keys: host, port, password(_file), timezone, idle_s and [[source.device]] with mn, password(_file), modbus_crc
    and [[source.device.factor]] with code, detector, unit, scale …"""
    password = section.secret("password")
    zone_name = section.take("timezone", str, "Asia/Shanghai")
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadConfig(f"{section.where}: timezone {zone_name} is not known") from error
    devices = []
    for row in section.sections("device"):
        devices.append(_device(row, password, zone))
        row.finish()
    return Hj212Source(
        name,
        clock,
        host=section.take("host", str, "0.0.0.0"),
        port=section.port(9212),
        devices=devices,
        idle_s=section.positive("idle_s", 900.0),
    )


def _device(row: Section, password: str, zone: ZoneInfo) -> Device:
    mn = row.take("mn", str)
    own = row.secret("password") or password
    if not own:
        raise BadConfig(f"{row.where}: password is missing, here or at the source")
    factors = {}
    for item in row.sections("factor"):
        code = item.take("code", str)
        scale = item.scale(unit=factor_units().get(code, ""))
        factors[code] = Factor(code, item.take("detector", str), item.take("kind", str, ""), scale)
        item.finish()
    return Device(mn, own, factors, zone, row.take("modbus_crc", bool, False))
