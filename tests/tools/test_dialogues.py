"""The drawings of the dialogues: as the flow tables are now, and true to what the steps do."""

from __future__ import annotations

import re

import pytest

import wiring
from bot.flow import Flow, like, on, said
from bot.message import Kind
from bot.turn import Turn
from tools import dialogues

FLOWS = {flow.name: flow for flow in wiring.FLOWS}


@pytest.mark.parametrize("name", sorted(FLOWS))
def test_the_drawing_is_current(name: str) -> None:
    path = dialogues.FOLDER / f"{name}.mmd"
    there = path.read_text(encoding="utf-8") if path.exists() else ""
    assert there == dialogues.draw(FLOWS[name]), "the flow table changed: run ./anshao dialogues"


def test_no_drawing_is_left_of_a_flow_that_is_gone() -> None:
    assert {path.stem for path in dialogues.FOLDER.glob("*.mmd")} == set(FLOWS)


@pytest.mark.parametrize("name", sorted(FLOWS))
def test_every_arrow_leads_to_something_drawn(name: str) -> None:
    text = dialogues.draw(FLOWS[name])
    drawn = set(re.findall(r"^    ([\w.]+)[\[({/]", text, re.M))
    ends = {end for line in re.findall(r"^    (\S+) -.*> (\S+)$", text, re.M) for end in line}
    assert ends and ends <= drawn
    assert {f"s_{state}" for state in FLOWS[name].states} <= drawn


def _ask(turn: Turn) -> None:
    turn.ask("哪里?", flow="test", state="where")


def _end(turn: Turn) -> None:
    _tidy(turn)


def _tidy(turn: Turn) -> None:
    turn.done()


def test_what_is_drawn_of_a_small_flow() -> None:
    flow = Flow(
        name="test",
        starts=[said(("报", "上报"), _ask), like('^"报', _ask)],
        states={"where": [on(Kind.TEXT, _end), on(Kind.PLACE, _end)]},
        menus={"m": _ask},
    )
    lines = dialogues.draw(flow).splitlines()
    assert '    start -- "「报」「上报」<br>文字 ~ ^\'报" --> f__ask' in lines
    assert "    f__ask --> s_where" in lines
    assert '    s_where -- "文字<br>位置" --> f__end' in lines
    assert '    menu -- "m" --> f__ask' in lines


def test_known_steps_of_the_hazard_dialogues() -> None:
    """Read from the code of the steps, also through the functions they call."""
    assert ("hazard.report", "joining") in dialogues.targets(FLOWS["hazard.report"].starts[1].step)
    assert ("hazard.work", "proof") in set().union(*map(dialogues.targets, FLOWS["hazard.buttons"].buttons.values()))


def test_writing_takes_away_what_is_not_wanted(tmp_path) -> None:
    (tmp_path / "old.mmd").write_text("x", encoding="utf-8")
    dialogues.write(tmp_path, {"new.mmd": "y\n"})
    assert {p.name: p.read_text(encoding="utf-8") for p in tmp_path.iterdir()} == {"new.mmd": "y\n"}
