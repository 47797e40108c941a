"""The read API: exactly what its OpenAPI document says, strict about what it is asked, silent about who is anonymous."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests import permits
from tests.pictures import scene
from tests.plant import APP
from tests.web.json_schema import faults
from tests.web.test_case_page import filed, mended

SECRET = "anshao_" + "t" * 43


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Any:
    """api("/hazards?…") → the answer, checked against the document."""
    plant = request.getfixturevalue("plant" if "plant" in request.fixturenames else "quick_plant")
    with plant.work() as work:
        work.people.add_token("tests", hashlib.sha256(SECRET.encode()).hexdigest(), at=plant.now)
        work.commit()
    client = plant.app.test_client()
    document = client.get("/api/v1/openapi.json").json

    def call(path: str, *, status: int = 200, token: str = SECRET, **headers: str) -> Any:
        given = {"Authorization": f"Bearer {token}", **headers} if token else headers
        answer = client.get(f"{APP}/api/v1{path}", headers=given)
        assert answer.status_code == status, answer.text
        kind = "application/json" if status == 200 else "application/problem+json"
        assert answer.mimetype == kind
        assert faults(answer.json, _schema(document, path, status, kind), document) == []
        return answer

    return call


def _schema(document: dict[str, Any], path: str, status: int, kind: str) -> dict[str, Any]:
    plain = path.split("?")[0]
    known = plain if plain in document["paths"] else plain.rsplit("/", 1)[0] + "/{number}"
    answer = document["paths"][known]["get"]["responses"][str(status)]
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    return answer["content"][kind]["schema"]


def test_a_hazard_from_report_to_close(plant, browse, api):
    number = filed(plant)
    mended(plant, browse)
    browse("王芳").does(number, "accept")
    told = api(f"/hazards/{number}").json
    assert (told["number"], told["state"], told["grade"]) == (number, "closed", "yellow")
    assert told["area"] == {"code": "ZX", "name": "装卸台"}
    assert told["location"]["source"] == "area_choice"
    assert told["reporter"]["name"] == "张伟"
    assert told["owner"]["name"] == "李强"
    assert told["reported_at"] == "2026-11-24T09:00:00+08:00"
    assert [p["kind"] for p in told["photos"]] == ["before", "after"]
    actions = [(line["action"], line["from"], line["to"]) for line in told["trail"]]
    assert actions[0] == ("filed", "draft", "reported")
    assert actions[-1] == ("accepted", "to_accept", "closed")
    assert told["trail"][1]["by"] is None
    assert told["evidence_url"]


def test_the_photo_behind_the_link_is_the_one_that_was_sent(plant, api):
    photo = api(f"/hazards/{filed(plant)}").json["photos"][0]
    assert photo["url"].startswith(f"{APP}/m/")
    data = plant.app.test_client().get(photo["url"]).data
    assert hashlib.sha256(data).hexdigest() == photo["sha256"]
    assert data == scene(1)


def test_every_state_and_shape_fits_the_document(plant, browse, api):
    """Draft, joined, withdrawn, red with SMS, with and without place: whatever exists must be described."""
    plant.phone("张伟").says("3号泵房着火了")
    plant.phone("张伟").sends_photo(scene(3)).says("1号甲醇储罐V-201旁边地沟盖板没了,踩空危险")
    plant.phone("孙丽").sends_photo(scene(1)).sends_photo(scene(2)).says("装卸台照明不足,灯坏一片")
    plant.phone("孙丽").taps("撤回")
    plant.phone("黄梅").sends_photo(scene(9))
    plant.forward(hours=5)
    items = api("/hazards").json["items"]
    assert {i["state"] for i in items} >= {"withdrawn", "assigned"}
    for item in items:
        detail = api(f"/hazards/{item['number']}").json
        assert {name: detail[name] for name in item} == item
        assert api(f"/deliveries?case={item['number']}").json["case"] == item["number"]


def test_an_anonymous_reporter_is_nowhere(plant, browse, api):
    number = filed(plant, words="匿名 装卸台照明不足,灯坏一片")
    mended(plant, browse)
    browse("王芳").does(number, "accept")
    hazard, sent = api(f"/hazards/{number}"), api(f"/deliveries?case={number}")
    assert hazard.json["reporter"] is None
    assert hazard.json["trail"][0]["by"] is None
    assert hazard.json["trail"][0]["by_hidden"]
    assert "张伟" not in hazard.text
    assert "ZhangWei" not in sent.text
    assert "张伟" not in sent.text
    assert any(row["person_hidden"] for row in sent.json["items"])
    assert any(row["person"] and row["person"]["name"] == "李强" for row in sent.json["items"])


def test_the_photo_of_an_anonymous_report_is_linked_without_exif(plant, api):
    number = filed(plant, words="匿名 装卸台照明不足,灯坏一片")
    photo = api(f"/hazards/{number}").json["photos"][0]
    data = plant.app.test_client().get(photo["url"]).data
    assert data != scene(1)
    assert b"Exif\x00\x00" not in data


def test_becoming_anonymous_later_hides_the_earlier_lines(plant, browse, api):
    number = filed(plant)
    assert "张伟" in api(f"/hazards/{number}").text
    browse("张伟").does(number, "hide")
    assert "张伟" not in api(f"/hazards/{number}").text
    assert "张伟" not in api(f"/deliveries?case={number}").text


def _many(plant, count):
    """Filed hazards without the talk: one a minute, grades in turn."""
    from storage.models import Hazard

    with plant.work() as work:
        zx, person = work.plant.area_by_code("ZX"), work.people.by_name("张伟")[0]
        for n in range(count):
            at = plant.now + timedelta(minutes=n)
            work.hazards.add(
                Hazard(
                    state="assigned",
                    grade=("yellow", "orange", "red")[n % 3],
                    number=work.hazards.next_number(),
                    description=f"第{n}条",
                    area=zx if n % 2 else None,
                    reporter=person,
                    created_at=at,
                    reported_at=at,
                )
            )
        work.commit()


def test_pages_hold_every_hazard_once_newest_first(plant, api):
    _many(plant, 7)
    seen, cursor = [], ""
    while cursor is not None:
        page = api(f"/hazards?limit=3{cursor and f'&cursor={cursor}'}").json
        assert len(page["items"]) <= 3
        seen += [h["number"] for h in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [f"YH-{n:04d}" for n in range(7, 0, -1)]


@pytest.mark.parametrize(("rows", "limit", "more"), [(2, 3, False), (3, 3, False), (4, 3, True)])
def test_the_cursor_ends_with_the_last_page(quick_plant, api, rows, limit, more):
    _many(quick_plant, rows)
    page = api(f"/hazards?limit={limit}").json
    assert (page["next_cursor"] is not None) is more


def test_filters(plant, api):
    _many(plant, 6)
    assert len(api("/hazards?grade=red").json["items"]) == 2
    for name in ("ZX", "zx", "装卸台"):
        assert len(api(f"/hazards?area={name}").json["items"]) == 3
    assert len(api("/hazards?area=ZX&grade=orange").json["items"]) == 1
    assert api("/hazards?state=closed").json["items"] == []
    assert api("/hazards?state=draft").json["items"] == []
    assert len(api("/hazards?since=2026-11-24T09:03:00%2B08:00").json["items"]) == 3
    assert len(api("/hazards?since=2026-11-24T01:03:00Z").json["items"]) == 3
    assert len(api("/hazards?until=2026-11-24T09:03:00%2B08:00").json["items"]) == 3
    assert len(api("/hazards?since=2026-11-24").json["items"]) == 6
    assert api("/hazards?until=2026-11-24").json["items"] == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("stat=closed", "stat"),
        ("state=open", "state"),
        ("state=", "state"),
        ("grade=blue", "grade"),
        ("area=XX", "area"),
        ("area=", "area"),
        ("since=yesterday", "since"),
        ("since=2026-11-24T09:00:00", "since"),
        ("since=2026-02-30", "since"),
        ("until=1", "until"),
        ("until=9999-12-31T23:59:59-12:00", "until"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=٣", "limit"),
        ("cursor=", "cursor"),
        ("cursor=abc", "cursor"),
        ("cursor=cDox", "cursor"),  # the cursor of another list
        ("grade=red&grade=red", "grade"),
    ],
)
def test_a_wrong_parameter_is_named(quick_plant, api, query, name):
    problem = api(f"/hazards?{query}", status=400).json
    assert problem["parameter"] == name
    assert problem["status"] == 400


@pytest.mark.parametrize("limit", [1, 200])
def test_limits_at_their_ends(quick_plant, api, limit):
    _many(quick_plant, 2)
    assert len(api(f"/hazards?limit={limit}").json["items"]) == min(limit, 2)


def test_what_is_not_there(quick_plant, api):
    assert api("/hazards/YH-9999", status=404).json["parameter"] == "number"
    assert api("/deliveries?case=YH-9999", status=404).json["parameter"] == "case"
    assert api("/deliveries", status=400).json["parameter"] == "case"
    answer = quick_plant.app.test_client().get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert quick_plant.app.test_client().post("/api/v1/hazards").status_code == 405


def test_people_without_phone_numbers_or_accounts(plant, api):
    people = api("/people?limit=200")
    assert len(people.json["items"]) == len(plant.data["people"])
    liqiang = next(p for p in people.json["items"] if p["name"] == "李强")
    assert {"role": "team_leader", "area": "JC"} in liqiang["roles"]
    for person in plant.data["people"]:
        assert person["mobile"] not in people.text
        assert (person["dingtalk"] or "-----") not in people.text
    first = api("/people?limit=5").json
    rest = api(f"/people?limit=200&cursor={first['next_cursor']}").json
    assert len(rest["items"]) == len(plant.data["people"]) - 5


def test_deliveries_tell_person_channel_state_attempts_and_times(plant, api):
    plant.phone("张伟").says("3号泵房着火了")
    rows = api("/deliveries?case=YH-0001").json["items"]
    sms = next(r for r in rows if r["channel"] == "sms")
    assert sms["person"]["name"] == "赵建国"
    assert (sms["kind"], sms["state"], sms["attempts"]) == ("sms", "confirmed", 1)
    assert sms["confirmed_at"] >= sms["created_at"]
    for person in plant.data["people"]:
        assert person["mobile"] not in str(rows)


def test_deliveries_of_a_permit_and_of_a_roll_call(quick_plant):
    plant, document = quick_plant, quick_plant.app.test_client().get("/api/v1/openapi.json").json
    schema = _schema(document, "/deliveries", 200, "application/json")
    permits.feed(plant)
    permits.hand_in(plant)
    plant.phone("张伟").says("3号泵房着火了")
    for number, purpose, name in (("ZY-0001", "permit.", "王芳"), ("DM-0001", "roll_call.", "李强")):
        told = plant.api().get(f"/api/v1/deliveries?case={number}").json
        assert told["case"] == number
        assert faults(told, schema, document) == []
        mine = [row for row in told["items"] if row["person"] and row["person"]["name"] == name]
        assert mine and all(row["purpose"].startswith(purpose) for row in mine), number
        assert {row["state"] for row in mine} == {"confirmed"}
        assert not any(row["person_hidden"] for row in told["items"])
    for number in ("ZY-0009", "DM-0009", "YH-0009", "1"):
        answer = plant.api().get(f"/api/v1/deliveries?case={number}")
        assert (answer.status_code, answer.json["parameter"]) == (404, "case")


@pytest.mark.parametrize("path", ["/hazards", "/hazards/YH-0001", "/people", "/deliveries?case=YH-0001"])
def test_a_token_is_needed_everywhere(quick_plant, api, path):
    missing = api(path, status=401, token="")
    assert missing.headers["WWW-Authenticate"] == 'Bearer realm="anshao"'
    wrong = api(path, status=401, token="anshao_wrong")
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]
    api(path, status=401, token="", Authorization=f"Basic {SECRET}")
    api(path, status=401, token="x" * 5000)


def test_a_revoked_token_is_dead(quick_plant, api):
    api("/people")
    with quick_plant.work() as work:
        work.people.token_named("tests").revoked_at = quick_plant.now
        work.commit()
    api("/people", status=401)


def test_the_document_describes_every_address(quick_plant, api):
    document = quick_plant.app.test_client().get("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    served = {
        re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
        for rule in quick_plant.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("openapi.json")
    }
    assert served == set(document["paths"])
    for path in document["paths"].values():
        for operation in path.values():
            names = {p["name"] for p in operation["parameters"]}
            assert "401" in operation["responses"]
            assert all(p["description"] for p in operation["parameters"]), names


def test_every_described_parameter_is_taken(quick_plant, api):
    document = quick_plant.app.test_client().get("/api/v1/openapi.json").json
    samples = {"state": "closed", "grade": "red", "area": "ZX", "since": "2026-01-01", "until": "2026-01-02"}
    samples |= {"limit": "5", "cursor": "aDox"}
    named = [p["name"] for p in document["paths"]["/hazards"]["get"]["parameters"]]
    assert set(named) == set(samples)
    for name in named:
        api(f"/hazards?{name}={samples[name]}")


def test_times_carry_the_plants_offset(quick_plant, api):
    _many(quick_plant, 1)
    told = datetime.fromisoformat(api("/hazards").json["items"][0]["reported_at"])
    assert told.utcoffset() == timedelta(hours=8)
    assert told == quick_plant.now
