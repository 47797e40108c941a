from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules.errors import RuleBroken
from rules.hazard import (
    DEFAULT_POLICY,
    TRANSITIONS,
    Action,
    Relation,
    allowed,
    check,
    check_extension,
    check_grade,
    check_reason,
    due_after_raise,
    due_times,
)
from rules.sources import Mark
from rules.terms import Grade, HazardState

S, R = HazardState, Relation
NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)


def test_the_whole_loop():
    state = S.DRAFT
    for action, who in [
        (Action.FILE, R.REPORTER), (Action.ASSIGN, R.SYSTEM), (Action.CONFIRM, R.OWNER), (Action.START, R.OWNER),
        (Action.REQUEST_EXTENSION, R.OWNER), (Action.APPROVE_EXTENSION, R.SAFETY_OFFICER), (Action.SUBMIT, R.OWNER),
        (Action.REJECT, R.ACCEPTOR), (Action.SUBMIT, R.OWNER), (Action.ACCEPT, R.ACCEPTOR), (Action.REOPEN, R.REPORTER),
    ]:  # fmt: skip
        state = check(action, state=state, relations={who})
    assert state is S.REPORTED


def test_every_action_has_a_row():
    assert set(TRANSITIONS) == set(Action)


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("state", list(HazardState))
def test_only_listed_states_and_people_pass(action, state):
    step = TRANSITIONS[action]
    for relation in Relation:
        passes = state in step.states and relation in step.who and relation not in step.never
        if passes:
            assert check(action, state=state, relations={relation}) == (step.to or state)
        else:
            with pytest.raises(RuleBroken) as broken:
                check(action, state=state, relations={relation})
            message = broken.value.message_zh
            assert message.endswith("。") and len(message) < 60


@pytest.mark.parametrize("action", [Action.ACCEPT, Action.REJECT])
@pytest.mark.parametrize("fixer", [R.RECTIFIER, R.OWNER])
@pytest.mark.parametrize("also", [R.ACCEPTOR, R.SAFETY_OFFICER, R.EXECUTIVE])
def test_nobody_accepts_their_own_rectification(action, fixer, also):
    with pytest.raises(RuleBroken) as broken:
        check(action, state=S.TO_ACCEPT, relations={fixer, also})
    assert broken.value.rule == "FC-06"


def test_nobody_approves_their_own_extension():
    with pytest.raises(RuleBroken) as broken:
        check(Action.APPROVE_EXTENSION, state=S.RECTIFYING, relations={R.OWNER, R.DISPATCHER})
    assert broken.value.rule == "FC-15"


def test_a_press_on_a_closed_case_says_what_to_do():
    with pytest.raises(RuleBroken) as broken:
        check(Action.START, state=S.CLOSED, relations={R.OWNER})
    assert broken.value.rule == "state" and "已闭环" in broken.value.message_zh and "还在" in broken.value.message_zh


def test_the_wrong_person_is_told_who_may():
    with pytest.raises(RuleBroken) as broken:
        check(Action.START, state=S.ASSIGNED, relations={R.REPORTER})
    assert broken.value.rule == "who" and "责任人" in broken.value.message_zh


def test_buttons():
    assert allowed(state=S.ASSIGNED, relations={R.OWNER}) == (
        Action.CONFIRM, Action.TRANSFER, Action.START, Action.SUBMIT, Action.REQUEST_EXTENSION, Action.GRADE,
        Action.TREAT,
    )  # fmt: skip
    assert Action.ACCEPT in allowed(state=S.TO_ACCEPT, relations={R.ACCEPTOR})
    assert Action.ACCEPT not in allowed(state=S.TO_ACCEPT, relations={R.ACCEPTOR, R.RECTIFIER})
    assert allowed(state=S.WITHDRAWN, relations=set(Relation)) == ()


@pytest.mark.parametrize(
    ("old", "new", "relation", "rule"),
    [
        (Grade.YELLOW, Grade.RED, R.DISPATCHER, None),
        (Grade.YELLOW, Grade.ORANGE, R.REPORTER, None),
        (Grade.RED, Grade.YELLOW, R.DISPATCHER, "lower"),
        (Grade.ORANGE, Grade.YELLOW, R.OWNER, "lower"),
        (Grade.RED, Grade.ORANGE, R.SAFETY_OFFICER, None),
        (Grade.RED, Grade.ORANGE, R.EXECUTIVE, None),
        (Grade.YELLOW, Grade.RED, R.CO_REPORTER, "who"),
    ],
)
def test_who_may_change_the_grade(old, new, relation, rule):
    assert _rule_of(lambda: check_grade(old=old, new=new, state=S.ASSIGNED, relations={relation})) == rule


@pytest.mark.parametrize(
    ("new", "relation", "rule"),
    [
        (Grade.RED, R.SAFETY_OFFICER, None),
        (Grade.RED, R.DISPATCHER, "major"),
        (Grade.ORANGE, R.SAFETY_OFFICER, "major"),
    ],
)
def test_confirming_major(new, relation, rule):
    def attempt():
        check_grade(old=Grade.RED, new=new, state=S.ASSIGNED, relations={relation}, confirms_major=True)

    assert _rule_of(attempt) == rule


def test_an_extension_needs_reason_measure_and_later_time():
    def ask(**changes):
        facts = {
            "reason": "等配件", "interim_measure": "拉警戒线", "until": NOW + timedelta(days=3), "due_at": NOW + timedelta(days=1), "now": NOW,
        } | changes  # fmt: skip
        return _rule_of(lambda: check_extension(**facts))

    assert ask() is None
    assert ask(reason=" ") == "reason"
    assert ask(interim_measure="") == "FC-15" and ask(interim_measure=None) == "FC-15"
    assert ask(until=NOW + timedelta(days=1)) == "extension_time"
    assert ask(until=NOW, due_at=NOW - timedelta(days=2)) == "extension_time"
    assert ask(until=NOW + timedelta(days=1, seconds=1)) is None


def test_reasons():
    assert _rule_of(lambda: check_reason(Action.REJECT, None)) == "reason"
    assert _rule_of(lambda: check_reason(Action.REJECT, "没拍到法兰")) is None
    assert _rule_of(lambda: check_reason(Action.START, None)) is None


def test_deadlines():
    assert due_times(Grade.RED, dispatched_at=NOW).confirm_due_at == NOW + timedelta(minutes=15)
    assert due_times(Grade.RED, dispatched_at=NOW).due_at == NOW + timedelta(hours=4)
    assert due_times(Grade.ORANGE, dispatched_at=NOW).confirm_due_at == NOW + timedelta(hours=2)
    assert due_times(Grade.ORANGE, dispatched_at=NOW).due_at == NOW + timedelta(hours=72)
    assert due_times(Grade.YELLOW, dispatched_at=NOW).confirm_due_at == NOW + timedelta(hours=8)
    assert due_times(Grade.YELLOW, dispatched_at=NOW).due_at == NOW + timedelta(days=7)
    assert all(row.fix_source.mark is Mark.LOW for row in DEFAULT_POLICY.values())
    with pytest.raises(ValueError):
        due_times(Grade.RED, dispatched_at=NOW.replace(tzinfo=None))


def test_raising_the_grade_never_gives_more_time():
    old = due_times(Grade.YELLOW, dispatched_at=NOW)
    later = NOW + timedelta(days=1)
    assert due_after_raise(old=old, grade=Grade.RED, at=later).due_at == later + timedelta(hours=4)
    assert due_after_raise(old=old, grade=Grade.ORANGE, at=NOW + timedelta(days=6)).due_at == old.due_at


def _rule_of(attempt):
    try:
        attempt()
    except RuleBroken as broken:
        return broken.rule
    return None
