"""Template cards: posting one to several people, and changing the copies they have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from bot.platforms.base import Failure, PlatformError, Posted, Target
from bot.platforms.wecom.client import Api
from bot.platforms.wecom.config import WeComConfig
from bot.platforms.wecom.errors import CARD_FORMAT_CODES
from bot.platforms.wecom.messages import Messages
from bot.platforms.wecom.render import Renderer
from cards.card import Card

_TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
_FORMAT = frozenset(str(code) for code in CARD_FORMAT_CODES)
REPLACED = "见新卡片"

log = structlog.get_logger(__name__)


class Cards:
    def __init__(self, config: WeComConfig, *, api: Api, messages: Messages, renderer: Renderer) -> None:
        self._config, self._api, self._messages, self._renderer = config, api, messages, renderer
        self._spent = frozenset(str(code) for code in config.spent_codes)

    def post(self, card: Card, targets: Sequence[Target], *, ref: str) -> Posted:
        """One call for all `targets`. Groups take no cards that can be pressed: they are refused as no_cards."""
        return self.post_drawn(self._renderer.template_card(card, ref=ref), targets, ref=ref)

    def post_drawn(self, drawn: Mapping[str, Any], targets: Sequence[Target], *, ref: str) -> Posted:
        """A card of any kind that a Renderer drew; `ref` is its task_id and is never used again.

        A repeat after a time-out is swallowed by WeCom, and then brings no code: the card cannot be changed later.
        """
        if not _TASK_ID.fullmatch(ref):
            raise PlatformError(Failure.PERMANENT, "bad_ref")
        groups = {target.key: "no_cards" for target in targets if target.group}
        people = [target for target in targets if not target.group]
        if not people:
            raise PlatformError(Failure.PERMANENT, "no_cards")
        answer = self._messages.send(people, {"msgtype": "template_card", "template_card": drawn}, key=ref)
        code = str(answer.get("response_code") or "")
        return Posted(ref, codes=(code,) if code else (), refused={**answer["refused"], **groups})

    def redraw(self, card: Card, targets: Sequence[Target], *, code: str) -> None:
        """Put the new card in the place of the people's copies, at the price of `code`.

        Raises SPENT when the code is used, too old, or unknown: WeCom's codes for that are not documented, so any
        lasting refusal counts. A card that WeCom finds malformed leaves at least no buttons behind.
        """
        try:
            self._update(targets, code, {"template_card": self._renderer.template_card(card)})
        except PlatformError as error:
            if error.code in _FORMAT:
                self._grey_quietly(targets, code)
            raise self._judged(error) from None

    def grey(self, label: str, targets: Sequence[Target], *, code: str) -> None:
        """Only take the buttons away: one dead button with `label` remains. For cards that had some."""
        try:
            self._update(targets, code, {"button": {"replace_name": label}})
        except PlatformError as error:
            raise self._judged(error) from None

    def _update(self, targets: Sequence[Target], code: str, change: Mapping[str, Any]) -> None:
        """Always with the user ids: who is meant without them is not documented."""
        users = [target.user for target in targets if target.user]
        if not code or not users:
            raise PlatformError(Failure.SPENT, "no_code" if users else "no_user")
        body = {"userids": users, "agentid": self._config.agent_id, "response_code": code, **change}
        self._api.post("message/update_template_card", body)

    def _judged(self, error: PlatformError) -> PlatformError:
        lasting = error.failure in (Failure.PERMANENT, Failure.EXPIRED) or error.code in self._spent
        return PlatformError(Failure.SPENT, error.code) if lasting else error

    def _grey_quietly(self, targets: Sequence[Target], code: str) -> None:
        try:
            self._update(targets, code, {"button": {"replace_name": REPLACED}})
        except PlatformError as error:
            log.warning("wecom.card_not_greyed", code=error.code)
