"""Video duty: a plugged-in video system is asked about special-grade work, and its silence or stop is felt."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from connectors import video as hooks
from connectors.errors import OutsideError
from connectors.video import Recording
from handlers.permit import facts
from handlers.permit.judge import judge
from jobs import video
from rules.permit import Stage
from storage.models import Permit
from tests.plant import Plant


class Cameras:
    """A video system in memory."""

    def __init__(self, clock) -> None:
        self.clock, self.recording, self.away = clock, True, False
        self.asked: list[str] = []
        self.released: list[str] = []

    def look(self, order):
        self.asked.append(order.number)
        if self.away:
            raise OutsideError("video", "timeout", permanent=False)
        return Recording(at=self.clock(), recording=self.recording, ex_proof=True, camera="EX-7")

    def release(self, number):
        self.released.append(number)


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    made = Plant(sqlite_url, redis_client, tmp_path)
    made.cameras = made.services.video = Cameras(lambda: made.now)
    yield made
    made.services.engine.dispose()


def special(plant, level="special") -> int:
    with plant.work() as work:
        made = work.permits.add(
            Permit(
                number="ZY-0001",
                work="hot_work",
                level=level,
                state="approved",
                created_at=work.at,
                facts={},
                suspend_why=[],
                next_due=[],
                parties=[],
                approvals=[],
                gas_tests=[],
                generation=1,
                area_id=work.plant.area_by_code("BF").id,
            )
        )
        work.commit()
        return made.id


def look(plant) -> int:
    plant.now += video.EVERY
    return video.look_due(plant.services)


def rule(plant, permit_id) -> str:
    with plant.work() as work:
        judged = judge(work, work.permits.get(permit_id), stage=Stage.RUN)
        return next(row.result.value for row in judged.verdict.rules if row.id == "HW-C16")


def test_a_recording_counts_and_its_stop_is_a_failure(plant):
    permit_id = special(plant)
    assert rule(plant, permit_id) == "pending"
    assert look(plant) == 1
    assert rule(plant, permit_id) == "pass"
    plant.cameras.recording = False
    look(plant)
    assert rule(plant, permit_id) == "fail"


def test_silence_is_unknown_after_a_minute_whatever_people_confirmed(plant):
    permit_id = special(plant)
    look(plant)
    with plant.work() as work:
        permit = work.permits.get(permit_id)
        permit.facts = {"video_recording": True, "camera_ex_proof": True}
        work.commit()
    plant.cameras.away = True
    for _ in range(4):
        look(plant)
    assert rule(plant, permit_id) == "pass"  # exactly 60 seconds old
    look(plant)
    assert rule(plant, permit_id) == "pending"


def test_without_a_hook_what_people_confirmed_stands(plant):
    permit_id = special(plant)
    plant.services.video = None
    assert look(plant) == 0
    with plant.work() as work:
        permit = work.permits.get(permit_id)
        permit.facts = {"video_recording": True, "camera_ex_proof": True}
        gathered = facts.gather(work, facts.tables.rules_of(work).table, permit, at=work.at, stage=Stage.RUN)
        assert gathered.facts["video_recording"] is True


def test_only_special_grade_is_filmed_and_the_end_releases_it(plant):
    permit_id = special(plant, level="l1")
    assert look(plant) == 0
    with plant.work() as work:
        work.permits.get(permit_id).level = "special"
        work.commit()
    assert look(plant) == 1
    with plant.work() as work:
        work.permits.get(permit_id).state = "closed"
        work.commit()
    look(plant)
    look(plant)
    assert plant.cameras.released == ["ZY-0001"]


def test_a_hook_is_loaded_by_its_name(monkeypatch):
    made = Cameras(lambda: None)
    monkeypatch.setitem(sys.modules, "plant_video", SimpleNamespace(connect=lambda: made, wrong=object))
    assert hooks.load("plant_video:connect") is made
    for name in ("plant_video:wrong", "plant_video:missing", "nowhere_at_all:connect", "plant_video"):
        with pytest.raises(hooks.BadHook):
            hooks.load(name)
