"""Gas controllers over Modbus TCP: registers read in a few spans, each point with its own type, scale and status bits.

Register maps differ from maker to maker, so everything comes from the file: function 3 or 4, zero-based address, type,
word order, scale, status word with its bits, and a heartbeat register that must keep moving.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from connectors.readings.config import BadConfig, Section
from connectors.readings.points import Scale, StatusBits, worst
from connectors.readings.source import ReadingSource, Sample, SourceLost, Status, settled

WORDS = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "f32": 2}
MAX_SPAN = 100  # registers in one request; the protocol allows 125, some gateways less
MAX_GAP = 8  # unused registers worth reading along rather than asking twice


@dataclass(frozen=True, slots=True)
class Register:
    function: int
    address: int
    words: int = 1

    @property
    def end(self) -> int:
        return self.address + self.words


@dataclass(frozen=True, slots=True)
class ModbusPoint:
    detector: str
    kind: str
    register: Register
    type: str
    word_order: Literal["big", "little"]
    scale: Scale
    status: Register | None = None
    bits: StatusBits = field(default_factory=StatusBits)

    def registers(self) -> tuple[Register, ...]:
        return (self.register, self.status) if self.status else (self.register,)


class ModbusSource(ReadingSource):
    def __init__(
        self,
        name: str,
        clock: Callable[[], datetime],
        *,
        host: str,
        port: int,
        device_id: int,
        timeout_s: float,
        interval_s: float,
        points: Sequence[ModbusPoint],
        heartbeat: Register | None = None,
        heartbeat_s: float = 60.0,
    ) -> None:
        super().__init__(name, clock)
        self.host, self.port, self.device_id, self.timeout_s = host, port, device_id, timeout_s
        self.interval_s, self.points = interval_s, tuple(points)
        self.heartbeat, self.heartbeat_s = heartbeat, heartbeat_s
        wanted = [register for point in self.points for register in point.registers()]
        self.spans = spans([*wanted, heartbeat] if heartbeat else wanted)
        self._client: AsyncModbusTcpClient | None = None
        self._beat: tuple[int, datetime] | None = None

    async def open(self) -> None:
        # our own back-off decides when to come back, so the client's must not
        client = AsyncModbusTcpClient(
            self.host, port=self.port, timeout=self.timeout_s, retries=1, reconnect_delay=0, name=self.name
        )
        if not await client.connect():
            client.close()
            raise SourceLost("connection refused")
        self._client, self._beat = client, None

    async def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    async def poll(self) -> Sequence[Sample]:
        words: dict[tuple[int, int], int] = {}
        for span in self.spans:
            words |= await self._read(span)
        now = self.clock()
        frozen = self._is_frozen(words, now)
        if frozen:
            self.health.count("heartbeat_stopped")
        return [settled(self._sample(point, words, now, frozen), now=now, health=self.health) for point in self.points]

    async def _read(self, span: Register) -> dict[tuple[int, int], int]:
        if self._client is None:
            raise SourceLost("not connected")
        ask = self._client.read_holding_registers if span.function == 3 else self._client.read_input_registers
        try:
            answer = await ask(span.address, count=span.words, device_id=self.device_id)
        except (ModbusException, OSError) as error:
            raise SourceLost(f"no answer ({type(error).__name__})") from error
        if answer.isError():
            # the gateway is there but does not know these registers now: the points say so, the others go on
            self.health.count("refused_spans")
            return {}
        if len(answer.registers) != span.words:
            raise SourceLost("short answer")
        return {(span.function, span.address + n): word for n, word in enumerate(answer.registers)}

    def _sample(self, point: ModbusPoint, words: dict[tuple[int, int], int], now: datetime, frozen: bool) -> Sample:
        cells = [words.get((point.register.function, point.register.address + n)) for n in range(point.register.words)]
        known = [cell for cell in cells if cell is not None]
        if len(known) < len(cells):
            return Sample(point.detector, None, point.scale.unit, Status.FAULT, now, point.kind)
        kind = AsyncModbusTcpClient.DATATYPE[_PYMODBUS[point.type]]
        raw = AsyncModbusTcpClient.convert_from_registers(known, kind, word_order=point.word_order)
        value, status = point.scale.read(float(raw))  # type: ignore[arg-type]
        if point.status is not None:
            word = words.get((point.status.function, point.status.address))
            status = worst(status, Status.FAULT if word is None else point.bits.read(word))
        if frozen:
            status = worst(status, Status.OFFLINE)
        return Sample(point.detector, value, point.scale.unit, status, now, point.kind)

    def _is_frozen(self, words: dict[tuple[int, int], int], now: datetime) -> bool:
        """Whether the controller stopped counting: a gateway that answers for ever from a dead memory."""
        if self.heartbeat is None:
            return False
        beat = words.get((self.heartbeat.function, self.heartbeat.address))
        if beat is None:
            return True
        if self._beat is None or self._beat[0] != beat:
            self._beat = (beat, now)
        return (now - self._beat[1]).total_seconds() > self.heartbeat_s


_PYMODBUS = {"u16": "UINT16", "s16": "INT16", "u32": "UINT32", "s32": "INT32", "f32": "FLOAT32"}


def spans(registers: Iterable[Register]) -> list[Register]:
    """As few requests as possible: neighbours with small gaps are read together, at most MAX_SPAN at once."""
    found: list[Register] = []
    for register in sorted(set(registers), key=lambda r: (r.function, r.address, r.words)):
        last = found[-1] if found else None
        if (
            last is not None
            and last.function == register.function
            and register.address - last.end <= MAX_GAP
            and register.end - last.address <= MAX_SPAN
        ):
            found[-1] = Register(last.function, last.address, max(last.end, register.end) - last.address)
        else:
            found.append(register)
    return found


def from_config(name: str, section: Section, clock: Callable[[], datetime]) -> ModbusSource:
    """Keys: host, port, device_id, timeout_s, interval_s, heartbeat_address, heartbeat_s and [[source.point]]."""
    beat = section.take("heartbeat_address", int, -1)
    points = []
    for row in section.sections("point"):
        points.append(_point(row))
        row.finish()
    return ModbusSource(
        name,
        clock,
        host=section.take("host", str),
        port=section.port(502),
        device_id=section.take("device_id", int, 1),
        timeout_s=section.positive("timeout_s", 3.0),
        interval_s=section.positive("interval_s", 5.0),
        points=points,
        heartbeat=Register(_function(section, "heartbeat_function", 3), beat) if beat >= 0 else None,
        heartbeat_s=section.positive("heartbeat_s", 60.0),
    )


def _function(section: Section, name: str, default: int) -> int:
    value = section.take(name, int, default)
    if value not in (3, 4):
        raise BadConfig(f"{section.where}: {name} must be 3 (holding) or 4 (input)")
    return value


def _address(section: Section, name: str) -> int:
    value = section.take(name, int)
    if not 0 <= value <= 65535:
        raise BadConfig(f"{section.where}: {name} is zero-based and must be 0 to 65535 (40001 is address 0)")
    return value


def _point(row: Section) -> ModbusPoint:
    kind = row.choice("type", tuple(WORDS), "u16")
    function = _function(row, "function", 3)
    bits = row.bits("status_bits")
    status = None
    if bits:
        status = Register(_function(row, "status_function", function), _address(row, "status_address"))
    return ModbusPoint(
        detector=row.take("detector", str),
        kind=row.take("kind", str, ""),
        register=Register(function, _address(row, "address"), WORDS[kind]),
        type=kind,
        word_order="little" if row.choice("word_order", ("big", "little"), "big") == "little" else "big",
        scale=row.scale(),
        status=status,
        bits=StatusBits(bits),
    )
