"""Frames of HJ 212: `##` + length (4 digits) + data segment + CRC (4 hex) + CR LF.

Source: HJ 212-2017 6.3 and annex A; HJ 212-2025 keeps the frame and tells itself by the version bits of Flag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

HEAD = b"##"
LENGTH_DIGITS = 4
CRC_DIGITS = 4
MAX_BUFFER = 64 * 1024
VERSIONS = {0: "2005", 1: "2017", 2: "2025"}


def crc16(data: bytes) -> int:
    """CRC of the data segment (HJ 212-2017 annex A): each byte meets the high byte of the register only."""
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return register


def crc16_modbus(data: bytes) -> int:
    """The usual Modbus CRC, which some loggers compute by mistake; accepted per device when the file allows it."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return register


@dataclass(frozen=True, slots=True)
class Frame:
    """A data segment with its CRC as sent; `good` by the standard's CRC, `modbus` by the common mistake."""

    segment: bytes
    good: bool
    modbus: bool


class FrameReader:
    """Cuts a byte stream into frames; what is no frame is skipped and counted in `skipped` (bytes)."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.skipped = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        self._buffer += data
        if len(self._buffer) > MAX_BUFFER:
            self._skip(len(self._buffer) - MAX_BUFFER)
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> Frame | None:
        while True:
            start = self._buffer.find(HEAD)
            if start < 0:
                self._skip(max(0, len(self._buffer) - 1))  # a single # may be the first half of a head
                return None
            self._skip(start)
            digits = bytes(self._buffer[len(HEAD) : len(HEAD) + LENGTH_DIGITS])
            if digits and not digits.isdigit():
                self._skip(len(HEAD))
                continue
            if len(digits) < LENGTH_DIGITS:
                return None
            body = len(HEAD) + LENGTH_DIGITS
            end = body + int(digits) + CRC_DIGITS
            if len(self._buffer) < end:
                return self._resync(body) if self._buffer.find(b"\r\n##", body) >= 0 else None
            segment = bytes(self._buffer[body : end - CRC_DIGITS])
            sent = _hex(bytes(self._buffer[end - CRC_DIGITS : end]))
            frame = Frame(segment, sent == crc16(segment), sent == crc16_modbus(segment))
            if not (frame.good or frame.modbus) and HEAD in segment:
                # a wrong length swallowed the next frame: look for it again
                del self._buffer[: len(HEAD)]
                return Frame(segment, False, False)
            del self._buffer[:end]
            return frame

    def _resync(self, body: int) -> Frame:
        """The length promises more than there is, and the next frame has begun: give this one up."""
        start = self._buffer.find(b"\r\n##", body)
        segment = bytes(self._buffer[body:start])
        del self._buffer[: start + 2]
        return Frame(segment, False, False)

    def _skip(self, count: int) -> None:
        rest = bytes(self._buffer[:count])
        del self._buffer[:count]
        self.skipped += len(rest.strip(b"\r\n"))


def _hex(digits: bytes) -> int:
    try:
        return int(digits, 16)
    except ValueError:
        return -1


@dataclass(frozen=True, slots=True)
class Packet:
    """A data segment taken apart. `groups`: the items of CP between `;`, each key → value."""

    head: Mapping[str, str]
    groups: Sequence[Mapping[str, str]]

    def __getattr__(self, name: str) -> str:
        if name in ("qn", "st", "cn", "pw", "mn"):
            return self.head.get(name.upper(), "")
        raise AttributeError(name)

    @property
    def flag(self) -> int:
        text = self.head.get("FLAG", self.head.get("FLAGE", ""))  # a misprint that many loggers copied
        return int(text) if text.isdigit() else 0

    @property
    def version(self) -> str:
        """«2017»; unknown version bits count as the newest, which keeps the older fields."""
        return VERSIONS.get(self.flag >> 2, "2025")

    @property
    def wants_answer(self) -> bool:
        return bool(self.flag & 1)

    def value(self, key: str) -> str:
        """The first value of this key anywhere in CP."""
        return next((group[key] for group in self.groups if key in group), "")


class BadPacket(ValueError):
    """The segment has no CP or no command."""


def parse(segment: bytes) -> Packet:
    """Raises BadPacket. Tolerates a trailing `;`, spaces and keys in any case before CP."""
    text = segment.decode("ascii", errors="replace")
    head_text, mark, rest = text.partition("CP=&&")
    if not mark or "&&" not in rest:
        raise BadPacket("no CP")
    head: dict[str, str] = {}
    for item in head_text.split(";"):
        key, _, value = item.strip().partition("=")
        if key:
            head[key.upper()] = value.strip()
    if not head.get("CN", "").isdigit():
        raise BadPacket("no CN")
    body = rest[: rest.rindex("&&")]
    groups = []
    for item in body.split(";"):
        pairs = (part.strip().partition("=") for part in item.split(","))
        group = {key.strip(): value.strip() for key, _, value in pairs if key.strip()}
        if group:
            groups.append(group)
    return Packet(head, tuple(groups))


def build(*, qn: str, st: str, cn: str, pw: str, mn: str, flag: int, cp: str = "") -> bytes:
    """A whole frame."""
    segment = f"QN={qn};ST={st};CN={cn};PW={pw};MN={mn};Flag={flag};CP=&&{cp}&&".encode("ascii", errors="replace")
    return b"##%04d%b%04X\r\n" % (len(segment), segment, crc16(segment))
