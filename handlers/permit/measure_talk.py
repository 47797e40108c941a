"""Safety measures one by one: tapped, photographed, filmed or told, whatever is the proof."""

from __future__ import annotations

from bot.turn import Turn
from handlers.permit import cast, measures, running
from handlers.permit.measures import Evidence, Measure
from handlers.permit.talk import (
    MEASURE,
    ask_about,
    guarded,
    permit_of,
    photo_of,
    video_of,
)
from rules.permit.life import PermitState
from storage.models import Permit

DONE = ("已落实", "落实了", "好了", "是", "有")
NOT_HERE = ("不涉及", "不适用", "没有这项")
FORCES = ("1级", "2级", "3级", "4级", "5级")  # a sixth button is «不涉及»


def list_measures(turn: Turn, permit: Permit) -> None:
    """«确认措施»: the next one that nobody has confirmed."""
    running.need_state(permit, PermitState.APPROVED)
    running.need_watcher(permit, turn.person)
    _ask_measure(turn, permit)


def _ask_measure(turn: Turn, permit: Permit, note: str = "") -> None:
    row = running.next_measure(permit)
    if row is None:
        turn.done()
        cast.redraw(turn.work, permit, f"{turn.person.name}确认了全部措施")
        turn.say(f"{permit.number} 措施已全部确认。", case=cast.case_of(permit))
        return
    measure = measures.all_measures()[row.step]
    rows = [r for r in permit.approvals if r.kind == "measure"]
    done = sum(1 for r in rows if r.granted is not None)
    ask_about(
        turn,
        f"措施{done + 1}/{len(rows)}",
        [measure.text, f"({measure.clause})"],
        state=MEASURE,
        permit=permit,
        choices=_choices(permit, measure),
        note=note + measures.HOW[measure.evidence],
        measure=measure.id,
    )


def _choices(permit: Permit, measure: Measure) -> list[tuple[str, str]]:
    choices = []
    if measure.evidence is Evidence.TICK:
        choices = [("已落实", f"permit.done:{permit.id}.{measure.id}")]
    elif measure.evidence is Evidence.VALUE:
        choices = [(force, f"permit.told:{permit.id}.{measure.id}.{force}") for force in FORCES]
    return choices + ([("不涉及", f"permit.na:{permit.id}.{measure.id}")] if measure.na else [])


def measure_done(turn: Turn, permit: Permit, measure_id: str) -> None:
    _measure(turn, permit, measure_id, applies=True)


def measure_told(turn: Turn, permit: Permit, rest: str) -> None:
    """A tapped value: «wind.3级»."""
    measure_id, _, said = rest.partition(".")
    _measure(turn, permit, measure_id, applies=True, said=said)


def measure_na(turn: Turn, permit: Permit, measure_id: str) -> None:
    _measure(turn, permit, measure_id, applies=False)


def measure_sent(turn: Turn) -> None:
    """A picture, a video, a value, a list, or words like «已落实»."""
    permit = permit_of(turn, lock=True)
    measure = measures.all_measures()[str(turn.facts.get("measure", ""))]
    if turn.text in NOT_HERE:
        guarded(turn, permit, lambda: _measure(turn, permit, measure.id, applies=False))
        return
    if refused := next((f.refused for f in turn.fetched if f.refused), ""):
        _ask_measure(turn, permit, note=f"{refused}。")
        return
    told = measure.evidence in (Evidence.VALUE, Evidence.LIST) and turn.text not in ("", *DONE)
    if not (told or photo_of(turn) or video_of(turn) or turn.text in DONE):
        _ask_measure(turn, permit)
        return
    said = turn.text if told else ""
    guarded(turn, permit, lambda: _measure(turn, permit, measure.id, applies=True, said=said))


def _measure(turn: Turn, permit: Permit, measure_id: str, *, applies: bool, said: str = "") -> None:
    running.confirm_measure(
        turn.work,
        permit,
        measure_id,
        by=turn.person,
        applies=applies,
        photo_sha=photo_of(turn),
        video_sha=video_of(turn),
        said=said,
        via=turn.via,
    )
    turn.work.flush()
    _ask_measure(turn, permit)
