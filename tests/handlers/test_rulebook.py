"""What a card says against the rule table: another limit of the same kind, a duty it spares."""

from __future__ import annotations

import pytest

from handlers.knowledge import rulebook


@pytest.mark.parametrize(
    ("told", "clause"),
    [
        ("动火作业票有效期24小时", "72小时"),
        ("受限空间氧含量18%就能进", "19.5%"),
        ("进受限空间不用监护", "监护人在外"),
        ("动火不用办票,先干再说", "GB 30871"),
    ],
)
def test_what_differs_is_told_with_the_clause(told, clause):
    assert clause in " ".join(rulebook.against(told))


@pytest.mark.parametrize(
    "told",
    [
        "受限空间作业前30分钟内分析",
        "受限空间作业氧含量19.5%到21%",
        "一级动火作业票最长8小时",
        "皮带啪啪甩,先停机,换皮带要30分钟",
        "动火前先找监护人,办票",
    ],
)
def test_what_agrees_or_is_no_special_work_is_left_alone(told):
    assert rulebook.against(told) == []
