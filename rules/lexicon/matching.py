"""Find phrases in a sentence. A phrase is written «法兰|阀门 … 漏|滴»: parts in order, a short gap between, | for or;
«A & B» is both orders, «<没戴>» a group of words.

Matching runs on a form of the text in which typos are mended and all negations are 「未」, clause by clause, so that
questions and suppositions can be left out. Plain `str.find` over the words: about 0.1 ms for a chat sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from rules.text import Mood, clauses, normalise, same_negation

GAP = 10  # characters allowed between the parts of a phrase
NEAR_GAP = 5  # … after a bare "not" or "lacks": «没有防护栏杆», not «没有说清楚护栏»
_SENTENCE_END = frozenset("。!！?？;；\n")
# 带 is often typed for 戴 (to wear); not in 安全带, 皮带 …
_WEAR = re.compile(
    r"(?<![全皮胶输吊])带(?=(?:着|好|上|个)?(?:安全帽|安全带|帽|头盔|手套|线手套|眼镜|护目|面罩|面屏|呼吸器|口罩|防毒|耳塞))"
)
_NEGATED = re.compile(
    r"(?:未(?:发现|见到|见|看见|看到|有|再|出现|发生|闻到|听到|任何|明显|什么|一点|在|会|是|准|许|要|能|得|可|真的|真|被|人员|人|员工|谁){0,3}"
    r"|(?:禁止|严禁|防止|避免|预防|杜绝|谨防|请勿|勿|(?<!特)(?<!级)别)(?:在|再|有)?)[泄渗滴破损锈松变老腐磨缺开断]?$"
)
# a bare "not" reports something missing («井盖没了»), but not before a defect («井盖没坏»)
_FINE = re.compile("坏|掉|丢|缺|破|断|松|过期|问题|漏|锈|裂|堵|挡|异常|损|少|歪|变形|超期")

# right behind the words: they are only what was looked at («灭火器压力正常»)
_GOOD = re.compile(
    r"(?:都|也|很|均|还|比较|全部|全|基本|一切|是|挺|非常|已经|已|显示|状态|情况|保持|运行){0,3}"
    r"(?:正常|完好|良好|好着|好用|好的|未问题|合格|齐全|到位|畅通|牢固|牢靠|可靠|灵敏|没问题|挺好|很好|无误)(?!值|范围|水平|吗)"
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """text for matching; moods: (start, end, mood) of its clauses; normalised: before mending and negation."""

    normalised: str
    text: str
    moods: tuple[tuple[int, int, Mood], ...]

    def mood_at(self, position: int) -> Mood:
        return next((mood for start, end, mood in self.moods if start <= position < end), Mood.STATEMENT)

    def clause_start(self, position: int) -> int:
        return next((start for start, end, _ in self.moods if start <= position < end), 0)


@dataclass(frozen=True, slots=True)
class Hit:
    """id of the phrase; where it was found in Prepared.text; the words that matched and where each begins."""

    id: str
    start: int
    end: int
    words: tuple[str, ...]
    places: tuple[int, ...] = ()

    @property
    def said(self) -> int:
        """Characters of the sentence that it rests on: the more, the more exactly it was meant."""
        return sum(map(len, self.words))

    def inside(self, other: Hit) -> bool:
        """Whether each of its words lies within a word of the other, longer one («出口» in «安全出口标志»)."""
        return self.said < other.said and all(
            any(
                at >= begins and at + len(word) <= begins + len(longer)
                for begins, longer in zip(other.places, other.words, strict=True)
            )
            for at, word in zip(self.places, self.words, strict=True)
        )


@lru_cache(maxsize=1)
def _typos() -> tuple[re.Pattern[str], Mapping[str, str]]:
    from rules.lexicon.data import read_toml  # data.py imports this module

    table = read_toml("words.toml")["typos"]
    return re.compile("|".join(map(re.escape, sorted(table, key=len, reverse=True)))), table


def mend(normalised: str) -> str:
    """Typos and homophones mended, one word for "not"; for matching only."""
    pattern, table = _typos()
    text = pattern.sub(lambda match: table[match.group(0)], normalised)
    return same_negation(_WEAR.sub("戴", text))


def prepare(text: str) -> Prepared:
    """The matching form of a sender's text."""
    plain = normalise(text)
    pieces: list[str] = []
    moods: list[tuple[int, int, Mood]] = []
    at = 0
    for clause in clauses(plain):
        piece = mend(clause.text)
        pieces.append(piece)
        moods.append((at, at + len(piece), clause.mood))
        at += len(piece)
    return Prepared(plain, "".join(pieces), tuple(moods))


_BARE = ("未", "缺", "缺少")
_GROUP = re.compile("<([^<>]+)>")


def spelled_out(spec: str, groups: Mapping[str, Iterable[str]]) -> list[str]:
    """A spec with its groups written out, once for each order of its «&» parts. KeyError for an unknown group."""
    whole = _GROUP.sub(lambda match: "|".join(groups[match.group(1)]), spec)
    first, joined, second = whole.partition("&")
    return [f"{first}…{second}", f"{second}…{first}"] if joined else [whole]


@cache
def _as_matched(word: str) -> str:
    return mend(normalise(word))  # kept: the same words stand in many specs, and each costs some 10 µs


def _parts(spec: str) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(dict.fromkeys(_as_matched(word) for word in part.split("|") if word.strip())) for part in spec.split("…")
    )


class PatternSet:
    """Many phrases, found together. Built once from {id: specs}."""

    def __init__(self, specs: Iterable[tuple[str, Iterable[str]]], *, gap: int = GAP) -> None:
        self._gap = gap
        # first character → first word → [(id, further parts, whether the word itself says "not")]
        self._by_first: dict[str, dict[str, list[tuple[str, tuple[tuple[str, ...], ...], bool]]]] = {}
        for id_, spellings in specs:
            for spec in spellings:
                first, *rest = _parts(spec)
                for word in first:
                    words = self._by_first.setdefault(word[0], {})
                    words.setdefault(word, []).append((id_, tuple(rest), "未" in word))

    def find(self, text: str) -> Iterator[Hit]:
        """Hits in a mended text, negated ones («法兰没有漏», «禁止吸烟») left out; unordered, may overlap."""
        for character in self._by_first.keys() & set(text):
            for word, entries in self._by_first[character].items():
                start = text.find(word)
                while start >= 0:
                    for id_, rest, has_not in entries:
                        if hit := self._complete(text, id_, start, word, rest, has_not):
                            yield hit
                    start = text.find(word, start + 1)

    def _complete(
        self, text: str, id_: str, start: int, word: str, rest: tuple[tuple[str, ...], ...], has_not: bool
    ) -> Hit | None:
        end = start + len(word)
        words, places = [word], [start]
        for part in rest:
            gap = NEAR_GAP if words[-1] in _BARE else self._gap
            spots = ((text.find(w, end, end + gap + len(w)), -len(w), w) for w in part)
            found = min((spot for spot in spots if spot[0] >= 0), default=None)
            if found is None or not _SENTENCE_END.isdisjoint(text[end : found[0]]):
                return None
            at, _, w = found
            if w == "未" and _FINE.match(text, at + 1):
                return None
            if words[-1] == "未" and _FINE.match(text, at + len(w)):
                return None  # «没有护栏损坏»
            words.append(w)
            places.append(at)
            end = at + len(w)
        says_not = has_not or any("未" in w for w in words[1:])
        if not says_not and (any(negated(text, at) for at in places) or _GOOD.match(text, end)):
            return None
        return Hit(id_, start, end, tuple(words), tuple(places))


def negated(text: str, at: int) -> bool:
    """Is the word at this place of a mended text denied or forbidden just before it?"""
    return bool(_NEGATED.search(text, max(0, at - 10), at))


def without_inner(hits: Iterable[Hit]) -> list[Hit]:
    """Hits in reading order, each id once (its fullest), those whose words are part of another id's words dropped."""
    best: dict[str, Hit] = {}
    for hit in hits:
        old = best.get(hit.id)
        if old is None or (hit.said, -hit.start) > (old.said, -old.start):
            best[hit.id] = hit
    kept = [hit for hit in best.values() if not any(hit.inside(other) for other in best.values())]
    return sorted(kept, key=lambda hit: (hit.start, hit.id))


class WordFinder:
    """Longest word first, not overlapping: «二甲苯» is not also 甲苯 and 苯. Latin words need their own borders."""

    def __init__(self, meaning: Mapping[str, str]) -> None:
        self._meaning = {normalise(word): value for word, value in meaning.items()}
        ordered = sorted(self._meaning, key=len, reverse=True)
        self._pattern = re.compile(
            "|".join(rf"(?<![a-z0-9]){re.escape(w)}(?![a-z0-9])" if w.isascii() else re.escape(w) for w in ordered)
        )

    def find(self, normalised: str) -> list[tuple[str, str]]:
        """(word as found, its meaning), in reading order."""
        return [(m.group(0), self._meaning[m.group(0)]) for m in self._pattern.finditer(normalised)]
