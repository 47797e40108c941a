"""Micro-actions that belong to no permit (MA-20, MA-21, MA-22): asked at the word, kept with their evidence."""

from __future__ import annotations

import pytest

from handlers import moments
from tests.pictures import scene


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    from tests.plant import Plant

    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


def lines(plant):
    with plant.work(read_only=True) as work:
        return [line for area in work.plant.areas() for line in work.trail.of(moments.CASE, area.id)]


def test_unloading_wants_the_clamp_on_a_photo(plant):
    phone = plant.phone("吴涛")
    phone.says("准备卸车 LA-402").sees("夹好静电接地夹")
    phone.says("夹好了").sees("要一张看得清接地夹的照片")
    assert lines(plant) == []
    phone.sends_photo(scene(3)).sees("接地已记下(MA-21)", "09:15以后再卸")
    (line,) = lines(plant)
    assert (line.action, line.data["micro"], len(line.data["photo"])) == ("bonded", "MA-21", 64)
    phone.says("微动作").sees("MA-21", "LA-402", "吴涛")


def test_charging_takes_two_people(plant):
    first, second = plant.phone("吴涛"), plant.phone("孙丽")
    first.says("投料").sees("投料:在哪里?").says("火星").sees("没有找到这个区域").taps("合成车间").sees("批号多少")
    first.says("甲醇").sees("介质和批号都要说").says("甲醇 批号1124-3").sees("谁和您一起核对")
    first.says("吴涛").sees("第二人要是别人").says("孙悟空").sees("名册里没有").says("孙丽").sees("之前不要投料")
    plant.phone("郑凯").does_not_see("投料双人核对")
    second.sees("投料双人核对", "甲醇 批号1124-3", buttons=["核对无误", "不对"]).taps("核对无误")
    first.sees("孙丽核对无误,可以投料")
    second.sees("投料双人核对", "核对无误", buttons=[])
    assert [(line.action, line.data["micro"]) for line in lines(plant)] == [
        ("charge_told", "MA-20"),
        ("charge_agreed", "MA-20"),
    ]
    assert lines(plant)[0].by_id != lines(plant)[1].by_id
    assert plant.problems() == []


def test_a_second_who_finds_it_wrong_stops_the_charge(plant):
    first, second = plant.phone("吴涛"), plant.phone("孙丽")
    first.says("投料 R-101").says("甲醇 批号1124-3").says("孙丽")
    second.taps("不对", on="投料双人核对")
    first.sees("核对不符,不要投料")
    with plant.work(read_only=True) as work:
        assert list(work.trail.broken()) == []


@pytest.mark.parametrize(
    ("said", "words", "kept"),
    [
        ("氧0.4,设定0.5", "氧0.4% ≤ 设定0.5%:合格", 1),
        ("氧零点五,设定0.5", "合格", 1),
        ("氧0.6,设定0.5", "不合格,不能开车", 1),
        ("设定零点五,氧零点四", "氧0.4% ≤ 设定0.5%:合格", 1),
        ("氧0.4,设定20.9", "接近空气", 0),
        ("氧-0.4,设定0.5", "没听出氧含量", 0),
        ("氧0.4", "还缺本厂的设定值", 0),
        ("正常", "没听出氧含量", 0),
    ],
)
def test_purging_is_held_against_the_plants_own_value(plant, said, words, kept):
    phone = plant.phone("吴涛")
    phone.says("置换 R-101").says(said).sees(words)
    assert len(lines(plant)) == kept


def test_the_value_of_a_place_is_known_the_next_time(plant):
    phone = plant.phone("吴涛")
    phone.says("置换 R-101").says("氧0.6,设定0.5").sees("不合格")
    phone.says("置换 R-101").says("0.3").sees("氧0.3% ≤ 设定0.5%:合格")


@pytest.mark.parametrize("said", ["卸车软管漏了", "投料口有粉尘,很呛", "置换阀门打不开"])
def test_a_hazard_with_such_a_word_stays_a_hazard(plant, said):
    plant.phone("吴涛").says(said).does_not_see("MA-2")
    assert lines(plant) == []


def test_cancelled(plant):
    plant.phone("吴涛").says("卸车 LA-402").says("取消").sees("没有记")
    assert lines(plant) == []
