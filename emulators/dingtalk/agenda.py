"""Work that is due later: deliveries, retries, pings. Runs inside tick() or on background threads."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

Job = Callable[[], None]
MAX_JOBS_PER_TICK = 100_000
TICK_S = 0.1


class Agenda:
    """A heap of due jobs. Jobs of one lane run one after the other, in order; lanes run side by side.

    background=False: nothing runs until run_due(). background=True: a due job starts at once on a small pool and a
    daemon thread looks for newly due ones.
    """

    def __init__(self, clock: Callable[[], float], *, background: bool, on_failure: Callable[[str], None]):
        self._clock, self._background, self._on_failure = clock, background, on_failure
        self._lock = threading.Lock()
        self._heap: list[tuple[float, int, str, Job]] = []
        self._numbers = itertools.count()
        self._lanes: dict[str, deque[Job]] = {}
        self._stopped = threading.Event()
        self._pool: ThreadPoolExecutor | None = None
        if background:
            self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="dingtalk-push")
            threading.Thread(target=self._watch, name="dingtalk-tick", daemon=True).start()

    def soon(self, job: Job, *, lane: str) -> None:
        self.at(self._clock(), job, lane=lane)

    def at(self, when: float, job: Job, *, lane: str) -> None:
        """Runs the job at the epoch second `when` of the emulator's clock."""
        if self._background and when <= self._clock():
            self._start(lane, job)
            return
        with self._lock:
            heapq.heappush(self._heap, (when, next(self._numbers), lane, job))

    def run_due(self) -> int:
        """Runs (or, in the background, starts) what is due now, also what that work makes due; how many."""
        done = 0
        while done < MAX_JOBS_PER_TICK:
            with self._lock:
                if not self._heap or self._heap[0][0] > self._clock():
                    return done
                _, _, lane, job = heapq.heappop(self._heap)
            if self._background:
                self._start(lane, job)
            else:
                self._run(job)
            done += 1
        return done

    def waiting(self) -> int:
        with self._lock:
            return len(self._heap) + sum(len(lane) for lane in self._lanes.values())

    def close(self) -> None:
        with self._lock:
            self._stopped.set()
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, lane: str, job: Job) -> None:
        with self._lock:
            if self._stopped.is_set() or self._pool is None:
                return
            if lane in self._lanes:
                self._lanes[lane].append(job)
                return
            self._lanes[lane] = deque([job])
            self._pool.submit(self._drain, lane)

    def _drain(self, lane: str) -> None:
        while True:
            with self._lock:
                jobs = self._lanes[lane]
                if not jobs:
                    del self._lanes[lane]
                    return
                job = jobs.popleft()
            self._run(job)

    def _run(self, job: Job) -> None:
        try:
            job()
        except Exception as error:  # the edge of a job: reported as a problem, so the run that caused it fails
            self._on_failure(f"emulator job failed: {type(error).__name__}: {error}")

    def _watch(self) -> None:
        while not self._stopped.wait(TICK_S):
            self.run_due()
