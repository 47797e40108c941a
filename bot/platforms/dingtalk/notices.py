"""Notices: work notifications (工作通知) to people, custom webhook robots to groups."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import requests

from bot.platforms.base import Failure, PlatformError, Sent
from bot.platforms.dingtalk.config import DingTalkConfig, GroupRobot
from bot.platforms.dingtalk.errors import DingTalkError
from bot.platforms.dingtalk.meter import Meter
from bot.platforms.dingtalk.oapi import OldApi, post_webhook
from bot.platforms.dingtalk.render import notice
from bot.platforms.dingtalk.signatures import robot_sign
from bot.platforms.dingtalk.values import as_dict, as_list, as_text
from cards.card import Card

ROBOT_BLOCK_S = 600.0
"""After more than 20 messages in a minute a group robot is silent for ten minutes."""


class WorkNotices:
    def __init__(self, config: DingTalkConfig, *, oapi: OldApi, clock: Callable[[], datetime], public_url: str) -> None:
        self._config, self._oapi, self._clock, self._public_url = config, oapi, clock, public_url

    def send(self, user: str, card: Card) -> Sent:
        """`ref` is the task id. "ok" is also said to what the person will never see: ask `dropped` where it matters."""
        if not self._config.agent_id:
            raise PlatformError(Failure.CONFIG, "agent_id", remedy="设置 ANSHAO_DINGTALK_AGENT_ID 后才能发工作通知")
        message = notice(card, public_url=self._public_url, at=self._clock())
        body = {"agent_id": self._config.agent_id, "userid_list": user, "to_all_user": False, "msg": message}
        answer = self._oapi.call("topapi/message/corpconversation/asyncsend_v2", body)
        return Sent(ref=as_text(answer.get("task_id")))

    def dropped(self, task_id: str) -> dict[str, str]:
        """Target key → reason for everyone whom the notice did not reach; within 24 hours."""
        body = {"agent_id": self._config.agent_id, "task_id": int(task_id)}
        answer = self._oapi.call("topapi/message/corpconversation/getsendresult", body, repeatable=True)
        result = as_dict(answer.get("send_result"))
        lists = ("invalid_user_id_list", "forbidden_user_id_list", "failed_user_id_list")
        refused = {
            f"user:{as_text(u)}": name.removesuffix("_user_id_list")
            for name in lists
            for u in as_list(result.get(name))
        }
        for item in as_list(result.get("forbidden_list")):
            refused[f"user:{as_text(as_dict(item).get('userid'))}"] = as_text(as_dict(item).get("code"))
        return refused


class GroupRobots:
    """Senders to groups that have a custom robot; addressed by the robot's name in the settings."""

    def __init__(
        self,
        robots: tuple[GroupRobot, ...],
        *,
        http: requests.Session,
        clock: Callable[[], datetime],
        meter: Meter | None = None,
    ) -> None:
        self._robots, self._http, self._clock = {robot.name: robot for robot in robots}, http, clock
        self._meter = meter

    def __contains__(self, name: str) -> bool:
        return name in self._robots

    def send(self, name: str, body: dict[str, Any], *, key: str) -> Sent:
        """`key` makes a repeat invisible (msgUuid). Raises THROTTLED with ten minutes when the robot is blocked."""
        robot = self._robots[name]
        query = {}
        if robot.secret:
            timestamp = str(int(self._clock().timestamp() * 1000))
            query = {"timestamp": timestamp, "sign": robot_sign(timestamp, robot.secret)}
        uuid = hashlib.sha256(key.encode()).hexdigest()[:32]
        known_as = hashlib.sha256(robot.url.encode()).hexdigest()[:16]
        try:
            with self._meter.webhook(known_as) if self._meter is not None else nullcontext():
                post_webhook(self._http, robot.url, {**body, "msgUuid": uuid}, query)
        except DingTalkError as error:
            if error.code == "410100":
                error.wait_s = ROBOT_BLOCK_S
                if self._meter is not None:
                    self._meter.rates.block(f"robot:{known_as}", ROBOT_BLOCK_S)
            elif error.code == "300001":  # of a session: expired; of a robot: its address is wrong
                error.failure, error.remedy = Failure.CONFIG, "核对群机器人的地址"
            elif error.failure is Failure.UNKNOWN:
                error.failure = Failure.RETRY
            raise
        return Sent()
