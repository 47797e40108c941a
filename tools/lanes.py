"""One process that does its work in several forks of itself: they share its memory, and one that dies is forked anew."""

from __future__ import annotations

import gc
import os
import signal
from time import monotonic, sleep

import structlog

from tools.processes import dies_with_us

log = structlog.get_logger()

AGAIN_AFTER_S = 1.0  # between two starts of one lane
AWAITED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}


def in_one(count: int) -> bool:
    """Fork `count` lanes; True in each of them, which goes on with its work. The process itself keeps them going until it
    is told to stop, hands that on, waits for them, and gets False.

    Call it from the main thread, without other threads or open connections.
    """
    ends = dies_with_us()
    gc.freeze()  # a collection would write to, and so copy, every page the lanes share
    stopping, running = False, dict[int, float]()
    # Blocked and waited for: a handler's signal that came just before wait() would be seen only when a lane ends by itself.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
    while True:
        while len(running) < count and not stopping:
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: whoever forked us tells us to stop
                if ends is not None:
                    ends()
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                return True
            running[pid] = monotonic()
        if not running:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return False
        if signal.sigwait(AWAITED) != signal.SIGCHLD:
            stopping = True
            for pid in running:  # one that has ended is not reaped yet, so its number is nobody else's
                os.kill(pid, signal.SIGTERM)
        for pid, status in _ended(running):
            began = running.pop(pid)
            if not stopping:
                log.error("lane.died", pid=pid, status=status)
                sleep(max(0.0, AGAIN_AFTER_S - (monotonic() - began)))


def _ended(running: dict[int, float]) -> list[tuple[int, int]]:
    """Those of the lanes that have ended, and how: one SIGCHLD may stand for several."""
    found = ((lane, *os.waitpid(lane, os.WNOHANG)) for lane in running)
    return [(lane, status) for lane, pid, status in found if pid == lane]
