"""Signing on the spot from the page: at the work it counts, elsewhere it is refused with the clause."""

from __future__ import annotations

import pytest

from tests import permits as p

pytestmark = pytest.mark.sqlite_suffices

NUMBER = "ZY-0001"


@pytest.fixture
def page(plant, browse):
    """Opens the page as a person and sends a position from it."""
    p.feed(plant)
    p.hand_in(plant)
    with plant.work(read_only=True) as work:
        path = f"/h5/permits/{work.permits.by_number(NUMBER).id}/here"

    def send(name: str, lat: float, lon: float, accuracy_m: float = 8.0):
        browser = browse(name)
        token = browser.csrf("/h5/place")
        body = {"lat": lat, "lon": lon, "accuracy_m": accuracy_m, "datum": "wgs84"}
        return browser.post(path, json=body, headers={"X-CSRF-Token": token})

    send.path = path
    return send


def state(plant) -> str:
    with plant.work(read_only=True) as work:
        return work.permits.by_number(NUMBER).state


def test_a_dingtalk_approver_signs_at_the_work(plant, page, browse):
    wang = plant.phone("王芳", "dingtalk")
    wang.taps("到现场审批", on=NUMBER).sees("发一下位置")
    assert "P-102B" in browse("王芳").get(page.path).text
    answer = page("王芳", *p.spot(plant, "P-102B"))
    assert answer.json["finished"], answer.json
    assert "已批准" in answer.json["message"]
    assert state(plant) == "approved"
    wang.sees(NUMBER, "已批准")
    assert plant.problems() == []


@pytest.mark.parametrize(
    ("where", "accuracy_m", "words"),
    [((37.60, 118.59), 8.0, "不在厂区内"), ("R-101", 8.0, "离作业点约"), ("P-102B", 101.0, "定位误差")],
)
def test_elsewhere_it_does_not_count(plant, page, where, accuracy_m, words):
    lat, lon = p.spot(plant, where) if isinstance(where, str) else where
    answer = page("王芳", lat, lon, accuracy_m)
    assert not answer.json["finished"]
    assert words in answer.json["message"]
    assert state(plant) == "submitted"


def test_who_may_not_sign_does_not_even_see_the_page(plant, page, browse):
    answer = browse("孙丽").get(page.path)
    assert answer.status_code == 409
    assert "不能代签" in answer.text
    assert not page("孙丽", *p.spot(plant, "P-102B")).json["finished"]
    assert state(plant) == "submitted"
