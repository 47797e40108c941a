"""Is it a hazard, a question after experience, a question after a rule, or none of these? Decided once a message.

Order: imminent danger and open reports belong to the hazard flow; a lexicon hazard that is more than a machine's symptom is
reported; a machine's symptom asked about («怎么回事») is looked up; a bare symptom is offered both ways; everything else goes
by what the search says, which is built to refuse (nothing fits, about rules).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.message import Kind
from bot.turn import Turn
from handlers.hazard import report
from handlers.knowledge import ear, heard, rulebook
from rules import hazard as hazard_rules
from rules import text as words
from search import Confidence, SearchResult
from storage.models import Equipment

# lexicon phrases that describe how a machine behaves, and so may be a question as well as a report
SYMPTOMS = frozenset({"B02", "B04", "B08", "B62", "B63", "B64", "B65", "B66"})
_ASKS = re.compile(
    r"怎么回事|咋回事|(啥|什么|哪里|哪儿)(毛病|问题|原因|情况|故障|坏)|为啥|为什么|怎么(办|弄|搞|处理|了)|咋(办|整|弄|搞|了)|正常吗|要紧吗|要不要紧"
    r"|是不是.{0,10}(坏|缺|松|漏|断)|老师傅|谁(懂|知道|遇到过)|[??]\s*$"
)

_ASKS_RULE = re.compile(
    r"多久|多少|多长|多高|多远|多大|几(个|级|天|小时|分钟|米|人|次|张)|什么|哪些|哪种|怎么|如何|能不能|可不可以|可以不|要不要|需不需要|是否|吗\s*$"
)


class Way(StrEnum):
    HAZARD = "hazard"
    EXPERIENCE = "experience"
    BOTH = "both"
    RULE = "rule"
    NOTHING = "nothing"  # about a machine's fault, but no card fits
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Judged:
    way: Way
    result: SearchResult | None = None
    equipment: Equipment | None = None


def judge(turn: Turn) -> Judged:
    """What the words of this turn are; remembered in the turn, so that asking twice costs nothing."""
    known = turn.data.get("knowledge.judged")
    if not isinstance(known, Judged):
        known = turn.data["knowledge.judged"] = _judge(turn)
    return known


def _judge(turn: Turn) -> Judged:
    text = turn.text
    if words.content_problem(text, max_chars=100_000) is not None or hazard_rules.emergency(text) is not None:
        return Judged(Way.OTHER)
    seen = hazard_rules.understand(text)
    if set(seen.phrase_ids) - SYMPTOMS:
        return Judged(Way.HAZARD)
    equipment = heard.equipment_in(turn.work, text)
    result = ear.search(turn.work, text, equipment_kind=heard.kind_of(equipment))
    asks = bool(_ASKS.search(text))
    if seen.phrase_ids:
        if not result.hits:
            return Judged(Way.HAZARD)
        return Judged(Way.EXPERIENCE if asks else Way.BOTH, result, equipment)
    if seen.claims_done:
        return Judged(Way.OTHER)
    if result.hits:
        sure = any(hit.confidence is not Confidence.WEAK for hit in result.hits)
        told = sure or asks or heard.complains(text)
        return Judged(Way.EXPERIENCE if told else Way.BOTH, result, equipment)
    if rulebook.asked(text) or (result.about_rules and (_asks_something(text) or rulebook.look_up(text))):
        return Judged(Way.RULE, result, equipment)
    if heard.complains(text) and (equipment is not None or heard.machine_in(text)):
        return Judged(Way.NOTHING, result, equipment)
    return Judged(Way.OTHER)


def _asks_something(text: str) -> bool:
    """A statement that only sounds like the rules («明早P-102B动火换法兰,郑凯监护») is answered with them only if one fits."""
    return bool(_ASKS.search(text) or _ASKS_RULE.search(text)) or words.is_question(text)


def is_ours(turn: Turn) -> bool:
    """Whether a text or voice that starts no dialogue is for the knowledge flow."""
    if not turn.text or turn.message.kind not in (Kind.TEXT, Kind.VOICE):
        return False
    if report.has_draft(turn):
        return is_question(turn)
    return judge(turn).way not in (Way.HAZARD, Way.OTHER)


def is_question(turn: Turn) -> bool:
    """Whether words said in the middle of a report ask for experience or a rule, and so are none of its description."""
    if not turn.text or turn.message.kind not in (Kind.TEXT, Kind.VOICE):
        return False
    way = judge(turn).way
    asks = bool(_ASKS.search(turn.text))
    if way is Way.RULE:
        return asks or bool(_ASKS_RULE.search(turn.text)) or rulebook.asked(turn.text)
    return way is Way.EXPERIENCE and asks


def no_danger(turn: Turn) -> bool:
    """For states that wait for a sentence: words of imminent danger never end up in a card."""
    return not turn.text or hazard_rules.emergency(turn.text) is None
