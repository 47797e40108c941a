"""DingTalk's events that were pushed in vain: read from the platform's list, once, and handled like any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from emulators.dingtalk.events import Event
from jobs import missed_events, slow
from storage.models import Inbox
from tests.plant import Plant


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path, monkeypatch):
    monkeypatch.setattr(missed_events, "_looked", False)
    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


def event(plant, kind="user_leave_org", user="user001"):
    return Event(kind, {"userId": [user]}, int(plant.now.timestamp() * 1000))


def has_left(plant, name="李强"):
    with plant.work(read_only=True) as work:
        return work.people.by_name(name)[0].gone


def look(plant):
    slow.wake(plant.services, "missed")
    found = slow.run(plant.services, "missed")
    plant.settle()
    return found


def test_what_was_missed_while_nobody_listened_is_read_after_the_start(plant):
    plant.dingtalk.events.failed.append(event(plant))
    assert look(plant) == 1
    assert has_left(plant)
    assert plant.dingtalk.events.failed == []


def test_it_is_read_again_every_hour(plant):
    assert look(plant) == 0
    plant.dingtalk.events.failed.append(event(plant))
    plant.now += timedelta(minutes=59)
    assert not missed_events.is_due(plant.services)
    plant.now += timedelta(minutes=1)
    assert missed_events.is_due(plant.services)
    assert look(plant) == 1


def test_what_arrived_after_all_is_known_and_long_lists_are_read_to_their_end(plant):
    twice = event(plant)
    assert plant.dingtalk.events._push(twice)
    plant.dingtalk.events.failed += [twice, *(event(plant, "user_modify_org", f"user{n}") for n in range(204))]
    assert missed_events.read(plant.services) == 205
    with plant.work(read_only=True) as work:
        left = select(func.count()).where(Inbox.key == f"event:{twice.id}:user001")
        assert work.db.scalar(left) == 1
        assert work.db.scalar(select(func.count()).where(Inbox.platform == "dingtalk")) == 205


def test_stream_mode_and_other_platforms_have_no_such_list(plant):
    plant.dingtalk.events.failed.append(event(plant))
    stream = replace(plant.services, settings=plant.settings.model_copy(update={"dingtalk_mode": "stream"}))
    other = replace(plant.services, platforms={"wecom": plant.services.platforms["wecom"]})
    for services in (stream, other):
        assert not missed_events.is_due(services)
        assert missed_events.read(services) == 0
    assert len(plant.dingtalk.events.failed) == 1


def test_a_platform_that_refuses_is_asked_an_hour_later(plant, monkeypatch):
    refuse = {"errcode": 60020, "errmsg": "not in the white list"}
    monkeypatch.setattr(plant.dingtalk.events, "_read_failed", lambda _call: refuse)
    assert missed_events.read(plant.services) == 0
    assert not missed_events._is_time(plant.services)
