"""What a policy is made of: plans, ladders, steps, notices, and the time of day they hold at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time

from rules.terms import Role

CHANNELS = {
    "app": "聊天",
    "wecom": "企业微信",
    "dingtalk": "钉钉",
    "wecom_group": "企业微信群",
    "dingtalk_group": "钉钉群",
    "dingtalk_todo": "钉钉待办",
    "sms": "短信",
}
ROLES = {
    role.value: role.zh
    for role in (
        Role.TEAM_LEADER,
        Role.WORKSHOP_DIRECTOR,
        Role.SAFETY_OFFICER,
        Role.EXECUTIVE,
        Role.ADMIN,
    )
}
PEOPLE = {"owner": "责任人", "acceptor": "验收人", **ROLES}
MISSING = "missing"  # in a ladder of a roll call: everybody who has not confirmed
LADDERS = {"confirm": "确认", "stale": "确认后没有动作", "rectify": "整改", "accept": "验收"}
ROLL_CALLS = {"gas_alarm": "气体报警", "evacuation": "撤离", "permit_recall": "作业票叫停"}
WORKING, OFF = "working", "off"  # in the plant's working hours on a workday, or outside them


class PolicyError(ValueError):
    """The policy cannot be used; `problems` say where and why, in Chinese, one line each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to before `end` of the clock; over midnight when it ends first."""

    start: time
    end: time

    def holds(self, at: time) -> bool:
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of day in the plant: the clock, and whether the day is a workday by the calendar."""

    clock: time
    workday: bool


@dataclass(frozen=True, slots=True)
class Hours:
    """The plant's working hours and named shifts: what words of time in a policy mean."""

    working: Span = field(default_factory=lambda: Span(time(8, 0), time(17, 30)))
    shifts: Mapping[str, Span] = field(default_factory=dict)

    def holds(self, words: Sequence[str], at: Moment | None) -> bool:
        """Whether one of the words («20:00-08:00», a shift's name, "working", "off") holds; no words always hold."""
        return not words or (at is not None and any(self._holds(word, at) for word in words))

    def _holds(self, word: str, at: Moment) -> bool:
        if word in (WORKING, OFF):
            return (at.workday and self.working.holds(at.clock)) is (word == WORKING)
        return self.span(word).holds(at.clock)

    def span(self, word: str) -> Span:
        """The span a word names. Raises PolicyError."""
        known = self.shifts.get(word)
        return known if known is not None else read_span(word)

    def zh(self, word: str) -> str:
        return {WORKING: "上班时间", OFF: "非上班时间"}.get(word, word)


def read_span(words: str) -> Span:
    """«20:00-08:00» → a span. Raises PolicyError."""
    start, _, end = str(words).replace("—", "-").replace("~", "-").replace(":", ":").partition("-")
    try:
        found = Span(_clock(start), _clock(end))
    except ValueError:
        raise PolicyError(f"“{str(words)[:20]}”不是时段,应写成 20:00-08:00") from None
    if found.start == found.end:
        raise PolicyError(f"时段“{str(words)[:20]}”的开始和结束相同")
    return found


def _clock(words: str) -> time:
    words = words.strip()
    return time(0, 0) if words == "24:00" else time.fromisoformat(words.zfill(5))


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell the holders of a role (or the owner, the acceptor) through these channels; `time`: only then, () always."""

    to: str
    channels: tuple[str, ...]
    time: tuple[str, ...] = ()

    def stored(self) -> dict[str, object]:
        kept: dict[str, object] = {"to": self.to, "channels": list(self.channels)}
        return {**kept, "time": list(self.time)} if self.time else kept


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: `after_minutes` past the ladder's start (negative: before the deadline) these people are told."""

    after_minutes: int
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    owner: str  # role whose holder of the area must see to the rectification
    acceptor: str  # role that accepts
    first: tuple[Notice, ...]
    confirm_minutes: int
    rectify_hours: float
    accept_hours: float
    stale_minutes: int  # confirmed but nothing begun for so long: asked again; 0 = never
    waits_for_working_hours: bool  # reminders of low grades wait for the plant's working hours
    ladders: Mapping[str, tuple[Step, ...]]
    hours: Hours = field(default_factory=Hours)
