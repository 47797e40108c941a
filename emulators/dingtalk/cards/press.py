"""A person presses a card button: the callback to the bot and what its answer changes (protocol notes §3.3, 3.4)."""

from __future__ import annotations

import json
from typing import Any

from ..core import Core
from ..errors import ApiError
from ..push import delays, post, push_timestamp, spoil
from ..screen import Item
from ..signing import card_sign
from ..stream import Stream
from .api import CardApi
from .store import Card, CardStore
from .template import BUTTON_COMPONENT

TOPIC = "/v1.0/card/instances/callback"
FAILED_TOAST = "操作失败,请稍后重试"


class NotPressable(Exception):
    """The button is not there, or cannot be pressed as asked."""


class CardPresses:
    def __init__(self, core: Core, store: CardStore, api: CardApi, stream: Stream):
        self.core, self.store, self.api, self.stream = core, store, api, stream

    def press(self, userid: str, item: Item, key: str, selected: dict[str, list[str]]) -> None:
        """Remembers the choice and schedules the callback. The lock is held. Raises NotPressable."""
        card = self.store.cards[item.source["out_track_id"]]
        assert item.card is not None
        button = next((b for b in item.card["buttons"] if b["key"] == key and b["kind"] == "callback"), None)
        if button is None:
            raise NotPressable("the card shows no such button")
        choice = self._choose(card, userid, item.card["selects"], selected)
        self.store.redraw(card)
        if not card.callback:
            self.core.journal.note("card_press_unheard", out_track_id=card.out_track_id)
            return
        body = self._body(card, userid, item, {"action": key, "choice": choice})
        self.core.journal.pushes["card"] += 1
        for wait in delays(self.core, "card"):
            self.core.agenda.at(
                self.core.clock() + wait, lambda: self._deliver(card, userid, item, body), lane=f"card {userid}"
            )

    def _choose(self, card: Card, userid: str, selects: list[dict[str, Any]], selected: dict[str, list[str]]) -> str:
        choice = ""
        for select in selects:
            options = {option["id"] for option in select["options"]}
            wanted = selected.get(select["key"]) or ([select["selected"]] if select["selected"] else [])
            if len(wanted) > 1 or not set(wanted) <= options:
                raise NotPressable("no such option")
            if wanted:
                choice = wanted[0]
                card.chosen.setdefault(userid, {})[select["key"]] = choice
        if set(selected) - {select["key"] for select in selects}:
            raise NotPressable("no such question")
        return choice

    def _body(self, card: Card, userid: str, item: Item, params: dict[str, str]) -> dict[str, Any]:
        person = self.core.directory.people[userid]
        group = item.chat.removeprefix("group:") if item.chat.startswith("group:") else ""
        body: dict[str, Any] = {
            "outTrackId": card.out_track_id, "corpId": self.core.conf["corp_id"],
            "userId": person.unionid if card.by_union_id else userid, "userIdType": 2 if card.by_union_id else 1,
            "spaceId": group or userid, "spaceType": "IM_GROUP" if group else "IM", "extension": "{}",
        }  # fmt: skip
        shape = self.core.faults.take("card_shape") or "content"
        private = {"actionIds": [BUTTON_COMPONENT]}
        if shape in ("content", "both"):
            body["type"] = "actionCallback"
            body["content"] = json.dumps({"cardPrivateData": {**private, "params": params}}, ensure_ascii=False)
        if shape in ("value", "both"):
            body["value"] = json.dumps({"cardPrivateData": private, "params": params}, ensure_ascii=False)
        return body

    def _deliver(self, card: Card, userid: str, item: Item, body: dict[str, Any]) -> None:
        if card.callback == "STREAM":

            def answered(response: dict[str, Any] | None) -> None:
                with self.core.lock:
                    self._apply(card, userid, item, response)

            self.stream.push_callback(TOPIC, body, redeliver=True, on_answer=answered)
            return
        route = self.api.callback_routes.get(card.route_key)
        if route is None:
            with self.core.lock:
                self._apply(card, userid, item, None)
            return
        with self.core.lock:
            headers = self._headers(route.api_secret)
        raw = json.dumps(body, ensure_ascii=False).encode()
        outcome = post(self.core, route.url, body=raw, headers=headers, limit_s=self.core.limits.card_push_s)
        with self.core.lock:
            self.core.journal.note("card_pushed", id=card.out_track_id, status=outcome.status, reason=outcome.reason)
            self._apply(card, userid, item, self._parse(outcome.text) if outcome.ok else None)

    def _headers(self, api_secret: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        timestamp = push_timestamp(self.core, "card")
        if not api_secret or self.core.faults.take("no_signature", "card") is not None:
            return headers
        signature = card_sign(timestamp, api_secret)
        if self.core.faults.take("bad_signature", "card") is not None:
            signature = spoil(signature)
        return headers | {"x-ddpaas-signature-timestamp": timestamp, "x-ddpaas-signature": signature}

    def _parse(self, text: str) -> dict[str, Any] | None:
        if not text.strip():
            return {}
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            self.core.journal.problem("the answer to a card press is no JSON object")
            return None
        return answer

    def _apply(self, card: Card, userid: str, item: Item, answer: dict[str, Any] | None) -> None:
        """Applies cardData, userPrivateData (of the presser, not keyed) and options; no answer shows a failure."""
        if answer is None:
            item.toast = FAILED_TOAST
            self.core.screens.touch(item)
            return
        item.toast = ""
        unknown = set(answer) - {"cardData", "userPrivateData", "cardUpdateOptions"}
        if unknown:
            self.core.journal.problem(f"the answer to a card press has unknown parts: {sorted(unknown)}")
        try:
            public = self.store.params(answer["cardData"]) if answer.get("cardData") else None
            raw = answer.get("userPrivateData")
            private = {userid: self.store.params(raw, private=True)} if raw else {}
        except ApiError as error:
            self.core.journal.problem(f"the answer to a card press is refused: {error.message}")
            item.toast = FAILED_TOAST
            self.core.screens.touch(item)
            return
        if public is not None or private:
            self.store.change(card, public, private, answer.get("cardUpdateOptions"))
