"""docs/who-may-what.md as tables: what stands there is what is tried."""

from __future__ import annotations

from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "who-may-what.md"
Table = dict[str, dict[str, str]]
"""First cell of a row → column → cell."""


def tables() -> dict[str, Table]:
    """Heading → its table. Back-quotes are dropped."""
    found: dict[str, Table] = {}
    heading, columns = "", []
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading, columns = line.removeprefix("## ").strip(), []
        if not line.startswith("|"):
            continue
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        if not columns:
            columns = cells
        elif set(cells[0]) != {"-"}:
            found.setdefault(heading, {})[cells[0]] = dict(zip(columns[1:], cells[1:], strict=True))
    return found


def table(start: str) -> Table:
    """The table under the heading that begins so."""
    return next(rows for heading, rows in tables().items() if heading.startswith(start))
