"""What stands on a permit's sheet, as plain values: whoever has the rows fills it in, the drawing knows no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SheetPerson:
    name: str
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class SheetGas:
    """One analysis: `gas` and `result` as shown («可燃气体», «0.10 %vol»)."""

    at: datetime
    gas: str
    result: str
    by: str = ""
    point: str = ""


@dataclass(frozen=True, slots=True)
class SheetMeasure:
    """`involved` None: not confirmed yet, False: does not apply. `row`: its number on the standard's form, if any."""

    text: str
    involved: bool | None = None
    by: str = ""
    at: datetime | None = None
    row: str = ""
    proof: str = ""


@dataclass(frozen=True, slots=True)
class SheetOpinion:
    """A box to sign: what it is called, what was said, by whom, when; empty boxes are printed empty."""

    title: str
    words: str = ""
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PermitSheet:
    """`work` as in rules.permit.Work; `own` holds the boxes only this work has, by the keys of forms.toml."""

    number: str
    work: str
    level: str
    state: str
    plant: str
    verify_url: str
    printed_at: datetime
    applicant_unit: str = ""
    applicant: str = ""
    applied_at: datetime | None = None
    place: str = ""
    content: str = ""
    work_unit: str = ""
    leader: str = ""
    guardian: SheetPerson = SheetPerson("")
    workers: Sequence[SheetPerson] = ()
    related: Sequence[str] = ()
    hazards: Sequence[str] = ()
    start: datetime | None = None
    end: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    gas: Sequence[SheetGas] = ()
    measures: Sequence[SheetMeasure] = ()
    briefer: str = ""
    briefed: Sequence[str] = ()
    opinions: Sequence[SheetOpinion] = ()
    verdict: str = ""
    verdict_basis: str = ""
    own: Mapping[str, str] = field(default_factory=dict)
