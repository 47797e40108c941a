"""Talks run in a whole plant: `plant` on both databases, `plant_on_sqlite` where the database makes no difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.plant import Plant


@pytest.fixture
def plant(database_url: str, redis_client: Any, tmp_path: Path) -> Iterator[Plant]:
    made = Plant(database_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def plant_on_sqlite(sqlite_url: str, redis_client: Any, tmp_path: Path) -> Iterator[Plant]:
    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()
