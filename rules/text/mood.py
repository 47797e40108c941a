"""What kind of sentence it is: a report, a question, a wish, «done», a supposition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from rules.text.normal import normalise


class Mood(StrEnum):
    """STATEMENT reports; the others do not by themselves."""

    STATEMENT = "statement"
    QUESTION = "question"
    WISH = "wish"
    DONE = "done"
    HYPOTHETICAL = "hypothetical"


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of normalised text between punctuation marks, with its mood and where it starts."""

    text: str
    start: int
    mood: Mood


_BREAKS = re.compile(r"[,，.。!！;；、:：…~\n]|\?|？")
_HYPOTHETICAL = re.compile(
    r"如果|假如|假设|要是|万一|一旦|倘若|假使|的话$|^若|就(?:麻烦|完了|完蛋|惨|晚了|糟|危险|来不及|跑不)"
)
_QUESTION = re.compile(
    r"[?？]|[吗么嘛]$|^请问|要不要|能不能|可不可以|可以不|需不需要|用不用|该不该|是不是|有没有|算不算|会不会|行不行|对不对"
    r"|是否|怎么(?:预防|避免|防|救|急救|自救|灭|逃|报警|判断|选|分级|定级|办|处理|处置|做|弄|报|填|上报|用|写|算)|咋[办整弄]|如何|应该(?:怎|先|注意)|什么(?:时候|是|叫|样|规定|要求|标准|条件)"
    r"|哪些|哪个好|多少|几(?:米|个|人|天|小时|级)(?:合适|才|算)?$|为什么|谁知道|有什么"
)
_NOT_A_QUESTION = re.compile(
    r"^怎么(?:又|还|没|老|都|总|这么|就)|什么(?:都|也)|不知(?:道)?(?:为什么|怎么|多少|是|啥|什么)|没(?:有)?(?:什么|多少)"
    r"|[看说认听闻分]不(?:出|清|准)|[十好]几(?:米|m|个|人|天|小时|级)|多少(?:次|遍|回|天|年)"
)
_DONE = re.compile(
    r"已(?:经)?(?:全部|都|按要求)?(?:整改|处理|修|更换|换|解决|完成|恢复|拧紧|紧固|清理|拆除|关闭|整治|落实|消除)"
    r"|(?:整改|处理|修理|维修)(?:完毕|完成|好了|到位|完了)|修好了|弄好了|搞定"
)
_WISH = re.compile(
    r"建议|希望|最好|应该|应当|需要|得(?:赶紧|尽快)|要(?:整改|处理|修|换|加强|注意)|请(?:尽快|及时|安排)|麻烦|能给|想要"
)


def mood_of(clause: str) -> Mood:
    """Mood of one clause of normalised text, its closing mark included («要不要戴安全带?» → question)."""
    if _HYPOTHETICAL.search(clause):
        return Mood.HYPOTHETICAL
    if _QUESTION.search(clause.rstrip(" ")) and not (_NOT_A_QUESTION.search(clause) and "?" not in clause):
        return Mood.QUESTION
    if _DONE.search(clause) and not re.search(
        r"(?:还|都|一直)?(?:没|未|不)(?:有)?已?(?:经)?(?:整改|处理|修|换)", clause
    ):
        return Mood.DONE
    return Mood.WISH if _WISH.search(clause) else Mood.STATEMENT


def clauses(normalised: str) -> list[Clause]:
    """Clauses of normalised text; a decimal point and the dot of a code do not break it."""
    found: list[Clause] = []
    start = 0
    for match in _BREAKS.finditer(normalised):
        at = match.start()
        if normalised[at] == "." and at + 1 < len(normalised) and normalised[at + 1].isalnum():
            continue
        if piece := normalised[start : match.end()].strip(" "):
            if any(c.isalnum() for c in piece):
                found.append(Clause(piece, start, mood_of(_without_break(piece))))
            elif found and "?" in piece:  # «着火了!?»
                found[-1] = Clause(found[-1].text, found[-1].start, Mood.QUESTION)
        start = match.end()
    if (piece := normalised[start:].strip(" ")) and any(c.isalnum() for c in piece):
        found.append(Clause(piece, start, mood_of(piece)))
    return found


def _without_break(piece: str) -> str:
    return piece if piece[-1] in "?？" else piece[:-1]


def is_question(text: str) -> bool:
    """Every clause asks or supposes: «要不要戴安全带?» is not a report, «法兰漏了，怎么办?» is one."""
    parts = clauses(normalise(text))
    return bool(parts) and all(part.mood in (Mood.QUESTION, Mood.HYPOTHETICAL) for part in parts)


def claims_done(text: str) -> bool:
    """Says the work is done («已整改»), as opposed to wishing for it («要整改»)."""
    return any(part.mood is Mood.DONE for part in clauses(normalise(text)))
