"""Words of danger go before everything: whatever dialogue is open, they are filed and told at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.flow import Flow, on
from bot.message import Kind
from bot.turn import Turn
from handlers.hazard import actions, filing, place, report, taking
from rules import hazard as rules
from rules.terms import OPEN_STATES, HazardState, PhotoKind
from storage.models import Hazard


def is_danger(turn: Turn) -> bool:
    """The row was marked when it came in (the callback had to look for its answer anyway); a voice once it was heard."""
    return bool(turn.data.get("urgent")) and bool(turn.text)


def danger(turn: Turn) -> None:
    """File it, or add it to what this person cried a moment ago: «着火了», then «3号泵房着火了快来人» are one fire."""
    hazard = _cried_before(turn)
    if hazard is None:
        talk = turn.conversation
        open_before = (talk.flow, talk.state, dict(talk.facts), talk.expires_at) if talk is not None else None
        report.told(turn)
        if open_before is not None and open_before[0] != report.FLOW:
            _go_back_to(turn, *open_before)
        return
    line = rules.emergency(turn.text)
    if line is not None and not report.answered_by_callback(turn):
        turn.say(line.line_zh, case=("hazard", hazard.id), urgency=0)
    actions.add_words(turn.work, hazard, by=turn.person, text=turn.text, via=turn.via)
    taking.add_photos(turn, hazard, PhotoKind.BEFORE)
    if hazard.area is None:
        taking.take_place(turn, hazard)
        filing.place_told(turn, hazard)
    else:
        turn.say(f"已补充到 {hazard.number},负责人都看得到。", case=("hazard", hazard.id))


def _go_back_to(turn: Turn, flow: str, state: str, facts: dict[str, Any], expires_at: datetime | None) -> None:
    """The dialogue that was interrupted goes on, unless the report of the danger has a question of its own."""
    talks = turn.work.conversations
    if talks.load(turn.chat_key, at=turn.at) is None:
        talks.move(turn.chat_key, flow=flow, state=state, facts=facts, at=turn.at, expires_at=expires_at)


def _cried_before(turn: Turn) -> Hazard | None:
    last = next(iter(turn.work.hazards.reported_by(turn.person.id, limit=1)), None)
    if last is None or not last.emergency or last.reporter_id != turn.person.id or last.reported_at is None:
        return None
    if HazardState(last.state) not in OPEN_STATES or turn.at - last.reported_at > report.TOGETHER:
        return None
    named = place.area_named(turn.work, turn.text)
    return last if named is None or last.area is None or last.area_id == named.id else None


flow = Flow(
    name="hazard.danger",
    first=[on(kind, danger, fits=is_danger) for kind in (Kind.TEXT, Kind.VOICE, Kind.IMAGE)],
)
