"""The case as a state machine: anybody presses anything, in any order, also on cards that are long out of date."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from sqlalchemy import select

from storage.models import Delivery, Hazard, LadderStep
from tests.handlers.machine import PlantMachine, play
from tests.pictures import scene
from tests.plant import Phone

PEOPLE = ("张伟", "李强", "王芳", "周敏", "陈刚", "黄梅", "何静")
DONE = {"closed", "withdrawn", "merged"}
CALLS = ("hazard.confirm", "hazard.stale", "hazard.rectify", "hazard.accept")


class CaseMachine(PlantMachine):
    name = "case"

    def __init__(self) -> None:
        super().__init__()
        self.plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
        self.generation = 0
        self.pictures = 10
        self.buttons: list[tuple[Phone, str, str, dict[str, list[str]]]] = []
        self.calls_when_closed: int | None = None

    def teardown(self) -> None:
        hazard = self._hazard()
        if hazard.state in DONE:
            calls = self._calls()
            self.plant.forward(days=10)
            assert self._calls() == calls, "a finished case called somebody"
        assert self.plant.problems() == []
        super().teardown()

    # -- what anybody may do

    @rule(who=st.sampled_from(PEOPLE), which=st.integers(0, 30))
    def presses_what_is_shown(self, who: str, which: int) -> None:
        phone = self.plant.phone(who)
        found = self._live(phone)
        if found:
            self._press(*found[which % len(found)])

    @rule(which=st.integers(0, 200))
    def presses_what_was_shown_once(self, which: int) -> None:
        """The card on the phone has changed meanwhile; the phone sends the press all the same or refuses it."""
        if self.buttons:
            self._press(*self.buttons[which % len(self.buttons)])

    @rule(
        who=st.sampled_from(PEOPLE),
        words=st.sampled_from(["已处理", "更换了三只灯管,试亮正常", "东头还有一只不亮", "YH-0001", "还在", "取消"]),
    )
    def says(self, who: str, words: str) -> None:
        self.plant.phone(who).says(words)

    @rule(who=st.sampled_from(("李强", "陈刚", "张伟")))
    def sends_a_picture(self, who: str) -> None:
        self.pictures += 1
        self.plant.phone(who).sends_photo(scene(self.pictures, mended=True))

    @rule(minutes=st.sampled_from([1, 20, 120, 600]))
    def time_passes(self, minutes: int) -> None:
        self.plant.forward(minutes=minutes)

    @rule()
    def it_is_mended_and_submitted(self) -> None:
        """The usual way on, so that acceptance is reached often enough."""
        owner = self.plant.phone("李强")
        for label in ("开始整改", "提交整改"):
            for phone, item, key, chosen, shown in self._labelled(owner):
                if label in shown:
                    self._press(phone, item, key, chosen)
                    break
        self.plant.forward(minutes=30)
        self.pictures += 1
        owner.sends_photo(scene(self.pictures, mended=True)).says("更换了三只灯管,试亮正常")

    # -- helpers

    def _hazard(self) -> Any:
        with self.plant.work(read_only=True) as work:
            return work.db.scalars(select(Hazard).where(Hazard.number == "YH-0001")).one()

    def _calls(self) -> int:
        with self.plant.work(read_only=True) as work:
            return len(
                work.db.scalars(select(Delivery.id).where(Delivery.purpose.in_(CALLS), Delivery.case_id == 1)).all()
            )

    def _labelled(self, phone: Phone) -> list[tuple[Phone, str, str, dict[str, list[str]], str]]:
        found = []
        for item in phone.screen():
            card = item["card"]
            for button in card["buttons"] if card else ():
                if not button["disabled"] and button["kind"] != "url":
                    chosen = {s["key"]: [s["options"][0]["id"]] for s in card["selects"] if s["options"]}
                    found.append((phone, item["id"], button["key"], chosen, button["label"]))
        return found

    def _live(self, phone: Phone) -> list[tuple[Phone, str, str, dict[str, list[str]]]]:
        found = [entry[:4] for entry in self._labelled(phone)]
        self.buttons += [entry for entry in found if entry not in self.buttons]
        return found

    def _press(self, phone: Phone, item: str, key: str, chosen: dict[str, list[str]]) -> None:
        answer = phone.client.post(f"/_phone/{phone.user}/tap", json={"item": item, "key": key, "selected": chosen})
        assert answer.status_code < 500, answer.get_data(as_text=True)
        self.plant.settle()

    # -- what must hold

    @invariant()
    def the_case_is_sound(self) -> None:
        with self.plant.work(read_only=True) as work:
            hazard = work.db.scalars(select(Hazard).where(Hazard.number == "YH-0001")).one()
            assert hazard.generation >= self.generation, "the generation went back"
            self.generation = hazard.generation
            if hazard.state == "closed" and hazard.accepted_by_id is not None:
                assert hazard.accepted_by_id != hazard.rectified_by_id, "accepted by the one who fixed it"
            steps = work.db.scalars(select(LadderStep).where(LadderStep.case_id == hazard.id)).all()
            alive = [s for s in steps if s.generation == hazard.generation and not s.taken_at and not s.called_off_at]
            if hazard.state in DONE:
                assert not alive, "a finished case has steps that would call somebody"
            elif hazard.state != "draft":
                assert hazard.owner_id is not None and hazard.due_at is not None, "nobody has it, or for no time"
                told = self.plant.now - hazard.reported_at > timedelta(days=7)
                assert alive or told, f"no next step in {hazard.state}"
            assert not list(work.trail.broken())
            lines = list(work.trail.of("hazard", hazard.id))
            for before, after in pairwise(lines):
                assert after.from_state == before.to_state, (
                    f"{before.action} → {after.action} leaves a gap in the trail"
                )
                assert after.at >= before.at
            assert lines[-1].to_state == hazard.state, "the state changed without a line in the trail"

    @invariant()
    def nobody_was_failed(self) -> None:
        with self.plant.work(read_only=True) as work:
            assert work.inbox.unfinished() == 0
            failed = work.db.scalars(select(Delivery).where(Delivery.purpose == "apology")).all()
            assert not failed, "a handler raised"


def test_a_case_stays_sound_whoever_presses_whatever(new_sqlite, redis_client) -> None:
    play(CaseMachine, new_sqlite, redis_client, max_examples=4, steps=14)
