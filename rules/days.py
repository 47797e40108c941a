"""Dates as tables and interfaces write them."""

from __future__ import annotations

import re
from datetime import date


def read_day(given: object, zh: str) -> date | None:
    """2027-06-30, 2027/6/30, 2027.6.30, 2027年6月30日, also with a time after it; None for nothing.

    Raises ValueError whose text is Chinese and says how to write it; `zh` is the column's name.
    """
    text = str(given or "").strip()
    if not text:
        return None
    parts = re.sub(r"[/.年月]", "-", text.split("T")[0].split(" ")[0]).removesuffix("日").rstrip("-").split("-")
    try:
        year, month, number = (int(part) for part in parts)
        return date(year, month, number)
    except ValueError as error:
        raise ValueError(f"{zh}“{text[:16]}”不是日期,请写成 2027-06-30") from error
