"""Every reason that a callback can give has its words, and they fit a problem document."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bot.platforms import refusals

SOURCE = Path(refusals.__file__).parent


@pytest.mark.parametrize("status", sorted(refusals.TITLES))
@pytest.mark.parametrize("reason", [*refusals.WORDS, "something new"])
def test_it_is_a_problem_document(status: int, reason: str) -> None:
    told = json.loads(refusals.problem(status, reason))
    assert (told["type"], told["status"], told["reason"]) == ("about:blank", status, reason)
    assert told["title"] and told["detail"].endswith(".")


def test_no_reason_is_without_words() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.glob("*/*.py"))
    given = set(re.findall(r'(?:Corrupt|WrongEnvelope|_refuse|_answer)\((?:\d{3}, |"\w+", )?"(\w+)"\)', source))
    assert {"signature", "timestamp", "receiver", "cipher", "xml"} <= given
    assert given <= set(refusals.WORDS)
