"""One stack a folder, and ports that nobody else uses."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

HOST = "127.0.0.1"
FREE_WITHIN_S = 6.0  # what a killed run left behind ends within this time


class StackError(Exception):
    """The stack cannot start or go on; the text says why and what to do, in both languages where a user reads it."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One stack a folder. The lock goes with the process, also when it is killed."""
    with (folder / "lock").open("a") as file:
        end = monotonic() + FREE_WITHIN_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if monotonic() > end:
                    raise StackError(
                        f"Another demo is running in {folder}; stop it with Ctrl-C first.\n"
                        "已有一个演示在运行,请先按 Ctrl-C 停掉它。"
                    ) from None
                sleep(0.2)
        yield


def require_free_ports(*ports: int, within_s: float = FREE_WITHIN_S) -> None:
    """Raises StackError naming the first port that stays taken."""
    end = monotonic() + within_s
    for port in ports:
        while not _is_free(port):
            if monotonic() > end:
                raise StackError(
                    f"Port {port} is taken by another program. Choose others: ANSHAO_DEMO_PORT=8100 ./anshao demo\n"
                    f"端口 {port} 已被占用,请换一个:ANSHAO_DEMO_PORT=8100 ./anshao demo"
                )
            sleep(0.2)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
