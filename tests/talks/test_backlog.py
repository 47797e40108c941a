"""What people say while the workers are behind: nothing of one report ends up in another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from storage.models import Hazard
from tests.pictures import scene
from tests.plant import Plant


class Behind:
    """The plant's workers stand still while the block runs; the clock goes on."""

    def __init__(self, plant: Plant) -> None:
        self.plant, self.settle = plant, plant.settle

    def __enter__(self) -> None:
        def store_only() -> None:
            self.plant.wecom.tick()
            self.plant.dingtalk.tick()
            self.plant.now += timedelta(seconds=5)

        self.plant.settle = store_only  # type: ignore[method-assign]

    def __exit__(self, *_: Any) -> None:
        self.plant.settle = self.settle  # type: ignore[method-assign]
        self.plant.settle()


def filed(plant: Plant) -> list[tuple[str, int]]:
    with plant.work(read_only=True) as work:
        rows = work.db.scalars(select(Hazard).where(Hazard.number.is_not(None)).order_by(Hazard.id)).all()
        return sorted((h.description.split()[0], len(h.photos)) for h in rows)


def test_two_reports_of_one_person_stay_two_on_dingtalk(plant):
    phone = plant.phone("黄梅")
    with Behind(plant):
        phone.sends_photo(scene(1), caption="LA-401 鹤管垫片老化,照明不足灯坏一片")
        phone.sends_photo(scene(2), caption="SG-401 接地夹松动,过道堆物")
    assert filed(plant) == [("LA-401", 1), ("SG-401", 1)]


def test_two_reports_of_one_person_stay_two_on_wecom(plant):
    phone = plant.phone("张伟")
    with Behind(plant):
        phone.sends_photo(scene(1)).says("LA-401 照明不足,灯坏一片")
        phone.sends_photo(scene(2)).says("SG-401 过道堆物,护栏松动")
    assert filed(plant) == [("LA-401", 1), ("SG-401", 1)]


def test_a_picture_sent_before_the_words_still_belongs_to_them(plant):
    phone = plant.phone("张伟")
    phone.sends_photo(scene(1)).says("LA-401 照明不足,灯坏一片")
    assert filed(plant) == [("LA-401", 1)]
    plant.wecom.core.switches.set({"late_callbacks_s": 60, "times": 1})
    phone = plant.phone("马德顺")
    with Behind(plant):
        phone.sends_photo(scene(3))
        phone.sends_photo(scene(4)).says("B-501 照明不足,灯坏一片")
    plant.forward(minutes=3)
    assert filed(plant) == [("B-501", 2), ("LA-401", 1)]


def test_words_of_danger_are_handled_before_what_came_earlier(plant):
    with Behind(plant):
        for name in ("张伟", "马德顺", "郑凯", "林雪"):
            plant.phone(name).says("帮助")
        plant.phone("孙丽").says("3号泵房着火了")
        with plant.work(read_only=True) as work:
            ready = [work.inbox.get(row_id).urgent for row_id in work.inbox.ready_ids(plant.now)]
    assert ready == [True, False, False, False, False]
