"""Access tokens, OAuth codes and JS-SDK tickets: everything that is issued and runs out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from .core import Core, Window
from .errors import ApiError

TOKEN_LIFE_S = 7200
CODE_LIFE_S = 300
USER_TICKET_LIFE_S = 1800
HOUR = 3600.0


@dataclass
class App:
    """One self-built app; every app has its own secret and token."""

    agent_id: int
    secret: str


@dataclass
class Issued:
    """A token, ticket or code. `owner` is what it stands for."""

    value: str
    owner: Any
    until: float
    expired: bool = False


def jsapi_signature(*, ticket: str, nonce: str, timestamp: str, url: str) -> str:
    """SHA-1 hex of the four named values in the documented order; `url` without its fragment."""
    bare = url.split("#", 1)[0]
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={bare}"
    return hashlib.sha1(text.encode()).hexdigest()


class Tokens:
    """Issues and checks. One token per (corpid, secret), the same one while it is valid."""

    def __init__(self, core: Core) -> None:
        self.core = core
        main = core.settings
        rows = [{"agent_id": main["agent_id"], "secret": main["secret"]}, *main.get("apps", [])]
        self.apps = {row["secret"]: App(int(row["agent_id"]), row["secret"]) for row in rows}
        self.by_agent = {app.agent_id: app for app in self.apps.values()}
        self._tokens: dict[str, Issued] = {}
        self._old: dict[str, Issued] = {}
        self._tickets: dict[str, Issued] = {}
        self._codes: dict[str, Issued] = {}
        self._user_tickets: dict[str, Issued] = {}
        self._window = Window()

    def get_token(self, corpid: str, secret: str) -> dict[str, Any]:
        """`gettoken`."""
        now = self.core.clock()
        if not corpid:
            raise ApiError(41002)
        if not secret:
            raise ApiError(41004)
        if corpid != self.core.corp_id:
            raise ApiError(40013)
        if secret not in self.apps:
            raise ApiError(40001, "invalid corpsecret")
        self._limit("gettoken", int(self.core.switches["gettoken_per_minute"]), span_s=60)
        token = self._tokens.get(secret)
        if token is None or token.expired or token.until <= now:
            if token is not None:
                self._old[token.value] = token
            token = Issued(self.core.fresh(96), self.apps[secret], now + TOKEN_LIFE_S)
            self._tokens[secret] = token
        return {"access_token": token.value, "expires_in": max(1, int(token.until - now))}

    def check(self, value: str | None) -> App:
        """The app a token belongs to; 41001, 40014 or 42001."""
        if not value:
            raise ApiError(41001)
        token = next((t for t in self._tokens.values() if t.value == value), None) or self._old.get(value)
        if token is None:
            raise ApiError(40014)
        if token.expired or token.until <= self.core.clock() or value in self._old:
            raise ApiError(42001)
        return token.owner

    def expire(self, value: str | None = None) -> None:
        """Make one token, or all of them, expire now."""
        for token in self._tokens.values():
            if value is None or token.value == value:
                token.expired = True

    def own_agent(self, app: App, agent: Any) -> int:
        """The agent id of a request; 41011 missing, 40056 unknown, 301002 another app's."""
        if agent in (None, ""):
            raise ApiError(41011)
        try:
            number = int(agent)
        except (TypeError, ValueError) as error:
            raise ApiError(40056) from error
        if number not in self.by_agent:
            raise ApiError(40056)
        if number != app.agent_id:
            raise ApiError(301002)
        return number

    # --- OAuth ---------------------------------------------------------------------------------------------------
    def new_code(self, userid: str, *, agent_id: int | None, private: bool) -> str:
        """A single-use code for five minutes."""
        code = self.core.fresh(32)
        self._codes[code] = Issued(code, (userid, agent_id, private), self.core.clock() + CODE_LIFE_S)
        return code

    def redeem_code(self, code: str) -> tuple[str, int | None, bool]:
        """(userid, agent_id, private); 40029 when unknown, used or late."""
        issued = self._codes.pop(code or "", None)
        if issued is None or issued.until <= self.core.clock():
            raise ApiError(40029)
        return issued.owner

    def new_user_ticket(self, userid: str) -> str:
        """For `auth/getuserdetail`, 1800 s."""
        ticket = self.core.fresh(48)
        self._user_tickets[ticket] = Issued(ticket, userid, self.core.clock() + USER_TICKET_LIFE_S)
        return ticket

    def user_of_ticket(self, ticket: str) -> str:
        issued = self._user_tickets.get(ticket or "")
        if issued is None or issued.until <= self.core.clock():
            raise ApiError(40058, "invalid user_ticket")
        return issued.owner

    # --- JS-SDK --------------------------------------------------------------------------------------------------
    def ticket(self, app: App, *, kind: str) -> dict[str, Any]:
        """The corp's (`corp`) or the app's (`agent_config`) ticket, with its hourly quota."""
        key = "corp" if kind == "corp" else f"app:{app.agent_id}"
        option = "corp_ticket_per_hour" if kind == "corp" else "app_ticket_per_hour"
        self._limit(key, int(self.core.switches[option]), span_s=HOUR)
        now = self.core.clock()
        ticket = self._tickets.get(key)
        if ticket is None or ticket.expired or ticket.until <= now:
            ticket = self._tickets[key] = Issued(self.core.fresh(64), key, now + TOKEN_LIFE_S)
        return {"ticket": ticket.value, "expires_in": max(1, int(ticket.until - now))}

    def expire_tickets(self) -> None:
        for ticket in self._tickets.values():
            ticket.expired = True

    def signed_well(self, *, kind: str, agent_id: int | None, nonce: str, timestamp: str, url: str, sign: str) -> bool:
        """Does `sign` fit the ticket that is valid now?"""
        ticket = self._tickets.get("corp" if kind == "config" else f"app:{agent_id}")
        if ticket is None or ticket.expired or ticket.until <= self.core.clock():
            return False
        return sign == jsapi_signature(ticket=ticket.value, nonce=nonce, timestamp=timestamp, url=url)

    def _limit(self, key: str, limit: int, *, span_s: float) -> None:
        now = self.core.clock()
        if self._window.count(key, now=now, span_s=span_s) >= limit:
            raise ApiError(45009)
        self._window.add(key, now=now)
