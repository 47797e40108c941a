"""A sentence becomes a proposal: grade, category, major-hazard suspicion, annotation; each with its reason.

Rules of grading (docs/hazard-rules.md):
1. The most serious phrase found decides; none found → yellow, and it says so.
2. A leak of a toxic or flammable medium is red; if the medium was not named, the ledger's is assumed (unknown is no pass).
3. Wordings of acute danger lift the grade by one or straight to red; imminent danger is red.
4. Nothing ever lowers it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rules.hazard.annotate import KnownMedium, annotate, entities_of, known_media, names_harmless
from rules.hazard.emergency import emergency_in, is_event
from rules.hazard.facts import AreaFacts, EquipmentFacts, NearbyFacts, Understanding
from rules.lexicon import Category, Hit, Phrase, Prepared, lexicon, mend, prepare, without_inner
from rules.terms import Grade
from rules.text import Mood, normalise

NOTHING_FOUND = "未匹配到词库，请责任人核定"
_BY_RANK = {grade.rank: grade for grade in Grade}
_NOT_REPORTING = (Mood.QUESTION, Mood.HYPOTHETICAL)


def understand(
    text: str,
    *,
    area: AreaFacts | None = None,
    equipment: EquipmentFacts | None = None,
    near: Sequence[NearbyFacts] = (),
) -> Understanding:
    """Propose grade, category and annotation for a report. None = not known; never raises on any text."""
    prepared = prepare(text)
    phrases = _phrases_in(prepared)
    media = known_media(prepared.normalised, area=area, equipment=equipment)
    entities = entities_of(prepared.normalised)
    danger = emergency_in(prepared)
    grading = _grade(prepared, phrases, media, danger_words=danger.words if danger else ())
    lead = _lead(phrases)
    notes = annotate(prepared.normalised, media=media, area=area, equipment=equipment, near=near, entities=entities)
    codes = tuple(dict.fromkeys(code for phrase in phrases for code in phrase.major))
    return Understanding(
        grade=grading.grade,
        grade_why=grading.why,
        category=lead.category if lead else Category.UNKNOWN,
        category_why=f"按词条“{lead.phrase_zh}”归为{lead.category.zh}" if lead else NOTHING_FOUND,
        phrase_ids=tuple(phrase.id for phrase in phrases),
        major_candidate=any(phrase.major_candidate for phrase in phrases),
        major_codes=codes,
        major_why=_major_why(phrases, codes),
        annotation=notes.sentence,
        annotations=notes.items,
        advice=notes.advice,
        emergency=danger is not None,
        is_question=bool(prepared.moods) and all(mood in _NOT_REPORTING for _, _, mood in prepared.moods),
        claims_done=any(mood is Mood.DONE for _, _, mood in prepared.moods),
        entities=entities,
    )


def phrases_in(text: str) -> tuple[str, ...]:
    """Ids of the lexicon phrases in a text, the deciding one first (for comparing reports)."""
    return tuple(phrase.id for phrase in _phrases_in(prepare(text)))


def _phrases_in(prepared: Prepared) -> list[Phrase]:
    lex = lexicon()

    def reported(hits: list[Hit]) -> list[Hit]:
        return [hit for hit in hits if prepared.mood_at(hit.start) not in _NOT_REPORTING]

    hits = reported(list(lex.strong.find(prepared.text))) or reported(list(lex.weak.find(prepared.text)))
    found = [(lex.phrases[hit.id], hit) for hit in without_inner(hits)]
    found.sort(key=lambda pair: (pair[0].grade.rank, -pair[1].said))  # of like grade the one said most exactly leads
    return [phrase for phrase, _ in found]


def _lead(phrases: Sequence[Phrase]) -> Phrase | None:
    return phrases[0] if phrases else None


@dataclass(frozen=True, slots=True)
class _Grading:
    grade: Grade
    why: str


def _grade(
    prepared: Prepared, phrases: Sequence[Phrase], media: Sequence[KnownMedium], *, danger_words: tuple[str, ...]
) -> _Grading:
    lead = _lead(phrases)
    grade = lead.grade if lead else Grade.YELLOW
    reasons = [f"命中词条“{lead.phrase_zh}”，{grade.zh}"] if lead else []
    if any(phrase.is_leak for phrase in phrases) and (medium := _lifting_medium(prepared, media)) is not None:
        reasons.append(medium)
        grade = Grade.RED
    straight, step = _lifts(prepared)
    if straight and not danger_words:
        reasons.append(f"出现“{straight}”，按{Grade.RED.zh}")
    if straight or danger_words:
        grade = Grade.RED
    elif step:
        raised = _BY_RANK[max(1, grade.rank - 1)]
        reasons.append(f"出现“{step}”，提高一级到{raised.zh}" if raised != grade else f"出现“{step}”")
        grade = raised
    if danger_words:
        reasons.append(f"“{'、'.join(danger_words)}”属紧急情况，按{Grade.RED.zh}")
    if not lead and not danger_words:
        reasons.append(NOTHING_FOUND)
    return _Grading(grade, "；".join(reasons))


def raise_grade(grade: Grade) -> Grade:
    """One grade more serious; red stays red."""
    return _BY_RANK[max(1, grade.rank - 1)]


def _lifting_medium(prepared: Prepared, media: Sequence[KnownMedium]) -> str | None:
    """Why a leak is red: a toxic or flammable medium named, or assumed from the ledger when no harmless one is named."""
    named = [known for known in media if known.named]
    harmless = names_harmless(prepared.normalised)
    for known in named or ([] if harmless else media):
        if known.lifts:
            said = "" if known.named else "，文字未说明介质，先按此处理"
            return f"{known.name_zh}属{known.nature_zh}介质({known.known_from.zh}{said})，泄漏按{Grade.RED.zh}"
    return None


def _lifts(prepared: Prepared) -> tuple[str, str]:
    """(word that goes straight to red, word that lifts one grade); "" for none."""
    masked = _lift_mask().sub(lambda match: "□" * len(match.group(0)), prepared.text)
    found = {"red": "", "one": ""}
    for hit in sorted(lexicon().lifts.find(masked), key=lambda hit: (hit.start, -hit.end)):
        if prepared.mood_at(hit.start) not in _NOT_REPORTING and is_event(hit, prepared, masked):
            found[hit.id] = found[hit.id] or hit.words[0]
    return found["red"], found["one"]


@cache
def _lift_mask() -> re.Pattern[str]:
    words = sorted({mend(normalise(word)) for word in lexicon().lift_mask}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)))


def _major_why(phrases: Sequence[Phrase], codes: Sequence[str]) -> str:
    names = "、".join(f"“{phrase.phrase_zh}”" for phrase in phrases if phrase.major_candidate)
    if not names:
        return ""
    basis = f"可能符合{'、'.join(codes)}" if codes else "可能属重大隐患(判定条款待查)"
    clause = "，并对照GB 30871-2022第4.10条" if "CM-18" in codes else ""
    return f"{names}{basis}{clause}，请安全管理人员判定。"
