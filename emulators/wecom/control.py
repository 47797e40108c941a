"""The control API of the phones, under /_phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from .callbacks import Courier
from .core import Core
from .directory import Directory, Member
from .groups import Groups
from .media import MediaStore
from .menu import Menus
from .phones import Phones
from .presses import Refused
from .screens import Screens
from .tokens import Tokens


class Control:
    """Builds the blueprint; phones' actions only enqueue, so every view may hold the lock."""

    def __init__(
        self,
        core: Core,
        directory: Directory,
        phones: Phones,
        screens: Screens,
        media: MediaStore,
        groups: Groups,
        menus: Menus,
        tokens: Tokens,
        courier: Courier,
        tick: Callable[[], int],
    ) -> None:
        self.core, self.directory, self.phones, self.screens = core, directory, phones, screens
        self.media, self.groups, self.menus, self.tokens = media, groups, menus, tokens
        self.courier, self.tick = courier, tick
        self.blueprint = Blueprint("wecom_control", __name__)
        self._phone_rules()
        self._board_rules()

    def _phone_rules(self) -> None:
        actions: dict[str, Callable[[Member], dict[str, Any]]] = {
            "say": self._say,
            "photo": self._photo,
            "voice": self._voice,
            "video": self._video,
            "location": self._location,
            "link": lambda m: _ids(self.phones.link(m, _body())),
            "file": self._file,
            "raw": self._raw,
            "open": self._open,
            "scan": self._scan,
            "menu": self._menu,
            "tap": self._tap,
            "press_link": self._press_link,
            "leave": lambda m: _ids(self.phones.leave(m)),
            "join": lambda m: _ids(self.phones.join(m)),
            "status": self._status,
            "upload": self._upload,
        }
        for name, action in actions.items():
            self.blueprint.add_url_rule(f"/_phone/<user>/{name}", f"phone_{name}", self._view(action), methods=["POST"])
        self.blueprint.add_url_rule("/_phone/<user>/screen", "screen", self.screen, methods=["GET"])

    def _board_rules(self) -> None:
        add = self.blueprint.add_url_rule
        add("/_phone/people", "people", self.people, methods=["GET"])
        add("/_phone/people", "hire", self.hire, methods=["POST"])
        add("/_phone/groups", "groups", self.group_list, methods=["GET"])
        add("/_phone/menu", "menu_bar", self.menu_bar, methods=["GET"])
        add("/_phone/media/<media_id>", "media", self.show_media, methods=["GET"])
        add("/_phone/faults", "faults", self.faults, methods=["GET", "POST"])
        add("/_phone/calls", "calls", self.calls, methods=["GET"])
        add("/_phone/calls/reset", "calls_reset", self.calls_reset, methods=["POST"])
        add("/_phone/log", "log", self.journal, methods=["GET"])
        add("/_phone/problems", "problems", self.problems, methods=["GET"])
        add("/_phone/deliveries", "deliveries", self.deliveries, methods=["GET"])
        add("/_phone/expire", "expire", self.expire, methods=["POST"])
        add("/_phone/save_callback", "save_callback", self.save_callback, methods=["POST"])
        add("/_phone/tick", "tick", lambda: jsonify(done=self.tick()), methods=["POST"])

    def _view(self, action: Callable[[Member], dict[str, Any]]) -> Callable[[str], Any]:
        def view(user: str) -> Any:
            with self.core.lock:
                try:
                    member = self.directory.phone(user)
                except KeyError:
                    return jsonify(reason="没有这个成员"), 404
                try:
                    return jsonify({"accepted": True, **action(member)})
                except Refused as refused:
                    return jsonify(accepted=False, reason=str(refused)), refused.status
                except (KeyError, ValueError, TypeError) as error:
                    return jsonify(accepted=False, reason=f"请求不完整: {error!r}"), 400

        return view

    # --- actions -------------------------------------------------------------------------------------------------
    def _say(self, member: Member) -> dict[str, Any]:
        body = _body()
        return _ids(
            self.phones.say(member, str(body["text"]), group=body.get("group"), at_bot=body.get("at_bot") is True)
        )

    def _photo(self, member: Member) -> dict[str, Any]:
        form = request.form
        files = _files()
        if not files:
            raise Refused("没有照片", 400)
        at_bot = form.get("at_bot") == "true"
        caption = form.get("caption", "")
        return _ids(self.phones.photo(member, files, group=form.get("group"), caption=caption, at_bot=at_bot))

    def _voice(self, member: Member) -> dict[str, Any]:
        name, data = _one_file()
        return _ids(self.phones.voice(member, name, data))

    def _video(self, member: Member) -> dict[str, Any]:
        name, data = _one_file()
        return _ids(self.phones.video(member, name, data))

    def _file(self, member: Member) -> dict[str, Any]:
        name, data = _one_file()
        return _ids(self.phones.file(member, name, data))

    def _upload(self, member: Member) -> dict[str, Any]:
        name, data = _one_file()
        media = self.phones.upload_from_page(name, data, kind=request.args.get("kind", "image"))
        return {"ids": [], "media_id": media.media_id}

    def _raw(self, member: Member) -> dict[str, Any]:
        body = _body()
        return _ids(self.phones.unknown(member, str(body["msgtype"]), body.get("fields") or {}))

    def _location(self, member: Member) -> dict[str, Any]:
        body = _body()
        return _ids(self.phones.location(member, float(body["lat"]), float(body["lon"]), str(body.get("label") or "")))

    def _open(self, member: Member) -> dict[str, Any]:
        body = _body()
        place = None
        if body.get("lat") is not None and body.get("lon") is not None:
            place = (float(body["lat"]), float(body["lon"]), float(body.get("precision", 30.0)))
        return _ids(self.phones.open_app(member, consent=bool(body.get("consent", True)), place=place))

    def _scan(self, member: Member) -> dict[str, Any]:
        body = _body()
        scan_type = str(body.get("scan_type", "qrcode"))
        return _ids(self.phones.scan(member, str(body["result"]), key=body.get("key"), scan_type=scan_type))

    def _menu(self, member: Member) -> dict[str, Any]:
        body = request.form.to_dict() if request.files or request.form else _body()
        ids, url = self.phones.menu(member, str(body["key"]), photos=_files(), body=body)
        return {**_ids(ids), **self._opened(member, url)}

    def _tap(self, member: Member) -> dict[str, Any]:
        body = _body()
        ids, url = self.phones.tap(member, str(body["item"]), str(body["key"]), body.get("selected"))
        return {**_ids(ids), **self._opened(member, url)}

    def _press_link(self, member: Member) -> dict[str, Any]:
        body = _body()
        url = self.phones.press_link(member, str(body["item"]), str(body.get("key") or "card"))
        return {"ids": [], **self._opened(member, url)}

    def _opened(self, member: Member, url: str | None) -> dict[str, Any]:
        """`url` as written; `open` is the same through this phone, so that a sign-in knows whose it is."""
        if not url:
            return {}
        through = f"{self.core.public_url}/_phone/{member.userid}/go?{urlencode({'url': url})}"
        return {"url": url, "open": through}

    def _status(self, member: Member) -> dict[str, Any]:
        member.status = int(_body()["status"])
        return {"ids": []}

    # --- boards --------------------------------------------------------------------------------------------------
    def screen(self, user: str) -> Any:
        with self.core.lock:
            try:
                member = self.directory.phone(user)
            except KeyError:
                return jsonify(reason="没有这个成员"), 404
            items = self.screens.since(member.userid, int(request.args.get("after", 0)))
            return jsonify(seq=self.core.last_seq, items=items)

    def people(self) -> Response:
        with self.core.lock:
            rows = [
                {"user": m.userid, "name": m.name, "title": m.title, "person": m.person}
                for m in self.directory.members.values()
                if m.status != 5
            ]
        return jsonify(rows)

    def hire(self) -> Any:
        """`{"user", "name", "title"?, "mobile"?}`: somebody the plant file does not know."""
        body = _body()
        user = str(body.get("user", ""))
        if not user or not body.get("name"):
            return jsonify(reason="user and name"), 400
        with self.core.lock:
            if self.directory.find(user):
                return jsonify(reason="已有这个成员"), 409
            self.directory.hire(user, body["name"], title=body.get("title", ""), mobile=body.get("mobile", ""))
        return jsonify(accepted=True)

    def group_list(self) -> Response:
        with self.core.lock:
            rows = [
                {"id": g.chatid, "title": g.title, "members": g.members, "bot": g.chatid in self.phones.bot.chats}
                for g in self.groups.groups.values()
                if not g.hidden
            ]
        return jsonify(rows)

    def menu_bar(self) -> Response:
        with self.core.lock:
            return jsonify(button=self.menus.menus.get(int(self.core.settings["agent_id"]), []))

    def show_media(self, media_id: str) -> Response:
        with self.core.lock:
            media = self.media.any_age(media_id)
        if media is None:
            return Response(status=404)
        return Response(media.data, content_type=media.content_type)

    def faults(self) -> Any:
        with self.core.lock:
            if request.method == "POST":
                try:
                    self.core.switches.set(_body())
                except KeyError as error:
                    return jsonify(reason=f"unknown switch {error}"), 400
            return jsonify(self.core.switches.report())

    def calls(self) -> Response:
        with self.core.lock:
            return jsonify(dict(self.core.calls))

    def calls_reset(self) -> Response:
        with self.core.lock:
            self.core.calls.clear()
        return jsonify(accepted=True)

    def journal(self) -> Response:
        with self.core.lock:
            return jsonify(list(self.core.log)[-int(request.args.get("last", 200)) :])

    def problems(self) -> Response:
        with self.core.lock:
            return jsonify(list(self.core.problems))

    def deliveries(self) -> Response:
        with self.core.lock:
            rows = [
                {"id": f"d{d.number}", "user": d.user, "attempts": d.attempts, "outcome": d.outcome, "log": d.statuses}
                for d in [*self.courier.finished, *self.courier.waiting]
            ]
        return jsonify(rows)

    def expire(self) -> Any:
        """`{"what": "tokens" | "tickets" | "media"}` runs out now."""
        what = _body().get("what")
        acts = {
            "tokens": self.tokens.expire,
            "tickets": self.tokens.expire_tickets,
            "media": self.media.expire_all,
        }
        if what not in acts:
            return jsonify(reason="what: tokens, tickets or media"), 400
        with self.core.lock:
            acts[what]()
        return jsonify(accepted=True)

    def save_callback(self) -> Any:
        """The admin saves the callback settings: `{"url", "bot"?}`, default the plant's. HTTP, so without the lock."""
        body = _body()
        bot = body.get("bot") is True
        settings = self.core.settings["bot"] if bot else self.core.settings
        good, why = self.courier.save_callback(body.get("url") or settings["callback_url"], bot=bot)
        return jsonify(accepted=good, reason=why), 200 if good else 409


def _ids(ids: list[str]) -> dict[str, Any]:
    return {"ids": ids}


def _body() -> dict[str, Any]:
    return request.get_json(force=True, silent=True) or {}


def _files() -> list[tuple[str, bytes]]:
    return [(part.filename or "photo.jpg", part.read()) for part in request.files.getlist("file")]


def _one_file() -> tuple[str, bytes]:
    files = _files()
    if not files:
        raise Refused("没有文件", 400)
    return files[0]
