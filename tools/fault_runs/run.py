"""What a run is: a stream of reports, something that breaks, and a look afterwards."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from auditor.finding import Kind
from tools.fault_runs import checks
from tools.fault_runs.crowd import Crowd, Report
from tools.fault_runs.field import Field

REST_WITHIN_S = 150.0


@dataclass
class Result:
    """One line of the table. `recover_s`: from the end of the fault until nothing was left to do (the slowest round)."""

    fault: str
    runs: int = 0
    lost: int = 0
    doubled: int = 0
    recover_s: float | None = None
    note: str = ""
    figure: tuple[float, int] | None = None  # what a run measured beside that, and of how many
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)  # goals of figures that were not kept
    left_out: bool = False  # not run: the time was up

    @property
    def verdict(self) -> str:
        return "-" if self.left_out else "ok" if self.ok else "WRONG"

    @property
    def ok(self) -> bool:
        return not self.wrong and not self.missed and self.lost == 0 and self.doubled == 0

    def add(self, found: checks.Found, recover_s: float | None) -> None:
        self.runs += 1
        self.lost += found.lost
        self.doubled += found.doubled
        self.wrong += found.wrong
        if recover_s is not None:
            self.recover_s = max(self.recover_s or 0.0, recover_s)


@dataclass
class Plan:
    """How much of everything: `short` for CI."""

    on: Field
    crowd: Crowd
    random: random.Random
    short: bool
    note: Callable[[str], None]
    known: set[str] = field(
        default_factory=set
    )  # what the auditor found in an earlier run of this product, and was told

    def rounds(self, full: int, short: int = 1) -> int:
        return short if self.short else full

    @contextmanager
    def reporting(self, *, every_s: float = 0.15, platform: str = "", reds: int = 10) -> Iterator[list[Report]]:
        """People report all the while, every tenth a red one; stops when the block ends."""
        stop, sent, failed = threading.Event(), list[Report](), list[Exception]()

        def talk() -> None:
            number = 0
            while not stop.wait(every_s):
                number += 1
                try:
                    sent.append(self.crowd.report(platform=platform, red=number % reds == 0))
                except Exception as error:
                    failed.append(error)
                    return

        thread = threading.Thread(target=talk, name="reporting")
        thread.start()
        try:
            yield sent
        finally:
            stop.set()
            thread.join()
        if failed:
            raise failed[0]

    def settle(
        self,
        result: Result,
        sent: list[Report],
        *,
        within_s: float = REST_WITHIN_S,
        expected: tuple[Kind, ...] = (),
    ) -> None:
        """Wait until nothing is left to do, look, let the auditor look, and note it. `expected`: what it is to find."""
        began = monotonic()
        rest = checks.at_rest(self.on, within_s=within_s)
        found = checks.look(self.on, sent, ever=self.crowd.sent)
        if rest is None:
            found.wrong.append(f"not at rest {within_s:.0f} s after the fault: {checks.unfinished(self.on)} left")
        for line, item in checks.audited(self.on).items():
            if line not in self.known and item.kind not in expected:
                found.wrong.append(f"auditor: {line} {item.facts}")
            self.known.add(line)
        result.add(found, rest)
        self.note(
            f"   {len(sent)} reports, at rest after {monotonic() - began:.1f} s; lost {found.lost}, doubled "
            f"{found.doubled}, marked repeats {found.marked}" + "".join(f"\n      ✘ {w}" for w in found.wrong[:6])
        )


Run = Callable[[Plan], Result]
