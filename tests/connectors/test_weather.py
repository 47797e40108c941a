"""The weather service: its answer as facts of the rules, its failures, and permits that feel it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests

from connectors.errors import OutsideError
from connectors.weather import QWeather, WeatherAccount, observation
from emulators.weather import WeatherEmulator
from emulators.wsgi import WsgiAdapter
from handlers.permit import surroundings
from jobs import weather
from settings import SettingsError, load
from tests import permits as p
from tests.plant import Plant

URL, KEY = "http://weather.test", "key-1"
NOW = {
    "obsTime": "2026-11-24T08:50+08:00",
    "text": "晴",
    "windScale": "2",
    "windSpeed": "9",
    "precip": "0.0",
    "vis": "16",
}


def facts(**over):
    return observation({**NOW, **over}).facts()


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        (
            {},
            {"wind_force": 2, "raining_or_snowing": False, "rainstorm": False, "heavy_snow": False, "dense_fog": False},
        ),
        ({"windScale": "4", "windSpeed": "28"}, {"wind_force": 4}),  # 7.8 m/s
        ({"windScale": "4", "windSpeed": "29"}, {"wind_force": 5}),  # 8.06 m/s
        ({"windScale": "4-5", "windSpeed": ""}, {"wind_force": 5}),
        ({"text": "小雨"}, {"raining_or_snowing": True, "rainstorm": False}),
        ({"text": "多云", "precip": "0.3"}, {"raining_or_snowing": True}),
        ({"text": "大雨", "precip": "16"}, {"rainstorm": True}),
        ({"text": "暴雨"}, {"rainstorm": True}),
        ({"text": "大雪"}, {"heavy_snow": True, "raining_or_snowing": True}),
        ({"text": "中雪"}, {"heavy_snow": False}),
        ({"text": "浓雾"}, {"dense_fog": True}),
        ({"text": "雾", "vis": "0"}, {"dense_fog": True}),
        ({"text": "薄雾", "vis": "4"}, {"dense_fog": False}),
        ({"text": "霾", "vis": "0"}, {"dense_fog": False}),
    ],
)
def test_the_answer_as_facts(over, expected):
    found = facts(**over)
    assert {name: found.get(name) for name in expected} == expected


def test_what_is_not_told_stays_unknown():
    assert observation({"obsTime": NOW["obsTime"]}).facts() == {}
    assert "wind_force" not in facts(windScale="", windSpeed="NaN")
    for time in (None, "", "yesterday", "2026-11-24T08:50"):
        with pytest.raises(OutsideError):
            observation({**NOW, "obsTime": time})


@pytest.fixture
def emulator():
    return WeatherEmulator(KEY, clock=lambda: datetime(2026, 11, 24, 1, 0, tzinfo=UTC).timestamp())


def client(emulator, key=KEY) -> QWeather:
    session = requests.Session()
    session.mount(URL, WsgiAdapter(emulator.app))
    return QWeather(WeatherAccount(URL, key), session)


def test_the_service_is_asked_with_two_decimals_and_its_own_time_counts(emulator):
    seen = client(emulator).now(lon=118.59049, lat=37.4501)
    assert seen.at == datetime(2026, 11, 24, 0, 50, tzinfo=UTC)
    assert emulator.calls == ["118.59,37.45"]
    assert emulator.problems == []


@pytest.mark.parametrize(("fault", "permanent"), [("http_500", False), ("code_402", True), ("not_json", False)])
def test_a_failure_says_whether_it_can_pass(emulator, fault, permanent):
    emulator.faults[fault] = 1
    with pytest.raises(OutsideError) as failed:
        client(emulator).now(lon=118.59, lat=37.45)
    assert failed.value.permanent is permanent


def test_a_wrong_key_is_for_good(emulator):
    with pytest.raises(OutsideError) as failed:
        client(emulator, key="other").now(lon=118.59, lat=37.45)
    assert failed.value.permanent


def test_half_settings_are_refused():
    with pytest.raises(SettingsError, match="ANSHAO_WEATHER_API_BASE, ANSHAO_WEATHER_KEY missing"):
        load({"ANSHAO_SECRET_KEY": "s" * 40, "ANSHAO_WEATHER_PROVIDER": "qweather"})


# -- in the plant


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    made = Plant(sqlite_url, redis_client, tmp_path)
    made.sky = WeatherEmulator(KEY, clock=lambda: made.now.timestamp())
    made.services.weather = client(made.sky)
    yield made
    made.services.engine.dispose()


def look(plant, **weather_now):
    plant.sky.weather |= weather_now
    plant.now += weather.EVERY
    p.one(plant, 1)  # the gas detector goes on meanwhile
    assert weather.look_due(plant.services) == 1
    plant.settle()


def test_it_is_asked_every_five_minutes_and_what_is_old_says_nothing(plant):
    look(plant)
    assert weather.look_due(plant.services) == 0
    with plant.work(read_only=True) as work:
        found, until = surroundings.weather(work, plant.now)
        assert found["wind_force"] == 2
        assert until is not None
        assert surroundings.weather(work, until)[0]["wind_force"] == 2
        assert surroundings.weather(work, until + timedelta(seconds=1)) == ({}, None)


def test_an_outage_keeps_the_last_observation_for_its_hour(plant):
    look(plant)
    plant.sky.faults["http_500"] = 9
    look(plant)
    with plant.work(read_only=True) as work:
        assert work.readings.source("weather").last_error == "http_500"
        assert surroundings.weather(work, plant.now)[0]["wind_force"] == 2


def test_work_outdoors_stops_when_the_wind_rises_and_indoors_goes_on(plant):
    look(plant)
    p.at_work(plant)
    look(plant, windScale="6", windSpeed="42")
    with plant.work() as work:
        assert work.permits.by_number("ZY-0001").state == "active"  # said to be indoors
        found = work.permits.by_number("ZY-0001")
        found.facts = {**found.facts, "outdoor": True}
        work.commit()
    look(plant, windScale="7", windSpeed="52")
    with plant.work(read_only=True) as work:
        found = work.permits.by_number("ZY-0001")
        assert found.state == "suspended"
        assert "HW-C12" in {why["rule"] for why in found.suspend_why}
