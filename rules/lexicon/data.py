"""The lexicon's records and their loading from the .toml files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from rules.lexicon.matching import PatternSet, WordFinder, spelled_out
from rules.sources import Mark
from rules.terms import Grade

_HERE = Path(__file__).parent
_EMERGENCY_LISTS = (
    "mask",
    "elsewhere",
    "real",
    "now",
    "not_real",
    "not_yet",
    "past",
    "today",
    "talked_of",
    "people",
    "handled",
)


class Category(StrEnum):
    """Kind of a hazard: people, things, surroundings, management (GB/T 13861-2022 has the same four)."""

    ACT = "act"
    CONDITION = "condition"
    ENVIRONMENT = "environment"
    MANAGEMENT = "management"
    UNKNOWN = "unknown"

    @property
    def zh(self) -> str:
        return {
            "act": "人的不安全行为",
            "condition": "物的不安全状态",
            "environment": "环境因素",
            "management": "管理缺陷",
            "unknown": "待核定",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One hazard phrase. major: criterion codes; major_candidate may be true with none settled."""

    id: str
    phrase_zh: str
    grade: Grade
    category: Category
    say: tuple[str, ...]
    weak: tuple[str, ...]
    major_candidate: bool
    major: tuple[str, ...]
    is_leak: bool

    @property
    def words(self) -> tuple[str, ...]:
        return self.say if "/" in self.phrase_zh else (self.phrase_zh, *self.say)


@dataclass(frozen=True, slots=True)
class Measured:
    """A number or range with its mark; low or high None means open («≥60 ℃», «<−20 ℃»). also: what others say."""

    low: float | None
    high: float | None
    mark: Mark
    also: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """An occupational limit in mg/m³. kind: MAC (ceiling), TWA (8 h), STEL (15 min)."""

    kind: str
    mg_m3: float
    mark: Mark


@dataclass(frozen=True, slots=True)
class Medium:
    """A hazardous medium. explosive_vol: LEL–UEL in % vol; flash_c in °C; hot_work "A" or "B" or None."""

    id: str
    name_zh: str
    aliases: tuple[str, ...]
    nature: frozenset[str]
    explosive_vol: Measured | None
    flash_c: Measured | None
    hot_work: str | None
    limits: tuple[Limit, ...]
    idlh_ppm: Measured | None
    density: Measured | None
    note_zh: str

    @property
    def lifts_leaks(self) -> bool:
        """Toxic or flammable: its leak is grade 1 (phrase B01)."""
        return not self.nature.isdisjoint({"toxic", "flammable"})

    @property
    def hot_work_limit_vol(self) -> float | None:
        """Combustible gas limit for hot work, % vol (GB 30871-2022 5.3.2): A 0.5, B 0.2."""
        return {"A": 0.5, "B": 0.2}.get(self.hot_work or "")


@dataclass(frozen=True, slots=True)
class EmergencyKind:
    id: str
    name_zh: str
    line_zh: str
    people: bool
    say: tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """Everything, with the finders built. Get it from lexicon(); never change it."""

    phrases: Mapping[str, Phrase]
    media: Mapping[str, Medium]
    areas: tuple[str, ...]
    equipment_kinds: tuple[str, ...]
    emergencies: tuple[EmergencyKind, ...]
    surnames: str
    emergency_words: Mapping[str, tuple[str, ...]]
    ignition_ledger: tuple[str, ...]
    near_limit_m: float
    states_zh: Mapping[str, str]
    lift_mask: tuple[str, ...]
    hot_work_words: tuple[str, ...]
    strong: PatternSet = field(repr=False)
    weak: PatternSet = field(repr=False)
    lifts: PatternSet = field(repr=False)
    danger: PatternSet = field(repr=False)
    media_words: WordFinder = field(repr=False)
    smells: WordFinder = field(repr=False)
    harmless: WordFinder = field(repr=False)
    ignition_words: WordFinder = field(repr=False)
    near_words: WordFinder = field(repr=False)
    state_words: WordFinder = field(repr=False)
    kind_words: WordFinder = field(repr=False)
    area_words: WordFinder = field(repr=False)

    def medium_named(self, name: str) -> Medium | None:
        """The medium a ledger or a person calls so; the longest name inside it counts («甲醇(99.9%)» → 甲醇)."""
        found = self.media_words.find(name.lower())
        return self.media[found[0][1]] if found else None


def read_toml(name: str) -> dict:
    with open(_HERE / name, "rb") as file:
        return tomllib.load(file)


@cache
def lexicon() -> Lexicon:
    """The lexicon, read on the first call (some 20 ms) and kept."""
    words, danger = read_toml("words.toml"), read_toml("emergency.toml")
    phrases, media = _phrases(words["groups"]), _media()
    kinds = tuple(
        EmergencyKind(k["id"], k["name"], k["line"], k.get("people", False), tuple(k["say"])) for k in danger["kind"]
    )
    ignition = words["ignition"]
    return Lexicon(
        phrases=phrases,
        media=media,
        areas=tuple(words["areas"]),
        equipment_kinds=tuple(words["equipment"]),
        emergencies=kinds,
        surnames=danger["surnames"],
        emergency_words={k: tuple(danger[k]) for k in _EMERGENCY_LISTS},
        ignition_ledger=tuple(ignition["ledger"]),
        near_limit_m=ignition["near_limit_m"],
        states_zh=words["states_zh"],
        lift_mask=tuple(words["lift"]["mask"]),
        hot_work_words=tuple(words["hot_work"]["words"]),
        strong=PatternSet((p.id, p.words) for p in phrases.values()),
        weak=PatternSet((p.id, p.weak) for p in phrases.values()),
        lifts=PatternSet((step, words["lift"][step]) for step in ("one", "red")),
        danger=PatternSet((k.id, k.say) for k in kinds),
        media_words=WordFinder({name: m.id for m in media.values() for name in (m.name_zh, *m.aliases)}),
        smells=WordFinder(words["smells"]),
        harmless=WordFinder({w: w for w in words["harmless"]["media"]}),
        ignition_words=WordFinder({w: w for w in ignition["words"]}),
        near_words=WordFinder({w: w for w in ignition["near"]}),
        state_words=WordFinder(words["states"]),
        kind_words=WordFinder({w: w for w in words["equipment"]}),
        area_words=WordFinder({w: w for w in words["areas"]}),
    )


def _phrases(groups: Mapping[str, list[str]]) -> dict[str, Phrase]:
    return {
        id_: Phrase(
            id=id_,
            phrase_zh=row["phrase"],
            grade=Grade(row["grade"]),
            category=Category(category),
            say=tuple(spec for written in row["say"] for spec in spelled_out(written, groups)),
            weak=tuple(row.get("weak", ())),
            major_candidate="major" in row,
            major=tuple(row.get("major", ())),
            is_leak=row.get("leak", False),
        )
        for category, rows in read_toml("phrases.toml").items()
        for id_, row in rows.items()
    }


def _media() -> dict[str, Medium]:
    return {
        id_: Medium(
            id=id_,
            name_zh=row["name"],
            aliases=tuple(row.get("aliases", ())),
            nature=frozenset(row["nature"]),
            explosive_vol=_measured(row.get("explosive"), "lel", "uel"),
            flash_c=_measured(row.get("flash"), "low", "high"),
            hot_work=row.get("hot_work"),
            limits=tuple(Limit(x["kind"], x["mg_m3"], Mark(x["mark"])) for x in row.get("limits", ())),
            idlh_ppm=_measured(row.get("idlh"), "ppm", "ppm"),
            density=_measured(row.get("density"), "low", "high"),
            note_zh=row.get("note", ""),
        )
        for id_, row in read_toml("media.toml").items()
    }


def _measured(row: dict | None, low: str, high: str) -> Measured | None:
    if row is None:
        return None
    return Measured(row.get(low), row.get(high), Mark(row["mark"]), row.get("also", ""))
