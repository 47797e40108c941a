"""Switches that make the platform misbehave, each with an optional number of times and an optional place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

KNOWN: dict[str, str] = {
    # answers of the API
    "slow_api_s": "every API answer takes this many seconds longer",
    "http_500": "HTTP 500 system.error (old API: errcode -1)",
    "http_504": "HTTP 504 with an HTML page",
    "html_body": "HTTP 200 with an HTML page instead of JSON",
    "ip_banned": 'the ban notice {"status":1111,"punish":"deny"}',
    "reset": "the connection breaks in the middle of the answer; nothing was done",
    "reset_but_delivered": "the call is carried out, then the connection breaks",
    "timeout_but_delivered": "the call is carried out, but its answer comes this many seconds late",
    "token_expired": "the token that was sent is dropped and refused",
    "throttle": "90018 / QpsLimitForAppkeyAndApi",
    "throttle_global": "90002 / QpsLimitForApi",
    "busy": "429 system.busy / errcode 90001",
    "gateway_88": "old API only: errcode 88 with a sub code",
    "quota_used_up": "90020 / ApiCountLimitForOrg",
    "no_permission": "60011 / AccessTokenPermissionDenied with requiredScopes",
    "ip_whitelist": "60020 / IpNotInWhiteList",
    "send_too_fast": "robot sends answer 400 send.too.fast (webhooks 410100)",
    "answer_with": 'a freely chosen error: {"status","code","message"} or {"errcode","errmsg"}',
    # sends that look fine
    "silent_drop": "sends succeed, nobody sees anything (true, or a list of user ids)",
    "flow_controlled": "batchSend puts these people (true = all) in flowControlledStaffIdList",
    "card_space_fails": "card delivery reports success:false for each space with this text",
    "stay_processing": "readStatus answers PROCESSING",
    "session_gone": "sessionWebhook answers 300001",
    "download_code_expired": "messageFiles/download refuses the code",
    "download_code_once": "a downloadCode works only once",
    "download_fails": "the download host answers this HTTP status",
    # pushes to the bot
    "duplicate_callbacks": "each push is delivered this many times",
    "drop_callbacks": "pushes are lost",
    "reorder": "a push is held back this many seconds, so later ones overtake it",
    "delay_callbacks_s": "a push comes this many seconds late",
    "bad_signature": "the signature of a push is wrong",
    "no_signature": "the signature headers or parameters are missing",
    "old_timestamp": "the push is signed two hours ago",
    "clock_skew_s": "the timestamp of a push is off by this many seconds, correctly signed",
    "corrupt_cipher": "the encrypted event is damaged (correctly signed)",
    "wrong_receiver": "the event is encrypted for another app",
    "robot_retry_s": "a robot push that failed is repeated once after this many seconds, same msgId",
    "missing_staff_id": "senderStaffId is missing (robot not published, or an outsider)",
    "quota_20001": "robot messages come without text or content, errorCode 20001",
    "no_recognition": "voice messages come with an empty recognition",
    "emoji_nick": "senderNick carries emoji",
    "card_shape": "card callbacks use 'content' (default), 'value' or 'both'",
    "jsapi_sha1": "dd.config also accepts a SHA-1 signature",
    # stream
    "gateway_refuses": "connections/open answers 400 invalidClientIdOrSecret",
    "stream_redeliver": "a robot message or card without an ack is pushed again after this many seconds",
    "stream_same_message_id": "a redelivered frame keeps its headers.messageId",
    "stream_half_open": "new connections are accepted and then nothing is ever sent on them",
    "stream_close_loop": "new connections are closed cleanly at once",
    "stream_mute_acks": "acks are ignored",
}


@dataclass
class Fault:
    name: str
    value: Any
    times: int | None
    path: str

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "times": self.times, "path": self.path}


class Faults:
    """The active switches. The caller holds the emulator's lock."""

    def __init__(self) -> None:
        self._active: dict[str, Fault] = {}

    def set(self, wanted: dict[str, Any]) -> None:
        """Sets switches from `{"name": value, …, "times": n, "path": "part of a path or push channel"}`.

        A value of false or null clears that switch; `{"clear": true}` clears all. Raises KeyError for a name that
        does not exist.
        """
        rest = dict(wanted)
        times, path = rest.pop("times", None), rest.pop("path", "")
        if rest.pop("clear", False):
            self._active.clear()
        for name in rest:
            if name not in KNOWN:
                raise KeyError(name)
        for name, value in rest.items():
            if value is False or value is None:
                self._active.pop(name, None)
            else:
                self._active[name] = Fault(name, value, times, path)

    def take(self, name: str, where: str = "") -> Any:
        """The value of an active switch, using up one of its times; None when it is off or meant for elsewhere."""
        fault = self._active.get(name)
        if fault is None or fault.path not in where:
            return None
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                del self._active[name]
        return fault.value

    def number(self, name: str, where: str = "", *, default: float) -> float | None:
        """Like take, for a switch whose value is a number; `true` means the default."""
        value = self.take(name, where)
        if value is None:
            return None
        return default if value is True else float(value)

    def as_json(self) -> list[dict[str, Any]]:
        return [fault.as_json() for fault in self._active.values()]
