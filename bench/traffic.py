"""Callbacks as the platforms send them, signed beforehand by the emulators' code: every message is a new one."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

from bench import load
from emulators.dingtalk.signing import hmac_sign
from emulators.wecom import crypto
from emulators.wecom.xmlform import document

WORDS = "3号泵房 P-101A 泵密封渗油,地上有油"


def wecom_callback(plant: dict[str, Any], user: str, text: str) -> tuple[str, bytes]:
    """(path with query, body) of one text message."""
    settings = plant["wecom"]
    keys = crypto.Keys(settings["token"], settings["aes_key"], settings["corp_id"])
    fields = {
        "ToUserName": settings["corp_id"],
        "FromUserName": user,
        "CreateTime": int(time.time()),
        "MsgType": "text",
        "Content": text,
        "MsgId": secrets.randbelow(2**62) + 2**62,
        "AgentID": settings["agent_id"],
    }
    encrypted = crypto.encrypt(keys, document(fields))
    timestamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10))
    signed = crypto.signature(keys.token, timestamp, nonce, encrypted)
    query = urlencode({"msg_signature": signed, "timestamp": timestamp, "nonce": nonce})
    body = document({"ToUserName": settings["corp_id"], "AgentID": str(settings["agent_id"]), "Encrypt": encrypted})
    return f"/wecom/callback?{query}", body.encode()


def wecom_requests(plant: dict[str, Any], how_many: int, *, text: str = WORDS) -> list[bytes]:
    """Text messages of 50 people, ready for the wire."""
    made = (wecom_callback(plant, f"Crowd{number % 50:03d}", text) for number in range(how_many))
    return [load.request("POST", target, body, {"Content-Type": "text/xml"}) for target, body in made]


def dingtalk_requests(plant: dict[str, Any], how_many: int, *, text: str = WORDS) -> list[bytes]:
    """Robot messages of 50 people, ready for the wire."""
    settings, found = plant["dingtalk"], []
    for number in range(how_many):
        timestamp = str(int(time.time() * 1000))
        user = f"crowd{number % 50:03d}"
        body = {
            "conversationId": f"cid{user}",
            "chatbotCorpId": settings["corp_id"],
            "chatbotUserId": "$:LWCP_v1:$bot",
            "msgId": "msg" + secrets.token_hex(12),
            "senderNick": user,
            "isAdmin": False,
            "senderId": f"$:LWCP_v1:${user}",
            "senderStaffId": user,
            "senderCorpId": settings["corp_id"],
            "createAt": int(timestamp),
            "sessionWebhook": f"https://oapi.dingtalk.com/robot/sendBySession?session={user}",
            "sessionWebhookExpiredTime": int(timestamp) + 5_400_000,
            "conversationType": "1",
            "robotCode": settings["robot_code"],
            "msgtype": "text",
            "text": {"content": text},
        }
        headers = {
            "Content-Type": "application/json",
            "timestamp": timestamp,
            "sign": hmac_sign(timestamp, settings["client_secret"]),
        }
        found.append(load.request("POST", "/dingtalk/robot", json.dumps(body).encode(), headers))
    return found
