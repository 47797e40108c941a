"""SMS gateways and phones: serves `POST /` for both vendors (Tencent's calls carry X-TC-Action) and /_phone."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import requests
from flask import Flask, Response, jsonify, request

from .aliyun import AliyunGateway
from .receipts import Receipts
from .tencent import TencentGateway
from .texts import CHINA, Refusal, Text, names_of

PER_DAY = 50  # texts of one template to one number
FAULTS = (
    "http_500",
    "business_limit",
    "system_error",
    "reject_code",
    "receipt_fail",  # true, or the operator's code
    "receipt_never",
    "receipt_duplicate",
    "receipt_out_of_order",
)


class SmsEmulator(AliyunGateway, TencentGateway, Receipts):
    """`plant["sms"]`: access_key_id, access_key_secret; optional sign_names, templates {code: "…${name}…"},
    report_url (receipts are pushed there), pull_window ("sent" or "received": which time Tencent's pull interface means by
    BeginTime and EndTime; the documents do not say). Without templates every SMS_… code is accepted.
    """

    def __init__(
        self,
        plant: dict[str, Any],
        *,
        http: requests.Session | None = None,
        clock: Callable[[], float] = time.time,
        background: bool = True,
        public_url: str = "http://127.0.0.1:8001",
        receipt_delay_s: float = 3.0,
    ) -> None:
        self.plant, self.settings = plant, plant["sms"]
        self.http = http or requests.Session()
        self.clock, self.public_url, self.receipt_delay_s = clock, public_url, receipt_delay_s
        self.lock = threading.RLock()
        self.texts: list[Text] = []
        self.faults: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self.problems: list[str] = []
        self.per_day = PER_DAY
        self._nonces: dict[str, float] = {}
        self._pulls: list[float] = []
        self._stop = threading.Event()
        self.app = self._build()
        if background:
            threading.Thread(target=self._run, name="sms-tick", daemon=True).start()

    def _build(self) -> Flask:
        app = Flask("emulators.sms")
        app.json.ensure_ascii = False  # type: ignore[attr-defined]
        app.add_url_rule("/", "gateway", self.gateway, methods=["GET", "POST"])
        app.add_url_rule("/_phone/people", "people", self.people)
        app.add_url_rule("/_phone/<user>/screen", "screen", self.screen)
        app.add_url_rule("/_phone/faults", "faults", self.fault_board, methods=["GET", "POST"])
        app.add_url_rule("/_phone/limits", "limits", self.limits, methods=["GET", "POST"])
        app.add_url_rule("/_phone/calls", "calls", lambda: jsonify(dict(self.calls)))
        app.add_url_rule("/_phone/calls/reset", "calls_reset", self.calls_reset, methods=["POST"])
        app.add_url_rule("/_phone/problems", "problems", lambda: jsonify(self.problems))
        return app

    # --- gateway -------------------------------------------------------------------------------------------------
    def gateway(self) -> Any:
        """One call of either vendor."""
        with self.lock:
            tencent = "X-TC-Action" in request.headers
            action = request.headers.get("X-TC-Action") or request.values.get("Action", "")
            self.calls[f"{'tencent' if tencent else 'aliyun'}:{action}"] += 1
            if self._strike("http_500"):
                return Response(status=500)
            return self._tencent(action) if tencent else self._aliyun(action)

    def _vendor_faults(self) -> None:
        if self._strike("business_limit"):
            raise Refusal("isv.BUSINESS_LIMIT_CONTROL", "触发号码天级流控Permits:50")
        if self._strike("system_error"):
            raise Refusal("isp.SYSTEM_ERROR", "系统异常")
        code = self._strike("reject_code")
        if code:
            raise Refusal(str(code), str(code))

    def _day_limit(self, mobile: str, sign: str, template: str) -> None:
        if mobile in self.settings.get("whitelist", []):
            return
        today = datetime.fromtimestamp(self.clock(), CHINA).date()
        same = sum(
            1
            for text in self.texts
            if (text.mobile, text.sign, text.template) == (mobile, sign, template)
            and datetime.fromtimestamp(text.at, CHINA).date() == today
        )
        if same >= self.per_day:
            raise Refusal("isv.BUSINESS_LIMIT_CONTROL", f"触发号码天级流控Permits:{self.per_day}")

    def _put(
        self,
        mobile: str,
        sign: str,
        template: str,
        body: str,
        biz_id: str,
        out_id: str,
        *,
        vendor: str,
        app_id: str = "",
    ) -> None:
        now = self.clock()
        due = now + self.receipt_delay_s
        self.texts.append(
            Text(
                len(self.texts) + 1,
                mobile,
                now,
                sign,
                template,
                body,
                biz_id,
                out_id,
                due,
                vendor=vendor,
                app_id=app_id,
            )
        )

    def expect_nothing_unexpected(self) -> list[str]:
        """Problems seen so far."""
        return list(self.problems)

    def close(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            self.tick()

    # --- control -------------------------------------------------------------------------------------------------
    def people(self) -> Response:
        rows = [
            {"user": p["id"], "name": p["name"], "title": p.get("title", ""), "mobile": p["mobile"]}
            for p in self.plant["people"]
            if p.get("mobile")
        ]
        return jsonify(rows)

    def screen(self, user: str) -> Any:
        """By the plant's person id, an account on either platform, or the mobile number."""
        person = next((p for p in self.plant["people"] if user.lower() in names_of(p)), None)
        if person is None:
            return jsonify(reason="没有这个人"), 404
        after = int(request.args.get("after", 0))
        with self.lock:
            rows = [t.item() for t in self.texts if t.mobile == person.get("mobile") and t.seq > after]
            return jsonify(seq=len(self.texts), items=rows)

    def fault_board(self) -> Any:
        """`{"business_limit": true, "times": 2}`; `{"clear": true}`; see FAULTS."""
        with self.lock:
            if request.method == "POST":
                wish = request.get_json(force=True)
                if wish.pop("clear", False):
                    self.faults.clear()
                times = wish.pop("times", None)
                unknown = sorted(set(wish) - set(FAULTS))
                if unknown:
                    return jsonify(reason=f"unknown switch {unknown}"), 400
                for name, value in wish.items():
                    if value:
                        self.faults[name] = {"value": value, "times": times}
                    else:
                        self.faults.pop(name, None)
            return jsonify(faults=self.faults, available=list(FAULTS))

    def limits(self) -> Any:
        """`{"per_day": 500}`: texts of one template that one number takes a day."""
        if request.method == "POST":
            wish = request.get_json(force=True).get("per_day")
            if type(wish) is not int or wish < 0:
                return jsonify(reason="per_day is a number of texts"), 400
            self.per_day = wish
        return jsonify(per_day=self.per_day)

    def calls_reset(self) -> Response:
        with self.lock:
            self.calls.clear()
        return jsonify(accepted=True)

    def _strike(self, name: str) -> Any:
        fault = self.faults.get(name)
        if fault is None:
            return None
        if fault["times"] is not None:
            fault["times"] -= 1
            if fault["times"] <= 0:
                del self.faults[name]
        return fault["value"]
