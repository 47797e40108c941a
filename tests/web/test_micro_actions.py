"""Micro-actions outside of permits, as a safety officer shows them to an inspector: list, table, API."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.pictures import scene
from tests.web.json_schema import faults

OFFICER, LEADER, HAND = "王芳", "赵建国", "吴涛"


@pytest.fixture
def done(quick_plant: Any) -> Any:
    """One of each: earthed, charged and agreed, charged and open, purged and too much."""
    first, second = quick_plant.phone(HAND), quick_plant.phone("孙丽")
    first.says("卸车 LA-402").sends_photo(scene(3))
    quick_plant.forward(minutes=1)
    first.says("投料 R-101").says("甲醇 批号1124-3").says("孙丽")
    quick_plant.forward(minutes=1)
    second.taps("核对无误", on="投料双人核对")
    first.says("投料 R-101").says("=1+1 批号9").says("孙丽")
    quick_plant.forward(minutes=1)
    first.says("置换 R-101").says("氧0.6,设定0.5").sees("不合格")
    return quick_plant


def ask(plant: Any, query: str = "", status: int = 200) -> Any:
    answer = plant.api().get(f"/api/v1/micro-actions{query}")
    assert answer.status_code == status, answer.text
    return answer.json


def test_the_api_lists_them_as_its_document_says(done):
    document = done.app.test_client().get("/api/v1/openapi.json").json
    schemas = document["components"]["schemas"]
    found = ask(done)
    assert faults(found, schemas["MicroActions"], document) == []
    seen = [(row["micro"], row["result"]) for row in found["items"]]
    assert seen == [("MA-22", "failed"), ("MA-20", "waiting"), ("MA-20", "agreed"), ("MA-21", "done")]
    purge, waits, agreed, earthed = found["items"]
    assert (purge["value"], purge["limit"], purge["unit"], purge["where"]) == (0.6, 0.5, "%vol", "R-101")
    assert (agreed["by"]["name"], agreed["second"]["name"], waits["second"]["name"]) == (HAND, "孙丽", "孙丽")
    assert agreed["second_at"] > agreed["at"]
    assert waits["second_at"] is None
    assert len(earthed["photo_sha256"]) == 64
    picture = done.app.test_client().get(earthed["photo_url"].removeprefix("http://anshao.test"))
    assert picture.mimetype.startswith("image/")
    one = ask(done, f"/{agreed['ref']}")
    assert faults(one, schemas["MicroActionWithTrail"], document) == []
    assert [line["action"] for line in one["trail"]] == ["charge_told", "charge_agreed"]
    assert [line["by"]["name"] for line in one["trail"]] == [HAND, "孙丽"]


def test_the_list_can_be_asked_for_a_part(done):
    assert [row["micro"] for row in ask(done, "?micro=MA-20")["items"]] == ["MA-20", "MA-20"]
    where = ask(done, "?micro=MA-21")["items"][0]["area"]
    assert {row["area"]["code"] for row in ask(done, f"?area={where['code']}")["items"]} == {where["code"]}
    first = ask(done, "?limit=3")
    rest = ask(done, f"?limit=3&cursor={first['next_cursor']}")
    assert [row["micro"] for row in rest["items"]] == ["MA-21"]
    assert rest["next_cursor"] is None
    later = (done.now + timedelta(minutes=1)).isoformat().replace("+", "%2B")
    assert ask(done, f"?since={later}")["items"] == []
    assert len(ask(done, f"?until={later}")["items"]) == 4


@pytest.mark.parametrize("query", ["?micro=MA-01", "?area=NONE", "?cursor=x", "?since=gestern", "?limit=0", "?who=x"])
def test_what_it_does_not_know_is_refused(quick_plant, query):
    ask(quick_plant, query, 400)


@pytest.mark.parametrize("ref", ["1.1", "x", "1", "1.", "1.9", "9" * 30 + ".1", "1.x"])
def test_a_record_that_is_not_there(quick_plant, ref):
    ask(quick_plant, f"/{ref}", 404)


def test_a_safety_officer_shows_them_with_photo_and_both_names(done, browse):
    page = browse(OFFICER).get("/h5/micro-actions").text
    for words in ("投料双人核对:双人核对无误", "等第二人核对", "置换测氧:不合格", "吴涛、孙丽", "接地后卸车:已接地"):
        assert words in page, words
    link = re.search(r'href="http://anshao.test(/m/[^"]+)"', page)
    assert link and browse(OFFICER).get(link[1]).mimetype.startswith("image/")
    only = browse(LEADER).get("/h5/micro-actions?days=7&micro=MA-21").text
    assert "LA-402" in only and "R-101" not in only
    done.forward(hours=30)
    assert "这段时间没有记录" in browse(OFFICER).get("/h5/micro-actions?days=1").text
    assert "LA-402" in browse(OFFICER).get("/h5/micro-actions?days=nonsense&micro=x").text


def test_the_table_opens_in_a_table_program_and_computes_nothing(done, browse):
    answer = browse(OFFICER).get("/h5/micro-actions.csv?days=30")
    assert (answer.mimetype, "attachment" in answer.headers["Content-Disposition"]) == ("text/csv", True)
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["微动作"] for row in rows] == ["MA-22", "MA-20", "MA-20", "MA-21"]
    assert (rows[0]["氧含量%"], rows[0]["设定值%"], rows[0]["结果"]) == ("0.6", "0.5", "不合格")
    assert (rows[2]["做的人"], rows[2]["第二人"]) == (HAND, "孙丽")
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_others_are_told_who_may(done, browse):
    for path in ("/h5/micro-actions", "/h5/micro-actions.csv"):
        answer = browse(HAND).get(path)
        assert answer.status_code == 403
        assert "由安全员、分管领导和管理员查看" in answer.text
