"""Cases and their ladders as a state machine, without phones: any action, any order, hours and days between them.

The actions are called as chat and page call them; what is due is taken as the scheduler takes it. tests/handlers/
test_case_model.py does the same through the platforms' protocols, with fewer steps.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from sqlalchemy import func, select

from handlers import policies
from handlers.hazard import actions, dispatch, filing, hours, plans, proof
from jobs import escalate
from jobs import policies as moving
from rules import escalation
from rules.errors import RuleBroken
from rules.hazard import Findings
from rules.terms import Grade, HazardState
from storage.models import Delivery, Hazard, LadderStep
from tests.handlers.machine import PlantMachine, play

WORDS = ("装卸台照明不足,灯坏一片", "V-201 旁边地沟盖板缺失,踩空危险", "3号泵房着火了")
PEOPLE = ("张伟", "李强", "王芳", "周敏", "陈刚", "何静", "赵建国")
OVER = {"closed", "withdrawn", "merged"}
CALLS = [f"hazard.{name}" for name in escalation.LADDERS]


def variants() -> list[dict[str, Any]]:
    """Policies with other times, other people, empty steps, other hours of work."""
    quick, thin, late = (copy.deepcopy(escalation.DEFAULT) for _ in range(3))
    for plan in quick["plans"]:
        plan.update(confirm_minutes=5, rectify_hours=1, accept_hours=1, stale_minutes=20)
    for plan in thin["plans"]:
        plan["ladders"] = {
            name: [{"after_minutes": 30, "notices": []}, {"after_minutes": 90, "notices": steps[-1]["notices"]}]
            for name, steps in plan["ladders"].items()
        }
    late["working_hours"] = "09:00-12:00"
    late["plans"].insert(
        0, copy.deepcopy(late["plans"][1]) | {"when": {"grade": "orange", "time": "off"}, "confirm_minutes": 10}
    )
    for policy in (quick, thin, late):
        escalation.validate(policy)
    return [escalation.DEFAULT, quick, thin, late]


class LadderMachine(PlantMachine):
    name = "ladder"
    policies = variants()

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[int, int] = {}  # hazard → its highest generation
        self.calls_when_over: dict[int, int] = {}
        self.file(0)

    def teardown(self) -> None:
        self.time_passes(60 * 24 * 20)
        self.nobody_is_called_for_a_case_that_is_over()
        super().teardown()

    # -- what happens

    @contextmanager
    def step(self, pick: int) -> Iterator[tuple[Any, Hazard]]:
        """One transaction on one of the hazards; a rule that forbids it takes everything back."""
        with self.plant.work() as work:
            ids = work.db.scalars(select(Hazard.id).order_by(Hazard.id)).all()
            try:
                yield work, work.hazards.get(ids[pick % len(ids)])
                work.commit()
            except RuleBroken:
                pass

    @rule(words=st.integers(0, len(WORDS) - 1))
    def file(self, words: int) -> None:
        with self.plant.work() as work:
            if work.db.scalar(select(func.count()).select_from(Hazard)) > 3:
                return
            by = work.people.by_name("张伟")[0]
            hazard = filing.open_draft(work, by=by, at=work.at)
            hazard.description = WORDS[words]
            hazard.area = work.plant.area_by_code("JC")
            work.flush()
            filing.file(work, hazard, by=by, via="test")
            work.commit()

    @rule(
        pick=st.integers(0, 3),
        verb=st.sampled_from(["confirm", "start", "submit", "accept", "reject", "reopen", "withdraw"]),
    )
    def act(self, pick: int, verb: str) -> None:
        with self.step(pick) as (work, hazard):
            if verb in ("accept", "reject"):
                by = next(iter(dispatch.acceptors(work, hazard)))
            else:
                by = hazard.reporter if verb in ("reopen", "withdraw") else hazard.owner
            extra = {"submit": {"words": "已更换并试运行30分钟"}, "reject": {"reason": "还在晃"}}.get(verb, {})
            getattr(actions, verb)(work, hazard, by=by, via="test", **extra)

    @rule(pick=st.integers(0, 3), to=st.sampled_from(PEOPLE))
    def transfer(self, pick: int, to: str) -> None:
        with self.step(pick) as (work, hazard):
            actions.transfer(work, hazard, by=work.people.by_name("王芳")[0], to=work.people.by_name(to)[0], via="test")

    @rule(pick=st.integers(0, 3), grade=st.sampled_from(list(Grade)))
    def regrade(self, pick: int, grade: Grade) -> None:
        with self.step(pick) as (work, hazard):
            actions.set_grade(work, hazard, by=work.people.by_name("王芳")[0], grade=grade, reason="核定", via="test")

    @rule(pick=st.integers(0, 3), days=st.integers(1, 5))
    def extend(self, pick: int, days: int) -> None:
        with self.step(pick) as (work, hazard):
            until = max(hazard.due_at or work.at, work.at) + timedelta(days=days)
            actions.ask_extension(
                work, hazard, by=hazard.owner, reason="等备件", measure="已拉警戒线", until=until, via="test"
            )
            decider = next(p for p in dispatch.acceptors(work, hazard) if p.id != hazard.owner_id)
            actions.decide_extension(work, hazard, by=decider, granted=True, via="test")

    @rule(which=st.integers(0, 3), press=st.booleans())
    def publish(self, which: int, press: bool) -> None:
        with self.plant.work() as work:
            row = policies.publish(work, self.policies[which], by=None)
            work.flush()
            if press and work.policies.cases_on_others(row.version, limit=1):
                policies.ask_move(work, row.version, by=work.people.by_name("周敏")[0], via="test")
            work.commit()
        moving.move_due(self.plant.services)

    @rule(who=st.sampled_from(PEOPLE), stand_in=st.sampled_from((*PEOPLE, "")), days=st.integers(0, 4))
    def leave(self, who: str, stand_in: str, days: int) -> None:
        with self.plant.work() as work:
            person = work.people.by_name(who)[0]
            if days == 0:
                work.roster.end_leave(person, at=work.at)
            elif who != stand_in:
                other = work.people.by_name(stand_in)[0] if stand_in else None
                ends = work.at + timedelta(days=days)
                work.roster.add_leave(person, starts_at=work.at, ends_at=ends, substitute=other, at=work.at)
            work.commit()

    @rule(minutes=st.sampled_from([1, 6, 20, 95, 240, 700, 3000]))
    def time_passes(self, minutes: int) -> None:
        for _ in range(4):
            self.plant.now += timedelta(minutes=minutes / 4)
            escalate.escalate_due(self.plant.services)

    # -- what must hold

    @invariant()
    def every_open_case_has_somebody_a_time_and_a_next_step(self) -> None:
        with self.plant.work(read_only=True) as work:
            for hazard in work.db.scalars(select(Hazard).where(Hazard.number.is_not(None))).all():
                steps = list(work.ladder.of("hazard", hazard.id, generation=hazard.generation))
                live = [s for s in steps if s.taken_at is None and s.called_off_at is None]
                assert hazard.generation >= self.seen.get(hazard.id, 0), "the generation went back"
                self.seen[hazard.id] = hazard.generation
                if hazard.state in OVER:
                    assert not live, "a case that is over has steps that would call somebody"
                    continue
                assert hazard.due_at is not None
                assert hazard.owner_id is not None or hazard.state == HazardState.REPORTED.value
                plan = plans.plan_of(hazard)
                self._ladders_are_whole(work, hazard, plan, steps, live)
                self._hours_are_kept(plan, live)

    def _ladders_are_whole(
        self, work: Any, hazard: Hazard, plan: Any, steps: list[LadderStep], live: list[LadderStep]
    ) -> None:
        needed = plans.starts_of(hazard, plan, due_at=hazard.due_at)
        assert {s.ladder for s in live} <= set(needed), f"steps of a ladder that {hazard.state} does not need"
        for name in set(needed) - {"stale"}:
            own = [s for s in steps if s.ladder == name]
            if any(s in live for s in own):
                continue
            taken = [s.position for s in own if s.taken_at is not None]
            assert taken and max(taken) == max(s.position for s in own), f"the ladder {name} was lost in {hazard.state}"
            assert len(plan.ladders[name]) <= max(taken) + 1, f"the ladder {name} ends before its last rung"
        if hazard.confirmed_at is not None and hazard.state == HazardState.ASSIGNED.value and plan.stale_minutes:
            stale = [s for s in steps if s.ladder == "stale" and s.called_off_at is None]
            assert stale, "a confirmation that never goes stale"
            assert (hazard.asked_again_at is not None) is any(s.taken_at for s in stale)
        elif hazard.asked_again_at is not None:
            raise AssertionError(f"asks again for a confirmation in {hazard.state}")

    def _hours_are_kept(self, plan: Any, live: list[LadderStep]) -> None:
        for step in live:
            if plan.waits_for_working_hours and step.due_at > self.plant.now:
                assert hours.next_working(step.due_at, plan.hours.working) == step.due_at, "a low grade wakes somebody"

    @invariant()
    def what_is_due_was_taken(self) -> None:
        """At rest after the scheduler: no living step lies in the past, and none was taken before its time."""
        escalate.escalate_due(self.plant.services)
        with self.plant.work(read_only=True) as work:
            assert not work.ladder.due_ids(self.plant.now)

    @invariant()
    def nobody_is_called_for_a_case_that_is_over(self) -> None:
        with self.plant.work(read_only=True) as work:
            for hazard in work.db.scalars(select(Hazard)).all():
                count = work.db.scalar(
                    select(func.count()).where(
                        Delivery.case_kind == "hazard", Delivery.case_id == hazard.id, Delivery.purpose.in_(CALLS)
                    )
                )
                if hazard.state not in OVER:
                    self.calls_when_over.pop(hazard.id, None)
                else:
                    before = self.calls_when_over.setdefault(hazard.id, count)
                    assert count == before, f"{hazard.state}, and somebody was called"

    @invariant()
    def the_policy_is_one_that_was_published_and_the_trail_is_whole(self) -> None:
        with self.plant.work(read_only=True) as work:
            newest = work.policies.current()
            for hazard in work.db.scalars(select(Hazard).where(Hazard.number.is_not(None))).all():
                assert 0 <= (hazard.policy_version or 0) <= (newest.version if newest else 0)
                lines = list(work.trail.of("hazard", hazard.id))
                for before, after in pairwise(lines):
                    assert after.from_state == before.to_state, f"{before.action} → {after.action}"
            assert not list(work.trail.broken())


@pytest.fixture
def no_proof_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos are another test's business (tests/talks/test_proof.py)."""
    monkeypatch.setattr(proof, "judge_submission", lambda *_a, **_k: Findings((), ()))
    monkeypatch.setattr(proof, "judge_closing", lambda *_a, **_k: Findings((), ()))


def test_ladders_hold_whatever_happens(new_sqlite, redis_client, no_proof_needed) -> None:
    play(LadderMachine, new_sqlite, redis_client, max_examples=4, steps=14)
