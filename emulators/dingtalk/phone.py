"""Control API, part one: the phones (`/_phone/<user>/…`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask, Response, jsonify, request

from .cards import CardPresses
from .cards.press import NotPressable
from .core import Core
from .media import Blob, Media
from .notices import Notices
from .people import Group, Person
from .receipts import Receipts
from .robot import Robot
from .screen import Item, blank_card
from .talk import Refused, Talk
from .todo import Todo
from .tokens import Tokens

Action = Callable[[Person, dict[str, Any]], dict[str, Any]]


class Phone:
    def __init__(
        self, core: Core, *, talk: Talk, media: Media, presses: CardPresses, receipts: Receipts, notices: Notices,
        robot: Robot, todo: Todo, tokens: Tokens,
    ):  # fmt: skip
        self.core, self.talk, self.media, self.presses = core, talk, media, presses
        self.receipts, self.notices, self.robot, self.todo, self.tokens = receipts, notices, robot, todo, tokens

    def bind(self, app: Flask) -> None:
        app.add_url_rule("/_phone/people", endpoint="_people", view_func=self._people)
        app.add_url_rule("/_phone/<user>/screen", endpoint="_screen", view_func=self._screen)
        actions: dict[str, Action] = {
            "say": self._say, "photo": self._photo, "voice": self._voice, "video": self._video, "file": self._file,
            "location": self._location, "link": self._link, "raw": self._raw, "open": self._open, "read": self._read,
            "scan": self._scan, "menu": self._menu, "tap": self._tap, "press_link": self._press_link,
            "auth_code": self._auth_code,
        }  # fmt: skip
        for name, action in actions.items():
            view = self._view(action)
            app.add_url_rule(f"/_phone/<user>/{name}", endpoint=f"_phone_{name}", view_func=view, methods=["POST"])
        view = self._view(self._open_todo)
        app.add_url_rule("/_phone/<user>/todo/<todo_id>/open", endpoint="_phone_todo", view_func=view, methods=["POST"])

    def _view(self, action: Action) -> Callable[..., Any]:
        def view(user: str, **args: str) -> Any:
            body = request.get_json(silent=True) if request.is_json else request.form.to_dict()
            if not isinstance(body, dict):
                return _refusal("a JSON object is expected", 400)
            with self.core.lock:
                person = self.core.directory.member(user)
                if person is None:
                    return _refusal("no such person", 404)
                try:
                    return jsonify({"accepted": True, "ids": [], **action(person, {**body, **args})})
                except Refused as error:
                    return _refusal(error.reason, error.status)
                except NotPressable as error:
                    return _refusal(str(error), 409)

        return view

    def _people(self) -> Response:
        with self.core.lock:
            people = [p for p in self.core.directory.people.values() if p.active]
            return jsonify([{"user": p.userid, "name": p.name, "title": p.title} for p in people])

    def _screen(self, user: str) -> Any:
        after = request.args.get("after", "0")
        with self.core.lock:
            if user not in self.core.directory.people or not after.isdigit():
                return _refusal("no such person, or after is no number", 404)
            items = [item.as_json() for item in self.core.screens.since(user, int(after))]
            return jsonify({"seq": self.core.screens.seq, "items": items})

    def _say(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        quote = self._item(person, body["quote"]) if body.get("quote") else None
        group, text = self.talk.group(person, body.get("group")), body.get("text")
        if not isinstance(text, str):
            raise Refused("text is missing", 400)
        return {"ids": self.talk.say(person, group, text, at_bot=_flag(body, "at_bot", False), quote=quote)}

    def _photo(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        blobs, group = self._uploads(), self.talk.group(person, body.get("group"))
        caption, at_bot = str(body.get("caption") or ""), _flag(body, "at_bot", True)
        return {"ids": self.talk.photos(person, group, blobs, caption, at_bot=at_bot)}

    def _voice(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        blob, duration = self._upload_for_private_chat(body), int(body.get("duration_ms") or 4000)
        recognition = str(body.get("recognition") or "")
        return {"ids": self.talk.voice(person, blob, recognition=recognition, duration_ms=duration)}

    def _video(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        blob, duration = self._upload_for_private_chat(body), int(body.get("duration_ms") or 5000)
        return {"ids": self.talk.video(person, blob, duration_ms=duration)}

    def _file(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        return {"ids": self.talk.file(person, self._upload_for_private_chat(body))}

    def _location(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        """The robot cannot receive places: it only learns that something unknown came, without coordinates."""
        if body.get("group"):
            raise Refused("a location cannot @ the robot")
        text = str(body.get("label") or "位置")
        card = blank_card(title=text, facts=[["纬度", str(body.get("lat", ""))], ["经度", str(body.get("lon", ""))]])
        return {"ids": self.talk.unreceivable(person, kind="location", text=text, card=card)}

    def _link(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        title, url = str(body.get("title") or "链接"), str(body.get("url") or "")
        card = blank_card(title=title, links=[{"title": title, "url": url}])
        return {"ids": self.talk.unreceivable(person, kind="link", text=title, card=card)}

    def _raw(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        payload = body.get("payload")
        if not isinstance(payload, dict) or "msgtype" not in payload:
            raise Refused("payload with msgtype is missing", 400)
        return {"ids": self.talk.raw(person, self.talk.group(person, body.get("group")), payload)}

    def _open(self, person: Person, _body: dict[str, Any]) -> dict[str, Any]:
        """Opens the chat with the robot. DingTalk tells the bot nothing but that its messages were read."""
        self._mark_read(person, self.core.screens.all_of(person.userid))
        plugins = [{"key": str(n), "name": p["name"], "url": p["mobileUrl"]} for n, p in enumerate(self.robot.plugins)]
        return {"plugins": plugins}

    def _read(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        chosen = [self._item(person, body["item"])] if body.get("item") else self.core.screens.all_of(person.userid)
        self._mark_read(person, chosen)
        return {"ids": [item.id for item in chosen]}

    def _scan(self, _person: Person, _body: dict[str, Any]) -> dict[str, Any]:
        raise Refused("DingTalk has no scan event; dd.scan answers the page that asked")

    def _menu(self, _person: Person, body: dict[str, Any]) -> dict[str, Any]:
        """A quick entry above the input box, by number or name: opens its address, tells the robot nothing."""
        key = str(body.get("key", ""))
        for number, plugin in enumerate(self.robot.plugins):
            if key in (str(number), plugin["name"]):
                return {"url": plugin["mobileUrl"]}
        raise Refused("no such quick entry", 404)

    def _tap(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        item = self._item(person, body.get("item"))
        if item.recalled:
            raise Refused("the message was recalled")
        if item.source.get("kind") != "card":
            return self._press_link(person, body)
        self._mark_read(person, [item])
        button = next((b for b in item.card["buttons"] if b["key"] == body.get("key")), None) if item.card else None
        if button is not None and button["kind"] == "url":
            return self._press_link(person, body)
        self.presses.press(person.userid, item, str(body.get("key") or ""), body.get("selected") or {})
        return {"ids": [item.id]}

    def _press_link(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        """The address the phone would open. A dtmd sendMessage link makes the phone say its text instead."""
        item = self._item(person, body.get("item"))
        url = self._find_link(item, str(body.get("key") or ""))
        self._mark_read(person, [item])
        parts = urlsplit(url)
        if parts.scheme == "dtmd" and parts.path == "/sendMessage":
            text = parse_qs(parts.query).get("content", [""])[0]
            group = self._group_of(item)
            ids = self.talk.say(person, group, text, at_bot=True, quote=None)
            return {"url": url, "ids": ids}
        return {"url": url}

    @staticmethod
    def _find_link(item: Item, key: str) -> str:
        card = item.card or {}
        for button in card.get("buttons", []):
            if button["kind"] == "url" and button["key"] == key:
                return str(button["url"])
        for number, link in enumerate(card.get("links", [])):
            if key in ("", str(number), f"link:{number}", link["title"], link["url"]):
                return str(link["url"])
        raise Refused("no such link", 404)

    def _open_todo(self, person: Person, body: dict[str, Any]) -> dict[str, Any]:
        """Tapping a to-do opens the bot's page; it cannot be ticked off in the list. Takes the task or the item id."""
        task = self.todo.tasks.get(body["todo_id"])
        if task is None:
            item = self.core.screens.get(person.userid, body["todo_id"])
            task = self.todo.tasks.get(item.source.get("task", "")) if item is not None else None
        if task is None or person.userid not in task.items:
            raise Refused("no such to-do", 404)
        return {"url": task.detail_url["appUrl"], "pc_url": task.detail_url["pcUrl"]}

    def _auth_code(self, person: Person, _body: dict[str, Any]) -> dict[str, Any]:
        return {"code": self.tokens.new_auth_code(person.userid), "corp_id": self.core.conf["corp_id"]}

    def _mark_read(self, person: Person, items: list[Item]) -> None:
        for item in items:
            source = item.source
            if source.get("kind") == "sent":
                self.receipts.mark_read(person.userid, source["key"])
            elif source.get("kind") == "notice":
                self.notices.mark_read(person.userid, source["task_id"])
            elif source.get("kind") == "card":
                for key in self.presses.store.cards[source["out_track_id"]].carriers.values():
                    self.receipts.mark_read(person.userid, key)

    def _item(self, person: Person, item_id: Any) -> Item:
        item = self.core.screens.get(person.userid, str(item_id))
        if item is None:
            raise Refused("no such item on this phone", 404)
        return item

    def _group_of(self, item: Item) -> Group | None:
        return self.core.directory.groups.get(item.chat.removeprefix("group:"))

    def _uploads(self) -> list[Blob]:
        files = request.files.getlist("file")
        if not files:
            raise Refused("a file is missing", 400)
        return [self.media.store(f.read(), name=f.filename or "", content_type=f.mimetype) for f in files]

    def _upload_for_private_chat(self, body: dict[str, Any]) -> Blob:
        if body.get("group"):
            raise Refused("voice, video and files reach the robot only in the 1:1 chat")
        return self._uploads()[0]


def _flag(body: dict[str, Any], name: str, default: bool) -> bool:
    value = body.get(name, default)
    return value if isinstance(value, bool) else str(value).lower() in ("1", "true", "yes", "on")


def _refusal(reason: str, status: int) -> Response:
    answer = jsonify({"accepted": False, "reason": reason})
    answer.status_code = status
    return answer
