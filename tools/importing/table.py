"""Reading a table: CSV (UTF-8 or GB18030) or XLSX, Chinese or English column names; each row with its number."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

MAX_ROWS = 50_000


class TableError(Exception):
    """The file cannot be read as a table at all; the text says why, in Chinese."""


class BadRow(Exception):
    """This row cannot be imported; the text says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Row:
    number: int  # as the spreadsheet counts: the heading is row 1
    values: Mapping[str, str]

    def text(self, name: str, *, limit: int, needed: str = "") -> str:
        """The cell's text. Raises BadRow when it is too long, or missing though `needed` (its Chinese name)."""
        value = self.values.get(name, "")
        if needed and not value:
            raise BadRow(f"缺少{needed}")
        if len(value) > limit:
            raise BadRow(f"“{value[:12]}…”太长,最多{limit}字")
        return value

    def has(self, name: str) -> bool:
        """Whether the table has this column."""
        return name in self.values

    def many(self, name: str) -> list[str]:
        """Parts between ; , 、 or |, as Chinese tables write them."""
        value = self.values.get(name, "")
        for sign in "\uff1b\u3001,\uff0c|\n":  # ; 、 , and the plain ones
            value = value.replace(sign, ";")
        return [part.strip() for part in value.split(";") if part.strip()]


@dataclass(slots=True)
class ImportReport:
    """What an import did. `bad` rows were left out, everything else is in."""

    added: int = 0
    changed: int = 0
    same: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)  # rows that came in, with what a person has to look at
    unparked: int = 0  # messages of people who were unknown before

    @property
    def taken(self) -> int:
        return self.added + self.changed + self.same


def read_table(path: Path, columns: Mapping[str, Sequence[str]], *, needed: Sequence[str]) -> list[Row]:
    """The rows of the file. `columns`: our name → the headings that mean it; `needed`: names that must be there.

    Raises TableError.
    """
    raw = list(cells_of(path))
    while raw and not any(raw[0]):
        raw.pop(0)
    if not raw:
        raise TableError(f"{path.name} 是空的")
    heading = [_key(cell) for cell in raw[0]]
    where = {name: _column(heading, [name, *also]) for name, also in columns.items()}
    missing = [columns[name][0] for name in needed if where[name] is None]
    if missing:
        raise TableError(
            f"{path.name} 缺少这些列:{'、'.join(missing)};表头应为:{' '.join(c[0] for c in columns.values())}"
        )
    if len(raw) > MAX_ROWS + 1:
        raise TableError(f"{path.name} 超过{MAX_ROWS}行,请分成几个文件")
    rows = []
    for number, cells in enumerate(raw[1:], start=2):
        if any(cells):
            found = {n: (cells[at] if at < len(cells) else "") for n, at in where.items() if at is not None}
            rows.append(Row(number, found))
    return rows


def _key(heading: str) -> str:
    return "".join(heading.lower().split()).replace("_", "").replace("*", "")


def _column(heading: Sequence[str], names: Iterable[str]) -> int | None:
    wanted = {_key(name) for name in names}
    return next((at for at, found in enumerate(heading) if found in wanted), None)


def cells_of(path: Path) -> Iterable[list[str]]:
    """Every cell of the file as text, merged ones only where they begin. Raises TableError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TableError(f"读不到文件 {path}:{error.strerror}") from error
    if data[:4] == b"PK\x03\x04":
        return _workbook(path, data)
    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise TableError(f"{path.name} 是旧的 xls 格式,请另存为 xlsx 或 csv")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
    raise TableError(f"{path.name} 的编码认不出来,请另存为 UTF-8 的 csv 或 xlsx")


def _workbook(path: Path, data: bytes) -> list[list[str]]:
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise TableError(f"{path.name} 打不开,请用 Excel 或 WPS 重新另存为 xlsx") from error
    try:
        sheet = book.worksheets[0]
        return [[text_of(cell) for cell in row] for row in sheet.iter_rows(values_only=True, max_row=MAX_ROWS + 2)]
    finally:
        book.close()


def text_of(cell: Any) -> str:
    """A staff number typed as a number stays «1001», not «1001.0»."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat()
    return str(cell).strip()


def take(rows: Iterable[Row], one: Callable[[Row], str]) -> ImportReport:
    """Run `one` over the rows; it returns "added", "changed" or "same", or raises BadRow."""
    report = ImportReport()
    for row in rows:
        try:
            outcome = one(row)
        except BadRow as bad:
            report.bad.append((row.number, str(bad)))
            continue
        setattr(report, outcome, getattr(report, outcome) + 1)
    return report


def put(target: Any, values: Mapping[str, Any], *, new: bool) -> str:
    """Write the values onto the row; says what that was."""
    differs = [name for name, value in values.items() if getattr(target, name) != value]
    for name in differs:
        setattr(target, name, values[name])
    return "added" if new else "changed" if differs else "same"


def yes(value: str) -> bool:
    """是/否 as tables say it. Raises BadRow for anything else."""
    if value.lower() in ("是", "有", "y", "yes", "true", "1"):
        return True
    if value.lower() in ("", "否", "无", "n", "no", "false", "0"):
        return False
    raise BadRow(f"“{value[:10]}”应为 是 或 否")


def number(value: str, name: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise BadRow(f"{name}“{value[:16]}”不是数字") from error
