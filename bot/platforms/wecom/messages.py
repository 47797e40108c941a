"""message/send: to people, by user id, with what came of it per person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from bot.platforms.base import Failure, PlatformError, Sent, Target
from bot.platforms.rates import MEMBER, Rates
from bot.platforms.uses import Budget, Uses
from bot.platforms.wecom.client import Api
from bot.platforms.wecom.config import WeComConfig
from bot.platforms.wecom.errors import MEDIA_EXPIRED, UNLICENSED
from bot.platforms.wecom.media import Media, UploadKind
from bot.platforms.wecom.repeats import Repeats
from bot.platforms.wecom.text import harmless, safe_markdown, split

MAX_PEOPLE = 1000
PEOPLE_A_DAY = 200  # times the accounts: what one app may send in a day, counted per person
# Also keeps «@all» and a list in disguise («a|b») from ever being addressed.
_USER_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}")

Json = dict[str, Any]

log = structlog.get_logger(__name__)


class Messages:
    def __init__(
        self, config: WeComConfig, *, api: Api, media: Media, rates: Rates, uses: Uses, repeats: Repeats
    ) -> None:
        self._config, self._api, self._media, self._repeats = config, api, media, repeats
        self._rates, self._uses = rates, uses
        self.day = Budget("people", "应用消息(人次)", "day", config.accounts * PEOPLE_A_DAY)

    def text(self, target: Target, text: str, *, key: str, markdown: bool) -> Sent:
        """At most three messages; a longer text is cut, and says so. Raises PERMANENT for an empty one."""
        kind = "markdown" if markdown else "text"
        parts = split((safe_markdown if markdown else harmless)(text).strip())
        if not parts[0]:
            raise PlatformError(Failure.PERMANENT, "empty_text")
        refs = [
            str(self.send([target], {"msgtype": kind, kind: {"content": part}}, key=f"{key}-{index}").get("msgid", ""))
            for index, part in enumerate(parts)
        ]
        return Sent(ref=refs[0])

    def file(self, target: Target, kind: UploadKind, data: bytes, *, name: str, key: str) -> Sent:
        """An image or file, uploaded first; once more when WeCom no longer knows the upload."""
        for fresh in (False, True):
            media_id = self._media.upload(kind, data, name=name, fresh=fresh)
            try:
                answer = self.send([target], {"msgtype": kind, kind: {"media_id": media_id}}, key=key)
                return Sent(ref=str(answer.get("msgid") or ""))
            except PlatformError as error:
                if fresh or error.code != str(MEDIA_EXPIRED):
                    raise
        raise AssertionError("unreachable")

    def send(self, targets: Sequence[Target], content: Mapping[str, Any], *, key: str) -> Json:
        """One call for all `targets`; the answer, with `refused` {target key: reason} added.

        Raises NOBODY when it can reach none of them, THROTTLED while one of them has had too many messages.
        """
        good = {target.user: target for target in targets if _USER_ID.fullmatch(target.user)}
        if not good:
            raise PlatformError(Failure.NOBODY, "no_user")
        if len(good) > MAX_PEOPLE:
            raise PlatformError(Failure.PERMANENT, "too_many_people")
        body = {"touser": "|".join(good), "agentid": self._config.agent_id, **content}
        self._uses.check(self.day, len(good))
        self._rates.take([f"user:{user.lower()}" for user in good], MEMBER)
        answer = self._api.post("message/send", body | self._repeats.flags(body, key=key))
        self._uses.add(self.day, len(good))
        refused = {target.key: "bad_user_id" for target in targets if target.user not in good}
        refused |= _refused(answer, good)
        if refused and all(target.key in refused for target in targets):
            reasons = set(refused.values())
            remedy = UNLICENSED.remedy if reasons == {"unlicensed"} else ""
            raise PlatformError(Failure.NOBODY, sorted(reasons)[0], remedy=remedy)
        return {**answer, "refused": refused}


def _refused(answer: Mapping[str, Any], targets: Mapping[str, Target]) -> dict[str, str]:
    """WeCom says «ok» while some get nothing; it names them in lower case."""
    by_name = {user.lower(): target.key for user, target in targets.items()}
    refused = {}
    for field, reason in (("invaliduser", "invalid_user"), ("unlicenseduser", "unlicensed")):
        for user in str(answer.get(field) or "").lower().split("|"):
            if user in by_name:
                refused[by_name[user]] = reason
    return refused
