"""Imminent danger in a chat message: the stop-and-evacuate line that goes out before any question.

Called while the callback is being answered: words only, no look-up. When in doubt about *whether* it is real (a
statement without a place, a statement followed by a question) it fires: a needless line costs a glance. It stays silent
on denial («没有着火»), questions and suppositions («着火了怎么办?», «如果着火»), drills, lessons and talk of risk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from rules.lexicon import Hit, Prepared, lexicon, mend, prepare
from rules.text import Mood

_LOOK_BACK = 6  # characters before the danger word in which «容易», «防止» … make it a risk, not an event
_PLACE = re.compile(r"\d号")
_DENIED_PERSON = re.compile(r"未(?:有|发现|见|看到|听说|再)?(?:人|人员|员工)(?:再|被|会|真的)?$")


@dataclass(frozen=True, slots=True)
class EmergencyLine:
    """kind: id in lexicon/emergency.toml (fire, explosion, toxic_leak, electric_shock, trapped, person_down,
    person_hurt, help); line_zh is sent as it stands; words are what it was recognised by."""

    kind: str
    kind_zh: str
    line_zh: str
    words: tuple[str, ...]


def emergency(text: str) -> EmergencyLine | None:
    """The line to send at once, or None. Never raises; empty text gives None."""
    return emergency_in(prepare(text)) if text else None


def emergency_in(prepared: Prepared) -> EmergencyLine | None:
    lex = lexicon()
    if _elsewhere().search(prepared.text) and not _real().search(prepared.text):
        return None
    masked = _mask().sub(lambda match: "□" * len(match.group(0)), prepared.text)
    masked = _people().sub(lambda match: "人" * len(match.group(0)), masked)
    real: dict[str, Hit] = {}
    for hit in lex.danger.find(masked):
        if hit.id not in real and _is_real(hit, prepared, masked):
            real[hit.id] = hit
    for kind in lex.emergencies:
        if found := real.get(kind.id):
            return EmergencyLine(kind.id, kind.name_zh, kind.line_zh, found.words)
    return None


def _is_real(hit: Hit, prepared: Prepared, masked: str) -> bool:
    mood = prepared.mood_at(hit.start)
    if mood is Mood.HYPOTHETICAL:
        return False
    if mood is Mood.QUESTION and not (_now().search(prepared.text) or _PLACE.search(prepared.text)):
        return False
    if hit.words[0] == "人" and _handled().search(masked, hit.start, hit.end):
        return False
    return is_event(hit, prepared, masked)


def is_event(hit: Hit, prepared: Prepared, masked: str) -> bool:
    """Has it happened now, or is it feared, prevented or denied (「容易」「防止」「差点」「没有人」 just before), told of the past
    («昨天着火的电机») or only talked of («着火的风险»)?"""
    last_word_at = hit.end - len(hit.words[-1])
    begins = prepared.clause_start(hit.start)
    before = masked[max(begins, hit.start - _LOOK_BACK) : last_word_at]
    if _past().search(masked, begins, hit.start) and not _today().search(masked, begins, hit.end):
        return False
    if _talked_of().match(masked, hit.end):
        return False
    if _not_real().search(before) or _DENIED_PERSON.search(before):
        return False
    if _not_yet().search(before):
        return masked[hit.end : hit.end + 1] == "了" or hit.words[-1].endswith("了")
    return True


def _any_of(name: str) -> re.Pattern[str]:
    words = sorted({mend(word) for word in lexicon().emergency_words[name]}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)))


@cache
def _mask() -> re.Pattern[str]:
    return _any_of("mask")


@cache
def _people() -> re.Pattern[str]:
    names = lexicon().surnames
    words = "|".join(map(re.escape, lexicon().emergency_words["people"]))
    return re.compile(rf"{words}|[老小][{names}]|[{names}](?:工|师傅|师|哥|姐|总)(?!程|厂|人|艺|具|件|序|段)")


@cache
def _handled() -> re.Pattern[str]:
    return _any_of("handled")


@cache
def _elsewhere() -> re.Pattern[str]:
    return _any_of("elsewhere")


@cache
def _real() -> re.Pattern[str]:
    return _any_of("real")


@cache
def _now() -> re.Pattern[str]:
    return _any_of("now")


@cache
def _past() -> re.Pattern[str]:
    return _any_of("past")


@cache
def _today() -> re.Pattern[str]:
    return _any_of("today")


@cache
def _talked_of() -> re.Pattern[str]:
    return re.compile(f"了?的?(?:{_any_of('talked_of').pattern})")


@cache
def _not_real() -> re.Pattern[str]:
    return _any_of("not_real")


@cache
def _not_yet() -> re.Pattern[str]:
    return _any_of("not_yet")
