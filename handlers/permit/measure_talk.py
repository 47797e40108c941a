"""Safety measures one by one: tapped, or photographed where the picture is the proof."""

from __future__ import annotations

from bot.turn import Turn
from handlers.permit import cast, measures, running
from handlers.permit.talk import (
    MEASURE,
    ask,
    guarded,
    permit_of,
    photo_of,
)
from rules.permit.life import PermitState
from storage.models import Permit


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
    choices = [] if measure.photo else [("已落实", f"permit.done:{permit.id}.{measure.id}")]
    choices += [("不涉及", f"permit.na:{permit.id}.{measure.id}")] if measure.na else []
    how = "请拍一张现场照片发来。" if measure.photo else ""
    ask(
        turn,
        f"措施{done + 1}/{len(rows)}:{measure.text}",
        state=MEASURE,
        permit=permit,
        choices=choices,
        note=f"{note}{how}",
        measure=measure.id,
    )


def measure_done(turn: Turn, permit: Permit, measure_id: str) -> None:
    _measure(turn, permit, measure_id, applies=True)


def measure_na(turn: Turn, permit: Permit, measure_id: str) -> None:
    _measure(turn, permit, measure_id, applies=False)


def measure_sent(turn: Turn) -> None:
    """A picture, or words like «已落实»."""
    permit = permit_of(turn, lock=True)
    measure_id = str(turn.facts.get("measure", ""))
    applies = turn.text not in ("不涉及", "不适用", "没有这项")
    if not photo_of(turn) and applies and turn.text not in ("已落实", "落实了", "好了", "是"):
        _ask_measure(turn, permit, note="")
        return
    guarded(turn, permit, lambda: _measure(turn, permit, measure_id, applies=applies))


def _measure(turn: Turn, permit: Permit, measure_id: str, *, applies: bool) -> None:
    running.confirm_measure(
        turn.work, permit, measure_id, by=turn.person, applies=applies, photo_sha=photo_of(turn), via=turn.via
    )
    turn.work.flush()
    _ask_measure(turn, permit)
