"""The card calls of the bot: create, deliver, both, update, add spaces, register the callback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..core import Core
from ..errors import ApiError
from ..robot import Robot
from ..routing import Call, Route
from .spaces import Delivery, enabled_by, parse_spaces
from .store import Card, CardStore


@dataclass(frozen=True)
class CallbackRoute:
    url: str
    api_secret: str


class CardApi:
    def __init__(self, core: Core, store: CardStore, robot: Robot):
        self.core, self.store = core, store
        self.delivery = Delivery(core, store, robot)
        self.callback_routes: dict[str, CallbackRoute] = {}

    def routes(self) -> list[Route]:
        base = "/v1.0/card/instances"
        return [
            Route("POST", base, self._create),
            Route("POST", f"{base}/deliver", self._deliver),
            Route("POST", f"{base}/createAndDeliver", self._create_and_deliver),
            Route("PUT", base, self._update),
            Route("PUT", f"{base}/spaces", self._add_spaces),
            Route("POST", "/v1.0/card/callbacks/register", self._register),
            Route("POST", "/v1.0/im/v1.0/robot/interactiveCards/send", self._standard_card),
            Route("PUT", "/v1.0/im/robots/interactiveCards", self._standard_card),
        ]

    def _create(self, call: Call) -> dict[str, Any]:
        if str(call.body.get("outTrackId")) in self.store.cards:
            raise ApiError("param.cardAlreadyExist", "卡片已存在")
        card = self._new_card(call.body)
        self.store.cards[card.out_track_id] = card
        return {"success": True, "result": card.out_track_id}

    def _deliver(self, call: Call) -> dict[str, Any]:
        card = self._find(call.body)
        spaces = parse_spaces(call.body.get("openSpaceId"))
        self.delivery.check_models(spaces, call.body, self._robot_code(call))
        return {"success": True, "result": self.delivery.deliver(card, spaces, call.body)}

    def _create_and_deliver(self, call: Call) -> dict[str, Any]:
        body = call.body
        spaces = parse_spaces(body.get("openSpaceId"))
        self.delivery.check_models(spaces, body, self._robot_code(call))
        fresh = self._new_card(body)
        # an id that exists keeps its old template and data: the new ones change nothing
        card = self.store.cards.setdefault(fresh.out_track_id, fresh)
        results = self.delivery.deliver(card, spaces, body)
        return {"success": True, "result": {"outTrackId": card.out_track_id, "deliverResults": results}}

    def _update(self, call: Call) -> dict[str, Any]:
        body, store = call.body, self.store
        card = self._find(body)
        if not body.get("cardData") and not body.get("privateData"):
            raise ApiError("param.cardDataAndPrivateDataBothEmpty", "cardData 和 privateData 不能同时为空")
        public = store.params(body["cardData"]) if body.get("cardData") else None
        private = store.private_params(body.get("privateData"), by_union_id=body.get("userIdType") == 2)
        store.change(card, public, private, body.get("cardUpdateOptions"))
        return {"success": True, "result": True}

    def _add_spaces(self, call: Call) -> dict[str, Any]:
        card, enabled = self._find(call.body), enabled_by(call.body)
        if not enabled:
            raise ApiError("param.openSpaceModelInvalid", "缺少场域模型")
        card.enabled |= enabled
        return {"success": True, "result": True}

    def _register(self, call: Call) -> dict[str, Any]:
        key, url = str(call.body.get("callbackRouteKey") or ""), str(call.body.get("callbackUrl") or "")
        if not key or not url.startswith(("http://", "https://")):
            raise ApiError("param.empty", "callbackRouteKey 或 callbackUrl 无效")
        if key in self.callback_routes and call.body.get("forceUpdate") is not True:
            raise ApiError("param.callbackRouteKeyExist", "callbackRouteKey 已存在", status=500)
        secret = str(call.body.get("apiSecret") or "")
        self.callback_routes[key] = CallbackRoute(url, secret)
        return {"success": True, "result": {"callbackUrl": url, "apiSecret": secret}}

    def _standard_card(self, _call: Call) -> dict[str, Any]:
        detail = {"accessdenieddetail": {"requiredScopes": ["qyapi_chat_interactive_card"]}}
        code = "Forbidden.AccessDenied.AccessTokenPermissionDenied"
        raise ApiError(code, "互动卡片普通版已不再向新应用开放", status=403, extra=detail)

    def _new_card(self, body: dict[str, Any]) -> Card:
        out_track_id, template_id = str(body.get("outTrackId") or ""), str(body.get("cardTemplateId") or "")
        if not out_track_id:
            raise ApiError("param.outTrackIdEmpty", "outTrackId 不能为空")
        if not template_id:
            raise ApiError("param.cardTemplateIdEmpty", "cardTemplateId 不能为空")
        if template_id in self.store.unpublished:
            raise ApiError("param.templateUnpublished", "卡片模板未发布")
        if template_id not in self.store.published:
            raise ApiError("param.templateNotExist", "卡片模板不存在")
        callback, route_key = str(body.get("callbackType") or ""), str(body.get("callbackRouteKey") or "")
        if callback not in ("", "HTTP", "STREAM"):
            raise ApiError("param.callbackTypeInvalid", "callbackType 无效")
        if callback == "HTTP" and route_key not in self.callback_routes:
            self.core.journal.problem("a card names a callbackRouteKey that was never registered")
        by_union = body.get("userIdType") == 2
        return Card(
            out_track_id, template_id, callback, route_key, by_union, self.store.params(body.get("cardData")),
            self.store.private_params(body.get("privateData"), by_union_id=by_union), enabled_by(body),
        )  # fmt: skip

    def _find(self, body: dict[str, Any]) -> Card:
        out_track_id = str(body.get("outTrackId") or "")
        if not out_track_id:
            raise ApiError("param.outTrackIdEmpty", "outTrackId 不能为空")
        card = self.store.cards.get(out_track_id)
        if card is None:
            raise ApiError("param.cardNotExist", "卡片不存在")
        return card

    def _robot_code(self, call: Call) -> str:
        return self.core.directory.apps[call.client_id].robot_code
