"""Two boards of switches: faults (things that go wrong, usually a few times) and options (open points of the docs)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

API_FAULTS = {
    "slow_api_s": "answer this many seconds late (the work is done first)",
    "timeout_but_delivered": "do the work, then answer after this many seconds (true: 30)",
    "http_500": "HTTP 500 with an empty body; nothing is done",
    "html_body": "HTTP 200 with an HTML page instead of JSON; nothing is done",
    "reset": "the connection breaks; nothing is done",
    "token_expired": "the token of this call expires now (42001)",
    "token_invalid": "40014 whatever the token",
    "busy": "errcode -1",
    "throttle": "errcode 45009",
    "concurrency": "errcode 45033",
    "api_error": "this errcode",
    "robot_disabled": "93004: somebody switched the group robot off (webhook/…)",
    "robot_removed": "93008: somebody took the group robot out of its group (webhook/…)",
    "silent_drop": "message/send succeeds and shows nothing",
}
CALLBACK_FAULTS = {
    "duplicate_callbacks": "each callback is sent this many times",
    "reorder": "callbacks waiting together go out newest first",
    "drop_callbacks": "the callback is never sent",
    "late_callbacks_s": "the callback goes out this many seconds later",
    "bad_signature": "msg_signature is wrong",
    "wrong_receiver": "encrypted for another corp (true, or the corp id to use)",
    "corrupt_cipher": "the ciphertext is damaged but its signature is right",
    "clock_skew_s": "this many seconds are added to the timestamp",
}
FAULTS = {**API_FAULTS, **CALLBACK_FAULTS}

DEFAULT_OPTIONS: dict[str, Any] = {
    # callback delivery
    "deadline_s": 5.0,
    "max_retries": 3,
    "retry_spacing_s": 1.0,
    "retry_non_200": False,
    # what phones send
    "location_coords": "gcj02",  # or wgs84; phones always give WGS84
    "location_event_coords": "gcj02",
    "location_select_message": True,
    "report_location": True,
    "pic_event_first": True,
    "file_messages": False,
    "barcode_scan_type": "barcode",
    # cards
    "card_errcode": 40058,
    "response_code_errcode": 42014,
    "task_id_errcode": 40058,
    "recall_errcode": 40058,
    "update_without_userids": "error",  # or nobody, clicker, all
    "passive_consumes_code": True,
    # sending
    "duplicate_result": "bare",  # or same: the first answer again
    "webhook_window": "sliding",  # or fixed
    "webhook_per_minute": 20,
    "member_per_minute": 30,
    "member_per_hour": 1000,
    "account_limit": 1000,
    "api_per_minute": 10000,
    "api_per_hour": 150000,
    "gettoken_per_minute": 200,
    # directory and access
    "trusted_ips": None,
    "trusted_domains": None,
    "unlicensed": [],
    "user_details": False,
    "root_visible": True,
    "corp_ticket_per_hour": 400,
    "app_ticket_per_hour": 100,
    "max_get_bytes": 20 * 1024 * 1024,
}


@dataclass
class Fault:
    """One fault that is on. `times` counts down; None means until cleared. `path` limits it to one API path."""

    value: Any
    times: int | None
    path: str | None = None


class Switches:
    """Both boards. Callers hold the emulator's lock."""

    def __init__(self) -> None:
        self.faults: dict[str, Fault] = {}
        self.options: dict[str, Any] = dict(DEFAULT_OPTIONS)

    def __getitem__(self, option: str) -> Any:
        return self.options[option]

    def set(self, wish: dict[str, Any]) -> None:
        """Turn faults and options: `{"name": value…, "times": n, "path": "message/send"}`; a falsy value clears.

        `{"clear": true}` clears every fault and restores every option. Raises KeyError for an unknown name.
        """
        wish = dict(wish)
        if wish.pop("clear", False):
            self.faults.clear()
            self.options = dict(DEFAULT_OPTIONS)
        times, path = wish.pop("times", None), wish.pop("path", None)
        for name in wish:
            if name not in FAULTS and name not in self.options:
                raise KeyError(name)
        for name, value in wish.items():
            if name in self.options:
                self.options[name] = value
            elif value in (None, False, 0):
                self.faults.pop(name, None)
            else:
                self.faults[name] = Fault(value, times, path)

    def strike(self, name: str, *, path: str | None = None) -> Any:
        """The fault's value when it hits now (and counts it), else None."""
        fault = self.faults.get(name)
        if fault is None or (fault.path and fault.path != path):
            return None
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                del self.faults[name]
        return fault.value

    def report(self) -> dict[str, Any]:
        """What is on, and what could be."""
        active = {n: {"value": f.value, "times": f.times, "path": f.path} for n, f in self.faults.items()}
        return {"faults": active, "options": dict(self.options), "available": dict(FAULTS)}
