"""The safety measures (安全措施) of a permit: a list by work and level, each confirmed by name, some with evidence.

The rows follow the tables of appendix A of GB 30871-2022; those with a `micro` are the micro-actions (微动作) that are
asked for at the moment of the work, each with its kind of evidence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from rules.errors import RuleBroken
from rules.permit.facts import fact_dictionary
from rules.permit.spoken_numbers import wind_said
from storage.models import GasTest, Permit, PermitApproval


class Evidence(StrEnum):
    TICK = "tick"
    PHOTO = "photo"
    SKETCH = "sketch"  # a picture of the drawing
    VIDEO = "video"
    VALUE = "value"
    LIST = "list"

    @property
    def zh(self) -> str:
        return EVIDENCE_ZH[self]


EVIDENCE_ZH = {
    Evidence.TICK: "点选",
    Evidence.PHOTO: "照片",
    Evidence.SKETCH: "图纸照片",
    Evidence.VIDEO: "视频",
    Evidence.VALUE: "报数",
    Evidence.LIST: "清单",
}
HOW = {
    Evidence.TICK: "",
    Evidence.PHOTO: "请拍一张现场照片发来。",
    Evidence.SKETCH: "请把图纸(标出的管线)拍一张发来。",
    Evidence.VIDEO: "请录约10秒视频发来。",
    Evidence.VALUE: "请报风力几级,或风速几米每秒(如“3级”“4.5米每秒”)。",
    Evidence.LIST: "请用文字发清单(如“孙丽、吴涛;扳手2把、照明灯1盏”)。",
}
PICTURES = (Evidence.PHOTO, Evidence.SKETCH)
NOTHING: tuple[object, ...] = (False, "none", [])
NOT_APPLICABLE = "(不涉及)"


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure; see the head of measures.toml. `std`: the row of the form by work, "" when the form has none."""

    id: str
    work: tuple[str, ...]
    text: str
    clause: str
    std: Mapping[str, str] = field(default_factory=dict)
    micro: str = ""
    evidence: Evidence = Evidence.TICK
    level: tuple[str, ...] = ()
    only_if: tuple[str, ...] = ()
    words: str = ""
    na: bool = False
    takes: str = ""
    fresh_gas_min: int = 0
    sets: Mapping[str, Any] = field(default_factory=dict)
    na_sets: Mapping[str, Any] = field(default_factory=dict)

    def belongs_to(self, permit: Permit) -> bool:
        """Whether it stands on this work's form at this level."""
        return ("any" in self.work or permit.work in self.work) and (not self.level or permit.level in self.level)

    def concerns(self, permit: Permit) -> bool:
        """Whether it has to be asked: not when people said that there is no such thing here."""
        if any(permit.facts.get(fact) in NOTHING for fact in self.only_if if fact in permit.facts):
            return False
        return not self.words or re.search(self.words, _talk_of(permit)) is not None


def _talk_of(permit: Permit) -> str:
    """What tells of the job and its place, for words."""
    media = [*(permit.area.media if permit.area else []), permit.equipment.medium if permit.equipment else ""]
    return " ".join([permit.content, permit.method, permit.place_words, *(str(name) for name in media)])


@cache
def all_measures() -> Mapping[str, Measure]:
    with (Path(__file__).parent / "measures.toml").open("rb") as file:
        rows = tomllib.load(file)["measure"]
    found = {}
    for row in rows:
        measure = _read(row)
        strange = {*measure.sets, *measure.na_sets, *measure.only_if, *filter(None, [measure.takes])}
        if strange := strange - set(fact_dictionary()):
            raise ValueError(f"measures.toml {measure.id}: unknown facts {sorted(strange)}")
        if measure.id in found:
            raise ValueError(f"measures.toml: {measure.id} stands there twice")
        found[measure.id] = measure
    return found


def _read(row: Mapping[str, Any]) -> Measure:
    work = (row["work"],) if isinstance(row["work"], str) else tuple(row["work"])
    std = row.get("std", {})
    return Measure(
        **{
            **row,
            "work": work,
            "std": dict.fromkeys(work, std) if isinstance(std, str) else std,
            "evidence": Evidence(row.get("evidence", "tick")),
            "level": tuple(row.get("level", ())),
            "only_if": tuple(row.get("only_if", ())),
        }
    )


def measures_of(permit: Permit) -> Sequence[Measure]:
    """What has to be confirmed before this permit's work begins."""
    return [measure for measure in all_measures().values() if measure.belongs_to(permit) and measure.concerns(permit)]


def left_out(permit: Permit) -> Sequence[tuple[Measure, str]]:
    """(row of the form that is not asked, why): another level's, or people said that there is no such thing here."""
    rows = []
    for measure in all_measures().values():
        if not ("any" in measure.work or permit.work in measure.work):
            continue
        if not measure.belongs_to(permit):
            rows.append((measure, "本级不要求"))
        elif not measure.concerns(permit):
            rows.append((measure, "按申请填报"))
    return rows


def need_evidence(
    measure: Measure, permit: Permit, *, photo_sha: str, video_sha: str, said: str, at: datetime
) -> Mapping[str, Any]:
    """The facts that hold once this measure is confirmed with this evidence. Raises RuleBroken, saying what is missing."""
    if measure.evidence in PICTURES and not photo_sha:
        raise RuleBroken("photo", "这一条要拍照," + HOW[measure.evidence].removeprefix("请"), source=measure.clause)
    if measure.evidence is Evidence.VIDEO and not video_sha:
        raise RuleBroken("video", "这一条要录视频," + HOW[measure.evidence].removeprefix("请"), source=measure.clause)
    if measure.evidence is Evidence.LIST and len(said.strip()) < 2:
        raise RuleBroken("list", HOW[measure.evidence], source=measure.clause)
    facts = dict(measure.sets)
    if measure.evidence is Evidence.VALUE:
        facts[measure.takes] = read_wind(said)
    if measure.fresh_gas_min and not _fresh(permit.gas_tests, at, timedelta(minutes=measure.fresh_gas_min)):
        words = f"还没有{measure.fresh_gas_min}分钟以内的氧和可燃气体检测。请先点“报气体”报数,再拍读数照片。"
        raise RuleBroken("gas", words, source=measure.clause)
    return facts


def _fresh(tests: Sequence[GasTest], at: datetime, within: timedelta) -> bool:
    """Oxygen and the combustible gas were both measured within that time."""
    gases = {value["gas"] for test in tests if at - test.at <= within for value in test.values}
    return {"o2", "combustible"} <= gases


def read_wind(said: str) -> int:
    """«3级», «4.5米每秒», «三级» as a force of wind; of several the strongest. Raises RuleBroken."""
    force = wind_said(said)
    if force is None:
        raise RuleBroken("value", HOW[Evidence.VALUE])
    return force


@dataclass(frozen=True, slots=True)
class Micro:
    """What a row of a permit's signatures was as a micro-action; all empty for a mere signature."""

    micro: str = ""
    clause: str = ""
    evidence: str = "none"


STEPS: Mapping[str, Micro] = {
    "handover": Micro("MA-04", "企业规定", "tick"),
    "check_in": Micro("MA-10", "4.10", "check_in"),
    "start": Micro("MA-10", "4.10", "photo"),
}
FINISH: Mapping[str, Micro] = {
    "hot_work": Micro("MA-11", "5.2.14", "photo"),
    "confined_space": Micro("MA-12", "6.8 c", "list"),
}


def micro_of(row: PermitApproval) -> Micro:
    """Measures, the guardian's place, the end of fire and of entry."""
    if row.kind == "measure":
        known = all_measures().get(row.step)
        return Micro(known.micro, known.clause, known.evidence.value) if known is not None else Micro()
    if row.kind == "finish":
        return FINISH.get(row.permit.work, Micro(evidence="photo"))
    if row.kind == "start" and not row.photo_sha:
        return Micro()  # going on after a pause
    return STEPS.get(row.kind, Micro())
