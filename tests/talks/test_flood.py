"""One sender who floods: nothing is lost, nobody else waits, and words of danger wait for nothing."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import func, select

from jobs import fetch, inbound
from storage.inbox import CROWD
from storage.models import Inbox
from tests.pictures import scene
from tests.plant import Plant

MOST = 10


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    made = Plant(sqlite_url, redis_client, tmp_path)
    made.services.settings = made.settings.model_copy(update={"inbound_per_minute": MOST})
    yield made
    made.services.engine.dispose()


def pushed(plant: Plant, name: str, *texts: str) -> None:
    """Said, and pushed to the bot, which has not looked at it yet."""
    phone = plant.phone(name)
    for text in texts:
        phone.client.post(f"/_phone/{phone.user}/say", json={"text": text})
    plant.wecom.tick()
    plant.dingtalk.tick()


def states(plant: Plant) -> dict[str, int]:
    with plant.work(read_only=True) as work:
        rows = work.db.execute(select(Inbox.state, func.count()).group_by(Inbox.state)).all()
        return {row[0]: row[1] for row in rows}


def handle_all(plant: Plant) -> None:
    while inbound.handle_ready(plant.services):
        pass


def test_a_flood_is_handled_at_a_steady_pace_and_told_once(plant):
    count = 2 * MOST + CROWD + 5
    pushed(plant, "张伟", *(f"帮助 {n}" for n in range(count)))
    handle_all(plant)
    assert states(plant) == {"done": MOST, "new": count - MOST}
    for _ in range(3):
        plant.now += timedelta(seconds=6)
        handle_all(plant)
    assert states(plant) == {"done": MOST, "new": count - MOST}
    plant.now += timedelta(minutes=1)
    handle_all(plant)
    assert states(plant)["done"] == 2 * MOST
    plant.forward(minutes=5)
    assert states(plant) == {"done": count}  # late, none lost; the last CROWD are no flood any more
    assert plant.phone("张伟").count("一条都不会丢") == 1
    with plant.work(read_only=True) as work:
        assert work.db.scalar(select(func.max(Inbox.attempts))) == 1


def test_words_of_danger_overtake_the_flood_of_their_own_sender(plant):
    pushed(plant, "张伟", *(f"帮助 {n}" for n in range(MOST + CROWD + 10)))
    handle_all(plant)  # from here on the sender is held
    pushed(plant, "张伟", "3号泵房着火了")
    handle_all(plant)
    assert plant.hazard("YH-0001").grade == "red"
    assert plant.phone("张伟").count("撤") >= 1


def test_a_red_report_alone_in_a_flood_is_the_first_to_be_handled(plant):
    pushed(plant, "张伟", *(f"帮助 {n}" for n in range(CROWD + 5)), "3号泵房着火了")
    inbound.handle_ready(plant.services)
    assert plant.hazard("YH-0001").grade == "red"


def test_others_do_not_wait_for_a_flood(plant):
    pushed(plant, "张伟", *(f"帮助 {n}" for n in range(MOST + CROWD + 10)))
    pushed(plant, "李强", "帮助")
    inbound.handle_ready(plant.services)
    with plant.work(read_only=True) as work:
        assert work.db.scalar(select(Inbox.state).where(Inbox.platform == "dingtalk")) == "done"


def test_pictures_of_a_flood_are_fetched_in_turn_with_those_of_others(plant):
    phone = plant.phone("张伟")
    for n in range(6):
        phone.client.post(
            f"/_phone/{phone.user}/photo", data={"file": (BytesIO(scene(n)), "a.jpg")},
            content_type="multipart/form-data",
        )  # fmt: skip
    other = plant.phone("赵建国")
    other.client.post(
        f"/_phone/{other.user}/photo", data={"file": (BytesIO(scene(9)), "a.jpg")},
        content_type="multipart/form-data",
    )  # fmt: skip
    plant.wecom.tick()
    with plant.work(read_only=True) as work:
        first, second = (work.inbox.get(row_id).sender for row_id in work.inbox.to_fetch(plant.now, limit=2))
    assert {first, second} == {"zhangwei", "zhaojianguo"}
    assert fetch.fetch_ready(plant.services) >= 1


def test_somebody_quick_is_no_flood(plant):
    pushed(plant, "张伟", *(f"帮助 {n}" for n in range(CROWD)))
    handle_all(plant)
    assert states(plant) == {"done": CROWD}
