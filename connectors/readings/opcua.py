"""Gas systems and DCS over OPC UA: every point is a node; a look every few seconds, and changes told at once.

A subscription alone says nothing about a value that stays the same, and silence must not look like health: so all nodes
are also read every `interval_s`. Only a Good status counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from asyncua import Client, Node, ua

from connectors.readings.config import Section
from connectors.readings.points import Scale, StatusBits, worst
from connectors.readings.source import Emit, ReadingSource, Sample, SourceLost, Status, settled

GATHER_S = 0.05  # changes that come together are handed on together
# the server lives but what lies behind it is away
AWAY = frozenset(
    {
        ua.StatusCodes.BadNoCommunication,
        ua.StatusCodes.BadNotConnected,
        ua.StatusCodes.BadWaitingForInitialData,
        ua.StatusCodes.BadOutOfService,
        ua.StatusCodes.BadServerNotConnected,
        ua.StatusCodes.UncertainNoCommunicationLastUsableValue,
    }
)
LOST = (OSError, ConnectionError, TimeoutError, asyncio.TimeoutError, ua.UaError)


@dataclass(frozen=True, slots=True)
class OpcUaPoint:
    detector: str
    kind: str
    node: str
    scale: Scale
    status_node: str = ""
    bits: StatusBits = field(default_factory=StatusBits)


class OpcUaSource(ReadingSource):
    """`received_time`: date the value when it is read, for servers that stamp a value only when it changes."""

    def __init__(
        self,
        name: str,
        clock: Callable[[], datetime],
        *,
        url: str,
        points: Sequence[OpcUaPoint],
        interval_s: float,
        timeout_s: float = 4.0,
        subscribe: bool = True,
        received_time: bool = False,
        security: str = "",
        user: str = "",
        password: str = "",
    ) -> None:
        super().__init__(name, clock)
        self.url, self.points, self.interval_s, self.timeout_s = url, tuple(points), interval_s, timeout_s
        self.subscribe, self.received_time = subscribe, received_time
        self.security, self.user, self.password = security, user, password
        self._client: Client | None = None
        self._nodes: list[Node] = []
        self._words: dict[str, Status] = {}  # the last known state of a status node

    async def open(self) -> None:
        client = Client(self.url, timeout=self.timeout_s)
        try:
            if self.security:
                await client.set_security_string(self.security)
            if self.user:
                client.set_user(self.user)
                client.set_password(self.password)
            await client.connect()
        except LOST as error:
            raise SourceLost(f"cannot connect ({type(error).__name__})") from error
        self._client = client
        self._nodes = [client.get_node(node) for node in self._asked()]

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            await client.disconnect()
        except LOST:
            self.health.count("unclean_ends")  # the other side went first; there is nothing left to let go of

    def _asked(self) -> list[str]:
        return list(
            dict.fromkeys([p.node for p in self.points] + [p.status_node for p in self.points if p.status_node])
        )

    async def poll(self) -> Sequence[Sample]:
        if self._client is None:
            raise SourceLost("not connected")
        try:
            values = await self._client.read_attributes(self._nodes, ua.AttributeIds.Value)
        except LOST as error:
            raise SourceLost(f"no answer ({type(error).__name__})") from error
        seen = dict(zip(self._asked(), values, strict=True))
        for point in self.points:
            if point.status_node:
                self._words[point.status_node] = _state(point.bits, seen[point.status_node])
        return self._samples([(point, seen[point.node]) for point in self.points])

    async def serve(self, emit: Emit) -> None:
        if not self.subscribe:
            await super().serve(emit)
            return
        await self.open()
        try:
            changes: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(10_000)
            await self._listen(changes)
            loop = asyncio.get_running_loop()
            due = loop.time()
            while True:
                if loop.time() >= due:
                    await emit(await self.poll())
                    due = loop.time() + self.interval_s
                changed = await _gather(changes, due - loop.time())
                if changed:
                    await emit(self._changed(changed))
        finally:
            await self.close()

    async def _listen(self, changes: asyncio.Queue[tuple[str, Any]]) -> None:
        names = {node.nodeid: name for name, node in zip(self._asked(), self._nodes, strict=True)}

        class Told:
            def datachange_notification(self, node: Node, value: Any, data: Any) -> None:
                if not changes.full():  # the next look brings what did not fit
                    changes.put_nowait((names[node.nodeid], data.monitored_item.Value))

        try:
            assert self._client is not None
            subscription = await self._client.create_subscription(200, Told())
            await subscription.subscribe_data_change(self._nodes)
        except LOST as error:
            raise SourceLost(f"no subscription ({type(error).__name__})") from error

    def _changed(self, changed: Sequence[tuple[str, Any]]) -> Sequence[Sample]:
        found = []
        for name, value in changed:
            for point in self.points:
                if point.status_node == name:
                    self._words[name] = _state(point.bits, value)
                if point.node == name:
                    found.append((point, value))
        return self._samples(found)

    def _samples(self, seen: Sequence[tuple[OpcUaPoint, Any]]) -> Sequence[Sample]:
        now = self.clock()
        return [settled(self._sample(point, value, now), now=now, health=self.health) for point, value in seen]

    def _sample(self, point: OpcUaPoint, data: Any, now: datetime) -> Sample:
        status = _quality(data.StatusCode)
        raw = data.Value.Value if data.Value is not None else None
        at = data.SourceTimestamp.replace(tzinfo=UTC) if data.SourceTimestamp and not self.received_time else now
        value: float | None = None
        if isinstance(raw, (int, float)) and not isinstance(raw, bool) and status in (Status.OK, Status.SUSPECT):
            value, sound = point.scale.read(float(raw))
            status = worst(status, sound)
        elif status is Status.OK:
            status = Status.FAULT
        status = worst(status, self._words.get(point.status_node, Status.OK))
        return Sample(point.detector, value, point.scale.unit, status, at if status is Status.OK else now, point.kind)


async def _gather(changes: asyncio.Queue[tuple[str, Any]], wait_s: float) -> list[tuple[str, Any]]:
    """Everything that changed, once something did; nothing when `wait_s` passed."""
    try:
        first = await asyncio.wait_for(changes.get(), max(0.0, wait_s))
    except TimeoutError:
        return []
    await asyncio.sleep(GATHER_S)
    found = [first]
    while not changes.empty():
        found.append(changes.get_nowait())
    return found


def _quality(code: ua.StatusCode | None) -> Status:
    if code is None or code.is_good():
        return Status.OK
    if code.value in AWAY:
        return Status.OFFLINE
    return Status.SUSPECT if code.is_uncertain() else Status.FAULT


def _state(bits: StatusBits, data: Any) -> Status:
    """A status node: a word with bits, or a flag that counts as bit 0. One that cannot be read is a fault."""
    raw = data.Value.Value if data.Value is not None else None
    if _quality(data.StatusCode) is not Status.OK or not isinstance(raw, int):
        return Status.FAULT
    return bits.read(int(raw))


def from_config(name: str, section: Section, clock: Callable[[], datetime]) -> OpcUaSource:
    """Keys: url, interval_s, timeout_s, mode (subscribe/poll), time (source/received), security, user, password_file
    and [[source.point]] with node, detector, unit, scale …, status_node, status_bits."""
    points = []
    for row in section.sections("point"):
        bits = row.bits("status_bits")
        point = OpcUaPoint(
            detector=row.take("detector", str),
            kind=row.take("kind", str, ""),
            node=row.take("node", str),
            scale=row.scale(),
            status_node=row.take("status_node", str) if bits else "",
            bits=StatusBits(bits),
        )
        row.finish()
        points.append(point)
    return OpcUaSource(
        name,
        clock,
        url=section.take("url", str),
        points=points,
        interval_s=section.positive("interval_s", 5.0),
        timeout_s=section.positive("timeout_s", 4.0),
        subscribe=section.choice("mode", ("subscribe", "poll"), "subscribe") == "subscribe",
        received_time=section.choice("time", ("source", "received"), "source") == "received",
        security=section.take("security", str, ""),
        user=section.take("user", str, ""),
        password=section.secret("password"),
    )
