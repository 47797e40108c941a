"""The plant's own terms as hot words for speech recognition: areas, media, equipment and the words of the trade."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from storage.models import Area, Equipment
from storage.unit_of_work import UnitOfWork

FRESH = timedelta(minutes=10)
# words of the trade that a general recogniser gets wrong (lexicon §5: homophones)
TRADE = (
    "动火", "监护", "隐患", "盲板", "受限空间", "联轴器", "机封", "轴承", "汽蚀", "喘振", "水锤", "安全阀", "疏水阀", "法兰", "阀门", "行车",
    "引风机", "罗茨风机", "减速机", "可燃", "氧含量", "整改", "验收",
)  # fmt: skip


def of_plant(engine: Engine, clock: Callable[[], datetime]) -> Callable[[], Sequence[str]]:
    """A function that gives the words, read from the ledger at most every ten minutes."""
    known: list[str] = []
    read_at: datetime | None = None

    def words() -> Sequence[str]:
        nonlocal known, read_at
        now = clock()
        if read_at is None or now - read_at >= FRESH:
            with UnitOfWork(engine, now, read_only=True) as work:
                known = terms(work.plant.areas(), work.plant.all_equipment())
            read_at = now
        return known

    return words


def terms(areas: Sequence[Area], equipment: Sequence[Equipment]) -> list[str]:
    """Areas and media first, then the trade, then equipment by name and number: a list is cut at its end."""
    found = [area.name for area in areas]
    found += [str(medium) for area in areas for medium in area.media]
    found += TRADE
    found += [item.name for item in equipment]
    found += [item.code for item in equipment]
    return list(dict.fromkeys(word for word in found if word))
