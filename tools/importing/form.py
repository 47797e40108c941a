"""Reading a form as people draw it: a title above, a heading of one or two lines, merged cells, a footer to sign.

`table.py` reads plain tables; a form needs the merged cells, which openpyxl's read-only mode does not tell.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from tools.importing.table import MAX_ROWS, Row, TableError, cells_of, text_of

HEADING_WITHIN = 15  # rows
MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED = 400 * 1024 * 1024  # a workbook is a ZIP: what 20 MB may become
FOOTER = re.compile(r"^(编制|编写|审核|批准|审批|填表|制表|注[:：]|说明[:：])")
Grid = list[list[str]]


def read_form(
    path: Path, columns: Mapping[str, str], *, needed: Sequence[str], fill_down: Sequence[str] = ()
) -> list[Row]:
    """The rows below the heading. `columns`: our name → pattern of the headings that mean it, in order of preference.

    A merged cell stands in each of its rows; an empty cell of a `fill_down` column takes the value above it.
    Raises TableError.
    """
    grids = _grids(path)
    for grid in grids:
        at, where = _heading(grid, columns)
        if all(name in where for name in needed):
            return _rows(grid[at:], where, first=at + 1, fill_down=fill_down)
    best = max((_heading(grid, columns)[1] for grid in grids), key=len, default={})
    missing = "、".join(columns[name].split("|")[0].strip("^()?") for name in needed if name not in best)
    raise TableError(f"{path.name} 前{HEADING_WITHIN}行里没有找到表头,至少要有:{missing}")


def _rows(lines: Grid, where: Mapping[str, int], *, first: int, fill_down: Sequence[str]) -> list[Row]:
    rows, above = [], dict.fromkeys(fill_down, "")
    for number, cells in enumerate(lines, start=first):
        filled = [cell for cell in cells if cell]
        if not filled or FOOTER.match(filled[0]):
            continue
        values = {name: (cells[at] if at < len(cells) else "") for name, at in where.items()}
        if len(set(filled)) == 1 and sum(1 for value in values.values() if value) != 1:
            continue  # one cell over the whole width: a section's title
        for name in fill_down:
            values[name] = above[name] = values.get(name) or above[name]
        rows.append(Row(number, values))
    return rows


def _heading(grid: Grid, columns: Mapping[str, str]) -> tuple[int, dict[str, int]]:
    """(index of the first row below the heading, our name → column). The row or pair of rows that says most wins."""
    best: tuple[int, dict[str, int]] = (0, {})
    for at in range(min(HEADING_WITHIN, len(grid))):
        for depth in (1, 2):
            if at + depth > len(grid):
                continue
            found = _columns(_titles(grid[at : at + depth]), columns)
            if len(found) > len(best[1]):
                best = (at + depth, found)
    return best


def _titles(lines: Grid) -> list[tuple[str, str]]:
    """(what stands above, the title itself) of each column; the lower line speaks where it says something."""
    width = max(len(line) for line in lines)
    padded = [[*map(_key, line), *[""] * (width - len(line))] for line in lines]
    if len(padded) == 1:
        return [("", title) for title in padded[0]]
    upper, lower = padded
    return [(above if below else "", below or above) for above, below in zip(upper, lower, strict=True)]


def _columns(titles: Sequence[tuple[str, str]], columns: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    taken: set[int] = set()
    for name, pattern in columns.items():
        wanted = re.compile(pattern)
        for at, (above, title) in enumerate(titles):
            alone = title and wanted.search(title)
            if at not in taken and (alone or (above and title and above != title and wanted.search(above + title))):
                found[name] = at
                taken.add(at)
                break
    return found


def _key(cell: str) -> str:
    """A heading without spaces, line breaks and brackets, in half-width and lower case."""
    return re.sub(r"[\s()\[\]【】*_/、,:]", "", unicodedata.normalize("NFKC", cell)).lower()


def _grids(path: Path) -> list[Grid]:
    data = path.read_bytes() if path.exists() else b""
    if len(data) > MAX_BYTES:
        raise TableError(f"{path.name} 超过{MAX_BYTES // 1024 // 1024} MB,请只留评价表再导入")
    if data[:4] != b"PK\x03\x04":
        return [[list(line) for line in cells_of(path)]]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(item.file_size for item in packed.infolist()) > MAX_UNPACKED:
                raise TableError(f"{path.name} 解压后太大,请重新另存为 xlsx")
        book = load_workbook(io.BytesIO(data), data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise TableError(f"{path.name} 打不开,请用 Excel 或 WPS 重新另存为 xlsx") from error
    return [_unmerged(sheet, path) for sheet in book.worksheets]


def _unmerged(sheet: Any, path: Path) -> Grid:
    if sheet.max_row > MAX_ROWS:
        raise TableError(f"{path.name} 超过{MAX_ROWS}行,请分成几个文件")
    grid = [[text_of(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    for area in sheet.merged_cells.ranges:
        value = grid[area.min_row - 1][area.min_col - 1]
        for row in range(area.min_row - 1, min(area.max_row, len(grid))):
            for column in range(area.min_col - 1, min(area.max_col, len(grid[row]))):
                grid[row][column] = value
    return grid
