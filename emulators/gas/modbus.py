"""A gas controller on Modbus TCP, written from the protocol's text so that no library's mistake can hide in both ends.

Detector n (from 0): a float in holding registers 10n and 10n+1 (high word first), its value × 10 as signed integer in
10n+2, its status word in 10n+3 (bit 0 alarm, 3 fault, 4 being calibrated). Register 9999 counts every answer. Input
registers show the same. Source: MODBUS Messaging on TCP/IP V1.0b, Application Protocol V1.1b3 6.3, 6.4.
"""

from __future__ import annotations

import asyncio
import math
import struct

from emulators.gas.world import Gas, Trouble

STEP, HEARTBEAT = 10, 9999
ALARM_AT = 25.0
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 1, 2


class ModbusController:
    """`heart_beats`: False stops the counter, as a gateway does that answers from a dead memory."""

    def __init__(self, gas: Gas, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.gas, self.host, self.port = gas, host, port
        self.heart_beats = True
        self.requests = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._beat = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._talk, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up on everybody and listen no more; `start` opens the same port again."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                number, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                answer = self._answer(await reader.readexactly(length - 1))
                writer.write(struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._open.discard(writer)
            writer.close()

    def _answer(self, request: bytes) -> bytes:
        self.requests += 1
        function, address, count = struct.unpack(">BHH", request[:5])
        if function not in (3, 4):
            return bytes([function | 0x80, ILLEGAL_FUNCTION])
        words = [self._word(address + n) for n in range(count)]
        if any(word is None for word in words):
            return bytes([function | 0x80, ILLEGAL_ADDRESS])
        return struct.pack(f">BB{count}H", function, 2 * count, *(word or 0 for word in words))

    def _word(self, address: int) -> int | None:
        if address == HEARTBEAT:
            self._beat = (self._beat + self.heart_beats) % 65536
            return self._beat
        detectors = list(self.gas.detectors.values())
        number, part = divmod(address, STEP)
        if number >= len(detectors):
            return None
        detector = detectors[number]
        shown = detector.shown
        high, low = struct.unpack(">HH", struct.pack(">f", shown))
        whole = 0x8000 if math.isnan(shown) else round(shown * 10) & 0xFFFF
        status = (shown >= ALARM_AT) | (detector.trouble is Trouble.FAULT) << 3
        status |= (detector.trouble is Trouble.CALIBRATING) << 4
        return (high, low, whole, status)[part] if part < 4 else 0
