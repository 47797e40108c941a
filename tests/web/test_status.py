"""Whether it lives, whether it can work and why not, its figures, its headers and its errors."""

from __future__ import annotations

import redis
from sqlalchemy import text

from auditor.service import Auditor
from storage.media import MediaUnavailable
from tests.plant import APP
from tests.web.test_case_page import filed


def ready(plant):
    answer = plant.app.test_client().get("/readyz")
    return answer.status_code, answer.json, {c["name"]: c for c in answer.json["checks"]}


def test_ready_when_all_is_there(plant):
    status, told, checks = ready(plant)
    assert (status, told["ready"], told["degraded"]) == (200, True, [])
    assert set(checks) == {"database", "redis", "media"}


def test_an_old_schema_is_not_ready_and_says_what_to_do(plant):
    with plant.services.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    status, _, checks = ready(plant)
    assert status == 503
    assert "db upgrade" in checks["database"]["reason"]
    assert checks["redis"]["ok"]


def test_no_database_is_not_ready(quick_plant, tmp_path):
    from app import create_app
    from storage.database import open_engine

    services = quick_plant.services
    services.engine = open_engine("postgresql+psycopg://nobody:no@127.0.0.1:1/none")
    client = create_app(quick_plant.settings, services=services).test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "OperationalError" in answer.json["checks"][0]["reason"]
    assert "nobody" not in answer.text
    assert client.get("/healthz").status_code == 200
    assert "anshao_database_up 0.0" in client.get("/metrics").text


def test_no_redis_is_not_ready(quick_plant):
    from app import create_app

    quick_plant.services.redis = redis.Redis(port=1, socket_connect_timeout=1)
    answer = create_app(quick_plant.settings, services=quick_plant.services).test_client().get("/readyz")
    assert answer.status_code == 503
    assert [c["name"] for c in answer.json["checks"] if not c["ok"]] == ["redis"]


def test_a_full_disk_is_not_ready(quick_plant, monkeypatch):
    def full():
        raise MediaUnavailable(28, "cannot write media under /x: the disk is full")

    monkeypatch.setattr(quick_plant.services.media, "check", full)
    status, _, checks = ready(quick_plant)
    assert status == 503
    assert "disk is full" in checks["media"]["reason"]


def test_waiting_messages_are_a_degraded_state(plant):
    client = plant.phone("张伟").client
    client.post("/_phone/ZhangWei/say", json={"text": "在吗"})
    plant.wecom.tick()
    plant.now = plant.now.replace(minute=5)
    assert ready(plant)[1]["degraded"] == []
    plant.now = plant.now.replace(second=1)
    status, told, _ = ready(plant)
    assert status == 200
    assert "inbox" in told["degraded"][0]
    assert "301 s" in told["degraded"][0]


def test_ready_shows_how_well_it_goes(plant):
    told = ready(plant)[1]
    assert told["figures"]["reports_accepted"] == 0
    assert told["figures"]["first_notice_on_time_share"] is None
    assert told["links"] == []
    filed(plant)
    Auditor(plant.services.engine, lambda: plant.now).look()
    now = ready(plant)[1]["figures"]
    assert (now["reports_accepted"], now["reports_24h"], now["first_notice_on_time_share"]) == (1, 1, 1.0)
    assert now["first_notice_p99_s"] == 0 and now["inbox_oldest_s"] == 0 and now["auditor_looked_s_ago"] == 0
    assert isinstance(now["budgets"], list) and isinstance(now["outbox_oldest_s"], dict)


def figures(plant):
    lines = plant.app.test_client().get("/metrics").text.splitlines()
    return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def test_figures_of_a_report(plant):
    plant.steps = None  # what the process has counted is no part of a plant
    filed(plant)
    found = figures(plant)
    assert found["anshao_reports_accepted_total"] == 1
    assert found['anshao_hazards{grade="yellow",state="assigned"}'] == 1
    assert found["anshao_inbox_unfinished"] == 0
    assert found['anshao_inbound_handled_ms{quantile="0.5"}'] == 0
    assert found['anshao_callbacks_total{platform="wecom",status="2xx"}'] >= 2
    assert found['anshao_callback_seconds_count{platform="wecom"}'] >= 2
    assert found["anshao_hazards_overdue"] == 0
    plant.now = plant.now.replace(month=12, day=2)
    assert figures(plant)["anshao_hazards_overdue"] == 1


def test_figures_of_what_waits(plant):
    client = plant.phone("张伟").client
    client.post("/_phone/ZhangWei/say", json={"text": "3号泵房着火了"})
    plant.wecom.tick()
    plant.now = plant.now.replace(minute=1)
    found = figures(plant)
    assert found["anshao_inbox_unfinished"] == 1
    assert found["anshao_inbox_oldest_seconds"] == 60
    from jobs import inbound

    inbound.handle_ready(plant.services)
    plant.now = plant.now.replace(minute=3)
    found = figures(plant)
    assert found["anshao_inbox_unfinished"] == 0
    assert found['anshao_outbox_waiting{platform="wecom"}'] >= 1
    assert found['anshao_outbox_waiting{platform="sms"}'] == 1
    assert found['anshao_outbox_oldest_seconds{platform="wecom"}'] == 120


def test_a_refused_callback_is_counted_as_such(quick_plant):
    quick_plant.app.test_client().post("/dingtalk/robot", json={})
    assert figures(quick_plant)['anshao_callbacks_total{platform="dingtalk",status="4xx"}'] == 1


def test_every_page_is_guarded(quick_plant, browse):
    answer = browse("张伟").get("/h5/todo")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src 'self' https://g.alicdn.com https://res.wx.qq.com;" in policy
    assert "frame-ancestors 'self' https://*.dingtalk.com" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script>" not in answer.text
    bare = quick_plant.app.test_client().get("/api/v1/openapi.json").headers
    assert bare["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_https_makes_the_cookie_secure(quick_plant):
    from app import create_app

    settings = quick_plant.settings.model_copy(update={"public_url": "https://anshao.example"})
    client = create_app(settings, services=quick_plant.services).test_client()
    answer = client.get("/h5/sign-in?platform=wecom")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in answer.headers


def test_errors_are_for_their_readers(quick_plant, browse):
    client = quick_plant.app.test_client()
    page = client.get("/h5/nothing")
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "回到聊天里" in page.text
    for path in ("/dingtalk/nothing", "/nothing"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.mimetype, answer.json["status"]) == (404, "application/problem+json", 404)
    wrong = client.post("/healthz")
    assert (wrong.status_code, wrong.mimetype) == (405, "application/problem+json")
    assert "GET" in wrong.headers["Allow"]
    assert client.post("/").status_code == 405
    assert client.post("/").headers["Allow"]


def test_a_surprise_is_told_without_details(quick_plant, browse, monkeypatch):
    zhang = browse("张伟")

    def broken(*_args, **_kwargs):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("storage.hazards.Hazards.owned_by", broken)
    quick_plant.app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = zhang.get("/h5/todo")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "稍后再试" in answer.text


def test_a_body_of_20_megabytes_is_refused(quick_plant):
    client = quick_plant.app.test_client()
    for path in ("/dingtalk/robot", "/wecom/callback?msg_signature=a&timestamp=1&nonce=2"):
        answer = client.post(f"{APP}{path}", data=b"x" * (20 * 1024 * 1024), content_type="application/json")
        assert answer.status_code in (403, 413)


def test_the_index_has_links(quick_plant):
    page = quick_plant.app.test_client().get("/").text
    assert "/h5/todo" in page
    assert "/api/v1/openapi.json" in page
