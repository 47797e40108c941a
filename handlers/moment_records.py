"""Micro-actions outside of permits (MA-20, MA-21, MA-22) as they were done: for the page, its table and the API. Read only.

A record is one moment with its evidence; the second person's answer to a charge belongs to the record of the charge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers.moments import CASE, KINDS
from rules.terms import Role
from storage.models import Area, Person, TrailLine
from storage.people import has_role
from storage.unit_of_work import UnitOfWork

NOT_YOURS = "微动作记录由安全员、分管领导和管理员查看;发“微动作”可以看最近一天的。"
NAMES: Mapping[str, str] = dict(KINDS.values())
BEGUN = ("bonded", "charge_told", "purged")
ANSWERS = {"charge_agreed": "agreed", "charge_differs": "differs"}
RESULT_ZH: Mapping[str, str] = {
    "done": "已接地",
    "waiting": "等第二人核对",
    "agreed": "双人核对无误",
    "differs": "核对不符",
    "passed": "合格",
    "failed": "不合格",
}


@dataclass(frozen=True, slots=True)
class Record:
    """`value` and `limit` in % vol of oxygen (MA-22); `photo` the SHA-256 of the picture as it was sent (MA-21)."""

    id: int
    ref: str
    micro: str
    result: str
    area: Area
    where: str
    words: str
    at: datetime
    by: Person | None
    second: Person | None
    second_at: datetime | None
    value: float | None
    limit: float | None
    photo: str
    lines: Sequence[TrailLine]

    @property
    def name(self) -> str:
        return NAMES[self.micro]

    @property
    def result_zh(self) -> str:
        return RESULT_ZH[self.result]


def may_see(person: Person) -> bool:
    return has_role(person, Role.ADMIN) or any(
        grant.role in (Role.SAFETY_OFFICER.value, Role.EXECUTIVE.value) for grant in person.roles
    )


def page(
    work: UnitOfWork,
    *,
    micro: str | None = None,
    area_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[Record]:
    """Newest first; `before_id` goes on from the page before. `since` and `until` bound when it was begun."""
    actions = [action for action in BEGUN if micro is None or _MICRO[action] == micro]
    found = work.trail.page(CASE, actions, case_id=area_id, since=since, until=until, before_id=before_id, limit=limit)
    return _records(work, found)


def one(work: UnitOfWork, ref: str) -> Record | None:
    """The record with this reference («3.7»: id of the area, number of the line)."""
    area, _, seq = ref.partition(".")
    if not (area.isdecimal() and seq.isdecimal() and len(ref) < 24):
        return None
    line = next((row for row in work.trail.of(CASE, int(area)) if row.seq == int(seq) and row.action in BEGUN), None)
    return _records(work, [line])[0] if line is not None else None


_MICRO = {"bonded": KINDS["卸车"][0], "charge_told": KINDS["投料"][0], "purged": KINDS["置换"][0]}


def _records(work: UnitOfWork, begun: Sequence[TrailLine]) -> list[Record]:
    told = [line for line in begun if line.action == "charge_told"]
    answers: dict[tuple[int, int], TrailLine] = {}
    if told:
        later = work.trail.page(
            CASE, list(ANSWERS), case_ids={line.case_id for line in told}, since=min(t.at for t in told)
        )
        answers = {(line.case_id, int(line.data["of"])): line for line in later}
    people = {person.id: person for person in work.people.everyone()} if begun else {}
    return [_record(work, line, answers.get((line.case_id, line.seq)), people) for line in begun]


def _record(work: UnitOfWork, line: TrailLine, answer: TrailLine | None, people: Mapping[int, Person]) -> Record:
    data = line.data
    second = answer.by_id if answer is not None else data.get("second")
    return Record(
        id=line.id,
        ref=f"{line.case_id}.{line.seq}",
        micro=_MICRO[line.action],
        result=_result(line, answer),
        area=work.plant.area(line.case_id),
        where=str(data.get("where", "")),
        words=line.why,
        at=line.at,
        by=people.get(line.by_id or 0),
        second=people.get(int(second)) if second else None,
        second_at=answer.at if answer is not None else None,
        value=data.get("value"),
        limit=data.get("limit"),
        photo=str(data.get("photo", "")),
        lines=[line, *([answer] if answer is not None else [])],
    )


def _result(line: TrailLine, answer: TrailLine | None) -> str:
    if line.action == "charge_told":
        return ANSWERS[answer.action] if answer is not None else "waiting"
    if line.action == "purged":
        return "passed" if line.data["value"] <= line.data["limit"] else "failed"
    return "done"
