"""Every commit and send as a moment to die at: one after another, until a process has no such moment left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.fault_runs import checks
from tools.fault_runs.crowd import Report
from tools.fault_runs.run import REST_WITHIN_S, Plan, Result

DIES_WITHIN_S = 20.0
SHORT_SERIES = 1
MOST = 40  # moments of one kind in one process; the reports below make far fewer


@dataclass(frozen=True)
class Series:
    """One kind of moment in one process. `wecom_only`: DingTalk pushes once, so what dies unread never comes again."""

    role: str
    point: str
    wecom_only: bool = False

    @property
    def name(self) -> str:
        return f"{self.role} {self.point}"


SERIES = (
    Series("web", "before-commit", wecom_only=True),
    Series("web", "after-commit", wecom_only=True),
    Series("chat", "before-commit"),
    Series("chat", "after-commit"),
    Series("media", "before-commit"),
    Series("media", "after-commit"),
    Series("media", "before-send"),
    Series("media", "after-send"),
    Series("delivery", "before-commit"),
    Series("delivery", "after-commit"),
    Series("delivery", "before-send"),
    Series("delivery", "after-send"),
    Series("scheduler", "before-commit"),
    Series("scheduler", "after-commit"),
)


def every_point(plan: Plan) -> Result:
    """Three reports each time. The full form goes on until nobody dies any more; the short one takes some by chance."""
    result = Result("kill -9 at every commit and send" if not plan.short else "kill -9 at some commits and sends")
    died: dict[str, int] = {}
    for series in SERIES if not plan.short else plan.random.sample(SERIES, SHORT_SERIES):
        for at in range(1, MOST) if not plan.short else [plan.random.randint(1, 2)]:
            if not _die(plan, series, at, result):
                break
            died[series.name] = died.get(series.name, 0) + 1
    for role in dict.fromkeys(series.role for series in SERIES):
        plan.on.retire(role)
        plan.on.start_role(role)
        plan.on.wait_until_up(role)
    for series in SERIES:
        if series.name not in died and not plan.short:
            result.wrong.append(f"{series.name} never happened")
    result.note = f"{sum(died.values())} moments in {len(died)} of {len(SERIES)} series"
    return result


def _arrived(plan: Plan, sent: list[Report]) -> bool:
    stored = "SELECT count(*) FROM inbox WHERE CAST(payload AS text) LIKE :like"
    return all(plan.on.number(stored, like=f"%{report.code} %") for report in sent)


def _die(plan: Plan, series: Series, at: int, result: Result) -> bool:
    """Whether the process died at its n-th moment. What it left behind is looked at in any case."""
    on, role = plan.on, series.role
    mark = Path(on.folder) / f"died-{role}-{series.point}-{at}-{plan.random.randrange(10**9)}"
    on.retire(role)
    on.start_dying(role, mark, series.point, at)
    on.wait_until_up(role)
    sent: list[Report] = []
    for n in range(3):
        platform = "wecom" if series.wecom_only or n % 2 else "dingtalk"
        sent.append(plan.crowd.report(platform=platform, red=n == 2))
    on.wait_for(lambda: mark.exists() or _arrived(plan, sent), within_s=DIES_WITHIN_S)
    on.wait_for(lambda: mark.exists() or checks.unfinished(on) == 0, within_s=DIES_WITHIN_S)
    fell = mark.exists()
    mark.touch()  # from here on the fuse lets everything pass
    rest = checks.at_rest(on, within_s=REST_WITHIN_S)
    found = checks.look(on, sent, ever=plan.crowd.sent)
    if rest is None:
        found.wrong.append("not at rest")
    found.wrong = [f"{series.name} {at}: {words}" for words in found.wrong]
    result.add(found, rest)
    plan.note(f"   {series.name} no. {at}: {'died' if fell else 'no such moment'}, lost {found.lost}")
    return fell
