"""Edge terminals: registered by a command, events kept once, an alarm dispatched like any other hazard."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jobs import slow
from storage.models import EdgeEvent
from tests.pictures import scene
from tests.plant import APP, Plant
from tests.web.json_schema import faults


class Terminal:
    """A terminal as it calls us; every answer is checked against the API document."""

    def __init__(self, plant: Any, code: str, token: str) -> None:
        self.plant, self.code, self.token, self.client = plant, code, token, plant.app.test_client()
        self.document = self.client.get("/api/v1/openapi.json").json

    def sends(self, body: Any, *, status: int = 200, code: str = "", token: str | None = None, **kwargs: Any) -> Any:
        token = self.token if token is None else token
        answer = self.client.post(
            f"{APP}/api/v1/edge/{code or self.code}",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            **({"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}),
            **kwargs,
        )
        assert answer.status_code == status, answer.text
        known = self.document["paths"]["/edge/{device}"]["post"]["responses"][str(status)]
        if "$ref" in known:
            known = self.document["components"]["responses"][known["$ref"].rsplit("/", 1)[1]]
        schema = known["content"][answer.mimetype]["schema"]
        assert faults(answer.json, schema, self.document) == []
        self.plant.settle()
        return answer.json

    def at(self, **ago: float) -> str:
        return str((self.plant.now - timedelta(**ago)).isoformat())

    def alarm(self, name: str = "e1", kind: str = "flame", **facts: Any) -> dict[str, Any]:
        return {"event_id": name, "type": kind, "occurred_at": self.at(seconds=2), "confidence": 0.93, **facts}


@pytest.fixture
def both(database_url: str, redis_client: Any, tmp_path: Path) -> Iterator[Plant]:
    """Asked for by the tests that run on every database."""
    made = Plant(database_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def plant(request: pytest.FixtureRequest) -> Plant:
    made: Plant = request.getfixturevalue("both" if "both" in request.fixturenames else "quick_plant")
    return made


@pytest.fixture
def run(plant):
    runner = plant.app.test_cli_runner()

    def call(*arguments: str, code: int = 0) -> str:
        result = runner.invoke(args=list(arguments))
        assert result.exit_code == code, result.output
        return str(result.stdout if code == 0 else result.output).strip()

    return call


@pytest.fixture
def camera(plant, run) -> Terminal:
    return Terminal(plant, "CAM-01", run("edge", "add", "CAM-01", "--name", "罐区东摄像头", "--area", "甲醇罐区"))


def rows(plant: Any) -> list[EdgeEvent]:
    with plant.work(read_only=True) as work:
        return list(work.db.scalars(select(EdgeEvent).order_by(EdgeEvent.id)))


def test_a_flame_is_dispatched_as_red_with_its_picture(both, plant, camera):
    picture = base64.b64encode(scene(3)).decode()
    told = camera.sends(camera.alarm(channel="3号通道", media=[{"kind": "image", "data": picture}]))
    assert told == {"events": [{"event_id": "e1", "outcome": "opened", "hazard": "YH-0001"}], "errors": []}
    with plant.work(read_only=True) as work:
        hazard = work.hazards.by_number("YH-0001")
        assert (hazard.grade, hazard.area.name, hazard.reporter) == ("red", "甲醇罐区", None)
        assert hazard.emergency  # permits nearby are judged by it
        assert len(hazard.photos) == 1
        assert "罐区东摄像头" in hazard.description and "请现场核实" in hazard.description
        assert "终端报警" in hazard.grade_why
        assert work.trail.of("hazard", hazard.id)[0].via == "edge"
    plant.phone("赵建国").sees("YH-0001", "发现明火")
    assert any("YH-0001" in text for text in plant.sms_of("赵建国"))
    assert plant.problems() == []


def test_what_is_sent_again_is_kept_once(both, plant, camera):
    camera.sends(camera.alarm())
    again = camera.sends({"events": [camera.alarm(), camera.alarm()]})
    assert {(e["outcome"], e["hazard"]) for e in again["events"]} == {("duplicate", "YH-0001")}
    assert len(rows(plant)) == 1
    nameless = {"type": "intrusion", "occurred_at": camera.at(seconds=30), "boxes": [[0.1, 0.2, 0.3, 0.4]]}
    assert [camera.sends(nameless)["events"][0]["outcome"] for _ in range(2)] == ["opened", "duplicate"]


def test_repeats_join_the_open_case_and_a_closed_one_opens_anew(both, plant, camera):
    camera.sends(camera.alarm())
    texts = len(plant.sms_of("赵建国"))
    plant.forward(seconds=30)
    assert camera.sends(camera.alarm("e2"))["events"][0] == {"event_id": "e2", "outcome": "joined", "hazard": "YH-0001"}
    plant.forward(minutes=3)
    assert camera.sends(camera.alarm("e3"))["events"][0]["outcome"] == "joined"
    assert len(plant.sms_of("赵建国")) == texts  # no siren a second time
    with plant.work(read_only=True) as work:
        actions = [line.action for line in work.trail.of("hazard", work.hazards.by_number("YH-0001").id)]
    assert actions.count("alarmed_again") == 1  # what comes within two minutes is the same incident
    assert camera.sends(camera.alarm("e4", "smoke"))["events"][0]["hazard"] == "YH-0002"
    with plant.work() as work:
        work.hazards.by_number("YH-0001").state = "closed"
        work.commit()
    assert camera.sends(camera.alarm("e5"))["events"][0] == {"event_id": "e5", "outcome": "opened", "hazard": "YH-0003"}


@pytest.mark.parametrize("state", ["assigned", "rectifying", "to_accept"])
def test_an_alarm_after_somebody_has_confirmed_calls_people_anew(plant, camera, state):
    camera.sends(camera.alarm())
    with plant.work() as work:
        hazard = work.hazards.by_number("YH-0001")
        hazard.state, hazard.confirmed_at = state, work.at
        work.commit()
    plant.forward(seconds=100)
    texts = len(plant.sms_of("赵建国"))
    assert camera.sends(camera.alarm("e2"))["events"][0]["outcome"] == "joined"  # the same incident still
    plant.forward(minutes=3)
    told = camera.sends(camera.alarm("e3"))["events"][0]
    assert told == {"event_id": "e3", "outcome": "opened", "hazard": "YH-0002"}
    assert len(plant.sms_of("赵建国")) > texts
    second = plant.hazard("YH-0002")
    assert (second.grade, second.emergency) == ("red", True)
    assert "YH-0001" in second.description
    with plant.work(read_only=True) as work:
        first = work.hazards.by_number("YH-0001")
        assert "另立 YH-0002" in [x.why for x in work.trail.of("hazard", first.id) if x.action == "alarmed_again"][-1]
    plant.forward(minutes=3)
    assert camera.sends(camera.alarm("e4"))["events"][0] == {"event_id": "e4", "outcome": "joined", "hazard": "YH-0002"}


def test_an_alarm_when_nobody_is_left_to_call_calls_people_anew(plant, camera):
    camera.sends(camera.alarm())
    with plant.work() as work:
        work.ladder.call_off("hazard", work.hazards.by_number("YH-0001").id, at=work.at)
        work.commit()
    plant.forward(minutes=3)
    assert camera.sends(camera.alarm("e2"))["events"][0]["hazard"] == "YH-0002"


def test_a_late_repeat_of_a_confirmed_case_calls_nobody(plant, camera):
    camera.sends({**camera.alarm(), "occurred_at": camera.at(minutes=9)})
    with plant.work() as work:
        work.hazards.by_number("YH-0001").confirmed_at = work.at
        work.commit()
    plant.forward(minutes=30)
    late = {**camera.alarm("e2"), "occurred_at": camera.at(minutes=20)}
    assert camera.sends(late)["events"][0] == {"event_id": "e2", "outcome": "joined", "hazard": "YH-0001"}


def test_events_of_an_outage_call_nobody_out(plant, camera):
    late = {"event_id": "old", "type": "flame", "occurred_at": camera.at(minutes=40)}
    assert camera.sends([late])["events"] == [{"event_id": "old", "outcome": "late", "hazard": None}]
    plant.phone("王芳").sees("迟到的终端报警", "40分钟", "CAM-01")
    assert plant.sms_of("赵建国") == []


@pytest.mark.parametrize(
    "event",
    [
        {"type": "flame", "confidence": 0.3},
        {"type": "flame", "level": "warning"},
        {"type": "face_known", "face": {"person_no": "A1", "score": 0.9}},
        {"type": "device_status", "text": "online"},
    ],
)
def test_what_is_no_alarm_is_kept_and_no_case(plant, camera, event):
    told = camera.sends({**event, "occurred_at": camera.at()})
    assert told["events"][0]["outcome"] == "recorded"
    with plant.work(read_only=True) as work:
        assert work.hazards.by_number("YH-0001") is None


def test_a_gas_value_and_every_way_to_write_the_time(plant, camera):
    moment = int((plant.now - timedelta(seconds=5)).timestamp())
    plain = (plant.now + timedelta(hours=8)).replace(tzinfo=None).isoformat()
    events = [
        {"event_id": str(n), "type": "gas", "occurred_at": at, "gas": {"value": 31.5, "unit": "%LEL", "kind": "甲醇"}}
        for n, at in enumerate((moment, moment * 1000, moment * 1_000_000, plain))
    ]
    assert [e["hazard"] for e in camera.sends(events)["events"]] == ["YH-0001"] * 4
    assert "甲醇 31.5 %LEL" in plant.hazard("YH-0001").description
    assert {row.occurred_at.date() for row in rows(plant)} == {plant.now.date()}


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ("words", None),
        ({"type": "earthquake"}, "type"),
        ({"type": "flame"}, "occurred_at"),
        ({"type": "flame", "occurred_at": "yesterday"}, "occurred_at"),
        ({"type": "flame", "occurred_at": 1e30}, "occurred_at"),
        ({"type": "flame", "occurred_at": "2030-01-01T00:00:00+08:00"}, "occurred_at"),
        ({"type": "flame", "occurred_at": "2020-01-01T00:00:00+08:00"}, "occurred_at"),
        ({"type": "flame", "occurred_at": "2026-11-24T09:00:00+08:00", "level": "panic"}, "level"),
        ({"type": "flame", "occurred_at": "2026-11-24T09:00:00+08:00", "confidence": 2}, "confidence"),
        ({"type": "flame", "occurred_at": "2026-11-24T09:00:00+08:00", "channel": "长" * 65}, "channel"),
        ({"type": "flame", "occurred_at": "2026-11-24T09:00:00+08:00", "boxes": [[1, 2, 3]]}, "boxes"),
        ({"type": "gas", "occurred_at": "2026-11-24T09:00:00+08:00", "gas": {"value": "high"}}, "gas"),
        ({"type": "face_known", "occurred_at": "2026-11-24T09:00:00+08:00", "face": "Z"}, "face"),
        ({"type": "flame", "occurred_at": 10**400}, "occurred_at"),
        ({"type": "gas", "occurred_at": "2026-11-24T09:00:00+08:00", "gas": {"value": 10**400}}, "gas"),
        ({"type": "flame", "occurred_at": "2026-11-24T09:00:00+08:00", "event_id": "\ud800"}, "event_id"),
        ({"type": "flame", "occurred_at": "2026-11-24T09:00:00+08:00", "channel": "\udfff"}, "channel"),
        ({"type": "flame", "occurred_at": "2026-11-24T09:00:00+08:00", "confidence": float("nan")}, "confidence"),
    ],
)
def test_a_bad_event_is_named_and_the_others_are_kept(plant, camera, event, field):
    refused = camera.sends([event], status=422)
    assert refused["errors"][0]["field"] == field
    both = camera.sends([event, camera.alarm()])
    assert (both["errors"][0]["index"], both["events"][0]["outcome"]) == (0, "opened")


def test_a_picture_that_cannot_be_used_does_not_cost_the_alarm(plant, camera):
    told = camera.sends(camera.alarm(media=[{"data": "%%%"}, {"data": base64.b64encode(b"GIF89a....").decode()}]))
    assert told["events"][0]["outcome"] == "opened"
    assert [error["field"] for error in told["errors"]] == ["media", "media"]


def test_only_the_terminals_own_token_opens_its_door(plant, camera, run):
    other = run("edge", "add", "CAM-02", "--area", "ZX")
    api = plant.api().headers["Authorization"].removeprefix("Bearer ")
    for code, token in (("CAM-01", other), ("CAM-01", api), ("CAM-01", ""), ("CAM-01", "x" * 5000), ("NONE", other)):
        camera.sends(camera.alarm(), status=401, code=code, token=token)
    renewed = run("edge", "add", "CAM-01", "--area", "甲醇罐区")
    camera.sends(camera.alarm(), status=401)
    camera.sends(camera.alarm(), token=renewed)
    assert "CAM-01" in run("edge", "list")
    run("edge", "revoke", "CAM-01")
    camera.sends(camera.alarm(), status=401, token=renewed)
    with plant.work(read_only=True) as work:
        assert work.hazards.by_number("YH-0002") is None


def test_too_much_and_the_wrong_kind(plant, camera):
    camera.sends([camera.alarm(str(n)) for n in range(101)], status=413)
    camera.sends(None, status=415, data="words")
    camera.sends(None, status=400, data="{", content_type="application/json")
    camera.sends("words", status=400)
    big = b'{"text": "' + b"x" * (20 * 1024 * 1024) + b'"}'
    camera.sends(None, status=413, data=big, content_type="application/json")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("CAM 1", "--area", "ZX"), "终端编号"),
        (("CAM-1", "--area", "月球"), "没有区域"),
        (("CAM-1", "--equipment", "X-999"), "没有设备"),
        (("CAM-1",), "--area"),
    ],
)
def test_a_terminal_needs_a_place(run, arguments, words):
    assert words in run("edge", "add", *arguments, code=1)


def test_a_terminal_at_a_piece_of_equipment_knows_its_area(plant, run):
    pump = plant.data["equipment"][0]
    box = Terminal(plant, "BOX-1", run("edge", "add", "BOX-1", "--equipment", pump["code"]))
    box.sends(box.alarm(kind="no_helmet"))
    hazard = plant.hazard("YH-0001")
    assert (hazard.equipment.code, hazard.area.code) == (pump["code"], pump["area"])
    assert not hazard.emergency
    assert hazard.lat is not None


# -- terminals that fall silent


def look(plant) -> int:
    """The scheduler looks once a minute and wakes the worker."""
    slow.wake(plant.services, "edge")
    told = slow.run(plant.services, "edge")
    plant.settle()
    return told


def passes(plant, minutes: int) -> int:
    told = 0
    for _ in range(minutes):
        plant.now += timedelta(minutes=1)
        told += look(plant)
    return told


def status(camera) -> None:
    camera.sends({"type": "device_status", "occurred_at": camera.at(), "text": "online"})


def test_a_terminal_that_falls_silent_is_told_once_and_again_when_it_is_back(both, plant, camera):
    status(camera)
    assert look(plant) == 0
    assert passes(plant, 15) == 0
    assert passes(plant, 1) == 1
    for name in ("王芳", "周敏"):
        plant.phone(name).sees("边缘终端 CAM-01(罐区东摄像头)没有消息", "09:00", "YH-0001")
    hazard = plant.hazard("YH-0001")
    assert (hazard.grade, hazard.area.name, hazard.emergency, hazard.reporter) == ("yellow", "甲醇罐区", False, None)
    degraded = plant.app.test_client().get("/readyz").json["degraded"]
    assert any(line.startswith("edge terminal CAM-01: silent since 2026-11-24T01:00") for line in degraded)
    assert passes(plant, 30) == 0
    assert plant.phone("周敏").count("没有消息,最后一次") == 1
    status(camera)
    plant.phone("周敏").sees("CAM-01(罐区东摄像头)恢复了", "YH-0001", "核实后请闭环")
    assert not [x for x in plant.app.test_client().get("/readyz").json["degraded"] if "edge" in x]
    with plant.work(read_only=True) as work:
        assert [x.action for x in work.trail.of("hazard", 1) if x.via == "edge"][-1] == "terminal_back"
    assert passes(plant, 16) == 1  # the next silence is told too; the hazard of the first is still open
    assert plant.phone("周敏").count("没有消息,最后一次") == 2
    with plant.work(read_only=True) as work:
        assert work.hazards.by_number("YH-0002") is None


def test_only_terminals_whose_silence_means_something_are_watched(plant, camera, run):
    token = run("edge", "add", "CAM-02", "--area", "ZX", "--interval", "60")
    camera.sends({**camera.alarm(), "level": "info"})  # never told its status, has no interval
    other = Terminal(plant, "CAM-02", token)
    look(plant)
    assert passes(plant, 10) == 0  # CAM-02 was never heard: it is not up yet
    other.sends({**other.alarm(), "level": "info"})
    assert passes(plant, 3) == 0
    assert passes(plant, 1) == 1
    assert "没有消息" in run("edge", "list").splitlines()[1]
    assert passes(plant, 60) == 0
    run("edge", "revoke", "CAM-02")
    assert not [x for x in plant.app.test_client().get("/readyz").json["degraded"] if "edge" in x]


def test_what_nobody_could_hear_is_no_silence(plant, camera):
    status(camera)
    assert passes(plant, 5) == 0
    plant.now += timedelta(hours=2)  # the server was down
    assert look(plant) == 0
    assert passes(plant, 15) == 0
    assert passes(plant, 1) == 1
