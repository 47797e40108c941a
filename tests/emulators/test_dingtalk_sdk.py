"""An independent client library agrees with the emulator: old API calls, upload, and the event encryption both ways."""

from __future__ import annotations

import io
import json
from urllib.parse import parse_qs

import dingtalk
import pytest
from dingtalk.crypto import DingTalkCrypto

from emulators.wsgi import WsgiAdapter
from tests.emulators.dingtalk_kit import EVENT_KEY, PNG, World


class Client(dingtalk.AppKeyClient):
    API_BASE_URL = "http://root.test/"


@pytest.fixture
def world():
    made = World()
    made.session.mount("http://root.test", WsgiAdapter(made.emulator.app))
    return made


@pytest.fixture
def client(world):
    made = Client("dingcorp", "dingkey", "demo secret", "demo token", EVENT_KEY, auto_retry=False)
    made._http = world.session
    return made


def test_contacts_notice_and_upload(world, client):
    assert client.post("/topapi/v2/user/get", {"userid": "user001"})["result"]["name"] == "李强"
    msg = {"msgtype": "text", "text": {"content": "YH-0001"}}
    body = {"agent_id": 2001, "userid_list": "user001", "msg": msg}
    assert client.post("/topapi/message/corpconversation/asyncsend_v2", body)["task_id"]
    assert world.screen("user001")[0]["text"] == "YH-0001"
    assert client.message.media_upload("image", ("a.png", io.BytesIO(PNG)))["media_id"].startswith("@lA")
    assert world.problems() == []


def test_event_encryption_with_the_app_key_as_owner(world):
    crypto, seen = DingTalkCrypto("demo token", EVENT_KEY, "dingkey"), []

    def answer(push):
        query = {name: values[0] for name, values in parse_qs(push.query).items()}
        plain = crypto.decrypt_message(push.json, query["msg_signature"], query["timestamp"], query["nonce"])
        seen.append(json.loads(plain))
        return 200, json.dumps(crypto.encrypt_message("success"))

    world.bot.answers["/dingtalk/events"] = answer
    world.emulator.check_event_url()
    world.tick()
    assert seen == [{"EventType": "check_url"}] and world.emulator.events.check_results == [True]
    assert world.problems() == []
