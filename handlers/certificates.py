"""Training and certificates of people, from whatever feed: one row checked, put into the ledger, running permits told.

The Excel import and the training system's interface both end here, so that both obey the same rules.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from cards.words import zone
from rules.certificates import kind_of
from rules.days import read_day
from storage.models import Certificate
from storage.unit_of_work import UnitOfWork

NAMES: Mapping[str, tuple[str, ...]] = {
    "person": ("person", "employee_no", "工号", "人员编号"),
    "kind": ("kind", "type", "证书", "证书类型", "类型"),
    "number": ("number", "certificate_no", "证书编号", "编号"),
    "issued": ("issued_on", "issued", "发证日期"),
    "until": ("valid_until", "expires_on", "有效期至", "到期日期", "有效期"),
    "status": ("status", "状态"),
    "passed": ("passed", "考试合格"),
}
"""Our name → what a training system may call it."""

ENDED = ("revoked", "expired", "cancelled", "invalid", "吊销", "注销", "作废", "失效", "过期")
VALID = ("", "valid", "active", "有效", "正常")
LIMITS = {"person": 64, "kind": 48, "number": 64}
ZH = {"person": "工号", "kind": "证书", "number": "证书编号"}
GONE_AT_MOST = 5  # certificates that vanish at once without looking like a broken answer, or the share below
GONE_SHARE = 0.2

Key = tuple[int, str, str]  # person id, kind, number


class BadCertificate(ValueError):
    """This row cannot be taken; the text says why, in Chinese, with the next step."""


@dataclass(frozen=True, slots=True)
class Held:
    """One certificate as it was told. `ended`: withdrawn, or the examination was not passed."""

    person: str
    kind: str
    number: str
    issued_on: date | None = None
    valid_until: date | None = None
    ended: bool = False


@dataclass(slots=True)
class SyncReport:
    """What a synchronisation did. `gone`: no longer told of and ended here; `kept`: gone too, but too many to believe."""

    added: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    kept: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    touched: int = 0

    def count(self, outcome: str) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)


def held(row: Mapping[str, Any]) -> Held:
    """A row of a training system as a certificate. Raises BadCertificate."""
    person, kind, number = (_text(_given(row, name), name) for name in ("person", "kind", "number"))
    issued, until = span(_given(row, "issued"), _given(row, "until"))
    return Held(person, kind_of(kind), number, issued, until, _ended(_given(row, "status"), _given(row, "passed")))


def span(issued: object, until: object) -> tuple[date | None, date | None]:
    """Both dates of a certificate. Raises BadCertificate."""
    try:
        first, last = read_day(issued, "发证日期"), read_day(until, "有效期至")
    except ValueError as error:
        raise BadCertificate(str(error)) from error
    if first and last and first > last:
        raise BadCertificate("发证日期晚于有效期")
    return first, last


def _given(row: Mapping[str, Any], name: str) -> Any:
    return next((row[other] for other in NAMES[name] if row.get(other) is not None), "")


def _text(value: Any, name: str) -> str:
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not text:
        raise BadCertificate(f"缺少{ZH[name]}")
    if len(text) > LIMITS[name]:
        raise BadCertificate(f"{ZH[name]}太长,最多{LIMITS[name]}字")
    return text


def _ended(status: Any, passed: Any) -> bool:
    word = str(status).strip().lower()
    if word not in (*VALID, *ENDED):
        raise BadCertificate(f"不认识状态“{word[:16]}”,应为 valid 或 revoked")
    if passed not in ("", True, False, "是", "否", "合格", "不合格"):
        raise BadCertificate("passed 应为 true 或 false")
    return word in ENDED or passed in (False, "否", "不合格")


def put(work: UnitOfWork, one: Held, *, person_id: int, known: Certificate | None, source: str) -> str:
    """Write one certificate; says whether it was "added", "changed" or "same". The caller flushes.

    One that ended is good until yesterday at most, and stays so however often it is told again.
    """
    until = one.valid_until
    if one.ended:
        before = known.valid_until if known is not None else None
        until = min(found for found in (until, before, _yesterday(work)) if found is not None)
    values = {"issued_on": one.issued_on, "valid_until": until, "source": source}
    if known is None:
        work.db.add(Certificate(person_id=person_id, kind=one.kind, number=one.number, **values))
        return "added"
    differs = [name for name, value in values.items() if getattr(known, name) != value]
    for name in differs:
        setattr(known, name, values[name])
    return "changed" if differs else "same"


def _yesterday(work: UnitOfWork) -> date:
    return work.at.astimezone(zone()).date() - timedelta(days=1)


def take_all(work: UnitOfWork, rows: Sequence[Any], *, source: str) -> SyncReport:
    """The whole list of a training system: good rows are put in, certificates it no longer knows end; the caller commits.

    The same list twice changes nothing. Running permits of everyone whose certificate changed are judged at once. An
    answer in which everything or a large part has vanished is not believed: nothing ends, `kept` says how many.
    """
    report, seen, touched = SyncReport(), set[Key](), set[int]()
    people = {person.code: person.id for person in work.people.everyone()}
    known = work.certificates.by_key()
    readable = True
    for number, row in enumerate(rows, start=1):
        try:
            one, person_id = _of(row, people)
            key = (person_id, one.kind, one.number)
            if key in seen:
                raise BadCertificate("同一张证书在答复里出现了两次")
        except BadCertificate as bad:
            report.bad.append((number, str(bad)))
            mine = _key(row, people)
            readable = readable and mine is not None
            seen |= {mine} if mine is not None else set()
            continue
        seen.add(key)
        outcome = put(work, one, person_id=person_id, known=known.get(key), source=source)
        report.count(outcome)
        touched |= {person_id} if outcome != "same" else set()
    if readable:
        touched |= _end_what_is_gone(work, report, known, seen, source)
    work.flush()
    report.touched = touch(work, touched)
    return report


def touch(work: UnitOfWork, person_ids: Collection[int]) -> int:
    """Judge the running permits of these people at once; returns how many there are."""
    if not person_ids:
        return 0
    found = work.permit_queue.touch_people(person_ids, at=work.at)
    if found:
        work.wake.add("chat")
    return found


def _of(row: Any, people: Mapping[str, int]) -> tuple[Held, int]:
    if not isinstance(row, Mapping):
        raise BadCertificate("每一行应是一个对象")
    one = held(row)
    if one.person not in people:
        raise BadCertificate(f"没有工号“{one.person[:16]}”,请先导入人员")
    return one, people[one.person]


def _key(row: Any, people: Mapping[str, int]) -> Key | None:
    """Which certificate a row that cannot be used speaks of; None when that cannot be told.

    A person we do not know holds nothing here, so nothing of ours can be meant: (0, "", "").
    """
    if not isinstance(row, Mapping):
        return None
    try:
        person, kind, number = (_text(_given(row, name), name) for name in ("person", "kind", "number"))
    except BadCertificate:
        return None
    return (people[person], kind_of(kind), number) if person in people else (0, "", "")


def _end_what_is_gone(
    work: UnitOfWork, report: SyncReport, known: Mapping[Key, Certificate], seen: Collection[Key], source: str
) -> set[int]:
    """Certificates that came from this system and are not in its list any more end yesterday; returns whose."""
    ours = {key: row for key, row in known.items() if row.source == source}
    last_day = _yesterday(work)
    gone = [
        row for key, row in ours.items() if key not in seen and (row.valid_until is None or row.valid_until > last_day)
    ]
    if len(gone) > max(GONE_AT_MOST, GONE_SHARE * len(ours)) or (gone and not seen):
        report.kept = len(gone)
        return set()
    for row in gone:
        row.valid_until = last_day
    report.gone = len(gone)
    return {row.person_id for row in gone}
