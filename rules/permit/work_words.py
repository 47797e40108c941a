"""Which special works a sentence speaks of: of a request, of what goes on beside it, of a question after the rules."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rules.permit.model import Work

WORK_WORDS: Mapping[str, re.Pattern[str]] = {
    Work.HOT_WORK.value: re.compile(r"动火|电焊|气焊|焊接|气割|切割|打磨|砂轮"),
    Work.CONFINED_SPACE.value: re.compile(
        r"受限空间|有限空间|清[罐釜塔池]|[罐塔釜]内|进[罐塔釜槽井池]|下[井池]|进入.{0,6}(罐|塔|釜|槽|井|池|沟)"
    ),
    Work.BLIND_PLATE.value: re.compile(r"盲板"),
    Work.WORK_AT_HEIGHT.value: re.compile(r"高处|登高|脚手架|高空"),
    Work.LIFTING.value: re.compile(r"吊装|起吊|吊车|汽车吊"),
    Work.TEMP_POWER.value: re.compile(r"临时用电|临时电|接临电"),
    Work.DIGGING.value: re.compile(r"动土|开挖|挖沟|挖坑"),
    Work.ROAD_CLOSING.value: re.compile(r"断路|封路|占道"),
}


def works_in(text: str) -> tuple[str, ...]:
    """The works that the words speak of, in the order of the standard."""
    return tuple(kind for kind, words in WORK_WORDS.items() if words.search(text))
