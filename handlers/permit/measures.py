"""The safety measures (安全措施) of a permit: a list by work and level, each confirmed by name, some with a photo."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rules.permit.facts import fact_dictionary
from storage.models import Permit


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure; see the head of measures.toml."""

    id: str
    work: str
    text: str
    level: tuple[str, ...] = ()
    photo: bool = False
    na: bool = False
    sets: Mapping[str, Any] = field(default_factory=dict)
    na_sets: Mapping[str, Any] = field(default_factory=dict)


@cache
def all_measures() -> Mapping[str, Measure]:
    with (Path(__file__).parent / "measures.toml").open("rb") as file:
        rows = tomllib.load(file)["measure"]
    found = {}
    for row in rows:
        measure = Measure(**{**row, "level": tuple(row.get("level", ()))})
        if strange := (set(measure.sets) | set(measure.na_sets)) - set(fact_dictionary()):
            raise ValueError(f"measures.toml {measure.id}: unknown facts {sorted(strange)}")
        found[measure.id] = measure
    return found


def measures_of(permit: Permit) -> Sequence[Measure]:
    """What has to be confirmed before this permit's work begins."""
    return [
        measure
        for measure in all_measures().values()
        if measure.work in ("any", permit.work) and (not measure.level or permit.level in measure.level)
    ]
