"""What the rest of the code may ask of a chat platform, and the one error it may get back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from bot.message import Inbound, MediaRef
from bot.platforms.callbacks import Routes
from cards.card import Card


class Failure(StrEnum):
    """What a failed call means for the message."""

    RETRY = "retry"  # busy, 5xx before anything was taken: again with back-off
    THROTTLED = "throttled"  # a limit: again after `wait_s`
    UNKNOWN = "unknown"  # time-out or cut connection: it may have arrived
    PERMANENT = "permanent"  # will never work as it is
    NOBODY = "nobody"  # the recipient is gone or out of range
    CONFIG = "config"  # credentials, permission, trusted IP: an admin must act
    SPENT = "spent"  # the card can no longer be changed: post a new one
    QUOTA = "quota"  # the month's or day's quota is used up
    EXPIRED = "expired"  # the media or session has expired


class PlatformError(Exception):
    """A platform call that failed. `code` is the vendor's code for the log; never its text."""

    def __init__(self, failure: Failure, code: str = "", *, wait_s: float = 0.0, remedy: str = "") -> None:
        super().__init__(f"{failure.value} {code}".strip())
        self.failure, self.code, self.wait_s, self.remedy = failure, code, wait_s, remedy


# codes of bot/platforms/http.py:transport_failure: nobody answered, so the platform said nothing
_NO_ANSWER = frozenset({"not_connected", "connect_timeout", "read_timeout", "proxy", "cut"})


def is_unanswered(error: PlatformError) -> bool:
    """Whether the platform could not be reached at all; then nothing is known of what was to be checked."""
    return error.code in _NO_ANSWER


def remedy_for(error: PlatformError, *, otherwise: str = "") -> str:
    """What an admin does about it, in Chinese."""
    if error.remedy:
        return error.remedy
    if is_unanswered(error):
        return f"连不上平台({error.code}):检查服务器能否访问外网 443 端口、DNS 和代理"
    return otherwise or f"稍后再试;仍不行时把代码 {error.code} 交给管理员"


ANSWERS_ONLY = "aibot:"
"""Begins the id of a group in which our bot can answer what it was asked and say nothing of its own accord."""


def only_answers(group: str) -> bool:
    return group.startswith(ANSWERS_ONLY)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes: a person's 1:1 chat or a group."""

    user: str = ""  # platform user id
    group: str = ""  # conversation id, WeCom appchat id or webhook name
    union_id: str = ""  # DingTalk to-dos need it
    answer_url: str = ""  # the right to answer once in a group where a bot may only answer

    @property
    def key(self) -> str:
        return f"group:{self.group}" if self.group else f"user:{self.user}"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message the platform took. `ref` is its handle; `refused` maps target keys to the vendor's reason code."""

    ref: str = ""
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Posted:
    """A card the platform took. `codes` are single-use rights to change it later (WeCom); empty elsewhere. `handles` maps
    target keys to what the platform calls each copy, where its read state can be asked (DingTalk)."""

    ref: str
    codes: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """A person as the platform's directory tells it."""

    user: str
    name: str
    union_id: str = ""
    mobile: str = ""
    title: str = ""
    active: bool = True


Accept = Callable[[Sequence[Inbound]], Sequence[str]]
"""Stores inbound messages durably and returns, for each, the text to answer at once ("" for none: the usual case)."""


CardOf = Callable[[str], Card | None]
"""The card that was posted under this reference, as it stands now; None when it is not known."""


class Platform(Protocol):
    """One chat platform. Every method may raise PlatformError and nothing else; none may be called in a transaction."""

    name: str  # "wecom", "dingtalk": stored with every account
    title: str  # "企业微信", "钉钉": shown to people
    has_todos: bool
    receives_positions: bool  # a person can send a location message to the bot

    def callbacks(self, accept: Accept, *, card_of: CardOf | None = None) -> Routes:
        """The addresses the platform calls: verify, parse, accept, answer.

        `card_of` is for cards that can only be changed in the answer to a press.
        """
        ...

    def send_text(
        self, target: Target, text: str, *, key: str, reply_to: dict[str, Any] | None = None, markdown: bool = False
    ) -> Sent:
        """`key` identifies the message so that a repeat is not shown twice where the platform can tell."""
        ...

    def send_image(self, target: Target, data: bytes, *, name: str, key: str) -> Sent: ...

    def send_file(self, target: Target, data: bytes, *, name: str, key: str) -> Sent: ...

    def post_card(self, card: Card, targets: Sequence[Target], *, ref: str) -> Posted:
        """One call for all targets where the platform allows it. `ref` is ours and unique."""
        ...

    def redraw_card(self, card: Card, targets: Sequence[Target], *, ref: str, code: str = "") -> None:
        """Change every copy of the posted card. Raises SPENT when it can no longer be changed."""
        ...

    def create_todo(self, owner: Target, *, subject: str, due_ms: int | None, page: str, key: str) -> str: ...

    def finish_todo(self, owner: Target, todo_id: str) -> None: ...

    def download(self, media: MediaRef) -> bytes: ...

    def members(self) -> Iterable[Member]: ...

    def member(self, user: str) -> Member | None: ...

    def h5_user(self, code: str) -> str:
        """The platform user id behind a page sign-in code (OAuth2 or 免登), single use."""
        ...

    def sign_in_url(self, page_url: str, state: str) -> str:
        """Where a page sends a person who is not signed in; "" when the page signs in by script (DingTalk)."""
        ...

    def js_config(self, page_url: str) -> dict[str, Any]:
        """What the platform's JS bridge needs to start on that page."""
        ...

    def set_menu(self) -> None:
        """Create the app's menu or quick entries."""
        ...

    def check(self) -> list[tuple[str, bool, str]]:
        """Installation checks for `flask doctor`: (what, ok, remedy in Chinese)."""
        ...

    def send_notice(self, target: Target, card: Card, *, key: str) -> Sent:
        """A card without call-back buttons for places that only take notices (WeCom groups, DingTalk work notices)."""
        ...
