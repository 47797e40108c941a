"""DingTalk behind the platform interface: puts the parts of this folder together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import requests
import structlog

from bot.message import Inbound, MediaRef
from bot.platforms.base import Accept, CardOf, Failure, Member, PlatformError, Posted, Sent, Target
from bot.platforms.callbacks import Routes
from bot.platforms.dingtalk import callback, checks
from bot.platforms.dingtalk.cards import Cards
from bot.platforms.dingtalk.client import ApiClient
from bot.platforms.dingtalk.config import DingTalkConfig
from bot.platforms.dingtalk.directory import Directory
from bot.platforms.dingtalk.events import event_inbounds, is_paid
from bot.platforms.dingtalk.messages import Messages
from bot.platforms.dingtalk.meter import Meter
from bot.platforms.dingtalk.missed import missed_events
from bot.platforms.dingtalk.notices import GroupRobots, WorkNotices
from bot.platforms.dingtalk.oapi import OldApi
from bot.platforms.dingtalk.pages import Pages
from bot.platforms.dingtalk.parse import PLATFORM, robot_message
from bot.platforms.dingtalk.presses import PressReader
from bot.platforms.dingtalk.render import page_url, robot_notice
from bot.platforms.dingtalk.todos import Todos
from bot.platforms.tokens import TokenKeeper
from cards.card import Card

log = structlog.get_logger(__name__)


class DingTalk:
    """One enterprise-internal app and its robot.

    `http` is this object's alone (its adapters and pools); `clock` gives aware UTC; `public_url` is the base address
    that phones and the platform reach; `picture_url` turns a stored picture's SHA-256 into an address.
    """

    name = PLATFORM
    title = "钉钉"
    has_todos = True
    receives_positions = False

    def __init__(
        self,
        config: DingTalkConfig,
        *,
        redis: Any,
        http: requests.Session,
        clock: Callable[[], datetime],
        public_url: str,
        picture_url: Callable[[str], str],
    ) -> None:
        self.config, self._clock, self._public_url = config, clock, public_url
        app = hashlib.sha256(f"{config.client_id}|{config.client_secret}|{config.api_base}".encode()).hexdigest()[:12]
        tokens = TokenKeeper(redis, prefix=f"dingtalk:{app}", clock=clock)
        self.meter = Meter(
            redis,
            prefix=f"dingtalk:{app}",
            clock=clock,
            month_calls=config.month_calls,
            month_messages=config.month_messages,
        )
        self.budgets, self.uses = (self.meter.calls, self.meter.messages), self.meter.uses
        self.api = ApiClient(config, http=http, tokens=tokens, meter=self.meter)
        self.oapi = OldApi(config, http=http, tokens=tokens, meter=self.meter)
        self.messages = Messages(config, api=self.api, oapi=self.oapi, http=http, clock=clock, meter=self.meter)
        self.cards = Cards(
            config, api=self.api, redis=redis, clock=clock, public_url=public_url, picture_url=picture_url
        )
        self._presses = PressReader(redis, clock=clock)
        self.todos, self._creator = Todos(self.api), ""
        self.directory = Directory(self.oapi)
        self.notices = WorkNotices(config, oapi=self.oapi, clock=clock, public_url=public_url)
        self.group_robots = GroupRobots(config.group_robots, http=http, clock=clock, meter=self.meter)
        self.pages = Pages(config, api=self.api, oapi=self.oapi, clock=clock, public_url=public_url)

    # -- what comes in: by HTTP, or by the frames of a stream

    def callbacks(self, accept: Accept, *, card_of: CardOf | None = None) -> Routes:
        return callback.routes(
            self.config, accept=accept, clock=self._clock, presses=self._presses, paid=self.meter.heard
        )

    def handle_robot(self, data: dict[str, Any]) -> Inbound:
        """`data` of a robot-message frame, or the body of an HTTP push."""
        return robot_message(data, now=self._clock())

    def handle_card(self, data: dict[str, Any], *, delivery: str = "") -> Inbound:
        """`data` of a card-callback frame; `delivery` is the frame's messageId."""
        return self._presses.read(data, delivery=delivery)

    def handle_event(self, data: dict[str, Any]) -> tuple[Inbound, ...]:
        """The `data` of an event frame merged with its headers; empty when the event does not concern us."""
        found = event_inbounds(data, now=self._clock())
        if not found and is_paid(data):
            self.meter.heard()
        return found

    # -- messages

    def missed_events(self) -> Iterator[tuple[Inbound, ...]]:
        """What the pushes that never arrived mean; a page is off the platform's list once it is read."""
        return missed_events(self.oapi, now=self._clock())

    def send_text(
        self, target: Target, text: str, *, key: str, reply_to: dict[str, Any] | None = None, markdown: bool = False
    ) -> Sent:
        return self.messages.text(target, text, reply_to=reply_to, markdown=markdown)

    def send_image(self, target: Target, data: bytes, *, name: str, key: str) -> Sent:
        return self.messages.image(target, data, name)

    def send_file(self, target: Target, data: bytes, *, name: str, key: str) -> Sent:
        return self.messages.file(target, data, name)

    def send_notice(self, target: Target, card: Card, *, key: str) -> Sent:
        """A work notice to a person; to a group by its webhook robot where the settings name one, else by ours."""
        if not target.group:
            return self.notices.send(target.user, card)
        if target.group in self.group_robots:
            return self.group_robots.send(target.group, robot_notice(card, public_url=self._public_url), key=key)
        shape = robot_notice(card, public_url=self._public_url)
        if shape["msgtype"] == "actionCard":
            params = {k: v for k, v in shape["actionCard"].items() if k != "btnOrientation"}
            return self.messages.send(target, "sampleActionCard", params)
        return self.messages.send(target, "sampleMarkdown", shape["markdown"])

    def has_read(self, target: Target, handle: str) -> bool:
        """Whether the person has read that message of the last 24 hours. One paid call: never poll. Raises PlatformError."""
        return target.user in self.messages.read_state(target, handle).readers

    def download(self, media: MediaRef) -> bytes:
        """The file a person sent. The code was given to our robot only, and lives for an unknown time: be quick."""
        body = {"downloadCode": media.id, "robotCode": self.config.robot}
        answer = self.api.call("POST", "/v1.0/robot/messageFiles/download", body, repeatable=True)
        url = str(answer.get("downloadUrl") or "")
        if not url.startswith(("http://", "https://")):
            raise PlatformError(Failure.EXPIRED, "download_no_url")
        return self.api.fetch_bytes(url)

    # -- cards and to-dos

    def post_card(self, card: Card, targets: Sequence[Target], *, ref: str) -> Posted:
        """One call for all targets; groups behind a webhook robot take no cards and are refused as no_cards."""
        robots = {target.key: "no_cards" for target in targets if target.group in self.group_robots}
        rest = [target for target in targets if target.key not in robots]
        if not rest:
            raise PlatformError(Failure.PERMANENT, "no_cards")
        posted = self.cards.post(card, rest, ref=ref)
        return replace(posted, refused={**posted.refused, **robots}) if robots else posted

    def redraw_card(self, card: Card, targets: Sequence[Target], *, ref: str, code: str = "") -> None:
        self.cards.redraw(card, ref=ref)

    def create_todo(self, owner: Target, *, subject: str, due_ms: int | None, page: str, key: str) -> str:
        url = page_url(self._public_url, page)
        union_id, creator = self._union_id(owner), self._todo_creator()
        return self.todos.create(union_id, subject=subject, due_ms=due_ms, url=url, key=key, creator=creator)

    def finish_todo(self, owner: Target, todo_id: str) -> None:
        self.todos.finish(self._todo_creator() or self._union_id(owner), todo_id)

    # -- people and pages

    def members(self) -> Iterable[Member]:
        return self.directory.members()

    def member(self, user: str) -> Member | None:
        return self.directory.member(user)

    def h5_user(self, code: str) -> str:
        return self.directory.user_of_code(code)

    def sign_in_url(self, page_url: str, state: str) -> str:
        return ""

    def js_config(self, page_url: str) -> dict[str, Any]:
        return self.pages.js_config(page_url)

    def set_menu(self) -> None:
        """Quick entries; also registers the address for card presses anew, which installations do at the same time."""
        self.pages.set_entries()
        if self.config.mode == "http":
            self.cards.register_route(force=True)

    def check(self) -> list[tuple[str, bool, str]]:
        return checks.run(self)

    def _todo_creator(self) -> str:
        """Union id of whom the settings name; "" for none. Who cannot be found keeps nobody from their to-do."""
        user = self.config.todo_creator
        if user and not self._creator:
            try:
                self._creator = self.union_id_of(user)
            except PlatformError as error:
                log.warning("dingtalk.todo_creator_unknown", code=error.code)
        return self._creator

    def union_id_of(self, user: str) -> str:
        """Raises PlatformError for somebody the directory does not know."""
        return self._union_id(Target(user=user))

    def _union_id(self, owner: Target) -> str:
        if owner.union_id:
            return owner.union_id
        member = self.directory.member(owner.user)
        if member is None or not member.union_id:
            raise PlatformError(Failure.NOBODY, "no_union_id")
        return member.union_id
