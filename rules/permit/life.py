"""The life of a permit: its states, what moves it on, and what must be true first.

States are the words of the contract. A permit never gets longer: extension is a new permit (4.16). Pure: the caller
brings the facts of the moment and the verdict, this module says whether the step is allowed and why not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.errors import RuleBroken
from rules.permit.model import Result
from rules.permit.table import RuleTable


class PermitState(StrEnum):
    DRAFT = "draft"
    PENDING_FACTS = "pending_facts"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    ACTIVE = "active"
    INTERRUPTED = "interrupted"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    CLOSED = "closed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"

    @property
    def zh(self) -> str:
        return _ZH[self.value]

    @property
    def is_final(self) -> bool:
        return self in (PermitState.CLOSED, PermitState.REFUSED, PermitState.WITHDRAWN)


_ZH = {
    "draft": "填写中",
    "pending_facts": "待补充",
    "submitted": "待审批",
    "approved": "已批准",
    "active": "作业中",
    "interrupted": "已中断",
    "suspended": "已叫停",
    "expired": "已到期",
    "closed": "已关闭",
    "refused": "不予批准",
    "withdrawn": "已撤回",
}


class Step(StrEnum):
    """What somebody (or the clock, or a new fact) does to a permit."""

    ASK = "ask"
    SUBMIT = "submit"
    APPROVE = "approve"
    REFUSE = "refuse"
    RETURN = "return"
    WITHDRAW = "withdraw"
    START = "start"
    INTERRUPT = "interrupt"
    GO_ON = "go_on"
    RESUME = "resume"
    RELEASE = "release"
    SUSPEND = "suspend"
    EXPIRE = "expire"
    CLOSE = "close"

    @property
    def zh(self) -> str:
        return _STEP_ZH[self.value]


_STEP_ZH = {
    "ask": "要求补充",
    "submit": "提交",
    "approve": "批准",
    "refuse": "不予批准",
    "return": "退回补充",
    "withdraw": "撤回",
    "start": "开始",
    "interrupt": "中断",
    "go_on": "还没完,继续",
    "resume": "恢复",
    "release": "解除叫停",
    "suspend": "叫停",
    "expire": "到期",
    "close": "收工关闭",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """What a guard looks at. None means unknown and never opens a guard.

    verdict             of the stage the step belongs to: request to submit, start to start, run to resume
    unconfirmed         people called by a suspension who have not yet confirmed it
    started             whether work on it ever began
    ended               whether the work was said to be done and waits for its acceptance
    """

    at: datetime
    work: str
    level: str | None
    valid_to: datetime | None = None
    verdict: Result | None = None
    approvals_complete: bool | None = None
    approver_on_site: bool | None = None
    briefing_done: bool | None = None
    measures_confirmed: bool | None = None
    guardian_on_site: bool | None = None
    started: bool | None = None
    ended: bool | None = None
    interrupted_at: datetime | None = None
    last_analysis_time: datetime | None = None
    suspended_at: datetime | None = None
    cause_removed: bool | None = None
    unconfirmed: int | None = None
    residual_fire_checked: bool | None = None
    people_counted_out: bool | None = None
    acceptance_signed: bool | None = None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a step is not allowed: a Chinese sentence with the next step, and the clause."""

    message_zh: str
    clause: str


Guard = Callable[[RuleTable, Moment], Obstacle | None]


def _verdict_known(_table: RuleTable, moment: Moment) -> Obstacle | None:
    if moment.verdict in (None, Result.PENDING):
        return Obstacle("还有待补充的内容,补齐后再提交", "4.11 b")
    return None


def _verdict_allows(_table: RuleTable, moment: Moment) -> Obstacle | None:
    if moment.verdict is None or not moment.verdict.allows_work:
        return Obstacle("判定未通过,请按建议整改后再试", "4.6")
    return None


def _still_valid(_table: RuleTable, moment: Moment) -> Obstacle | None:
    if moment.valid_to is None:
        return Obstacle("作业票没有到期时间,请先填写", "4.16")
    if moment.at > moment.valid_to:
        return Obstacle("作业票已到期,请重新办票", "4.16")
    return None


def _not_ended(_table: RuleTable, moment: Moment) -> Obstacle | None:
    """Work that is done is watched by nobody any more: it goes on only from the pause that «还没完» makes of it."""
    return None if moment.ended is False else Obstacle("已经收工,要接着干请先点“还没完,继续”", "4.15")


def _never_began(_table: RuleTable, moment: Moment) -> Obstacle | None:
    return None if moment.started is False else Obstacle("作业已经开始过,请按恢复作业办理", "4.8")


def _must(name: str, message: str, clause: str, works: tuple[str, ...] = ()) -> Guard:
    def guard(_table: RuleTable, moment: Moment) -> Obstacle | None:
        if works and moment.work not in works:
            return None
        return None if getattr(moment, name) is True else Obstacle(message, clause)

    return guard


def retest_needed(table: RuleTable, moment: Moment) -> bool:
    """Whether the pause was so long that the gas must be analysed again (5.3.1 d; 6.3 f).

    Special and level 1 hot work over 30 min, level 2 and confined space over 60 min; a suspension always. Hot work
    of unknown level takes the shorter time. The new analysis is as young as one before the start has to be (5.3.1 c,
    6.3 a): one taken when a long pause began says nothing about its end.
    """
    stopped = moment.suspended_at or moment.interrupted_at
    if moment.work not in ("hot_work", "confined_space") or stopped is None:
        return False
    confined = moment.work == "confined_space"
    oldest = moment.at - timedelta(minutes=table.param(f"{'CS-002' if confined else 'HW-A02'}.max_minutes"))
    if moment.last_analysis_time is not None and max(stopped, oldest) <= moment.last_analysis_time <= moment.at:
        return False
    if moment.suspended_at is not None:
        return True
    rule = "CS-008" if confined else "HW-A06" if moment.level == "l2" else "HW-A05"
    return moment.at - stopped > timedelta(minutes=table.param(f"{rule}.max_minutes"))


def _retested(table: RuleTable, moment: Moment) -> Obstacle | None:
    if not retest_needed(table, moment):
        return None
    clause = "6.3 f" if moment.work == "confined_space" else "5.3.1 d"
    return Obstacle("中断时间较长或曾被叫停,请重新取样分析,合格后恢复", clause)


def _suspension_confirmed(_table: RuleTable, moment: Moment) -> Obstacle | None:
    if moment.unconfirmed == 0:
        return None
    return Obstacle("还有人没有确认叫停,请全部确认后再恢复", "4.8")


def _accounted_for(_table: RuleTable, moment: Moment) -> Obstacle | None:
    """Whoever was called away from the work and did not answer is looked for, not forgotten."""
    return None if moment.unconfirmed == 0 else Obstacle("还有人没有确认停工,请找到人、全部确认后再关闭", "4.8")


_TO_START: tuple[Guard, ...] = (
    _not_ended,
    _still_valid,
    _verdict_allows,
    _must("briefing_done", "还没有安全交底,请先完成交底", "4.4"),
    _must("measures_confirmed", "安全措施没有逐条确认,请先确认", "4.6"),
    _must("guardian_on_site", "监护人不在现场,请监护人到位打卡", "4.10 f"),
)
_TO_RESUME: tuple[Guard, ...] = (
    _not_ended,
    _still_valid,
    _must("guardian_on_site", "监护人不在现场,请监护人到位打卡", "4.10 f"),
    _retested,
    _verdict_allows,
)
_AFTER_SUSPENSION: tuple[Guard, ...] = (
    _must("started", "作业还没有开始过,请按开始前的步骤办", "4.6"),
    *_TO_RESUME,
    _must("cause_removed", "叫停原因还没有消除,请先处理", "4.8"),
    _suspension_confirmed,
)
_TO_RELEASE: tuple[Guard, ...] = (_never_began, _not_ended, _still_valid, _retested, _suspension_confirmed)
"""Before the start: the start itself asks for everything else."""
_TO_CLOSE: tuple[Guard, ...] = (
    _accounted_for,
    _must("residual_fire_checked", "还没有确认无残留火种,请先检查", "5.2.14", ("hot_work",)),
    _must("people_counted_out", "人员和工器具没有清点,请先清点", "6.8 c", ("confined_space",)),
    _must("acceptance_signed", "还没有完成验收,请先验收签字", "4.15"),
)

S = PermitState
TRANSITIONS: dict[tuple[PermitState, Step], tuple[PermitState, tuple[Guard, ...]]] = {
    (S.DRAFT, Step.ASK): (S.PENDING_FACTS, ()),
    (S.DRAFT, Step.SUBMIT): (S.SUBMITTED, (_verdict_known, _verdict_allows)),
    (S.PENDING_FACTS, Step.SUBMIT): (S.SUBMITTED, (_verdict_known, _verdict_allows)),
    (S.SUBMITTED, Step.ASK): (S.PENDING_FACTS, ()),
    (S.SUBMITTED, Step.RETURN): (S.PENDING_FACTS, ()),
    (S.SUBMITTED, Step.APPROVE): (
        S.APPROVED,
        (
            _verdict_allows,
            _must("approvals_complete", "还有会签或上级审批没有完成", "附录B表B.1"),
            _must("approver_on_site", "审批人须在作业现场审批,请到现场确认定位", "4.11 a"),
        ),
    ),
    (S.SUBMITTED, Step.REFUSE): (S.REFUSED, ()),
    (S.APPROVED, Step.START): (S.ACTIVE, _TO_START),
    (S.APPROVED, Step.SUSPEND): (S.SUSPENDED, ()),
    (S.APPROVED, Step.EXPIRE): (S.EXPIRED, ()),
    (S.ACTIVE, Step.INTERRUPT): (S.INTERRUPTED, (_not_ended,)),
    (S.ACTIVE, Step.GO_ON): (S.INTERRUPTED, ()),
    (S.ACTIVE, Step.SUSPEND): (S.SUSPENDED, ()),
    (S.ACTIVE, Step.EXPIRE): (S.EXPIRED, ()),
    (S.ACTIVE, Step.CLOSE): (S.CLOSED, _TO_CLOSE),
    (S.INTERRUPTED, Step.RESUME): (S.ACTIVE, _TO_RESUME),
    (S.INTERRUPTED, Step.SUSPEND): (S.SUSPENDED, ()),
    (S.INTERRUPTED, Step.EXPIRE): (S.EXPIRED, ()),
    (S.INTERRUPTED, Step.CLOSE): (S.CLOSED, _TO_CLOSE),
    (S.SUSPENDED, Step.RESUME): (S.ACTIVE, _AFTER_SUSPENSION),
    (S.SUSPENDED, Step.RELEASE): (S.APPROVED, _TO_RELEASE),
    (S.SUSPENDED, Step.EXPIRE): (S.EXPIRED, ()),
    (S.SUSPENDED, Step.CLOSE): (S.CLOSED, _TO_CLOSE),
    (S.EXPIRED, Step.CLOSE): (S.CLOSED, _TO_CLOSE),
    **{(state, Step.WITHDRAW): (S.WITHDRAWN, ()) for state in (S.DRAFT, S.PENDING_FACTS, S.SUBMITTED, S.APPROVED)},
}
"""(state, step) -> (next state, guards). There is no step that lengthens a permit: extension is a new permit (4.16).

Suspension and expiry have no guard: nothing may stand in the way of stopping.
"""


def steps_from(state: PermitState) -> tuple[Step, ...]:
    return tuple(step for current, step in TRANSITIONS if current is state)


def obstacles(table: RuleTable, state: PermitState, step: Step, moment: Moment) -> tuple[Obstacle, ...]:
    """Everything that stands in the way of a step, most important first; empty when it is allowed.

    Raises RuleBroken when the state has no such step.
    """
    if (state, step) not in TRANSITIONS:
        raise RuleBroken(
            "permit.state", f"作业票{state.zh},不能这样操作", facts={"state": state.value, "step": step.value}
        )
    found = (guard(table, moment) for guard in TRANSITIONS[state, step][1])
    return tuple(obstacle for obstacle in found if obstacle is not None)


def move(table: RuleTable, state: PermitState, step: Step, moment: Moment) -> PermitState:
    """The next state. Raises RuleBroken with the first obstacle's sentence and clause.

    A suspended or interrupted permit whose time is over cannot resume: it expires, and work needs a new permit.
    """
    found = obstacles(table, state, step, moment)
    if found:
        raise RuleBroken(
            "permit.guard",
            found[0].message_zh,
            facts={"state": state.value, "step": step.value},
            source=f"{table.standard} {found[0].clause}",
        )
    return TRANSITIONS[state, step][0]
