from __future__ import annotations

import json
import math
from itertools import combinations
from typing import Any

import pytest

from emulators.__main__ import build
from emulators.demo_plant import demo_plant, demo_secrets
from emulators.wecom import crypto

Point = tuple[float, float]


@pytest.fixture(scope="module")
def plant() -> dict[str, Any]:
    return demo_plant(public_url="http://app.test/", secrets=demo_secrets())


def inside(point: Point, polygon: list[list[float]]) -> bool:
    x, y = point
    found = False
    for (x1, y1), (x2, y2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            found = not found
    return found


def metres(polygon: list[list[float]]) -> list[Point]:
    scale = 111_320.0
    return [((lon - 118.59) * scale * math.cos(math.radians(37.45)), (lat - 37.45) * scale) for lon, lat in polygon]


def gap(one: list[Point], other: list[Point]) -> float:
    """Least distance of two outlines, metres; 0 when they cross or one holds a corner of the other."""
    if any(inside(p, [list(q) for q in other]) for p in one) or any(inside(p, [list(q) for q in one]) for p in other):
        return 0.0
    return min(
        _to_edge(point, a, b)
        for corners, edges in ((one, other), (other, one))
        for point in corners
        for a, b in zip(edges, edges[1:] + edges[:1], strict=True)
    )


def _to_edge(point: Point, a: Point, b: Point) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    t = max(0.0, min(1.0, ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / (dx * dx + dy * dy)))
    return math.dist(point, (a[0] + t * dx, a[1] + t * dy))


def test_every_piece_of_equipment_lies_in_its_area_and_in_no_other(plant: dict[str, Any]):
    assert len(plant["equipment"]) == 40 and len({e["code"] for e in plant["equipment"]}) == 40
    for row in plant["equipment"]:
        holders = [a["code"] for a in plant["areas"] if inside((row["lon"], row["lat"]), a["polygon"])]
        assert holders == [row["area"]], row["code"]


def test_areas_do_not_overlap_and_the_furnace_is_beside_the_tank_farm(plant: dict[str, Any]):
    outlines = {area["code"]: metres(area["polygon"]) for area in plant["areas"]}
    assert set(outlines) == {"JC", "JR", "HC", "BF", "ZX", "DL"}
    assert all(gap(outlines[a], outlines[b]) > 5 for a, b in combinations(outlines, 2))
    assert 10 < gap(outlines["JC"], outlines["JR"]) <= 25
    area = {a["code"]: a for a in plant["areas"]}
    assert area["JR"]["ignition"] == ["加热炉"] and area["JC"]["medium"] == ["甲醇"]


def test_people_hang_together(plant: dict[str, Any]):
    people, codes = plant["people"], {a["code"] for a in plant["areas"]}
    for key in ("id", "mobile", "unionid", "name"):
        assert len({p[key] for p in people}) == len(people)
    for platform in ("wecom", "dingtalk"):
        accounts = [p[platform] for p in people if p[platform]]
        assert len(accounts) == len(set(accounts)) >= 7
    assert sum(1 for p in people if p["wecom"] and p["dingtalk"]) == 2
    assert all(p["wecom"] or p["dingtalk"] for p in people)
    roles = {(r["role"], r["area"]) for p in people for r in p["roles"]}
    assert {role for role, _ in roles} == {
        "worker",
        "team_leader",
        "workshop_director",
        "safety_officer",
        "executive",
        "admin",
        "veteran",
    }
    assert {area for _, area in roles} - {None} <= codes
    assert {area for role, area in roles if role == "workshop_director"} == codes  # every area has a director


def test_groups_have_known_members_and_their_director(plant: dict[str, Any]):
    ding = [g for g in plant["groups"] if g["platform"] == "dingtalk"]
    known = {p["dingtalk"]: p["name"] for p in plant["people"]}
    assert [g["title"] for g in ding] == ["储运车间安全群", "合成车间安全群"]
    assert "陈刚" in [known[m] for m in ding[0]["members"]] and "何静" in [known[m] for m in ding[1]["members"]]


def test_secrets_have_the_shapes_of_the_platforms_and_the_plant_is_json(plant: dict[str, Any]):
    for platform, name in (("wecom", "aes_key"), ("dingtalk", "event_aes_key")):
        key = plant[platform][name]
        assert key.isalnum() and len(crypto.Keys("t", key, "c").raw_key) == 32
    assert json.loads(json.dumps(plant)) == plant
    assert plant["wecom"]["callback_url"] == "http://app.test/wecom/callback"


def test_the_server_mounts_the_parts(plant: dict[str, Any]):
    from werkzeug.test import Client

    app, parts = build(plant, base="http://127.0.0.1:8001")
    client = Client(app)
    try:
        assert client.get("/").status_code == 200
        assert client.get("/wecom/_phone/people").get_json()[0]["user"] == "ZhangWei"
        assert client.get("/sms/_phone/people").status_code == 200
        args = f"corpid={plant['wecom']['corp_id']}&corpsecret={plant['wecom']['secret']}"
        assert client.get(f"/wecom/cgi-bin/gettoken?{args}").get_json()["errcode"] == 0
    finally:
        for part in parts:
            part.close()
