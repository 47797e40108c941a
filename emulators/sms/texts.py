"""One text on one phone, vendor errors, and the words receipts use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

ALIYUN, TENCENT = "aliyun", "tencent"
CHINA = timezone(timedelta(hours=8))
URL_LIKE = re.compile(r"https?://|www\.|\b\d{1,3}(\.\d{1,3}){3}\b", re.I)
MOBILE = re.compile(r"^(?:\+?86)?(1[3-9]\d{9})$")


class Refusal(Exception):
    """A vendor error: its code, a text and Aliyun's HTTP status."""

    def __init__(self, code: str, text: str, status: int = 200) -> None:
        super().__init__(code)
        self.code, self.text, self.status = code, text, status


@dataclass
class Text:
    """One SMS on one phone, and its receipt."""

    seq: int
    mobile: str
    at: float
    sign: str
    template: str
    body: str
    biz_id: str
    out_id: str
    receipt_at: float
    vendor: str = ALIYUN
    app_id: str = ""  # Tencent: the SmsSdkAppId it was sent by
    status: int = 1  # 1 waiting, 2 failed, 3 delivered
    code: str = ""  # the operator's, when it failed
    reports: int = 1  # how often its receipt is told
    pulled: bool = False  # Tencent's PullSmsSendStatus gives each receipt once

    def item(self) -> dict[str, Any]:
        """The Item of the control API."""
        return {
            "id": f"s{self.seq}",
            "seq": self.seq,
            "at": self.at,
            "from": self.sign,
            "chat": "sms",
            "kind": "text",
            "text": f"【{self.sign}】{self.body}",
            "image_url": None,
            "recalled": False,
            "card": None,
        }


def mobile_of(number: str) -> str | None:
    match = MOBILE.match(number.strip())
    return match[1] if match else None


def names_of(person: dict[str, Any]) -> set[str]:
    return {str(person[key]).lower() for key in ("id", "wecom", "dingtalk", "mobile") if person.get(key)}


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def day_of(at: float) -> str:
    return datetime.fromtimestamp(at, CHINA).strftime("%Y%m%d")
