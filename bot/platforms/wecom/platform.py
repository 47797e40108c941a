"""WeCom behind the platform interface: puts the parts of this folder together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import requests

from bot.message import MediaRef
from bot.platforms.base import Accept, CardOf, Failure, Member, PlatformError, Posted, Sent, Target, only_answers
from bot.platforms.callbacks import Routes
from bot.platforms.rates import Rates
from bot.platforms.tokens import TokenKeeper
from bot.platforms.uses import Uses
from bot.platforms.wecom import callback, checks
from bot.platforms.wecom.aibot_answers import BotAnswers
from bot.platforms.wecom.cards import Cards
from bot.platforms.wecom.client import Api
from bot.platforms.wecom.config import WeComConfig
from bot.platforms.wecom.directory import Directory
from bot.platforms.wecom.groups import AppGroups, GroupRobots
from bot.platforms.wecom.media import Media
from bot.platforms.wecom.menu import MENU
from bot.platforms.wecom.messages import Messages
from bot.platforms.wecom.pages import Pages
from bot.platforms.wecom.parse import PLATFORM
from bot.platforms.wecom.render import Renderer
from bot.platforms.wecom.repeats import Repeats
from cards.card import Card


class WeCom:
    """One self-built app (自建应用), its own groups and the group robots of the settings.

    `clock` gives aware UTC; `public_url` is the base address that phones and the platform reach; `picture_url` turns
    a stored picture's SHA-256 into an address that the WeCom client can load.
    """

    name = PLATFORM
    title = "企业微信"
    has_todos = False
    receives_positions = True

    def __init__(
        self,
        config: WeComConfig,
        *,
        redis: Any,
        http: requests.Session,
        clock: Callable[[], datetime],
        public_url: str,
        picture_url: Callable[[str], str],
    ) -> None:
        self.config, self.public_url, self._clock = config, public_url.rstrip("/"), clock
        app = hashlib.sha256(f"{config.corp_id}|{config.secret}|{config.api_base}".encode()).hexdigest()[:12]
        prefix = f"wecom:{app}"
        self.api = Api(config, http=http, tokens=TokenKeeper(redis, prefix=prefix, clock=clock))
        self.renderer = Renderer(public_url=public_url, picture_url=picture_url, source=config.plant_name)
        rates = Rates(redis, prefix=prefix, clock=clock)
        self.uses = Uses(redis, prefix=prefix, clock=clock)
        self.media = Media(self.api, redis=redis, prefix=prefix)
        self.messages = Messages(
            config,
            api=self.api,
            media=self.media,
            rates=rates,
            uses=self.uses,
            repeats=Repeats(redis, prefix=prefix),
        )
        self.budgets = (self.messages.day,)
        self.cards = Cards(config, api=self.api, messages=self.messages, renderer=self.renderer)
        self.groups = AppGroups(self.api, media=self.media, renderer=self.renderer)
        self.robots = GroupRobots(config.group_robots, api=self.api, rates=rates, renderer=self.renderer)
        self.answers = BotAnswers(config, http=http, renderer=self.renderer)
        self.directory = Directory(self.api)
        self.pages = Pages(config, api=self.api, clock=clock)

    def callbacks(self, accept: Accept, *, card_of: CardOf | None = None) -> Routes:
        pressed = partial(self.answers.pressed, card_of) if card_of is not None else None
        return callback.routes(self.config, accept=accept, clock=self._clock, pressed=pressed)

    # -- messages

    def send_text(
        self, target: Target, text: str, *, key: str, reply_to: dict[str, Any] | None = None, markdown: bool = False
    ) -> Sent:
        if target.group in self.robots:
            return self.robots.text(target.group, text, markdown=markdown)
        if only_answers(target.group):
            return self.answers.text(target, text, markdown=markdown)
        if target.group:
            return self.groups.text(target.group, text, markdown=markdown)
        return self.messages.text(target, text, key=key, markdown=markdown)

    def send_image(self, target: Target, data: bytes, *, name: str, key: str) -> Sent:
        if target.group in self.robots:
            return self.robots.image(target.group, data)
        if only_answers(target.group):
            raise PlatformError(Failure.PERMANENT, "no_pictures")
        if target.group:
            return self.groups.file(target.group, "image", data, name=name)
        return self.messages.file(target, "image", data, name=name, key=key)

    def send_file(self, target: Target, data: bytes, *, name: str, key: str) -> Sent:
        if target.group in self.robots:
            return self.robots.file(target.group, data, file=name)
        if only_answers(target.group):
            raise PlatformError(Failure.PERMANENT, "no_files")
        if target.group:
            return self.groups.file(target.group, "file", data, name=name)
        return self.messages.file(target, "file", data, name=name, key=key)

    def send_notice(self, target: Target, card: Card, *, key: str) -> Sent:
        """A card by a group robot or to a person; markdown in a group of our own, which takes no cards."""
        if target.group in self.robots:
            return self.robots.notice(target.group, card)
        if only_answers(target.group):
            return self.answers.notice(target, card)
        if target.group:
            return self.groups.notice(target.group, card)
        drawn = self.renderer.notice(card)
        answer = self.messages.send([target], {"msgtype": "template_card", "template_card": drawn}, key=key)
        return Sent(ref=str(answer.get("msgid") or ""))

    def download(self, media: MediaRef) -> bytes:
        return self.media.download(media)

    # -- cards; there are no to-dos that a server could make

    def post_card(self, card: Card, targets: Sequence[Target], *, ref: str) -> Posted:
        if only_answers(targets[0].group):  # an answer goes to the one group where it was asked for
            return self.answers.card(card, targets[0], ref=ref)
        return self.cards.post(card, targets, ref=ref)

    def redraw_card(self, card: Card, targets: Sequence[Target], *, ref: str, code: str = "") -> None:
        if only_answers(targets[0].group):
            self.answers.follow_up(card, replace(targets[0], answer_url=code))
            return
        self.cards.redraw(card, targets, code=code)

    def create_todo(self, owner: Target, *, subject: str, due_ms: int | None, page: str, key: str) -> str:
        raise PlatformError(Failure.PERMANENT, "no_todos")

    def finish_todo(self, owner: Target, todo_id: str) -> None:
        raise PlatformError(Failure.PERMANENT, "no_todos")

    # -- people and pages

    def members(self) -> Iterable[Member]:
        return self.directory.members()

    def member(self, user: str) -> Member | None:
        return self.directory.member(user)

    def h5_user(self, code: str) -> str:
        return self.directory.user_of_code(code)

    def sign_in_url(self, page_url: str, state: str) -> str:
        return self.pages.sign_in_url(page_url, state)

    def js_config(self, page_url: str) -> dict[str, Any]:
        return self.pages.js_config(page_url)

    def set_menu(self) -> None:
        self.api.post("menu/create", MENU, repeatable=True, agentid=str(self.config.agent_id))

    def check(self) -> list[tuple[str, bool, str]]:
        return checks.run(self)
