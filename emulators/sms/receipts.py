"""Receipts: when a text settles, how each vendor reports it, and how their pull interfaces list it.

Aliyun pushes `SmsReport`, Tencent its 下发状态通知: other names, other words, other answers. Both may come twice, in another
order than the texts went out, say that nothing arrived, or never come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import requests

from .texts import ALIYUN, TENCENT, Text, stamp

FAILED = {ALIYUN: "UNDELIVERED", TENCENT: "UNDELIV"}  # whatever code `receipt_fail` does not name
WORDS = {True: "用户短信送达成功", False: "用户短信送达失败"}
ACCEPTED = {ALIYUN: "code", TENCENT: "result"}  # what the receiver answers 0 in


class Receipts:
    """The part of the emulator that settles texts. `_settle` and `listed` need the lock."""

    settings: dict[str, Any]
    texts: list[Text]
    problems: list[str]
    faults: dict[str, dict[str, Any]]
    http: requests.Session
    clock: Callable[[], float]
    lock: Any
    _strike: Callable[[str], Any]

    def tick(self) -> int:
        """Settle and push the receipts that are due; returns how many were settled."""
        with self.lock:
            settled = self._settle()
            pushes = self._pushes(settled)
        for vendor, reports in pushes:
            self._push(vendor, reports)
        return len(settled)

    def _settle(self) -> list[Text]:
        due = [text for text in self.texts if text.status == 1 and text.receipt_at <= self.clock()]
        settled = []
        for text in due:
            if self._strike("receipt_never"):
                text.receipt_at = float("inf")
                continue
            code = self._strike("receipt_fail")
            text.status = 2 if code else 3
            text.code = "" if not code else FAILED[text.vendor] if code is True else str(code)
            text.reports = 2 if self._strike("receipt_duplicate") else 1
            settled.append(text)
        return settled

    def _pushes(self, settled: Sequence[Text]) -> list[tuple[str, list[dict[str, Any]]]]:
        """(vendor, reports of one call). Out of order: a call for each report, the newest first."""
        if not self.settings.get("report_url"):
            return []
        shuffled = len(settled) > 1 and bool(self._strike("receipt_out_of_order"))
        calls = []
        for vendor, shape in ((ALIYUN, report_of_aliyun), (TENCENT, report_of_tencent)):
            reports = [shape(text) for text in settled if text.vendor == vendor for _ in range(text.reports)]
            if shuffled:
                calls += [(vendor, [report]) for report in reversed(reports)]
            elif reports:
                calls.append((vendor, reports))
        return calls

    def _push(self, vendor: str, reports: list[dict[str, Any]]) -> None:
        try:
            answer = self.http.post(self.settings["report_url"], json=reports, timeout=5)
            accepted = answer.ok and answer.json().get(ACCEPTED[vendor]) == 0
        except (requests.RequestException, ValueError, AttributeError) as error:
            self.problems.append(f"receipt push failed: {type(error).__name__}")
            return
        if not accepted:
            self.problems.append(f"{vendor}: the receipt's answer is not the documented one")

    def listed(self, texts: Sequence[Text]) -> list[Text]:
        """As a pull interface lists them: each report once more when it is doubled, newest first when out of order."""
        rows = [text for text in texts for _ in range(text.reports)]
        return rows[::-1] if "receipt_out_of_order" in self.faults else rows


def report_of_aliyun(text: Text) -> dict[str, Any]:
    """One element of `SmsReport`."""
    good = text.status == 3
    return {
        "phone_number": text.mobile,
        "send_time": stamp(text.at),
        "report_time": stamp(text.receipt_at),
        "success": good,
        "err_code": "DELIVERED" if good else text.code,
        "err_msg": WORDS[good],
        "sms_size": str(max(1, -(-len(text.body) // 67))),
        "biz_id": text.biz_id,
        "out_id": text.out_id,
    }


def report_of_tencent(text: Text) -> dict[str, Any]:
    """One element of the 下发状态通知."""
    good = text.status == 3
    return {
        "user_receive_time": stamp(text.receipt_at),
        "nationcode": "86",
        "mobile": text.mobile,
        "report_status": "SUCCESS" if good else "FAIL",
        "errmsg": "DELIVRD" if good else text.code,
        "description": WORDS[good],
        "sid": text.biz_id,
    }


def pulled_from_tencent(text: Text) -> dict[str, Any]:
    """One element of `PullSmsSendStatusSet`; its `Description` is the code that the push calls errmsg."""
    good = text.status == 3
    return {
        "UserReceiveTime": int(text.receipt_at),
        "CountryCode": "86",
        "SubscriberNumber": text.mobile,
        "PhoneNumber": f"+86{text.mobile}",
        "SerialNo": text.biz_id,
        "ReportStatus": "SUCCESS" if good else "FAIL",
        "Description": "DELIVRD" if good else text.code,
        "SessionContext": text.out_id,
    }
