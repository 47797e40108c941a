"""One process that does its work in several forks of itself: they share its memory, and one that dies is forked anew."""

from __future__ import annotations

import gc
import os
import signal
from contextlib import suppress
from time import monotonic, sleep

import structlog

from tools.processes import dies_with_us

log = structlog.get_logger()

AGAIN_AFTER_S = 1.0  # between two starts of one lane


def in_one(count: int) -> bool:
    """Fork `count` lanes; True in each of them, which goes on with its work. The process itself keeps them going until it
    is told to stop, hands that on, waits for them, and gets False.

    Call it from the main thread, without other threads or open connections.
    """
    ends = dies_with_us()
    gc.freeze()  # a collection would write to, and so copy, every page the lanes share
    stopping, running = [False], dict[int, float]()

    def stop(_number: int, _frame: object) -> None:
        stopping[0] = True
        for pid in running:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, signal.SIGTERM)

    while True:
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
        while len(running) < count and not stopping[0]:
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: whoever forked us tells us to stop
                if ends is not None:
                    ends()
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
                return True
            running[pid] = monotonic()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if not running:
            return False
        pid, status = os.wait()
        began = running.pop(pid, None)
        if began is not None and not stopping[0]:
            log.error("lane.died", pid=pid, status=status)
            sleep(max(0.0, AGAIN_AFTER_S - (monotonic() - began)))
