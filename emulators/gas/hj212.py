"""A data logger (数采仪) that dials a server and reports by HJ 212-2017 or -2025.

It keeps what was not answered and sends it again, as the standard asks. Its frames are made here from the standard's
text and share no code with the server.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime

from emulators.gas.world import Gas, Trouble

DATA_FLAGS = {Trouble.FAULT: "D", Trouble.CALIBRATING: "C", Trouble.OVER_RANGE: "T"}  # 2017 edition, table 8
FLAG_BASE = {"2017": 4, "2025": 8}
REALTIME, MINUTE, ASK_TIME, HEARTBEAT = "2011", "2051", "1013", "9015"


def checksum(data: bytes) -> str:
    """HJ 212-2017 annex A, by its table-free procedure."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ byte
        for _ in range(8):
            out = crc & 1
            crc >>= 1
            if out:
                crc ^= 0xA001
    return f"{crc:04X}"


class Logger:
    """`factors`: detector code → factor code. `clock` is an aware plant time; `answers` holds every line that came."""

    def __init__(
        self,
        gas: Gas,
        *,
        mn: str,
        password: str,
        factors: Mapping[str, str],
        clock: Callable[[], datetime],
        version: str = "2017",
    ) -> None:
        self.gas, self.mn, self.password, self.clock = gas, mn, password, clock
        self.factors, self.version = dict(factors), version
        self.answers: list[str] = []
        self.kept: list[bytes] = []  # sent and not answered yet
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._number = 0

    async def connect(self, host: str, port: int) -> None:
        self._reader, self._writer = await asyncio.open_connection(host, port)

    async def hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()
            self._reader = self._writer = None

    def data(self, cn: str = REALTIME, *, with_flags: bool = True) -> str:
        """The CP of a report on all detectors; the first detector's clock is the logger's."""
        first = next(iter(self.gas.detectors.values()))
        parts = [f"DataTime={first.stamp(self.clock()):%Y%m%d%H%M%S}"]
        field = "Rtd" if cn == REALTIME else "Max"
        for code, detector in self.gas.detectors.items():
            factor = self.factors[code]
            flag = DATA_FLAGS.get(detector.trouble, "N")
            text = f"{factor}-{field}={detector.shown:.3f}"
            if cn == MINUTE:
                text += f",{factor}-Avg={detector.shown / 2:.3f}"
            parts.append(f"{text},{factor}-Flag={flag}" if with_flags else text)
        return ";".join(parts)

    def frame(self, cn: str = REALTIME, cp: str | None = None, *, bad_crc: bool = False) -> bytes:
        """One frame that wants an answer."""
        self._number += 1
        now = self.clock()
        body = self.data(cn) if cp is None else cp
        head = f"QN={now:%Y%m%d%H%M%S}{self._number % 1000:03d};ST=31;CN={cn};PW={self.password};MN={self.mn};"
        segment = f"{head}Flag={FLAG_BASE[self.version] | 1};CP=&&{body}&&".encode()
        check = "0000" if bad_crc else checksum(segment)
        return b"##%04d" % len(segment) + segment + check.encode() + b"\r\n"

    async def report(self, cn: str = REALTIME, cp: str | None = None) -> None:
        """Send one report, wrong if a detector's trouble says so; it is kept until it is answered."""
        bad = any(d.trouble is Trouble.BAD_CRC for d in self.gas.detectors.values())
        frame = self.frame(cn, cp, bad_crc=bad)
        self.kept.append(frame)
        await self.send(frame)

    async def send(self, data: bytes) -> None:
        assert self._writer is not None, "connect first"
        self._writer.write(data)
        await self._writer.drain()

    async def send_again(self) -> None:
        """Everything that was never answered."""
        for frame in list(self.kept):
            await self.send(frame)

    async def read_answer(self, timeout_s: float = 5.0) -> str:
        """The next line from the server, without its frame; what it answers is no longer kept."""
        assert self._reader is not None, "connect first"
        line = (await asyncio.wait_for(self._reader.readuntil(b"\r\n"), timeout_s)).strip()
        segment, check = line[6:-4], line[-4:].decode()
        if line[:2] != b"##" or int(line[2:6]) != len(segment) or check != checksum(segment):
            raise ValueError(f"not a frame of HJ 212: {line!r}")
        text = segment.decode()
        self.answers.append(text)
        number = text.partition("QN=")[2].partition(";")[0].encode()
        self.kept = [frame for frame in self.kept if b"QN=" + number not in frame]
        return text
