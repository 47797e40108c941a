"""`python -m emulators.gas --modbus 5020 --opcua 4840 --hj212 127.0.0.1:9212 --detectors GT-101,GT-102`

Lines on standard input switch: `GT-101 12.5`, `GT-101 fault`, `GT-101 none`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

from emulators.gas import Gas, Logger, ModbusController, Trouble

PLANT = ZoneInfo("Asia/Shanghai")
FACTORS = ("a24088", "a25002", "a25003", "a21028", "a21005")


def plant_time() -> datetime:
    return datetime.now(PLANT)


def switched(gas: Gas, line: str) -> str:
    """Carry out one line; returns what to print."""
    code, _, what = line.strip().partition(" ")
    if code not in gas.detectors or not what:
        return f"detectors: {' '.join(gas.detectors)}; then a value or one of {' '.join(Trouble)}"
    if what in {t.value for t in Trouble}:
        gas.set(code, trouble=Trouble(what))
    else:
        try:
            gas.set(code, value=float(what))
        except ValueError:
            return f"neither a value nor one of {' '.join(Trouble)}"
    return f"{code}: {gas.detectors[code].shown} {gas.detectors[code].trouble}"


async def report_for_ever(logger: Logger, host: str, port: int, every_s: float) -> None:
    while True:
        try:
            await logger.connect(host, port)
            await logger.send_again()
            while True:
                await logger.report()
                await logger.read_answer()
                await asyncio.sleep(every_s)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            print(f"hj212: {type(error).__name__}, {len(logger.kept)} reports kept", flush=True)
            await logger.hang_up()
            await asyncio.sleep(every_s)


async def run(arguments: argparse.Namespace) -> None:
    gas = Gas.of(*arguments.detectors.split(","))
    tasks = []
    if arguments.modbus:
        controller = ModbusController(gas, port=arguments.modbus)
        await controller.start()
    if arguments.opcua:
        from emulators.gas.opcua import OpcUaSystem

        system = OpcUaSystem(gas, port=arguments.opcua, clock=plant_time)
        await system.start()

        async def show() -> None:
            while True:
                await system.show()
                await asyncio.sleep(1)

        tasks.append(asyncio.create_task(show()))
    if arguments.hj212:
        host, _, port = arguments.hj212.rpartition(":")
        logger = Logger(
            gas,
            mn=arguments.mn,
            password=arguments.password,
            factors=dict(zip(gas.detectors, FACTORS, strict=False)),
            clock=plant_time,
            version=arguments.edition,
        )
        tasks.append(asyncio.create_task(report_for_ever(logger, host, int(port), arguments.every)))
    print(f"gas emulators run: {', '.join(gas.detectors)}", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(switched(gas, line), flush=True)
    await asyncio.gather(*tasks, asyncio.Event().wait())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detectors", default="GT-101,GT-102")
    parser.add_argument("--modbus", type=int, default=0, metavar="PORT")
    parser.add_argument("--opcua", type=int, default=0, metavar="PORT")
    parser.add_argument("--hj212", default="", metavar="HOST:PORT", help="the server to dial")
    parser.add_argument("--mn", default="010000A8900016F000169DC0")
    parser.add_argument("--password", default="123456")
    parser.add_argument("--edition", choices=("2017", "2025"), default="2017")
    parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS")
    arguments = parser.parse_args()
    if arguments.hj212 and len(arguments.detectors.split(",")) > len(FACTORS):
        parser.error(f"the logger has {len(FACTORS)} factors")
    asyncio.run(run(arguments))


if __name__ == "__main__":
    main()
