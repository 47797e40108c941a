"""The hazard's way from report to close: which step is possible from where, and who may take it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rules.errors import RuleBroken
from rules.terms import Grade, HazardState


class Relation(StrEnum):
    """What the person is to this hazard. A person may be several; the caller works them out from rows and roles."""

    REPORTER = "reporter"
    CO_REPORTER = "co_reporter"  # joined a duplicate
    OWNER = "owner"  # answers for the rectification now
    RECTIFIER = "rectifier"  # submitted the rectification
    ACCEPTOR = "acceptor"  # named to accept
    DISPATCHER = "dispatcher"  # got the dispatch card: team leader, workshop director or executive by grade
    SAFETY_OFFICER = "safety_officer"
    EXECUTIVE = "executive"
    SYSTEM = "system"

    @property
    def zh(self) -> str:
        return {
            "reporter": "上报人",
            "co_reporter": "一起上报的人",
            "owner": "责任人",
            "rectifier": "整改人",
            "acceptor": "验收人",
            "dispatcher": "派单负责人",
            "safety_officer": "安全员",
            "executive": "分管领导",
            "system": "系统",
        }[self.value]


class Action(StrEnum):
    FILE = "file"
    CORRECT = "correct"
    ADD_PHOTO = "add_photo"
    ASSIGN = "assign"
    CONFIRM = "confirm"
    TRANSFER = "transfer"
    START = "start"
    SUBMIT = "submit"
    REQUEST_EXTENSION = "request_extension"
    APPROVE_EXTENSION = "approve_extension"
    REFUSE_EXTENSION = "refuse_extension"
    ACCEPT = "accept"
    REJECT = "reject"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    MERGE = "merge"
    GRADE = "grade"
    DECIDE_MAJOR = "decide_major"  # whether it is a major hazard (重大隐患) by the official criteria
    TREAT = "treat"  # write down the five fixes (五落实) of a major hazard
    EVALUATE = "evaluate"  # a major hazard, once it was treated and before it is closed

    @property
    def zh(self) -> str:
        return _ACTION_ZH[self]


_ACTION_ZH = {
    Action.FILE: "上报",
    Action.CORRECT: "修改上报内容",
    Action.ADD_PHOTO: "补充照片",
    Action.ASSIGN: "派单",
    Action.CONFIRM: "确认",
    Action.TRANSFER: "转派",
    Action.START: "开始整改",
    Action.SUBMIT: "提交整改",
    Action.REQUEST_EXTENSION: "申请延期",
    Action.APPROVE_EXTENSION: "同意延期",
    Action.REFUSE_EXTENSION: "不同意延期",
    Action.ACCEPT: "验收通过",
    Action.REJECT: "验收退回",
    Action.REOPEN: "反映“还在”",
    Action.WITHDRAW: "撤回",
    Action.MERGE: "合并",
    Action.GRADE: "改等级",
    Action.DECIDE_MAJOR: "核定重大隐患",
    Action.TREAT: "写五落实",
    Action.EVALUATE: "写治理评估",
}

_D, _P, _A, _R, _T = (
    HazardState.DRAFT,
    HazardState.REPORTED,
    HazardState.ASSIGNED,
    HazardState.RECTIFYING,
    HazardState.TO_ACCEPT,
)
_OPEN = frozenset({_P, _A, _R, _T})
_WORKING = frozenset({_A, _R})
_LEADS = frozenset({Relation.DISPATCHER, Relation.SAFETY_OFFICER, Relation.EXECUTIVE})
_FIXERS = frozenset({Relation.OWNER, Relation.RECTIFIER})
_REPORTERS = frozenset({Relation.REPORTER, Relation.CO_REPORTER})
_ACCEPTORS = frozenset({Relation.ACCEPTOR, Relation.SAFETY_OFFICER, Relation.EXECUTIVE})


@dataclass(frozen=True, slots=True)
class Transition:
    """One step. to None: the state stays. never: who may not, whatever else they are, with the rule that says so."""

    states: frozenset[HazardState]
    to: HazardState | None
    who: frozenset[Relation]
    never: frozenset[Relation] = frozenset()
    never_rule: str = ""
    never_zh: str = ""


_OTHER_ACCEPTS = "整改人不能验收自己的整改，请由另一位验收人验收。"
TRANSITIONS: dict[Action, Transition] = {
    Action.FILE: Transition(frozenset({_D}), _P, frozenset({Relation.REPORTER, Relation.SYSTEM})),
    Action.CORRECT: Transition(frozenset({_D, _P, _A}), None, frozenset({Relation.REPORTER})),
    Action.ADD_PHOTO: Transition(frozenset({_D, *_OPEN}), None, _REPORTERS),
    Action.ASSIGN: Transition(frozenset({_P}), _A, _LEADS | {Relation.SYSTEM}),
    Action.CONFIRM: Transition(frozenset({_A}), None, frozenset({Relation.OWNER, Relation.DISPATCHER})),
    Action.TRANSFER: Transition(_WORKING, _A, _LEADS | {Relation.OWNER}),
    Action.START: Transition(frozenset({_A}), _R, frozenset({Relation.OWNER})),
    Action.SUBMIT: Transition(_WORKING, _T, frozenset({Relation.OWNER})),
    Action.REQUEST_EXTENSION: Transition(_WORKING, None, frozenset({Relation.OWNER})),
    Action.APPROVE_EXTENSION: Transition(
        _WORKING, None, _LEADS, frozenset({Relation.OWNER}), "FC-15", "不能批准自己的延期，请由另一位负责人批准。"
    ),
    Action.REFUSE_EXTENSION: Transition(
        _WORKING, None, _LEADS, frozenset({Relation.OWNER}), "FC-15", "不能处理自己的延期申请，请由另一位负责人处理。"
    ),
    Action.ACCEPT: Transition(frozenset({_T}), HazardState.CLOSED, _ACCEPTORS, _FIXERS, "FC-06", _OTHER_ACCEPTS),
    Action.REJECT: Transition(frozenset({_T}), _R, _ACCEPTORS, _FIXERS, "FC-06", _OTHER_ACCEPTS),
    Action.REOPEN: Transition(frozenset({HazardState.CLOSED}), _P, _REPORTERS | {Relation.SAFETY_OFFICER}),
    Action.WITHDRAW: Transition(frozenset({_D, _P, _A}), HazardState.WITHDRAWN, frozenset({Relation.REPORTER})),
    Action.MERGE: Transition(
        frozenset({_D, _P, _A}),
        HazardState.MERGED,
        frozenset({Relation.REPORTER, Relation.DISPATCHER, Relation.SAFETY_OFFICER}),
    ),
    Action.GRADE: Transition(_OPEN, None, _LEADS | {Relation.REPORTER, Relation.OWNER, Relation.ACCEPTOR}),
    Action.DECIDE_MAJOR: Transition(_OPEN, None, frozenset({Relation.SAFETY_OFFICER, Relation.EXECUTIVE})),
    Action.TREAT: Transition(_OPEN, None, _LEADS | {Relation.OWNER}),
    Action.EVALUATE: Transition(
        frozenset({_R, _T}),
        None,
        _ACCEPTORS,
        _FIXERS,
        "own_evaluation",
        "整改人不能评估自己的整改，请由安全员或分管领导评估。",
    ),
}
NEEDS_REASON = frozenset({Action.TRANSFER, Action.REJECT, Action.REQUEST_EXTENSION, Action.REFUSE_EXTENSION})
MAY_LOWER = frozenset({Relation.SAFETY_OFFICER, Relation.EXECUTIVE})


def check(action: Action, *, state: HazardState, relations: Collection[Relation]) -> HazardState:
    """The state after the step. Raises RuleBroken: "state" when it is not the time, "who" when not the person,
    "FC-06"/"FC-15" when this very person must not (fixer ≠ acceptor, nobody approves their own extension)."""
    step = TRANSITIONS[action]
    facts = {"action": action.value, "state": state.value}
    if state not in step.states:
        raise RuleBroken("state", _state_zh(action, state), facts=facts)
    held = frozenset(relations)
    if held & step.never:
        raise RuleBroken(step.never_rule, step.never_zh, facts=facts)
    if not held & step.who:
        who = "、".join(
            relation.zh for relation in Relation if relation in step.who and relation is not Relation.SYSTEM
        )
        raise RuleBroken("who", f"{action.zh}只能由{who}操作，有问题请联系安全员。", facts=facts)
    return step.to or state


def allowed(*, state: HazardState, relations: Collection[Relation]) -> tuple[Action, ...]:
    """Steps this person may take now, in the order of Action: the buttons of a card."""
    held = frozenset(relations)
    return tuple(
        action
        for action, step in TRANSITIONS.items()
        if state in step.states and held & step.who and not held & step.never
    )


def _state_zh(action: Action, state: HazardState) -> str:
    if state is HazardState.CLOSED:
        return f"这条隐患已闭环，不能再{action.zh}；问题还在请点“还在”或重新上报。"
    if state is HazardState.WITHDRAWN:
        return f"这条隐患已撤回，不能再{action.zh}；需要请重新上报。"
    if state is HazardState.MERGED:
        return f"这条隐患已合并到另一条，不能再{action.zh}；请到合并后的那条处理。"
    return f"现在是“{state.zh}”，还不能或不必{action.zh}；发编号可查看当前进度。"


def check_reason(action: Action, reason: str | None) -> None:
    """Raises RuleBroken("reason") when a step that needs a reason has none."""
    if action in NEEDS_REASON and not (reason and reason.strip()):
        raise RuleBroken("reason", f"{action.zh}要写明原因，请用一句话回复原因。", facts={"action": action.value})


def check_extension(
    *, reason: str | None, interim_measure: str | None, until: datetime, due_at: datetime, now: datetime
) -> None:
    """An extension needs a reason, an interim measure (FC-15) and a later time. Raises RuleBroken."""
    check_reason(Action.REQUEST_EXTENSION, reason)
    if not (interim_measure and interim_measure.strip()):
        raise RuleBroken("FC-15", "延期期间怎么防护还没写，请补充临时措施，例如“拉警戒线、挂牌停用”。")
    if until <= due_at or until <= now:
        raise RuleBroken("extension_time", "新的期限要晚于现在和原期限，请重新选择时间。")


def check_grade(
    *,
    old: Grade,
    new: Grade,
    state: HazardState,
    relations: Collection[Relation],
    confirms_major: bool = False,
) -> None:
    """May this person change the grade so? Raising: anyone who deals with it; lowering and confirming 重大: only the
    safety officer or the executive. Raises RuleBroken ("state", "who", "lower", "major")."""
    check(Action.GRADE, state=state, relations=relations)
    may_lower = bool(frozenset(relations) & MAY_LOWER)
    facts = {"old": old.value, "new": new.value}
    if confirms_major and not may_lower:
        raise RuleBroken("major", "重大隐患只能由安全员或分管领导判定，已提醒可请他们确认。", facts=facts)
    if confirms_major and new is not Grade.RED:
        raise RuleBroken("major", "判定为重大隐患的必须是一级，请选择一级。", facts=facts)
    if new.rank > old.rank and not may_lower:
        raise RuleBroken("lower", "等级只能调高；要调低请联系安全员。", facts=facts)
