"""Interactive cards: one call posts a card to several chats, one call changes every copy."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from redis.exceptions import RedisError

from bot.platforms.base import Failure, PlatformError, Posted, Target
from bot.platforms.dingtalk.client import ApiClient
from bot.platforms.dingtalk.config import DingTalkConfig
from bot.platforms.dingtalk.errors import DingTalkError
from bot.platforms.dingtalk.render import card_values, cut
from bot.platforms.dingtalk.signatures import card_api_secret
from cards.card import Card

ROUTE_REMEMBERED = timedelta(hours=24)
_CODE = re.compile(r"[\w.:-]{1,80}")

log = structlog.get_logger(__name__)


class Cards:
    def __init__(
        self,
        config: DingTalkConfig,
        *,
        api: ApiClient,
        redis: Any,
        clock: Callable[[], datetime],
        public_url: str,
        picture_url: Callable[[str], str],
    ) -> None:
        self._config, self._api, self._redis, self._clock = config, api, redis, clock
        self._public_url, self._picture_url = public_url, picture_url
        self._registered = False

    def post(self, card: Card, targets: Sequence[Target], *, ref: str) -> Posted:
        """One card in the chats of all `targets`; `ref` becomes its outTrackId.

        A repeat with a `ref` that the platform knows counts as posted: a card cannot be shown twice this way. The
        answer says "success" as a whole even if single chats refused: those are in `refused`. All of them: NOBODY.
        """
        body = {
            "cardTemplateId": self._config.card_template_id,
            "outTrackId": ref,
            "cardData": {"cardParamMap": self._values(card)},
            "openSpaceId": "dtv1.card//" + ";".join(_space(target) for target in targets),
            "userIdType": 1,
            **self._callback(),
            **self._space_models(card, targets),
        }
        try:
            answer = self._api.call("POST", "/v1.0/card/instances/createAndDeliver", body, repeatable=True)
        except DingTalkError as error:
            if error.code == "param.cardAlreadyExist":
                return Posted(ref)
            raise
        refused = _refused(answer, targets)
        if refused and len(refused) == len({target.key for target in targets}):
            raise PlatformError(Failure.NOBODY, next(iter(refused.values())))
        return Posted(ref, refused=refused, handles=_handles(answer, targets))

    def redraw(self, card: Card, *, ref: str) -> None:
        """Every copy at once. By key: the default would wipe variables that an older or newer template has more."""
        body = {
            "outTrackId": ref,
            "cardData": {"cardParamMap": self._values(card)},
            "cardUpdateOptions": {"updateCardDataByKey": True},
        }
        self._api.call("PUT", "/v1.0/card/instances", body, repeatable=True)

    def register_route(self, *, force: bool = False) -> str:
        """Tell the platform once where card presses go; returns the route's key.

        The key is made of address and secret, so a second installation of the same app never takes it over. It is
        remembered for a day, in Redis and in this process; `force` registers anew.
        """
        url = self._public_url.rstrip("/") + "/dingtalk/cards"
        secret = card_api_secret(self._config.client_secret)
        route = "anshao-" + hashlib.sha256(f"{url}|{secret}".encode()).hexdigest()[:16]
        if not force and self._is_registered(route):
            return route
        body = {"callbackRouteKey": route, "callbackUrl": url, "apiSecret": secret, "forceUpdate": True}
        try:
            self._api.call("POST", "/v1.0/card/callbacks/register", body, repeatable=True)
        except DingTalkError as error:
            if error.code != "param.callbackRouteKeyExist":  # it can only be ours, see above
                raise
        self._remember(route)
        log.info("dingtalk.card_route_registered", route=route)
        return route

    def _values(self, card: Card) -> dict[str, str]:
        revision = int(self._clock().timestamp() * 1000)
        return card_values(card, public_url=self._public_url, picture_url=self._picture_url, revision=revision)

    def _callback(self) -> dict[str, str]:
        if self._config.mode == "stream":
            return {"callbackType": "STREAM"}
        return {"callbackType": "HTTP", "callbackRouteKey": self.register_route()}

    def _space_models(self, card: Card, targets: Sequence[Target]) -> dict[str, Any]:
        """Forwarding stays off: a forwarded card would show a case to people it does not concern."""
        shown = {
            "supportForward": False,
            "lastMessageI18n": {"ZH_CN": cut(card.title, 120)},
            "notification": {"alertContent": cut(card.title, 120), "notificationOff": False},
        }
        models: dict[str, Any] = {}
        if any(target.group for target in targets):
            models["imGroupOpenSpaceModel"] = shown
            models["imGroupOpenDeliverModel"] = {"robotCode": self._config.robot}
        if any(not target.group for target in targets):
            models["imRobotOpenSpaceModel"] = shown
            models["imRobotOpenDeliverModel"] = {"spaceType": "IM_ROBOT", "robotCode": self._config.robot}
        return models

    def _is_registered(self, route: str) -> bool:
        try:
            return bool(self._redis.get(f"dingtalk:card_route:{route}"))
        except RedisError:
            return self._registered

    def _remember(self, route: str) -> None:
        self._registered = True
        try:
            self._redis.set(f"dingtalk:card_route:{route}", "1", ex=ROUTE_REMEMBERED)
        except RedisError as error:
            log.warning("dingtalk.card_route_not_remembered", error=type(error).__name__)


def _space(target: Target) -> str:
    return f"IM_GROUP.{target.group}" if target.group else f"IM_ROBOT.{target.user}"


def _delivered(answer: dict[str, Any]) -> list[dict[str, Any]]:
    result = answer.get("result")
    delivered = result.get("deliverResults") if isinstance(result, dict) else result
    return [one for one in delivered if isinstance(one, dict)] if isinstance(delivered, list) else []


def _handles(answer: dict[str, Any], targets: Sequence[Target]) -> dict[str, str]:
    """What DingTalk calls each person's copy: its processQueryKey, by which the read state can be asked."""
    people = {target.user: target.key for target in targets if target.user}
    found = {people.get(str(one.get("spaceId"))): str(one.get("carrierId") or "") for one in _delivered(answer)}
    return {key: handle for key, handle in found.items() if key and handle}


def _refused(answer: dict[str, Any], targets: Sequence[Target]) -> dict[str, str]:
    keys = {target.group or target.user: target.key for target in targets}
    refused = {}
    for one in _delivered(answer):
        if one.get("success") is not True:
            key = keys.get(str(one.get("spaceId")))
            reason = str(one.get("errorMsg") or "")
            if key:
                refused[key] = reason if _CODE.fullmatch(reason) else "refused"
    return refused
