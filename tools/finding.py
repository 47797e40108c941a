"""One line of the doctor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was tried and whether it works; `remedy` says what to do, in Chinese."""

    what: str
    ok: bool
    remedy: str = ""
