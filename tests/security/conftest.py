"""One plant for all: what is tried is rolled back, or changes nothing that the next one needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.plant import Plant
from tests.security import scenes
from tests.talks.test_wecom_groups import PlantWithBot


@pytest.fixture(scope="module")
def plant(new_sqlite: Any, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    client = redis.Redis.from_url(valkey_url)
    client.flushall()
    with new_sqlite() as url:
        made = PlantWithBot(url, client, tmp_path_factory.mktemp("plant"))
        scenes.build(made)
        yield made
        made.services.engine.dispose()
    client.close()
