"""A plant with an auditor that looks at the same database through its own eyes, on the same clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.service import Auditor
from storage.database import Base, open_engine
from tests.plant import Plant


@pytest.fixture
def plant(database_url: str, redis_client: Any, tmp_path: Path) -> Iterator[Plant]:
    engine = open_engine(database_url)
    Base.metadata.create_all(engine)
    engine.dispose()
    made = Plant(database_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def auditor(plant: Plant, database_url: str) -> Iterator[Auditor]:
    engine = open_engine(database_url, pool_size=2)
    admin = next(p for p in plant.data["people"] if p["name"] == "张伟")
    platform = "wecom" if admin["wecom"] else "dingtalk"
    yield Auditor(engine=engine, clock=lambda: plant.now, admins=(f"{platform}:{admin[platform]}",))
    engine.dispose()
