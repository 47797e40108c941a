"""The permit and readings API: the dry run against bad input, the feed row by row, lists and one permit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from rules.permit.facts import Clock, Unusable, fact_dictionary, usable
from rules.permit.gas import BadReading, to_vol
from storage.models import Permit, PermitVerdict
from tests import permits as p
from tests.web.json_schema import faults

AT = "2026-11-24T09:00:00+08:00"
NUMBER = "ZY-0001"


@pytest.fixture
def api(quick_plant):
    return quick_plant.api()


def judge(api, **over):
    body = {"work": "hot_work", "level": "l1", "at": AT, "facts": {}, **over}
    return sent(api, "/api/v1/permits/evaluate", body)


def sent(api, path, body):
    """As another system writes it: what is no character goes out as an escape."""
    return api.post(path, data=json.dumps(body), content_type="application/json")


# -- dry run


def test_nothing_known_is_pending_and_names_what_is_missing(api):
    verdict = judge(api).json
    assert verdict["result"] == "pending"
    assert {"guardian_id", "last_analysis_time"} <= set(verdict["missing"])
    assert verdict["verdict"]["result"] == "pending"


def test_how_long_the_decision_took_is_measured(api, monkeypatch):
    """Milliseconds on the clock around the judging, whatever this machine is busy with."""
    times = iter([100.0, 100.0425, 200.0, 200.0007])
    monkeypatch.setattr("web.api.permits.perf_counter", lambda: next(times))
    assert [judge(api).json["decided_in_ms"], judge(api).json["verdict"]["decided_in_ms"]] == [42.5, 0.7]


def test_the_time_that_a_request_took_to_judge_is_kept(api, quick_plant, monkeypatch):
    p.feed(quick_plant)
    phone = p.ask_for(quick_plant)
    clock = iter(n * 0.0125 for n in range(100))
    monkeypatch.setattr("handlers.permit.judge.perf_counter", lambda: next(clock))
    phone.taps("提交审批")
    assert api.get(f"/api/v1/permits/{NUMBER}").json["verdict"]["decided_in_ms"] == 12.5


@pytest.mark.parametrize(("vol", "result"), [(0.5, "pass"), (0.51, "fail")])
def test_a_limit_of_the_standard(api, vol, result):
    facts = {"gas_lel_vol": 5.0, "gas_reading_vol": vol}
    rules = {row["id"]: row for row in judge(api, facts=facts).json["rules"]}
    assert rules["HW-A03"]["result"] == result
    assert rules["HW-A03"]["clause"] == "5.3.2 a"


def test_a_dry_run_stores_nothing(api, quick_plant):
    judge(api)
    with quick_plant.work(read_only=True) as work:
        assert work.permits.page() == []
        assert work.permit_verdicts.of(1) == []


@pytest.mark.parametrize(
    ("over", "named"),
    [
        ({"work": "diving"}, "work"),
        ({"work": None}, "work"),
        ({"level": "l9"}, "level"),
        ({"level": True}, "level"),
        ({"level": ["l1"]}, "level"),
        ({"at": "2026-11-24T09:00:00"}, "at"),
        ({"at": "tomorrow"}, "at"),
        ({"at": None}, "at"),
        ({"at": 1732410000}, "at"),
        ({"facts": []}, "facts"),
        ({"facts": {"gas_reading_volume": 0.1, "colour": "red"}}, "facts"),
        ({"stage": "later"}, "stage"),
    ],
)
def test_bad_input_is_named(api, over, named):
    answer = judge(api, **over)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.json["parameter"] == named


def test_unknown_facts_are_listed(api):
    detail = judge(api, facts={"colour": 1, "gas_volume": 2, "gas_reading_vol": 0.1}).json["detail"]
    assert "colour" in detail
    assert "gas_volume" in detail
    assert "gas_reading_vol" not in detail


@pytest.mark.parametrize("body", ['{"work": NaN}', "[1, 2", "", '{"facts": {"gas_reading_vol": 1e999}}', '"x"', "[]"])
def test_what_is_no_json_object_is_refused(api, body):
    answer = api.client.post(
        "/api/v1/permits/evaluate", data=body, content_type="application/json", headers=api.headers
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "over",
    [
        {"level": "\ud800"},
        {"work": "\ud800"},
        {"work": ["hot_work"]},
        {"\ud800": 1},
        {"facts": {"\ud800": 1}},
        {"facts": {"oxygen_vol": 10**400}},
        {"facts": {"guardian_id": "\ud800"}},
        {"level": 10**400},
    ],
)
def test_numbers_and_words_that_are_none_are_refused(api, over):
    assert judge(api, **over).status_code == 400


@pytest.mark.parametrize("junk", [10**300, -1, [[1]], [{"a": 1}], {"a": [1]}, [None], True, "x", "", None, [], {}])
def test_no_fact_of_whatever_shape_breaks_the_judging(api, junk):
    assert judge(api, facts=dict.fromkeys(fact_dictionary(), junk)).status_code == 200


def test_numbers_beyond_every_float_are_no_facts():
    clock = Clock(datetime(2026, 11, 24, tzinfo=UTC), ZoneInfo("Asia/Shanghai"), timedelta(minutes=2))
    with pytest.raises(Unusable):
        usable(fact_dictionary()["oxygen_vol"], 10**400, clock)
    with pytest.raises(BadReading):
        to_vol(10**400, "%vol", lel_vol=None)


def test_json_however_deep_is_no_server_error(api):
    for depth in (500, 900, 5000):
        body = '{"facts": ' + "[" * depth + "]" * depth + "}"
        answer = api.client.post(
            "/api/v1/permits/evaluate", data=body, content_type="application/json", headers=api.headers
        )
        assert answer.status_code == 400


def test_junk_facts_never_pass(api):
    facts = {"gas_reading_vol": "0.1", "guardian_id": 7, "last_analysis_time": "yesterday", "is_night": "no"}
    assert judge(api, facts=facts).json["result"] in ("pending", "fail")


# -- readings


def rows(plant, *parts):
    good = {"detector": "GT-301", "kind": "combustible", "value": 1.0, "unit": "%LEL", "status": "ok"}
    return [{**good, "at": (plant.now - timedelta(minutes=n)).isoformat(), **part} for n, part in enumerate(parts)]


def send(api, body):
    return sent(api, "/api/v1/readings", body)


def test_five_thousand_with_one_bad(api, quick_plant):
    body = rows(quick_plant, *({} for _ in range(5000)))
    body[2500]["value"] = "high"
    answer = send(api, body)
    assert answer.status_code == 200
    assert (answer.json["new"], answer.json["refused"]) == (4999, 1)
    assert answer.json["errors"] == [{"index": 2500, "field": "value", "detail": "数值应是数字"}]


def test_the_same_call_twice_changes_nothing(api, quick_plant):
    body = rows(quick_plant, {}, {}, {})
    assert send(api, body).json["new"] == 3
    assert send(api, body).json == {"new": 0, "known": 3, "refused": 0, "errors": []}


def test_too_many_rows(api, quick_plant):
    assert send(api, rows(quick_plant, *({} for _ in range(5001)))).status_code == 413


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"detector": "GT-999"}, "detector"),
        ({"detector": None}, "detector"),
        ({"kind": "h2s"}, "kind"),
        ({"value": None}, "value"),
        ({"value": True}, "value"),
        ({"unit": ""}, "unit"),
        ({"unit": None}, "unit"),
        ({"unit": "bar"}, "unit"),
        ({"unit": "m/s"}, "unit"),
        ({"status": "great"}, "status"),
        ({"at": "2026-11-24T09:00:00"}, "at"),
        ({"at": "soon"}, "at"),
        ({"at": None}, "at"),
        ({"value": 10**400}, "value"),
        ({"value": -(10**400)}, "value"),
        ({"value": 1e308, "unit": "%vol"}, "value"),  # beyond every float once it is in the detector's unit
        ({"detector": "\ud800"}, "detector"),
        ({"detector": "GT-\x00"}, "detector"),
        ({"kind": "\ud800"}, "kind"),
        ({"unit": "\ud800"}, "unit"),
        ({"status": "\ud800"}, "status"),
        ({"at": "\ud800"}, "at"),
    ],
)
def test_a_bad_row_is_named_and_a_good_one_kept(api, quick_plant, part, field):
    answer = send(api, rows(quick_plant, {}, part))
    assert answer.status_code == 200
    assert answer.json["new"] == 1
    assert [(e["index"], e["field"]) for e in answer.json["errors"]] == [(1, field)]
    assert send(api, rows(quick_plant, part)).status_code == 422


@pytest.mark.parametrize(("seconds", "taken"), [(120, True), (121, False), (3600, False), (-3 * 3600, True)])
def test_two_minutes_ahead_and_three_hours_late(api, quick_plant, seconds, taken):
    at = (quick_plant.now + timedelta(seconds=seconds)).isoformat()
    answer = send(api, rows(quick_plant, {"at": at}))
    assert (answer.status_code == 200) is taken


def test_nan_is_a_bad_row_not_a_bad_call(api, quick_plant):
    body = json.dumps(rows(quick_plant, {}, {"value": float("nan")}, {"value": float("inf")}))
    answer = api.client.post("/api/v1/readings", data=body, content_type="application/json", headers=api.headers)
    assert (answer.json["new"], answer.json["refused"]) == (1, 2)


def test_a_value_in_another_unit_is_converted(api, quick_plant):
    assert send(api, rows(quick_plant, {"value": 0.55, "unit": "%vol"})).json["new"] == 1  # methanol: LEL 5.5 % vol
    with quick_plant.work(read_only=True) as work:
        assert work.readings.detector("GT-301").last_value == pytest.approx(10.0)


def test_a_late_value_is_history_and_not_the_last(api, quick_plant):
    send(api, rows(quick_plant, {"value": 2.0}))
    late = (quick_plant.now - timedelta(hours=3)).isoformat()
    send(api, rows(quick_plant, {"value": 40.0, "at": late}))
    with quick_plant.work(read_only=True) as work:
        assert work.readings.detector("GT-301").last_value == 2.0


def test_a_token_that_only_reads_cannot_write(api, quick_plant):
    with quick_plant.work() as work:
        work.people.token_named("tests").scopes = "read"
        work.commit()
    assert send(api, rows(quick_plant, {})).status_code == 403
    assert api.get("/api/v1/permits").status_code == 200


@pytest.mark.parametrize("body", [{"a": 1}, "x", 7])
def test_readings_are_a_list(api, body):
    assert send(api, body).status_code == 400


def test_a_page_of_permits_costs_the_same_statements_however_long_it_is(quick_plant):
    def more(first, last):
        with quick_plant.work() as work:
            for number in range(first, last):
                made = work.permits.add(
                    Permit(
                        number=f"ZY-{number:04d}", work="hot_work", level="l1", state="submitted", created_at=work.at,
                        facts={}, suspend_why=[], next_due=[], parties=[], approvals=[], gas_tests=[], generation=1,
                    )
                )  # fmt: skip
                verdict = PermitVerdict(
                    permit_id=made.id, at=work.at, cause="submit", facts={}, result="pass", table_version="x", took_ms=1,
                    verdict={
                        "result": "pass", "work": "hot_work", "level": "l1", "at": AT, "stage": "request", "basis": "",
                        "rules": [], "missing": [], "fix": [], "due_next": [], "table_version": "x",
                    },
                )  # fmt: skip
                made.verdict_id = work.permit_verdicts.add(verdict).id
            work.commit()

    def statements():
        asked = []
        count = lambda _connection, _cursor, statement, *_rest: asked.append(statement)  # noqa: E731
        event.listen(quick_plant.services.engine, "before_cursor_execute", count)
        items = quick_plant.api().get("/api/v1/permits").json["items"]
        event.remove(quick_plant.services.engine, "before_cursor_execute", count)
        assert all(item["verdict"]["result"] == "pass" for item in items)
        return len(items), len([one for one in asked if "permit" in one.lower()])

    more(1, 3)
    few = statements()
    more(3, 23)
    many = statements()
    assert (few[0], many[0]) == (2, 22)
    assert few[1] == many[1]


# -- permits


def test_one_permit_and_the_list(api, quick_plant):
    p.feed(quick_plant)
    p.ask_for(quick_plant).taps("提交审批")
    listed = api.get("/api/v1/permits?state=submitted&work=hot_work&area=BF").json["items"]
    assert [item["number"] for item in listed] == [NUMBER]
    assert api.get("/api/v1/permits?state=active").json["items"] == []
    one = api.get(f"/api/v1/permits/{NUMBER}").json
    assert (one["state"], one["level"], one["verdict"]["result"]) == ("submitted", "l1", "pass")
    assert isinstance(one["verdict"]["decided_in_ms"], float)
    assert one["verdict"]["decided_in_ms"] > 0
    assert [test["values"][0]["gas"] for test in one["gas_tests"]] == ["combustible"]
    assert {row["kind"] for row in one["approvals"]} == {"approve"}
    assert "submitted" in [line["action"] for line in one["trail"]]


@pytest.mark.parametrize("query", ["state=open", "work=diving", "area=XX", "colour=red", "limit=0", "since=now"])
def test_bad_queries(api, query):
    assert api.get(f"/api/v1/permits?{query}").status_code == 400


def test_an_unknown_number(api):
    assert api.get("/api/v1/permits/ZY-9999").status_code == 404


def test_every_answer_fits_the_document(api, quick_plant):
    document = api.get("/api/v1/openapi.json").json
    schemas = document["components"]["schemas"]
    p.at_work(quick_plant)
    p.one(quick_plant, 10)
    for name, body in (
        ("Permits", api.get("/api/v1/permits").json),
        ("Permit", api.get(f"/api/v1/permits/{NUMBER}").json),
        ("PermitDryRun", judge(api, facts={"gas_reading": {"value": 3, "unit": "%LEL"}, "medium": "甲醇"}).json),
        ("ReadingsTaken", send(api, rows(quick_plant, {}, {"value": "x"})).json),
        ("Problem", send(api, rows(quick_plant, {"value": "x"})).json),
    ):
        assert faults(body, schemas[name], document) == [], name


def test_a_full_call_may_be_longer_than_a_page(quick_plant):
    """5 000 rows written out with spaces are over the 1 MB that callbacks and pages may have."""
    at = quick_plant.now - timedelta(hours=2)
    code = quick_plant.data["detectors"][0]["code"]
    unit = quick_plant.data["detectors"][0]["unit"]
    many = [
        {"detector": code, "value": 1.5, "unit": unit, "status": "ok", "at": (at + timedelta(seconds=n)).isoformat()}
        for n in range(5000)
    ]
    body = json.dumps(many, indent=24)
    assert 1_000_000 < len(body) < 4_000_000
    answer = quick_plant.api().post("/api/v1/readings", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["new"], answer.json["refused"]) == (200, 5000, 0)
