"""`flask import-certificates FILE`: training and cards of the plant's people. Running permits are judged anew."""

from __future__ import annotations

from pathlib import Path

from handlers import certificates
from handlers.certificates import BadCertificate, Held
from rules.certificates import kind_of
from storage.unit_of_work import UnitOfWork
from tools.importing.table import BadRow, ImportReport, Row, read_table, take

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
        told = _held(row)
        known = work.certificates.named(person.id, told.kind, told.number)
        outcome = certificates.put(work, told, person_id=person.id, known=known, source="import")
        if outcome != "same":
            touched.add(person.id)
        work.flush()
        return outcome

    report = take(read_table(path, COLUMNS, needed=("person", "kind", "number")), one)
    certificates.touch(work, touched)
    return report


def _held(row: Row) -> Held:
    kind, number = row.text("kind", limit=48, needed="证书"), row.text("number", limit=64, needed="证书编号")
    try:
        issued, until = certificates.span(row.values.get("issued"), row.values.get("until"))
    except BadCertificate as error:
        raise BadRow(str(error)) from error
    return Held(row.values["person"], kind_of(kind), number, issued, until)
