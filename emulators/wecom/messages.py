"""message/send, recall and update_template_card: who gets a copy, which codes are still good, what is dropped."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from .card_view import CardState
from .cards import INTERACTIVE, CardRules, has_callback
from .content import Contents
from .core import Core, Window
from .directory import Directory
from .errors import ApiError
from .screens import Item, Screens
from .tokens import App, Tokens

CODE_LIFE_S = 72 * 3600
RECALL_S = 24 * 3600
APP_TYPES = (
    "text",
    "image",
    "voice",
    "video",
    "file",
    "textcard",
    "news",
    "mpnews",
    "markdown",
    "template_card",
)
CHINA = timezone(timedelta(hours=8))


@dataclass
class Sent:
    """One message/send that was accepted."""

    msgid: str
    agent_id: int
    at: float
    card: dict[str, Any] | None = None
    recipients: set[str] = field(default_factory=set)
    answer: dict[str, Any] = field(default_factory=dict)


@dataclass
class ResponseCode:
    """A one-shot permission to update one message. `clicker` when it came from a press."""

    msgid: str
    agent_id: int
    until: float
    clicker: str | None = None
    used: bool = False


class Messages:
    """The sending side. Callers hold the lock."""

    def __init__(
        self,
        core: Core,
        directory: Directory,
        tokens: Tokens,
        screens: Screens,
        contents: Contents,
        rules: CardRules,
    ) -> None:
        self.core, self.directory, self.tokens = core, directory, tokens
        self.screens, self.contents, self.rules = screens, contents, rules
        self.sent: dict[str, Sent] = {}
        self.codes: dict[str, ResponseCode] = {}
        self._task_ids: set[tuple[int, str]] = set()
        self._recent: dict[tuple[int, str], Sent] = {}
        self._window = Window()
        self._day: dict[tuple[int, str], int] = {}

    # --- send ----------------------------------------------------------------------------------------------------
    def send(self, app: App, body: dict[str, Any]) -> dict[str, Any]:
        """`message/send`."""
        agent_id = self.tokens.own_agent(app, body.get("agentid"))
        msgtype = body.get("msgtype")
        if msgtype not in APP_TYPES:
            raise ApiError(40008)
        reached, invalid = self.recipients(body)
        repeated = self._repeated(agent_id, body)
        if repeated:
            return repeated
        card, facts = self._content(agent_id, msgtype, body)
        if not reached:
            raise ApiError(81013)
        self._count_day(agent_id, len(reached))
        sent = Sent(self.core.fresh(24), agent_id, self.core.clock(), card, reached)
        self.sent[sent.msgid] = sent
        if card and card.get("task_id"):
            self._task_ids.add((agent_id, card["task_id"]))
        for user in sorted(reached):
            self._deliver(user, sent, facts)
        unlicensed = {u.lower() for u in self.core.switches["unlicensed"]}
        sent.answer = {
            "invaliduser": "|".join(invalid["user"]),
            "invalidparty": "|".join(invalid["party"]),
            "invalidtag": "|".join(invalid["tag"]),
            "unlicenseduser": "|".join(sorted(unlicensed & invalid["reached"])),
            "msgid": sent.msgid,
        }
        if card and has_callback(card):
            sent.answer["response_code"] = self.new_code(sent.msgid, agent_id)
        self._recent[(agent_id, _digest(body))] = sent
        return dict(sent.answer)

    def recipients(self, body: dict[str, Any]) -> tuple[set[str], dict[str, Any]]:
        """(lower-case userids that get it, what was invalid); raises for empty and too long lists."""
        users = _split(body.get("touser"))
        if users == ["@all"]:
            everyone = {u for u in self.directory.members if self.directory.reachable(u)}
            return everyone, {"user": [], "party": [], "tag": [], "reached": everyone}
        parties, tags = _split(body.get("toparty")), _split(body.get("totag"))
        if not users and not parties and not tags:
            raise ApiError(82001)
        for rows, limit, code in ((users, 1000, 40032), (parties, 100, 82002), (tags, 100, 82003)):
            if len(rows) > limit:
                raise ApiError(code)
        known = {str(number) for number in self.directory.departments}
        found = {user.lower() for user in users if self.directory.reachable(user)}
        for party in parties:
            if party in known:
                found |= {m.userid.lower() for m in self._below(int(party)) if self.directory.reachable(m.userid)}
        invalid: dict[str, Any] = {
            "user": [user.lower() for user in users if not self.directory.reachable(user)],
            "party": [party for party in parties if party not in known],
            "tag": list(tags),
            "reached": found,
        }
        unlicensed = {u.lower() for u in self.core.switches["unlicensed"]}
        return found - unlicensed, invalid

    def _below(self, department: int) -> list[Any]:
        if department == 1:
            return list(self.directory.members.values())
        return self.directory.in_department(department)

    def _repeated(self, agent_id: int, body: dict[str, Any]) -> dict[str, Any] | None:
        if not body.get("enable_duplicate_check"):
            return None
        earlier = self._recent.get((agent_id, _digest(body)))
        span = min(float(body.get("duplicate_check_interval") or 1800), 4 * 3600)
        if earlier is None or self.core.clock() - earlier.at > span:
            return None
        self.core.note("send.suppressed_as_duplicate", msgid=earlier.msgid)
        if self.core.switches["duplicate_result"] == "same":
            return dict(earlier.answer)
        return {"invaliduser": "", "invalidparty": "", "invalidtag": ""}

    def _content(
        self, agent_id: int, msgtype: str, body: dict[str, Any]
    ) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        if msgtype != "template_card":
            return None, self.contents.show(msgtype, body)
        card = self.rules.check(body.get("template_card"))
        task_id = card.get("task_id")
        if task_id and (agent_id, task_id) in self._task_ids:
            raise ApiError(int(self.core.switches["task_id_errcode"]), "task_id has been used")
        return card, {"kind": "card"}

    def _count_day(self, agent_id: int, people: int) -> None:
        day = datetime.fromtimestamp(self.core.clock(), CHINA).date().isoformat()
        used = self._day.get((agent_id, day), 0)
        if used + people > int(self.core.switches["account_limit"]) * 200:
            raise ApiError(45009, "message/send person-times of today")
        self._day[(agent_id, day)] = used + people

    def _deliver(self, user: str, sent: Sent, facts: dict[str, Any]) -> None:
        now = self.core.clock()
        switches = self.core.switches
        over_minute = self._window.count(user, now=now, span_s=60) >= int(switches["member_per_minute"])
        over_hour = self._window.count(user, now=now, span_s=3600) >= int(switches["member_per_hour"])
        if over_minute or over_hour or switches.strike("silent_drop"):
            self.core.note("send.dropped_silently", user=user, msgid=sent.msgid)
            return
        self._window.add(user, now=now, keep_s=3600)
        facts = dict(facts)
        if sent.card:
            facts["card"] = CardState(sent.card, sent.card.get("task_id"), sent.agent_id, sent.msgid)
            facts["card"].greyed = sent.card.get("replace_text")
        self.screens.add(user, sender="bot", chat="app", msgid=sent.msgid, **facts)

    # --- codes, recall, update -------------------------------------------------------------------------------------
    def new_code(self, msgid: str, agent_id: int, *, clicker: str | None = None) -> str:
        """A fresh response_code for one message."""
        code = self.core.fresh(32)
        self.codes[code] = ResponseCode(msgid, agent_id, self.core.clock() + CODE_LIFE_S, clicker)
        return code

    def recall(self, app: App, body: dict[str, Any]) -> dict[str, Any]:
        """`message/recall`: within 24 h it disappears from every phone."""
        sent = self.sent.get(str(body.get("msgid", "")))
        if sent is None or sent.agent_id != app.agent_id or self.core.clock() - sent.at > RECALL_S:
            raise ApiError(int(self.core.switches["recall_errcode"]), "msgid")
        for item in self.screens.of_message(sent.msgid).values():
            item.recalled = True
            self.screens.touch(item)
        return {}

    def update(self, app: App, body: dict[str, Any]) -> dict[str, Any]:
        """`message/update_template_card`: one call per code; only the named people's copies change."""
        self.tokens.own_agent(app, body.get("agentid"))
        code = self._usable_code(app, str(body.get("response_code") or ""))
        sent = self.sent[code.msgid]
        button, card = body.get("button"), body.get("template_card")
        if bool(button) == bool(card):
            raise ApiError(40058, "either button or template_card")
        if button:
            if not button.get("replace_name"):
                raise ApiError(40058, "button.replace_name")
            if not sent.card or sent.card["card_type"] not in INTERACTIVE:
                raise ApiError(40058, "this card has no buttons to replace")
        else:
            self.rules.check(card, update=True)
        users, strangers = self._addressed(sent, code, body)
        code.used = True
        for user in sorted(users):
            item = self.screens.of_message(sent.msgid).get(user)
            if item and item.card:
                self.change(item, button=button, card=card)
        return {"invaliduser": strangers} if strangers else {}

    def change(self, item: Item, *, button: dict[str, Any] | None, card: dict[str, Any] | None) -> None:
        """Grey one copy's buttons, or put a new card in its place."""
        if item.card is None:
            return
        if button:
            item.card.grey(str(button["replace_name"]))
        elif card:
            item.card.replace(card)
        self.screens.touch(item)

    def _usable_code(self, app: App, value: str) -> ResponseCode:
        code = self.codes.get(value)
        wrong = ApiError(int(self.core.switches["response_code_errcode"]), "response_code")
        if code is None or code.agent_id != app.agent_id:
            raise wrong
        if code.used or code.until <= self.core.clock():
            raise wrong
        return code

    def _addressed(self, sent: Sent, code: ResponseCode, body: dict[str, Any]) -> tuple[set[str], list[str]]:
        if int(body.get("atall") or 0) == 1:
            return set(sent.recipients), []
        for name, limit in (("userids", 1000), ("partyids", 100), ("tagids", 100)):
            if len(body.get(name) or []) > limit:
                raise ApiError(40058, name)
        named = {str(user).lower() for user in body.get("userids") or []}
        for party in body.get("partyids") or []:
            named |= {m.userid.lower() for m in self._below(int(party))}
        if not named and not body.get("tagids"):
            return self._nobody_named(sent, code), []
        return named & sent.recipients, sorted(named - sent.recipients)

    def _nobody_named(self, sent: Sent, code: ResponseCode) -> set[str]:
        wish = self.core.switches["update_without_userids"]
        if wish == "error":
            raise ApiError(40058, "userids, partyids, tagids or atall")
        if wish == "clicker" and code.clicker:
            return {code.clicker}
        return set(sent.recipients) if wish == "all" else set()


def _split(value: Any) -> list[str]:
    return [part for part in str(value or "").split("|") if part]


def _digest(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, ensure_ascii=False)
