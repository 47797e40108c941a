"""The decisions are numbered without gaps, complete, and at most a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "adr"
FILES = sorted(path for path in FOLDER.glob("[0-9]*.md"))


def test_numbers_are_used_once_and_without_gaps() -> None:
    assert [int(path.name[:4]) for path in FILES] == list(range(1, len(FILES) + 1))


@pytest.mark.parametrize("path", [*FILES, FOLDER / "template.md"], ids=lambda path: path.stem)
def test_it_has_its_parts_and_fits_a_page(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    number = path.name[:4] if path.name[0].isdigit() else "NNNN"
    assert re.match(rf"# {number} \S", text), "the first line is «# NNNN what was chosen»"
    assert [part for part in ("Context", "Choice", "Consequences") if f"**{part}.**" not in text] == []
    assert len(text.splitlines()) <= 60
