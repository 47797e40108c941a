"""`flask import-certificates FILE`: training and cards of the plant's people. Running permits are judged anew."""

from __future__ import annotations

from pathlib import Path

from rules.certificates import kind_of
from storage.models import Certificate
from storage.unit_of_work import UnitOfWork
from tools.importing.detectors import day
from tools.importing.table import BadRow, ImportReport, Row, put, read_table, take

COLUMNS = {
    "person": ("工号", "人员编号"),
    "kind": ("证书", "类型", "证书类型"),
    "number": ("证书编号", "编号"),
    "issued": ("发证日期",),
    "until": ("有效期至", "到期日期", "有效期"),
}


def import_certificates(work: UnitOfWork, path: Path) -> ImportReport:
    """Add or change certificates by person, kind and number; the caller commits. Raises TableError."""
    touched: set[int] = set()

    def one(row: Row) -> str:
        person = work.people.by_code(row.text("person", limit=64, needed="工号"))
        if person is None:
            raise BadRow(f"没有工号“{row.values['person'][:16]}”,请先导入人员")
        kind = kind_of(row.text("kind", limit=48, needed="证书"))
        serial = row.text("number", limit=64, needed="证书编号")
        issued, until = day(row, "issued", "发证日期"), day(row, "until", "有效期至")
        values = {"issued_on": issued, "valid_until": until, "source": "import"}
        if issued and until and issued > until:
            raise BadRow("发证日期晚于有效期")
        known = work.certificates.named(person.id, kind, serial)
        item = known or Certificate(person_id=person.id, kind=kind, number=serial)
        outcome = put(item, values, new=known is None)
        if known is None:
            work.db.add(item)
        if outcome != "same":
            touched.add(person.id)
        work.flush()
        return outcome

    report = take(read_table(path, COLUMNS, needed=("person", "kind", "number")), one)
    if touched:
        work.permits.touch_people(touched, at=work.at)
    return report
