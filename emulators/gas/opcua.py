"""A gas system on OPC UA: for each detector the nodes `ns=2;s=<code>.PV` (float) and `ns=2;s=<code>.Fault` (boolean).

A detector being calibrated shows the status Uncertain, a faulty one Bad, `cut_off()` says that its field bus is away.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from asyncua import Node, Server, ua

from emulators.gas.world import Gas, Trouble

CODES = {Trouble.FAULT: ua.StatusCodes.BadDeviceFailure, Trouble.CALIBRATING: ua.StatusCodes.UncertainSensorNotAccurate}


def _node(name: str, index: int) -> ua.NodeId:
    return ua.NodeId(ua.String(name), ua.Int16(index))


class OpcUaSystem:
    def __init__(self, gas: Gas, *, port: int, clock: Callable[[], datetime], host: str = "127.0.0.1") -> None:
        self.gas, self.clock = gas, clock
        self.url = f"opc.tcp://{host}:{port}/gas"
        self._server: Server | None = None
        self._nodes: dict[str, tuple[Node, Node]] = {}
        self._cut_off = False

    async def start(self) -> None:
        server = Server()
        await server.init()
        server.set_endpoint(self.url)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        index = await server.register_namespace("urn:gas")
        folder = await server.nodes.objects.add_object(index, "Gas")
        for code in self.gas.detectors:
            value = await folder.add_variable(_node(f"{code}.PV", index), f"{code}.PV", 0.0)
            fault = await folder.add_variable(_node(f"{code}.Fault", index), f"{code}.Fault", False)
            self._nodes[code] = value, fault
        await server.start()
        self._server = server
        await self.show()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def cut_off(self, away: bool = True) -> None:
        """The server lives, the controllers behind it are gone (or back)."""
        self._cut_off = away
        await self.show()

    async def show(self) -> None:
        """Publish what the detectors say now."""
        now = self.clock()
        for code, detector in self.gas.detectors.items():
            value, fault = self._nodes[code]
            status = ua.StatusCodes.BadNoCommunication if self._cut_off else CODES.get(detector.trouble, 0)
            stamp = detector.stamp(now).astimezone(UTC).replace(tzinfo=None)
            await value.write_value(
                ua.DataValue(
                    ua.Variant(detector.shown, ua.VariantType.Double),
                    ua.StatusCode(ua.UInt32(status)),
                    SourceTimestamp=cast("ua.DateTime", stamp),
                )
            )
            await fault.write_value(detector.trouble is Trouble.FAULT)
