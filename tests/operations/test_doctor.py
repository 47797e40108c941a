"""The doctor against the emulated platforms: every failure is seen and comes with a remedy."""

from __future__ import annotations

import pytest
import redis
import requests
from pydantic import SecretStr
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from urllib3.exceptions import ConnectTimeoutError

from auditor.service import Auditor
from bot.platforms.dingtalk import stream_board
from emulators.wsgi import WsgiAdapter
from jobs.queue import QUEUES
from settings import SettingsError, load
from storage import guards
from storage.database import Base
from tests.plant import APP, Plant
from tools import doctor, doctor_outside


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    made = Plant(sqlite_url, redis_client, tmp_path)
    Base.metadata.create_all(made.services.engine)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def http(plant):
    session = requests.Session()
    session.trust_env = False
    session.mount(APP, WsgiAdapter(plant.app))
    return session


def by_name(findings):
    found = {f.what: f for f in findings}
    assert all(f.ok or f.remedy for f in found.values())
    return found


def test_the_public_address_leads_to_every_callback(plant, http):
    found = by_name(doctor_outside.callbacks(plant.services, http))
    assert not found["对外地址用 https"].ok
    names = ["对外地址能打开", "企业微信:回调地址 callback", "钉钉:回调地址 robot", "钉钉:回调地址 cards"]
    assert [found[name].ok for name in names] == [True] * 4


def test_the_robot_of_the_groups_is_looked_at_where_there_is_one(plant, http):
    what = "企业微信:回调地址 bot"
    assert what not in by_name(doctor_outside.callbacks(plant.services, http))
    plant.services.settings = plant.settings.model_copy(update={"wecom_bot_token": SecretStr("set but not restarted")})
    assert "nginx" in by_name(doctor_outside.callbacks(plant.services, http))[what].remedy


def test_an_address_that_leads_elsewhere_is_told(plant, http):
    http.mount(APP, WsgiAdapter(plant.sms.app))
    assert "nginx" in by_name(doctor_outside.callbacks(plant.services, http))["对外地址能打开"].remedy


def test_an_address_that_does_not_open_is_told(plant):
    plant.services.public_url = "http://127.0.0.1:9"
    session = requests.Session()
    session.trust_env = False
    assert "healthz" in by_name(doctor_outside.callbacks(plant.services, session))["对外地址能打开"].remedy


def test_a_path_that_nginx_does_not_hand_on_is_told(plant, http):
    def only_pages(environ, start_response):
        if environ["PATH_INFO"].startswith("/dingtalk"):
            start_response("404 Not Found", [("Content-Type", "text/html")])
            return [b"nginx"]
        return plant.app.wsgi_app(environ, start_response)

    http.mount(APP, WsgiAdapter(only_pages))
    found = by_name(doctor_outside.callbacks(plant.services, http))
    assert found["企业微信:回调地址 callback"].ok
    assert "HTTP 404" in found["钉钉:回调地址 robot"].remedy


def test_a_missing_menu_is_told_until_it_is_set(plant):
    assert "set-menu" in by_name(doctor_outside.wecom(plant.services))["企业微信:菜单"].remedy
    result = plant.app.test_cli_runner().invoke(args=["set-menu"])
    assert result.exit_code == 0, result.output
    assert all(f.ok for f in doctor_outside.wecom(plant.services))


def test_an_untrusted_address_of_the_server_is_told(plant):
    plant.wecom.core.switches.set({"trusted_ips": ["203.0.113.9"]})
    found = by_name(doctor_outside.wecom(plant.services))
    assert not found["企业微信:可信 IP"].ok
    assert "可信IP" in found["企业微信:可信 IP"].remedy


def test_the_card_template_is_tried(plant):
    assert by_name(doctor_outside.dingtalk(plant.services))["钉钉:卡片模板能用"].ok
    object.__setattr__(plant.services.platforms["dingtalk"].config, "card_template_id", "nothing.schema")
    assert not by_name(doctor_outside.dingtalk(plant.services))["钉钉:卡片模板能用"].ok


def test_a_stream_without_process_is_told(plant):
    plant.services.settings = plant.settings.model_copy(update={"dingtalk_mode": "stream"})
    assert "worker.py --stream" in by_name(doctor_outside.dingtalk(plant.services))["钉钉:Stream 连接"].remedy
    board = stream_board.Board(plant.services.redis, clock=lambda: plant.now)
    board.write(state="live", last_frame_at=plant.now.timestamp(), connects=1, frames=1, not_stored=0)
    assert by_name(doctor_outside.dingtalk(plant.services))["钉钉:Stream 连接"].ok


def test_processes_that_do_not_run_are_named(plant):
    found = by_name(doctor_outside.processes(plant.services))
    assert "chat、media、delivery" in found["工作进程"].remedy and "--auditor" in found["巡检进程"].remedy
    queues = [Queue(name, connection=plant.services.redis, serializer=JSONSerializer) for name in QUEUES]
    worker = SimpleWorker(queues, connection=plant.services.redis, serializer=JSONSerializer)
    worker.register_birth()
    Auditor(engine=plant.services.engine, clock=lambda: plant.now).look()
    assert all(f.ok for f in doctor_outside.processes(plant.services))
    worker.register_death()


def test_a_check_that_breaks_does_not_hide_the_others(plant, monkeypatch):
    def broken(_services):
        raise RuntimeError("unexpected")
        yield

    monkeypatch.setattr(doctor_outside, "wecom", broken)
    monkeypatch.setattr(doctor, "_session", lambda: plant.http)
    monkeypatch.setattr(doctor, "_clock", lambda _services: doctor.Finding("时钟", True))
    plant.http.mount(APP, WsgiAdapter(plant.app))
    found = by_name(doctor.examine(plant.services))
    assert "RuntimeError" in found["企业微信:菜单"].remedy
    assert found["钉钉:卡片模板能用"].ok and found["对外地址能打开"].ok


def test_speech_and_vectors_may_be_left_out_but_not_half_done(plant, tmp_path):
    assert by_name(doctor_outside.speech(plant.services))["语音转文字"].ok
    assert "未配置" in by_name(doctor_outside.vectors(plant.services))["语义模型"].remedy
    plant.services.speech = object()
    plant.services.settings = plant.services.settings.model_copy(
        update={"speech_provider": ("local",), "speech_model_dir": tmp_path, "search_vectors_dir": tmp_path}
    )
    assert "tokens.txt" in by_name(doctor_outside.speech(plant.services))["语音转文字:本地模型"].remedy
    assert "vectors.vec" in by_name(doctor_outside.vectors(plant.services))["语义模型"].remedy
    (tmp_path / "vectors.vec").write_text("泵 1 0\n轴承 0 1\n", encoding="utf-8")
    assert by_name(doctor_outside.vectors(plant.services))["语义模型"].ok


# -- wrong settings, as an admin meets them


def test_platforms_that_cannot_be_reached_are_told_as_that_and_pass_nothing(plant, monkeypatch):
    def nobody(*_args, **_kwargs):
        raise requests.ConnectionError(ConnectTimeoutError("nobody"))

    monkeypatch.setattr(requests.Session, "send", nobody)
    found = by_name(doctor.examine(plant.services))
    for name in (
        "企业微信:应用凭证",
        "企业微信:可信 IP",
        "企业微信:菜单",
        "钉钉:应用凭证(新接口)",
        "钉钉:卡片模板能用",
    ):
        assert not found[name].ok and "检查服务器能否访问外网" in found[name].remedy, name
    assert not found["时钟"].ok


def test_without_redis_the_doctor_goes_on_and_says_so(plant):
    plant.services.redis = redis.Redis(port=1, socket_connect_timeout=1)
    found = by_name(doctor.examine(plant.services))
    assert "ANSHAO_REDIS_URL" in found["Redis"].remedy
    assert not found["工作进程"].ok
    assert found["留痕保护"].ok


def test_guards_of_the_trail_that_are_gone_are_told(plant):
    with plant.services.engine.begin() as db:
        guards.remove(db)
    assert "db upgrade" in by_name(doctor.examine(plant.services))["留痕保护"].remedy


def test_wrong_settings_are_told_in_both_languages_each_with_its_name():
    wrong = {
        "ANSHAO_DATABASE_URL": "mysql://x", "ANSHAO_TIMEZONE": "Mars", "ANSHAO_ADMINS": "bob",
        "ANSHAO_WECOM_AES_KEY": "short", "ANSHAO_HEARTBEAT_URL": "file:///etc/passwd",
    }  # fmt: skip
    with pytest.raises(SettingsError) as told:
        load(wrong)
    lines = str(told.value).splitlines()
    assert "设置不能用" in lines[0]
    assert {line.split(":")[0].strip() for line in lines[1:]} == set(wrong)


def test_a_mistyped_setting_is_told_without_its_value(monkeypatch):
    assert doctor._settings().ok
    monkeypatch.setenv("ANSHAO_OF_ANOTHER_TOOL", "v4lue")
    assert doctor._settings().ok
    monkeypatch.setenv("ANSHAO_WECOM_SECRT", "v4lue")
    found = doctor._settings()
    assert (found.ok, found.remedy) == (False, "ANSHAO_WECOM_SECRT 不认识,是不是 ANSHAO_WECOM_SECRET?改好后重启")
