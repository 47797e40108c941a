"""Ignition sources near a point are asked of the database by place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from storage.models import Area, Equipment
from storage.unit_of_work import UnitOfWork

LAT, LON = 37.45, 118.59
M_LAT, M_LON = 1 / 111_195, 1 / 88_270  # one metre here, in degrees


@pytest.mark.parametrize(
    ("north_m", "east_m", "found"), [(0, 59, True), (59, 0, True), (0, -59, True), (0, 62, False), (-62, 0, False)]
)
def test_the_square_holds_what_is_near(engine, north_m, east_m, found):
    with UnitOfWork(engine, datetime.now(UTC)) as work:
        area = Area(code="A", name="区", kind="x", workshop="w", zone="none", media=[], ignition=[], polygon=[])
        work.db.add(area)
        work.flush()
        for code, ignition in (("F-1", True), ("P-1", False)):
            row = Equipment(code=code, code_key=code, name=code, kind="furnace", area_id=area.id, ignition=ignition)
            row.lat, row.lon = LAT + north_m * M_LAT, LON + east_m * M_LON
            work.db.add(row)
        work.db.add(Equipment(code="F-2", code_key="F2", name="F-2", kind="furnace", ignition=True))
        work.flush()
        near = [item.code for item in work.plant.ignition_near(LAT, LON, metres=60)]
    assert near == (["F-1"] if found else [])
