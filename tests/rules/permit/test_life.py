"""States of a permit: what may follow what, and what must be true first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rules.errors import RuleBroken
from rules.permit import Result, load
from rules.permit.life import TRANSITIONS, Moment, PermitState, Step, move, obstacles, retest_needed, steps_from

TABLE = load()
AT = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
S = PermitState
READY = Moment(
    at=AT,
    work="hot_work",
    level="l1",
    valid_to=AT + timedelta(hours=4),
    verdict=Result.PASS,
    approvals_complete=True,
    approver_on_site=True,
    briefing_done=True,
    measures_confirmed=True,
    guardian_on_site=True,
    cause_removed=True,
    unconfirmed=0,
    started=True,
    ended=False,
    residual_fire_checked=True,
    people_counted_out=True,
    acceptance_signed=True,
)


def test_a_whole_life():
    state = S.DRAFT
    for step, after in [
        (Step.ASK, S.PENDING_FACTS), (Step.SUBMIT, S.SUBMITTED), (Step.APPROVE, S.APPROVED), (Step.START, S.ACTIVE),
        (Step.INTERRUPT, S.INTERRUPTED), (Step.RESUME, S.ACTIVE), (Step.SUSPEND, S.SUSPENDED), (Step.RESUME, S.ACTIVE),
        (Step.CLOSE, S.CLOSED),
    ]:  # fmt: skip
        state = move(TABLE, state, step, READY)
        assert state is after


def test_all_states_of_the_contract_are_there_and_reachable():
    words = [
        "draft",
        "pending_facts",
        "submitted",
        "approved",
        "active",
        "interrupted",
        "suspended",
        "expired",
        "closed",
        "refused",
        "withdrawn",
    ]
    assert [state.value for state in PermitState] == words
    assert all(state.zh for state in PermitState) and all(step.zh for step in Step)
    reached = {after for after, _ in TRANSITIONS.values()} | {S.DRAFT}
    assert reached == set(PermitState)


def test_final_states_stay_final_and_nothing_extends():
    assert all(steps_from(state) == () for state in (S.CLOSED, S.REFUSED, S.WITHDRAWN))
    assert steps_from(S.EXPIRED) == (Step.CLOSE,)
    with pytest.raises(RuleBroken, match=r"permit\.state"):
        move(TABLE, S.EXPIRED, Step.RESUME, READY)


@pytest.mark.parametrize("state", [S.APPROVED, S.ACTIVE, S.INTERRUPTED])
def test_nothing_stands_in_the_way_of_stopping(state):
    nothing_known = Moment(at=AT, work="hot_work", level=None)
    assert move(TABLE, state, Step.SUSPEND, nothing_known) is S.SUSPENDED
    assert move(TABLE, state, Step.EXPIRE, nothing_known) is S.EXPIRED


GUARDED = [
    (S.DRAFT, Step.SUBMIT, {"verdict": Result.FAIL}), (S.DRAFT, Step.SUBMIT, {"verdict": Result.PENDING}),
    (S.SUBMITTED, Step.APPROVE, {"approvals_complete": False}), (S.SUBMITTED, Step.APPROVE, {"approver_on_site": False}),
    (S.SUBMITTED, Step.APPROVE, {"verdict": Result.FAIL}),
    (S.APPROVED, Step.START, {"briefing_done": False}), (S.APPROVED, Step.START, {"measures_confirmed": False}),
    (S.APPROVED, Step.START, {"guardian_on_site": False}), (S.APPROVED, Step.START, {"verdict": Result.PENDING}),
    (S.APPROVED, Step.START, {"valid_to": AT - timedelta(seconds=1)}), (S.INTERRUPTED, Step.RESUME, {"guardian_on_site": False}),
    (S.INTERRUPTED, Step.RESUME, {"verdict": Result.FAIL}), (S.SUSPENDED, Step.RESUME, {"cause_removed": False}),
    (S.SUSPENDED, Step.RESUME, {"unconfirmed": 1}), (S.ACTIVE, Step.CLOSE, {"residual_fire_checked": False}),
    (S.ACTIVE, Step.CLOSE, {"acceptance_signed": False}), (S.ACTIVE, Step.CLOSE, {"unconfirmed": 1}),
    (S.APPROVED, Step.START, {"ended": True}), (S.ACTIVE, Step.INTERRUPT, {"ended": True}),
    (S.INTERRUPTED, Step.RESUME, {"ended": True}), (S.SUSPENDED, Step.RESUME, {"ended": True}),
    (S.SUSPENDED, Step.RESUME, {"started": False}), (S.EXPIRED, Step.CLOSE, {"unconfirmed": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("state", "step", "change"), GUARDED)
def test_guards(state, step, change):
    assert obstacles(TABLE, state, step, READY) == ()
    with pytest.raises(RuleBroken) as caught:
        move(TABLE, state, step, replace(READY, **change))
    assert caught.value.message_zh and "GB 30871-2022" in caught.value.source
    unknown = replace(READY, **dict.fromkeys(change))
    assert obstacles(TABLE, state, step, unknown), "unknown must not open a guard"


def test_valid_until_the_last_moment():
    assert obstacles(TABLE, S.APPROVED, Step.START, replace(READY, valid_to=AT)) == ()


def test_conditional_may_start():
    assert move(TABLE, S.APPROVED, Step.START, replace(READY, verdict=Result.CONDITIONAL)) is S.ACTIVE


def test_only_confined_spaces_count_people_and_only_hot_work_checks_for_fire():
    no_count = replace(READY, people_counted_out=False)
    assert obstacles(TABLE, S.ACTIVE, Step.CLOSE, no_count) == ()
    assert obstacles(TABLE, S.ACTIVE, Step.CLOSE, replace(no_count, work="confined_space"))
    assert obstacles(TABLE, S.ACTIVE, Step.CLOSE, replace(READY, residual_fire_checked=False, work="lifting")) == ()


@pytest.mark.parametrize(
    ("work", "level", "minutes", "needed"),
    [
        ("hot_work", "l1", 30, False), ("hot_work", "l1", 30.1, True), ("hot_work", "special", 31, True),
        ("hot_work", "l2", 60, False), ("hot_work", "l2", 60.1, True), ("hot_work", None, 31, True),
        ("confined_space", None, 60, False), ("confined_space", None, 61, True), ("lifting", "1", 500, False),
    ],
)  # fmt: skip
def test_a_long_pause_needs_a_new_test(work, level, minutes, needed):
    stopped = AT - timedelta(minutes=minutes)
    moment = replace(
        READY, work=work, level=level, interrupted_at=stopped, last_analysis_time=stopped - timedelta(minutes=5)
    )
    assert retest_needed(TABLE, moment) is needed
    assert bool(obstacles(TABLE, S.INTERRUPTED, Step.RESUME, moment)) is needed
    retested = replace(moment, last_analysis_time=AT - timedelta(minutes=1))
    assert not retest_needed(TABLE, retested)
    from_the_future = replace(moment, last_analysis_time=AT + timedelta(hours=1))
    assert retest_needed(TABLE, from_the_future) is needed


@pytest.mark.parametrize(
    ("work", "age", "needed"),
    [("hot_work", 29.9, False), ("hot_work", 30, False), ("hot_work", 30.1, True), ("confined_space", 30.1, True)],
)
def test_the_new_test_is_no_older_than_one_before_a_start(work, age, needed):
    """5.3.1 c, 6.3 a: a sample from the beginning of a long pause says nothing about its end."""
    sampled = AT - timedelta(minutes=age)
    moment = replace(READY, work=work, interrupted_at=AT - timedelta(hours=4), last_analysis_time=sampled)
    assert retest_needed(TABLE, moment) is needed
    stopped = replace(moment, interrupted_at=None, suspended_at=AT - timedelta(hours=4))
    assert retest_needed(TABLE, stopped) is needed


NEVER_BEGAN = replace(READY, started=False, suspended_at=AT - timedelta(minutes=9), last_analysis_time=AT)


def test_what_was_stopped_before_it_began_goes_back_to_be_started():
    assert move(TABLE, S.SUSPENDED, Step.RELEASE, NEVER_BEGAN) is S.APPROVED
    for change in (
        {"started": True},
        {"started": None},
        {"unconfirmed": 1},
        {"last_analysis_time": None},
        {"ended": True},
    ):
        assert obstacles(TABLE, S.SUSPENDED, Step.RELEASE, replace(NEVER_BEGAN, **change)), change


def test_work_that_was_not_the_end_goes_on_from_a_pause():
    assert move(TABLE, S.ACTIVE, Step.GO_ON, replace(READY, ended=True)) is S.INTERRUPTED


def test_a_suspension_always_needs_a_new_test():
    moment = replace(READY, suspended_at=AT - timedelta(minutes=1))
    assert retest_needed(TABLE, moment)
    assert not retest_needed(TABLE, replace(moment, last_analysis_time=AT))
