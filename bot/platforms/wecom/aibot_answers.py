"""What the 智能机器人 says: one answer to each message, posted to the address that came with it, within the hour.

Whatever cannot be said there any more is EXPIRED; the caller then tells the person who asked (jobs/fall_back.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import requests

from bot.message import Inbound
from bot.platforms.base import CardOf, Failure, PlatformError, Posted, Sent, Target
from bot.platforms.http import transport_failure
from bot.platforms.wecom.aibot import ANSWER_BYTES
from bot.platforms.wecom.config import WeComConfig
from bot.platforms.wecom.errors import error_of, status_error
from bot.platforms.wecom.render import ROBOT, Renderer
from bot.platforms.wecom.sdk import TIMEOUT_S
from bot.platforms.wecom.text import cut_bytes, cut_chars, plain, safe_markdown
from cards.card import Button, Card

BUTTON_CHARS = 10
VENDOR = ".weixin.qq.com"
NEVER_TAKEN = frozenset({Failure.RETRY, Failure.THROTTLED, Failure.UNKNOWN})

Json = dict[str, Any]


class BotAnswers:
    """Raises PlatformError and nothing else."""

    def __init__(self, config: WeComConfig, *, http: requests.Session, renderer: Renderer) -> None:
        self._config, self._http, self._renderer = config, http, renderer

    def text(self, target: Target, text: str, *, markdown: bool) -> Sent:
        content = cut_bytes(safe_markdown(text) if markdown else plain(text), ANSWER_BYTES)
        self._post(target, {"msgtype": "markdown", "markdown": {"content": content}})
        return Sent()

    def notice(self, target: Target, card: Card) -> Sent:
        content = self._renderer.markdown(card, limit_bytes=ANSWER_BYTES)
        self._post(target, {"msgtype": "markdown", "markdown": {"content": content}})
        return Sent()

    def card(self, card: Card, target: Target, *, ref: str) -> Posted:
        """A card that can be pressed; it cannot be changed later, only answered again."""
        self._post(target, {"msgtype": "template_card", "template_card": self._drawn(card, ref=ref)})
        return Posted(ref)

    def follow_up(self, card: Card, target: Target) -> None:
        """What became of a card that cannot be changed: a line under it, by the right that came with a press."""
        try:
            self.text(
                target, "\n".join(part for part in (card.subtitle or card.title, card.note) if part), markdown=False
            )
        except PlatformError as error:
            raise (PlatformError(Failure.SPENT, error.code) if error.failure is Failure.EXPIRED else error) from None

    def pressed(self, card_of: CardOf, inbound: Inbound) -> Json | None:
        """The presser's copy once more, with what was pressed and no other button: the answer to a press within 5 s.

        What the press comes to is not known yet and follows as a line. Others keep their buttons: they may press as well.
        """
        press = inbound.press
        card = card_of(press.card_ref) if press is not None and press.card_ref else None
        if press is None or card is None or not inbound.group or not inbound.sender:
            return None
        button = next((button for button in card.buttons if button.action == press.action), None)
        if button is None:
            return None
        done = Button(cut_chars(f"✓{button.label}", BUTTON_CHARS), button.action)
        note = f"您点了“{button.label}”"
        changed = replace(card, buttons=(done,), select=None, note=note)
        drawn = self._drawn(changed, ref=press.card_ref)
        return {"response_type": "update_template_card", "userids": [inbound.sender], "template_card": drawn}

    def _drawn(self, card: Card, *, ref: str) -> Json:
        """With the robot's shorter lines and plainer buttons. What the title loses stands in full below it."""
        if len(card.title) > ROBOT.title:
            card = replace(card, body="\n".join(part for part in (card.title, card.body) if part))
        card = replace(card, buttons=tuple(button for button in card.buttons if button.action))
        drawn = self._renderer.template_card(card, ref=ref, look=ROBOT)
        for button in drawn.get("button_list", ()):
            button.pop("type", None)
        return drawn

    def _post(self, target: Target, body: Json) -> None:
        if not self._is_theirs(target.answer_url):
            raise PlatformError(Failure.EXPIRED, "nothing_to_answer")
        try:
            answer = self._http.post(target.answer_url, json=body, timeout=TIMEOUT_S, allow_redirects=False)
            told = answer.json() if answer.status_code == 200 and answer.content else {}
        except requests.exceptions.JSONDecodeError:
            raise PlatformError(Failure.UNKNOWN, "not_json") from None
        except (requests.RequestException, OSError) as error:
            raise PlatformError(*transport_failure(error)) from None
        if answer.status_code != 200:
            raise _judged(status_error(answer.status_code))
        code = told.get("errcode", 0) if isinstance(told, dict) else -1
        if code:
            raise _judged(error_of(int(code) if isinstance(code, int) else -1))

    def _is_theirs(self, url: str) -> bool:
        """The vendor's own address, or one under the base of our settings; anything else is not opened."""
        try:
            given, ours = urlsplit(url), urlsplit(self._config.api_base)
            theirs = given.scheme == "https" and (given.hostname or "").endswith(VENDOR) and given.port in (None, 443)
        except ValueError:
            return False
        plain_url = bool(given.netloc) and given.username is None and given.password is None
        return plain_url and (theirs or (given.scheme, given.netloc) == (ours.scheme, ours.netloc))


def _judged(error: PlatformError) -> PlatformError:
    """Which code a used or old address gets is not documented: every lasting refusal means that it is spent."""
    return error if error.failure in NEVER_TAKEN else PlatformError(Failure.EXPIRED, error.code)
