"""What people still have to say: the facts that keep rules pending, as groups to confirm and single questions.

A group is one card with numbered statements; one tap says that all of them hold, numbers name those that do not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cards.permit import CHOICE_ZH, value_zh
from handlers.permit import gas_facts
from handlers.permit.judge import Judgement
from rules.permit import Work, gas, sample_points
from rules.permit.facts import Fact, fact_dictionary
from rules.permit.functions import height_factors
from rules.permit.spoken_numbers import numbers_in, wind_said
from rules.permit.work_words import works_in
from rules.text import normalise
from storage.models import Permit

GROUP = 6  # buttons of a card, one for each number
GROUP_CHARS = 150  # what a WeCom card shows of a text

ELSEWHERE = frozenset({
    "guardian_id", "guardian_cert_no", "guardian_training_passed", "guardian_cert_expiry", "guardian_cert_issued",
    "guardian_active_sites", "guardian_on_site", "guardian_is_worker", "worker_ids", "ticket_status",
    "approver_on_site", "approver_rank", "approver_role", "required_rank", "briefing_done", "measures_confirmed",
    "shift_leader_checked", "countersigns_missing", "operator_cert_valid", "now", "today", "start_time", "end_time",
    "entry_time", "valid_from", "valid_to", "valid_hours", "valid_days", "last_analysis_time", "last_analysis_date",
    "gas_reading", "gas_reading_vol", "toxic_ratio", "toxic_readings", "limit_vol", "interrupt_minutes",
    "interrupted_at", "analysed_after_interrupt", "minutes_since_record", "last_record_time", "trend3h_count",
    "trend3h_max_vol", "trend3h_last_vol", "trend3h_slope", "level", "closing", "upgraded", "is_night",
    "acceptance_signed", "residual_fire_checked", "for_work_end", "gas_ok", "confined_ticket", "tickets_held",
    "ticket_keep_days", "video_keep_days", "night_or_bad_weather",
})  # fmt: skip
"""Facts that come from a step of their own (people, gas test, signatures), from the clock or from other facts."""

GATES: Mapping[str, str] = {
    "flush_water_distance": "corrosive_medium",
    "coordinator_id": "cross_work",
    "inside_equipment_analysed": "on_equipment_wall",
    "sample_positions": "large_equipment",
    "isolation_method": "contained_hazard",
    "leak_source_isolated": "leak_source_distance",
    "drains_covered": "drains_nearby",
    "welder_as_fire_point": "welder_distance",
    "draining_or_sampling": "in_tank_dike",
    "cylinder_gap": "cylinders_used",
    "cylinder_fire_distance": "cylinders_used",
    "acetylene_upright": "cylinders_used",
    "flashback_arrestor": "cylinders_used",
    "power_locked": "has_rotating_part",
    "supplied_air": "sludge_cleaning",
    "barrier": "stacked_work",
    "fall_height": "stacked_work",
    "double_barrier": "stacked_work",
    "boards_fixed": "light_roof",
    "anti_slip": "raining_or_snowing",
    "dg_train_present": "rail_distance",
    "unit_stable": "under_pressure_unpurged",
    "upper_switch_locked": "connecting",
    "portable_detector": "toxic_gas_medium",
    "waiver_approver_role": "stopped_unit_waiver",
    "flammable_stored": "in_major_hazard_dike",
    "camera_ex_proof": "video_recording",
}
"""Detail → the question before it: a detail is asked only when that answer does not settle the rule already."""

ALWAYS_GATE = {"confined_space": {"isolation_method"}}
"""Works whose rule asks for the detail whatever the gate says."""

WIND_MATTERS = (Work.HOT_WORK.value, Work.LIFTING.value)

STABLE = frozenset({
    "on_pipe_rack", "contained_hazard", "corrosive_medium", "flush_water_distance", "drains_nearby", "oxygen_service",
    "thermal_decomposition_material", "large_equipment", "rail_distance", "outdoor", "has_rotating_part",
    "wet_or_narrow", "hazardous_buried", "toxic_gas_medium", "leak_source_distance", "over_road", "light_roof",
    "height", "fall_height", "oxygen_rich_setting", "gas_lel_vol", "medium",
    "lighting_voltage", "pipe_distance", "cable_distance",
})  # fmt: skip
"""What a place keeps from one job to the next; only these are offered again. Weather and open valves never are, nor is
the date of a meter, which goes about."""

ANSWERS: Mapping[str, bool] = {
    "是": True, "有": True, "对": True, "要": True, "需要": True, "yes": True,
    "否": False, "没有": False, "无": False, "不是": False, "不": False, "不要": False, "没": False, "no": False,
}  # fmt: skip
NO_METER = "不用检测仪"
NEVER_ENDS = "9998-12-31"  # nothing is measured for this work, so nothing can be out of calibration (G-019)
WEIGHTY = frozenset({
    "work_plan_approved", "plan_approved", "isolation_method", "traffic_plan", "underground_confirmed",
    "under_pressure_unpurged", "plate_action",
})  # fmt: skip
"""Answers that stand for a paper or a life: asked one by one, never confirmed in passing with five others."""

MAY_NOT_APPLY = frozenset({
    "acetylene_upright", "connecting", "corrosive_medium", "cross_work", "dg_train_present", "draining_or_sampling",
    "drains_nearby", "flashback_arrestor", "has_rotating_part", "light_roof", "machine_digging", "over_road",
    "oxygen_service", "sludge_cleaning", "solvent_work_vertical", "special_load", "stopped_unit_waiver",
})  # fmt: skip
"""Yes-or-no facts about a thing that need not be there, where its absence is harmless; «不适用» answers no other one."""

NOT_APPLICABLE = ("不适用", "不涉及", "不用", "没有这项")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to say. `proposed` None: a value has to be named; `remembered`: it was the answer last time."""

    fact: str
    label: str
    proposed: Any
    remembered: bool

    @property
    def statement(self) -> str:
        text = f"{self.label}:{value_zh(self.fact, self.proposed)}"
        return text + "(上次)" if self.remembered else text


class NotUnderstood(ValueError):
    """The answer cannot be read; the text is Chinese and says how to answer."""


def open_questions(permit: Permit, judged: Judgement, remembered: Mapping[str, Any]) -> list[Question]:
    """What to ask now, gates before details; details whose gate is still open wait for it."""
    missing = [*judged.level.missing, *judged.verdict.missing]
    if permit.work in WIND_MATTERS and "wind_force" in judged.gathered.machine:
        missing.append("outdoor")  # a calm hour does not need it, the next gust does
    elsewhere = ELSEWHERE | ({"oxygen_vol"} if permit.work == Work.CONFINED_SPACE.value else set())
    wanted = dict.fromkeys(name for name in missing if name not in elsewhere)
    asked: dict[str, Question] = {}
    for name in wanted:
        gate = GATES.get(name)
        if gate and name not in ALWAYS_GATE.get(permit.work, ()) and judged.gathered.facts.get(gate) is None:
            name = gate
        if name not in asked and judged.gathered.facts.get(name) is None:
            asked[name] = question(name, remembered)
    return list(asked.values())


def question(name: str, remembered: Mapping[str, Any]) -> Question:
    fact = fact_dictionary()[name]
    if name in STABLE and remembered.get(name) not in (None, gas_facts.NOTHING_BURNS, gas_facts.NOTHING_BURNT):
        return Question(name, fact.zh, remembered[name], True)
    return Question(name, fact.zh, _proposal(fact), False)


def _proposal(fact: Fact) -> Any:
    """The statement to confirm: the harmless case. Numbers, dates and names are never put into people's mouths."""
    if fact.name in WEIGHTY:
        return None
    if fact.name == "cylinders_used":
        return False
    if fact.type in ("bool", "choice", "list"):
        return fact.good
    if fact.type == "distance":
        return fact.good
    return fact.good if fact.type == "int" and fact.good == 1 else None


def groups(questions: Sequence[Question]) -> list[list[Question]]:
    """Statements in groups of six at most; a question whose value must be named is a group of its own, after them."""
    parts: list[list[Question]] = []
    for one in (one for one in questions if one.proposed is not None):
        full = not parts or len(parts[-1]) == GROUP
        if full or sum(len(other.statement) + 4 for other in parts[-1]) + len(one.statement) + 3 > GROUP_CHARS:
            parts.append([])
        parts[-1].append(one)
    return [*parts, *([one] for one in questions if one.proposed is None)]


# -- reading answers


def how_to_answer(name: str) -> str:
    fact = fact_dictionary()[name]
    if name == "gas_lel_vol":
        return "附近有哪种可燃介质?说名字,如“甲醇”;没有就说“没有”。"
    if name == "medium":
        return "附近有哪种可燃介质?说名字,如“甲醇”。"
    if name == "involved_works":
        return "还涉及哪些特殊作业?如“受限空间、高处”;没有就说“没有”。"
    if name == "waiver_approver_role":
        return "全部停车装置按二级办理,由谁批准?提交后由他会签(5.1.4)。"
    if fact.type == "bool":
        return f"{fact.zh}?"
    if fact.type in ("number", "int", "distance"):
        none = ",没有就说“没有”" if fact.type == "distance" else ""
        return f"{fact.zh}是多少{fact.unit}?说个数{none}。"
    if fact.type in ("expiry", "date"):
        return f"{fact.zh}是哪天?如 2027-06-30。"
    return f"{fact.zh}?"


def read(name: str, text: str, *, no_meter: bool = False) -> dict[str, Any]:
    """The facts a typed answer sets; `no_meter`: nothing has to be measured. Raises NotUnderstood with how to say it."""
    fact, plain = fact_dictionary()[name], re.sub(r"[。.!!\s]+$", "", normalise(text))
    if name == "detector_calibration_expiry" and plain in (NO_METER, "不用", "没用", "没有"):
        if not no_meter:
            raise NotUnderstood(f"这项作业要做气体分析,须用检定有效的检测仪。{how_to_answer(name)}")
        return {name: NEVER_ENDS}
    if name in ("gas_lel_vol", "medium"):
        return _medium(plain)
    if plain in NOT_APPLICABLE:
        return {name: _not_applicable(fact)}
    reader = {"bool": _bool, "number": _number, "int": _number, "distance": _distance, "list": _list}.get(fact.type)
    if reader is not None:
        return {name: reader(fact, plain)}
    if fact.type in ("expiry", "date"):
        return {name: _date(plain)}
    if name in CHOICE_ZH:
        return {name: _choice(fact, plain)}
    if not plain:
        raise NotUnderstood(how_to_answer(name))
    return {name: text.strip()[:64]}


def _not_applicable(fact: Fact) -> Any:
    """«不适用» where it means that there is no such thing; never a number, a paper or a duty."""
    if fact.type == "distance":
        return "none"
    if fact.name in MAY_NOT_APPLY or (fact.type == "list" and fact.good == []):
        return fact.good
    raise NotUnderstood(f"这一条不能答“不适用”。{how_to_answer(fact.name)}")


_PLACE = re.compile(r"\d{1,4}\s*[号#]")
_BOUND = re.compile(r"超过|大于|高于|不止|至少|以上|以下|以内|不到|小于|低于|[<>≤≥]|[\d十百千][来几余多]")


def _medium(plain: str) -> dict[str, Any]:
    if plain in ("没有", "无", "没", *NOT_APPLICABLE):
        return {"gas_lel_vol": gas_facts.NOTHING_BURNS}  # then nobody knows what the meter shows: the strict limit
    medium = gas.find_medium(plain)
    if medium is None or medium.lel_vol is None:
        raise NotUnderstood("没认出这种介质,请说“甲醇”“天然气”这样的名字,或直接说爆炸下限(如 5.5)")
    return {"medium": medium.zh}


def _bool(fact: Fact, plain: str) -> bool:
    if plain not in ANSWERS:
        raise NotUnderstood(f"{fact.zh}:请回答“是”或“否”")
    return ANSWERS[plain]


def _number(fact: Fact, plain: str) -> float | int:
    if fact.name == "wind_force":
        found: Sequence[float] = [force] if (force := wind_said(plain)) is not None else []
    else:
        found = numbers_in(_PLACE.sub("", plain))
    if len(found) > 1 or _BOUND.search(plain):  # «2到20米», «1e9»: which end counts differs from rule to rule
        raise NotUnderstood(f"{fact.zh}:请只说一个数({fact.unit}),有几个的说最不利的那个")
    value = found[0] if found else math.nan
    if not (fact.min <= value <= fact.max):
        raise NotUnderstood(f"{fact.zh}:请说一个数({fact.unit}),如“{max(1, int(fact.min))}”")
    if fact.type == "int":
        if value != int(value):
            raise NotUnderstood(f"{fact.zh}:请说整数")
        return int(value)
    return value


def _distance(fact: Fact, plain: str) -> float | str:
    if plain in ANSWERS and ANSWERS[plain] is False:
        return "none"
    return _number(fact, plain)


def _list(fact: Fact, plain: str) -> list[str]:
    if plain in ANSWERS and ANSWERS[plain] is False:
        return []
    if fact.name == "involved_works":
        found = [*works_in(plain), *(kind.value for kind in Work if kind.zh in plain)]
    elif fact.name == "sample_positions":
        found = [point for point in sample_points.points_said(plain) if point in sample_points.POSITIONS]
    else:
        found = [key for key in height_factors() if not key.isascii() and key in plain]
    if not found:
        raise NotUnderstood(f"{fact.zh}:没听懂,请换个说法;没有就说“没有”")
    return sorted(set(found))


def _date(plain: str) -> str:
    parts = re.findall(r"\d+", plain)
    try:
        return date(*(int(part) for part in parts[:3])).isoformat()
    except (TypeError, ValueError, OverflowError):
        raise NotUnderstood("日期请写成 2027-06-30 这样") from None


def _choice(fact: Fact, plain: str) -> str:
    by_word = {
        **{value: value for value in (*fact.values, *CHOICE_ZH[fact.name])},
        **{zh: key for key, zh in CHOICE_ZH[fact.name].items()},
    }
    longest = sorted(by_word.items(), key=lambda pair: -len(pair[0]))  # «管架» before «管»
    found = next((key for word, key in longest if word in plain), None)
    if found is None:
        raise NotUnderstood(f"{fact.zh}:请从列表里选一个")
    return found


def choices(name: str, *, no_meter: bool = False) -> list[tuple[str, str]]:
    """(label, answer) to tap for a single question."""
    fact = fact_dictionary()[name]
    if fact.type == "bool":
        return [("是", "是"), ("否", "否"), *([("不适用", "不适用")] if name in MAY_NOT_APPLY else [])]
    if name in CHOICE_ZH:
        return [(zh, key) for key, zh in CHOICE_ZH[name].items()][:6]
    if name == "detector_calibration_expiry":
        return [("不用检测仪", NO_METER)] if no_meter else []
    if fact.type in ("distance", "list"):
        return [("没有", "没有")]
    return []
