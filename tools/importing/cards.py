"""`flask import-cards FILE` and `flask export-cards FILE`: experience cards as a table that a veteran can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpyxl import Workbook

from handlers.knowledge import actions, ear, starter
from rules import knowledge as rules
from rules.knowledge import CardState
from search import unsafe_advice
from storage.models import KnowledgeCard, Person
from storage.unit_of_work import UnitOfWork
from tools.importing.table import BadRow, ImportReport, Row, put, read_table, take, yes

COLUMNS = {
    "code": ("编号", "id"),
    "title": ("声音或征兆", "声音/征兆", "声音", "征兆"),
    "kind": ("设备", "设备类型"),
    "cause": ("怀疑", "多半是", "原因"),
    "first_action": ("先做", "先做什么"),
    "danger_sign": ("危险信号", "危险"),
    "sayings": ("口语说法", "说法"),
    "author": ("作者工号", "作者"),
    "named": ("署名",),
    "reviewer": ("审核人工号", "审核人"),
    "state": ("状态",),
}
EXPORT_ONLY = ("版次", "来源", "看过", "有用", "不是这个")
LIMITS = {"title": 200, "kind": 64, "cause": 300, "first_action": 300, "danger_sign": 300}
NEEDED = {"title": "声音或征兆", "cause": "怀疑", "first_action": "先做"}
STATES = {"": None, "已发布": CardState.PUBLISHED, "待审核": CardState.IN_REVIEW, "已停用": CardState.RETIRED}


def import_cards(work: UnitOfWork, path: Path) -> ImportReport:
    """Add cards, or change those whose number is known; the caller commits. Raises TableError.

    A new card is published when the table names its reviewer, else it waits for one («待审经验»). The starter pack is
    loaded first, so that a table may speak of K01.
    """
    starter.load(work)
    seen: set[str] = set()

    def one(row: Row) -> str:
        code = row.text("code", limit=16).upper()
        if code and code in seen:
            raise BadRow(f"编号 {code} 在表里出现了两次")
        known = work.knowledge.by_code(code) if code else None
        if code and known is None:
            raise BadRow(f"没有编号 {code} 的卡;新卡请把编号留空")
        values = _values(work, row, known)
        seen.add(code)
        return _write(work, known, values)

    return take(read_table(path, COLUMNS, needed=("title", "cause", "first_action")), one)


def _values(work: UnitOfWork, row: Row, known: KnowledgeCard | None) -> dict[str, Any]:
    values: dict[str, Any] = {n: row.text(n, limit=limit, needed=NEEDED.get(n, "")) for n, limit in LIMITS.items()}
    for name in ("kind", "danger_sign"):
        if known is not None and not row.has(name):
            values[name] = getattr(known, name)  # a column that the table does not have is left as it is
    values["sayings"] = row.many("sayings") if row.has("sayings") or known is None else known.sayings
    if row.has("author"):
        values["author"] = _person(work, row, "author", "作者")
    if row.has("named"):
        values["named"] = yes(row.text("named", limit=4))
    reviewer = _person(work, row, "reviewer", "审核人") if row.has("reviewer") else None
    if reviewer is not None:
        author = values.get("author", known.author if known is not None else None)
        if reviewer is author:
            raise BadRow("作者不能审核自己的卡")
        values["reviewed_by"] = reviewer
    values["state"] = _state(row, known, reviewed=reviewer is not None).value
    probe = KnowledgeCard(
        code="X", shown=0, used=0, solved=0, features={}, **{n: values[n] for n in (*LIMITS, "sayings")}
    )
    reasons = unsafe_advice(ear.as_search_card(probe))
    if reasons:
        raise BadRow(f"“先做”{reasons[0]},请改了再导入")
    return values


def _person(work: UnitOfWork, row: Row, name: str, zh: str) -> Person | None:
    given = row.text(name, limit=64)
    if not given:
        return None
    person: Person | None = work.people.by_code(given)
    if person is None:
        raise BadRow(f"{zh}“{given[:16]}”不在名册里,请填工号")
    return person


def _state(row: Row, known: KnowledgeCard | None, *, reviewed: bool) -> CardState:
    given = row.text("state", limit=8)
    if given not in STATES:
        raise BadRow(f"状态“{given}”应为 已发布、待审核 或 已停用")
    wish = STATES[given]
    if known is not None:
        now = CardState(known.state)
        if wish is not None and wish is not now:
            if wish not in (CardState.PUBLISHED, CardState.RETIRED) or now not in (
                CardState.PUBLISHED,
                CardState.RETIRED,
            ):
                raise BadRow(f"{known.code} 现在是“{now.zh}”,不能用表格改成“{wish.zh}”")
            return wish
        return now
    if wish is CardState.PUBLISHED and not reviewed:
        raise BadRow("要直接发布,请填审核人工号;不填就先待审核")
    return wish or (CardState.PUBLISHED if reviewed else CardState.IN_REVIEW)


def _write(work: UnitOfWork, known: KnowledgeCard | None, values: dict[str, Any]) -> str:
    if known is not None:
        if all(getattr(known, name) == value for name, value in values.items()):
            return "same"
        work.knowledge.touch(known)
        words = any(getattr(known, n) != values[n] for n in (*LIMITS, "sayings"))
        if words:
            known.edition += 1
            known.features = {}  # read from the new words; those named by hand belonged to the old ones
        put(known, values, new=False)
        _settle(work, known)
        work.flush()
        actions.leave(work, known, "imported", by=None, was=known.state, via="import")
        return "changed"
    card = KnowledgeCard(
        code=work.knowledge.next_code(),
        origin="sheet",
        edition=1,
        features={},
        photos=[],
        also_by=[],
        created_at=work.at,
    )
    put(card, values, new=True)
    work.knowledge.touch(card)
    _settle(work, card)
    work.knowledge.add(card)
    actions.leave(work, card, "imported", by=None, was="", via="import")
    return "added"


def _settle(work: UnitOfWork, card: KnowledgeCard) -> None:
    """Times that go with the state."""
    if card.state == CardState.PUBLISHED.value and card.published_at is None:
        card.published_at = work.at
    if card.reviewed_by is not None:
        card.reviewed_at, card.valid_until = work.at, work.at + rules.VALID_FOR


def export_cards(work: UnitOfWork, path: Path) -> int:
    """Write every card but drafts as XLSX, in the columns that import reads; returns how many."""
    book = Workbook()
    sheet = book.active
    if sheet is None:
        raise RuntimeError("a new workbook has no sheet")
    sheet.title = "经验卡"
    sheet.append([names[0] for names in COLUMNS.values()] + list(EXPORT_ONLY))
    rows = [card for card in work.knowledge.all() if CardState(card.state).zh in STATES]
    people = {p.id: p.code for p in work.people.all_active()}
    for at, card in enumerate(rows, start=2):
        for column, value in enumerate(_cells(card, people), start=1):
            cell = sheet.cell(at, column, value)
            if isinstance(value, str):
                cell.data_type = "s"  # words that begin with = stay words
    sheet.freeze_panes = "B2"
    book.save(path)
    return len(rows)


def _cells(card: KnowledgeCard, people: dict[int, str]) -> list[Any]:
    author = people.get(card.author_id, "") if card.author_id is not None else ""
    reviewer = people.get(card.reviewed_by_id, "") if card.reviewed_by_id is not None else ""
    origin = starter.MARK if starter.unconfirmed(card) else card.origin
    return [
        card.code,
        card.title,
        card.kind,
        card.cause,
        card.first_action,
        card.danger_sign,
        ";".join(str(saying) for saying in card.sayings),
        author,
        "是" if card.named else "否",
        reviewer,
        CardState(card.state).zh,
        card.edition,
        origin,
        card.shown,
        card.used,
        card.rejected,
    ]
