"""Plain messages of the robot: answers through the session webhook, else the robot API; read state and recall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog

from bot.platforms.base import Failure, PlatformError, Sent, Target
from bot.platforms.dingtalk.client import ApiClient
from bot.platforms.dingtalk.config import DingTalkConfig
from bot.platforms.dingtalk.errors import DingTalkError
from bot.platforms.dingtalk.meter import Meter
from bot.platforms.dingtalk.oapi import OldApi, post_webhook
from bot.platforms.dingtalk.render import TEXT_BYTES, cut, dumps, title_of

MAX_PEOPLE = 20  # the page says 20, its error table 100
SESSION_MARGIN_S = 60
MAX_UPLOAD_BYTES = 20 * 1024 * 1024
FILE_TYPES = ("xlsx", "pdf", "zip", "rar", "doc", "docx")
FLOW_CONTROL_WAIT_S = 60.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReadState:
    """Who of the receivers has read a message; `recalled` when it was taken back."""

    readers: tuple[str, ...]
    recalled: bool = False


class Messages:
    def __init__(
        self,
        config: DingTalkConfig,
        *,
        api: ApiClient,
        oapi: OldApi,
        http: requests.Session,
        clock: Callable[[], datetime],
        meter: Meter | None = None,
    ) -> None:
        self._config, self._api, self._oapi, self._http, self._clock = config, api, oapi, http, clock
        self._meter = meter

    def text(self, target: Target, text: str, *, reply_to: dict[str, Any] | None, markdown: bool) -> Sent:
        """Through the session webhook of the message answered while it lives, else by the robot API.

        Neither knows an idempotency key: after UNKNOWN a repeat may be seen twice.
        """
        webhook = self._session(target, reply_to or {})
        if webhook:
            try:
                with self._meter.webhook() if self._meter is not None else nullcontext():
                    post_webhook(self._http, webhook, _answer(text, str((reply_to or {}).get("at", "")), markdown))
                return Sent()
            except DingTalkError as error:
                if error.failure not in (
                    Failure.EXPIRED,
                    Failure.QUOTA,
                ):  # a used-up month of messages leaves the calls
                    raise
                log.info("dingtalk.session_not_used", target=target.key, code=error.code)
        text = cut(text, TEXT_BYTES)
        if markdown:
            return self.send(target, "sampleMarkdown", {"title": title_of(text), "text": text})
        return self.send(target, "sampleText", {"content": text})

    def image(self, target: Target, data: bytes, name: str) -> Sent:
        return self.send(target, "sampleImageMsg", {"photoURL": self._upload("image", data, name)})

    def file(self, target: Target, data: bytes, name: str) -> Sent:
        """Raises PERMANENT for a kind of file that the robot cannot send."""
        kind = name.rpartition(".")[2].lower()
        if kind not in FILE_TYPES:
            raise PlatformError(Failure.PERMANENT, "file_type")
        return self.send(
            target, "sampleFile", {"mediaId": self._upload("file", data, name), "fileName": name, "fileType": kind}
        )

    def send(self, target: Target, template: str, params: dict[str, str]) -> Sent:
        body = {"robotCode": self._config.robot, "msgKey": template, "msgParam": dumps(params)}
        if target.group:
            answer = self._api.call(
                "POST", "/v1.0/robot/groupMessages/send", {**body, "openConversationId": target.group}
            )
            return Sent(ref=str(answer.get("processQueryKey") or ""))
        if not target.user:
            raise PlatformError(Failure.NOBODY, "no_user")
        sent = self.send_to_people([target.user], body)
        if sent.refused:
            throttled = sent.refused[target.key] == "flow_controlled"
            wait_s = FLOW_CONTROL_WAIT_S if throttled else 0.0
            failure = Failure.THROTTLED if throttled else Failure.NOBODY
            raise PlatformError(failure, sent.refused[target.key], wait_s=wait_s)
        return sent

    def send_to_people(self, users: Sequence[str], body: dict[str, Any]) -> Sent:
        """At most 20 people. The answer is HTTP 200 even when it reached nobody: both lists tell."""
        if not 0 < len(users) <= MAX_PEOPLE:
            raise ValueError(f"{len(users)} people; a call takes 1 to {MAX_PEOPLE}")
        answer = self._api.call("POST", "/v1.0/robot/oToMessages/batchSend", {**body, "userIds": list(users)})
        refused = {f"user:{u}": "invalid_user" for u in answer.get("invalidStaffIdList") or ()}
        refused |= {f"user:{u}": "flow_controlled" for u in answer.get("flowControlledStaffIdList") or ()}
        return Sent(ref=str(answer.get("processQueryKey") or ""), refused=refused)

    def recall(self, target: Target, refs: Sequence[str]) -> list[str]:
        """Take messages back within 24 hours; returns the refs that could not be."""
        body: dict[str, Any] = {"robotCode": self._config.robot, "processQueryKeys": list(refs)}
        path = "/v1.0/robot/otoMessages/batchRecall"  # really a small t here
        if target.group:
            path, body["openConversationId"] = "/v1.0/robot/groupMessages/recall", target.group
        return list(self._api.call("POST", path, body, repeatable=True).get("failedResult") or {})

    def read_state(self, target: Target, ref: str) -> ReadState:
        """Who has read the message, within 24 hours. Counts against the month's quota: do not poll."""
        robot = self._config.robot
        if target.group:
            body = {"robotCode": robot, "openConversationId": target.group, "processQueryKey": ref, "maxResults": 200}
            answer = self._api.call("POST", "/v1.0/robot/groupMessages/query", body, repeatable=True)
            readers = [str(user) for user in answer.get("readUserIds") or ()]
        else:
            query = {"robotCode": robot, "processQueryKey": ref}
            answer = self._api.call("GET", "/v1.0/robot/oToMessages/readStatus", query=query)
            infos = answer.get("messageReadInfoList") or ()
            readers = [str(info.get("userId")) for info in infos if info.get("readStatus") == "READ"]
        return ReadState(tuple(readers), recalled=answer.get("sendStatus") == "RECALLED")

    def _upload(self, kind: str, data: bytes, name: str) -> str:
        if len(data) > MAX_UPLOAD_BYTES:
            raise PlatformError(Failure.PERMANENT, "upload_too_large")
        return self._oapi.upload(kind, data, name)

    def _session(self, target: Target, reply_to: dict[str, Any]) -> str:
        """The session webhook if it lives, belongs to this very chat, and is DingTalk's own.

        The last matters because the signature of a robot message covers no body: an address in it is only a claim.
        """
        url = str(reply_to.get("webhook") or "")
        ends_s = int(reply_to.get("until_ms") or 0) / 1000 - SESSION_MARGIN_S
        if not url or self._clock().timestamp() >= ends_s or reply_to.get("where") != target.key:
            return ""
        given, ours = urlsplit(url), urlsplit(self._config.oapi_base)
        theirs = given.scheme == "https" and (given.hostname or "").endswith(".dingtalk.com")
        return url if theirs or (given.scheme, given.netloc) == (ours.scheme, ours.netloc) else ""


def _answer(text: str, mention: str, markdown: bool) -> dict[str, Any]:
    """Webhook shapes; a mention shows only when the text itself contains it."""
    text = cut(f"@{mention} {text}" if mention else text, TEXT_BYTES)
    if markdown:
        body: dict[str, Any] = {"msgtype": "markdown", "markdown": {"title": title_of(text), "text": text}}
    else:
        body = {"msgtype": "text", "text": {"content": text}}
    return {**body, "at": {"atUserIds": [mention], "isAtAll": False}} if mention else body
