"""Who may press what: docs/who-may-what.md, tried cell by cell. A new button needs a row there and a scene here."""

from __future__ import annotations

import pytest

from rules.errors import RuleBroken
from rules.terms import Grade, HazardState
from tests.security import document, scenes
from tests.security.trying import NO, YES, Button, press
from web.hazards import VERBS, Sent

GROUPS = {
    "Hazard": (scenes.HAZARD_ROLES, scenes.hazard_buttons),
    "Permit": (scenes.PERMIT_ROLES, scenes.permit_buttons),
    "Experience": (scenes.CARD_ROLES, scenes.card_buttons),
    "Other": (scenes.HAZARD_ROLES, scenes.other_buttons),
}
ROWS = [(group, verb) for group in GROUPS for verb in document.table(f"{group} buttons")]


@pytest.fixture(scope="module")
def buttons(plant) -> dict[str, Button]:
    return {button.verb: button for _, make in GROUPS.values() for button in make(plant)}


@pytest.mark.parametrize(("group", "verb"), ROWS, ids=[verb for _, verb in ROWS])
def test_a_button_works_for_those_who_may_and_for_nobody_else(plant, buttons, group, verb):
    cells = document.table(f"{group} buttons")[verb]
    roles, _ = GROUPS[group]
    tried = {role: press(plant, who, buttons[verb]) for role, who in roles.items()}
    assert {role: outcome.mark for role, outcome in tried.items()} == {role: cells[role] for role in roles}
    silent = [role for role, outcome in tried.items() if outcome.mark == NO and not outcome.said]
    assert verb == "permit.more" or silent == [], "a refusal says why"


def test_every_button_of_the_bot_has_a_row(plant, buttons):
    assert set(buttons) == {verb for _, verb in ROWS} == set(plant.services.router._buttons)


# -- the same steps on the page of the case

LIKE = {
    "confirm": "confirm", "start": "start", "submit": "submit", "accept": "accept", "reject": "reject", "transfer": "give",
    "extend": "extend", "grant": "grant", "refuse": "refuse", "still": "still", "correct": "correct", "more": "more",
    "withdraw": "withdraw", "hide": "hide",
}  # fmt: skip


def on_page(plant, who: str, verb: str, button: Button, **form: str) -> str:
    """Whether the step of the page is open to this person; everything is rolled back."""
    ctx = plant.app.view_functions["hazards.step"].__closure__
    assert ctx
    with plant.work() as work:
        button.scene(work)
        work.flush()
        hazard, person = work.hazards.get(1), work.people.by_name(who)[0]
        other = work.people.by_name("刘洋")[0]
        values = {
            "reason": "备件没到", "measure": "拉警戒线", "until": "2026-12-24", "description": "装卸台照明不足,灯坏三只",
            "words": "换好了", "person": str(other.id), "grade": Grade.ORANGE.value, **form,
        }  # fmt: skip
        try:
            VERBS[verb](Zone(plant), work, hazard, person, Sent(values))  # type: ignore[arg-type]
            mark = YES
        except RuleBroken as broken:
            mark = (
                NO
                if broken.rule in ("who", "not_reporter", "FC-06", "FC-15", "own_extension", "own_evaluation", "lower")
                else YES
            )
        work.db.rollback()
    return mark


class Zone:
    """What the steps use of the page's context."""

    def __init__(self, plant) -> None:
        self.zone = plant.settings.zone


@pytest.mark.parametrize("verb", LIKE)
def test_the_page_lets_the_same_people_take_the_same_step(plant, buttons, verb):
    cells = document.table("Hazard buttons")[f"hazard.{LIKE[verb]}"]
    marks = {
        role: on_page(plant, who, verb, buttons[f"hazard.{LIKE[verb]}"]) for role, who in scenes.HAZARD_ROLES.items()
    }
    assert marks == {role: cells[role] for role in scenes.HAZARD_ROLES}


@pytest.mark.parametrize(("row", "grade"), [("raise", Grade.ORANGE), ("lower", Grade.YELLOW)])
def test_who_may_change_the_grade(plant, row, grade):
    button = Button("grade", scenes.hazard(scenes._A, grade=Grade.YELLOW.value if row == "raise" else Grade.RED.value))
    marks = {role: on_page(plant, who, "grade", button, grade=grade.value) for role, who in scenes.HAZARD_ROLES.items()}
    cells = document.table("Changing the grade")[row]
    assert marks == {role: cells[role] for role in scenes.HAZARD_ROLES}


TREATING = {
    "major": {"major": "yes", "reason": "对照第18条"},
    "treat": {"measures": "停工补票", "funds": "2000"},
    "evaluate": {"words": "现场核对,已消除"},
}


@pytest.mark.parametrize("step", TREATING)
def test_who_may_treat_a_major_hazard(plant, step):
    state = HazardState.TO_ACCEPT if step == "evaluate" else scenes._A
    button = Button(step, scenes.hazard(state, grade=Grade.RED.value, major_candidate="CM-18"))
    marks = {role: on_page(plant, who, step, button, **TREATING[step]) for role, who in scenes.HAZARD_ROLES.items()}
    cells = document.table("Treating a major hazard")[step]
    assert marks == {role: cells[role] for role in scenes.HAZARD_ROLES}


def test_every_step_of_the_page_was_tried():
    assert set(VERBS) == {*LIKE, *TREATING, "grade"}
