"""Robot messages from people to the bot (protocol notes §1.1, 1.3, 1.4)."""

from __future__ import annotations

import json
from typing import Any

from .core import Core
from .errors import OldError
from .ids import new_hex, new_message_id
from .media import Blob, Media
from .outgoing import read_webhook
from .people import Group, Person
from .push import delays, post, push_timestamp, spoil
from .sessions import Sessions
from .signing import hmac_sign
from .stream import Stream

TOPIC = "/v1.0/im/bot/messages/get"
CANNOT_RECEIVE = "机器人暂不支持接收该类型的消息"
CANNOT_RECEIVE_OVER_QUOTA = "本企业的机器人消息额度已用完"


class Inbound:
    """Builds the message object and pushes it over HTTP or Stream, whichever the console says."""

    def __init__(self, core: Core, media: Media, sessions: Sessions, stream: Stream):
        self.core, self.media, self.sessions, self.stream = core, media, sessions, stream

    def picture(self, blob: Blob) -> dict[str, Any]:
        codes = self.file_code(blob)
        return {**codes, "pictureDownloadCode": self.file_code(blob)["downloadCode"]}

    def file_code(self, blob: Blob) -> dict[str, Any]:
        return {"downloadCode": self.media.new_code(blob, self.core.own_app.robot_code)}

    def message(self, person: Person, group: Group | None, payload: dict[str, Any]) -> dict[str, Any]:
        """The whole object a bot receives; payload brings msgtype and its part. The lock is held."""
        core, now = self.core, self.core.now_ms()
        robot_id = "$:LWCP_v1:$" + core.conf["client_id"]
        emoji = core.faults.take("emoji_nick", "robot") is not None
        session = self.sessions.open(person.userid, group.id if group else None)
        body: dict[str, Any] = {
            "conversationId": group.id if group else core.conversation_of(person),
            "chatbotCorpId": core.conf["corp_id"], "chatbotUserId": robot_id, "msgId": new_message_id(),
            "senderNick": person.name + ("😀🔥" if emoji else ""), "isAdmin": False, "senderId": person.sender_id,
            "senderStaffId": person.userid, "senderCorpId": core.conf["corp_id"], "createAt": now,
            "sessionWebhook": session.url, "sessionWebhookExpiredTime": int(session.expires_at * 1000),
            "conversationType": "2" if group else "1", "senderPlatform": "Android",
            "robotCode": core.own_app.robot_code, "openThreadId": new_hex(8), **payload,
        }  # fmt: skip
        if group:
            body |= {"conversationTitle": group.title, "isInAtList": True, "atUsers": [{"dingtalkId": robot_id}]}
        if core.faults.take("missing_staff_id", "robot") is not None:
            del body["senderStaffId"]
        if core.faults.take("quota_20001", "robot") is not None or not core.meters.webhook_left():
            body.pop("text", None)
            body.pop("content", None)
            body |= {"errorCode": 20001, "errorMessage": CANNOT_RECEIVE_OVER_QUOTA}
        return body

    def send(self, body: dict[str, Any]) -> None:
        """Schedules the deliveries of one message. The lock is held."""
        core = self.core
        core.meters.month()["webhook_stream"] += 1
        core.journal.pushes[f"robot {body['msgtype']}"] += 1
        core.journal.note("robot_message_sent", msg_id=body["msgId"], msgtype=body["msgtype"])
        if core.modes["robot"] == "stream":
            for wait in delays(core, "robot"):
                core.agenda.at(core.clock() + wait, lambda: self._over_stream(body), lane=body["conversationId"])
            return
        retry = core.faults.number("robot_retry_s", "robot", default=10.0)
        for wait in delays(core, "robot"):
            run = lambda: self._over_http(body, retry)  # noqa: E731
            core.agenda.at(core.clock() + wait, run, lane=body["conversationId"])

    def _over_stream(self, body: dict[str, Any]) -> None:
        self.stream.push_callback(TOPIC, body, redeliver=True)

    def _over_http(self, body: dict[str, Any], retry_s: float | None) -> None:
        core = self.core
        url = core.conf.get("robot_url")
        if not url:
            return
        with core.lock:
            headers = self._headers()
        raw = json.dumps(body, ensure_ascii=False).encode()
        outcome = post(core, url, body=raw, headers=headers, limit_s=core.limits.robot_push_s)
        with core.lock:
            core.journal.note("robot_pushed", msg_id=body["msgId"], status=outcome.status, reason=outcome.reason)
            if outcome.ok:
                self._honour_reply(body, outcome.text)
            elif retry_s is not None:
                again = core.clock() + retry_s
                core.agenda.at(again, lambda: self._over_http(body, None), lane=body["conversationId"])

    def _headers(self) -> dict[str, str]:
        faults, timestamp = self.core.faults, push_timestamp(self.core, "robot")
        sign = hmac_sign(timestamp, self.core.conf["client_secret"])
        if faults.take("bad_signature", "robot") is not None:
            sign = spoil(sign)
        headers = {"Content-Type": "application/json; charset=utf-8", "timestamp": timestamp, "sign": sign}
        if faults.take("no_signature", "robot") is not None:
            del headers["sign"], headers["timestamp"]
        return headers

    def _honour_reply(self, body: dict[str, Any], text: str) -> None:
        """The HTTP answer may carry one message in the webhook shapes; an empty body or `empty` says nothing."""
        if not text.strip():
            return
        try:
            reply = json.loads(text)
            if not isinstance(reply, dict) or "msgtype" not in reply:
                return
            content = read_webhook(reply, self.media)
        except (ValueError, OldError) as error:
            self.core.journal.problem(f"answer to a robot push is no message: {error}")
            return
        if content is not None:
            session = body["sessionWebhook"].rpartition("=")[2]
            self.sessions.show(session, content)
