"""The app's menu: what menu/create accepts and what the phone's bar shows."""

from __future__ import annotations

from typing import Any

from .errors import ApiError

TYPES = {
    "click": "key",
    "view": "url",
    "scancode_push": "key",
    "scancode_waitmsg": "key",
    "pic_sysphoto": "key",
    "pic_photo_or_album": "key",
    "pic_weixin": "key",
    "location_select": "key",
    "view_miniprogram": "pagepath",
}


class Menus:
    """One menu per app. Callers hold the lock."""

    def __init__(self) -> None:
        self.menus: dict[int, list[dict[str, Any]]] = {}

    def create(self, agent_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """`menu/create`: 1 to 3 buttons with up to 5 below each."""
        buttons = body.get("button")
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
            raise ApiError(40016)
        for button in buttons:
            below = button.get("sub_button") or []
            if below:
                if not 1 <= len(below) <= 5:
                    raise ApiError(40023)
                self._name(button, 16)
                for row in below:
                    self._leaf(row, 40)
            else:
                self._leaf(button, 16)
        self.menus[agent_id] = buttons
        return {}

    def get(self, agent_id: int) -> dict[str, Any]:
        """`menu/get`; 46003 before any menu."""
        if agent_id not in self.menus:
            raise ApiError(46003)
        return {"button": self.menus[agent_id]}

    def delete(self, agent_id: int) -> dict[str, Any]:
        self.menus.pop(agent_id, None)
        return {}

    def leaves(self, agent_id: int) -> list[dict[str, Any]]:
        """All buttons one can press."""
        found: list[dict[str, Any]] = []
        for button in self.menus.get(agent_id, []):
            found += button.get("sub_button") or [button]
        return found

    def find(self, agent_id: int, key: str) -> dict[str, Any] | None:
        """By key, URL or name."""
        return next((b for b in self.leaves(agent_id) if key in (b.get("key"), b.get("url"), b.get("name"))), None)

    def _name(self, button: dict[str, Any], limit: int) -> None:
        name = button.get("name")
        if not name or len(str(name).encode()) > limit:
            raise ApiError(40018)

    def _leaf(self, button: dict[str, Any], limit: int) -> None:
        self._name(button, limit)
        need = TYPES.get(str(button.get("type")))
        if need is None:
            raise ApiError(40017)
        value = button.get(need)
        if not value or len(str(value).encode()) > (1024 if need == "url" else 128):
            raise ApiError(40019)
