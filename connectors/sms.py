"""SMS by Aliyun (dysmsapi 2017-05-25, RPC signature v1) or Tencent Cloud (sms 2021-01-11, TC3-HMAC-SHA256).

Own signers of twenty lines: the vendors' SDKs bring 29 packages (Aliyun) for one call. Templates are approved texts
with four variables in this order: grade, number, area, time. No names and no links pass through an SMS.

That a gateway took a text says nothing of the phone: `receipts` asks what the operator made of it (QuerySendDetails,
PullSmsSendStatusByPhoneNumber), all texts of one number at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from connectors.errors import OutsideError

PARAMS = ("grade", "number", "area", "time")
ALIYUN_URL = "https://dysmsapi.aliyuncs.com/"
TENCENT_URL = "https://sms.tencentcloudapi.com/"
TIMEOUT_S = (3.05, 8)
CHINA = timezone(timedelta(hours=8))  # Aliyun's days
PAGE = 50  # the most that QuerySendDetails gives at once
PAGES = 4
PULLED = 100  # the most that Tencent gives at once; more than a number takes a day
EARLIER = timedelta(minutes=5)  # Tencent's clock may be behind ours
ALIYUN_RETRY = {"isp.SYSTEM_ERROR", "isp.RAM_PERMISSION_DENY_TEMPORARY", "ServiceUnavailable", "InternalError"}


@dataclass(frozen=True, slots=True)
class SmsAccount:
    key_id: str
    key_secret: str
    sign_name: str
    template: str
    app_id: str = ""  # Tencent: SmsSdkAppId
    endpoint: str = ""


def aliyun_signature(params: Mapping[str, str], secret: str) -> str:
    """RPC signature v1 of a POST: base64(HMAC-SHA1(secret&, POST&%2F&sorted params)). Source: integrations §5.1."""

    def encode(value: str) -> str:
        return quote(value, safe="-_.~")

    joined = "&".join(f"{encode(k)}={encode(v)}" for k, v in sorted(params.items()))
    text = f"POST&%2F&{encode(joined)}"
    return base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()).decode()


def tencent_authorization(
    *, key_id: str, secret: str, host: str, body: bytes, at: datetime, service: str = "sms"
) -> str:
    """The Authorization header of TC3-HMAC-SHA256. Source: integrations §5.2."""
    stamp, date = int(at.timestamp()), at.astimezone(UTC).strftime("%Y-%m-%d")
    signed = "content-type;host"
    canonical = f"POST\n/\n\ncontent-type:application/json\nhost:{host}\n\n{signed}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{date}/{service}/tc3_request"
    text = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"TC3{secret}".encode()
    for part in (date, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"TC3-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"


class Fate(StrEnum):
    """What became of a text the gateway took."""

    WAITING = "waiting"  # the operator has not said
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Taken:
    """A text the gateway took: `key` as it was sent with, `ref` as the gateway called it, and when it was tried."""

    key: str
    ref: str
    first_tried_at: datetime
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    fate: Fate
    code: str = ""  # the operator's, when it failed


WAITS = Receipt(Fate.WAITING)


def outcome(reports: Iterable[Receipt]) -> Receipt:
    """What several reports of one text come to, in whatever order and number they came.

    One of success is enough: a text that was repeated has a report for each try, and a phone that got it once has it.
    """
    known = list(reports)
    for fate in (Fate.DELIVERED, Fate.WAITING, Fate.FAILED):
        if found := next((report for report in known if report.fate is fate), None):
            return found
    return WAITS


class AliyunSms:
    def __init__(self, account: SmsAccount, http: requests.Session, clock: Callable[[], datetime]) -> None:
        self.account, self.http, self.clock = account, http, clock
        self.url = account.endpoint or ALIYUN_URL

    def send(self, mobile: str, params: Mapping[str, str], *, key: str) -> str:
        """Send the template with `params` (PARAMS); returns BizId. Raises OutsideError. `key` comes back in receipts."""
        answer = self._call(
            "SendSms",
            {
                "PhoneNumbers": mobile,
                "SignName": self.account.sign_name,
                "TemplateCode": self.account.template,
                "TemplateParam": json.dumps({name: params[name] for name in PARAMS}, ensure_ascii=False),
                "OutId": key[:64],
            },
        )
        return str(answer.get("BizId", ""))

    def receipts(self, mobile: str, texts: Sequence[Taken]) -> dict[str, Receipt]:
        """key → what became of the texts to one number; a call for each day they were sent on. Raises OutsideError.

        Its rows name no BizId, so they are told apart by OutId.
        """
        days = {
            at.astimezone(CHINA).strftime("%Y%m%d") for text in texts for at in (text.first_tried_at, text.taken_at)
        }
        reports: dict[str, list[Receipt]] = {text.key[:64]: [] for text in texts}
        for row in (row for day in sorted(days) for row in self._details(mobile, day)):
            if (key := str(row.get("OutId", ""))) in reports:
                reports[key].append(_of_aliyun(row))
        return {text.key: outcome(reports[text.key[:64]]) for text in texts}

    def _details(self, mobile: str, day: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for page in range(1, PAGES + 1):
            asked = {"PhoneNumber": mobile, "SendDate": day, "PageSize": str(PAGE), "CurrentPage": str(page)}
            answer = self._call("QuerySendDetails", asked)
            found = (answer.get("SmsSendDetailDTOs") or {}).get("SmsSendDetailDTO") or []
            rows += [row for row in found if isinstance(row, dict)]
            if len(found) < PAGE:
                break
        return rows

    def _call(self, action: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """One signed call. Raises OutsideError for whatever is not «OK»."""
        query = {
            "Action": action,
            "Format": "JSON",
            "Version": "2017-05-25",
            "AccessKeyId": self.account.key_id,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": secrets.token_hex(16),
            "Timestamp": self.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **asked,
        }
        query["Signature"] = aliyun_signature(query, self.account.key_secret)
        answer = _post(self.http, "aliyun", self.url, data=query)
        code = str(answer.get("Code", ""))
        if code != "OK":
            # isv.BUSINESS_LIMIT_CONTROL too is permanent: the next channel, not the same number again
            raise OutsideError("aliyun_sms", code or "no_code", permanent=code not in ALIYUN_RETRY)
        return answer


def _of_aliyun(row: Mapping[str, Any]) -> Receipt:
    status = str(row.get("SendStatus", ""))
    if status == "3":
        return Receipt(Fate.DELIVERED)
    return Receipt(Fate.FAILED, str(row.get("ErrCode") or "no_code")) if status == "2" else WAITS


class TencentSms:
    def __init__(self, account: SmsAccount, http: requests.Session, clock: Callable[[], datetime]) -> None:
        self.account, self.http, self.clock = account, http, clock
        self.url = account.endpoint or TENCENT_URL

    def send(self, mobile: str, params: Mapping[str, str], *, key: str) -> str:
        """Send the template with `params` (PARAMS, in this order); returns SerialNo. Raises OutsideError."""
        answer = self._call(
            "SendSms",
            {
                "PhoneNumberSet": [_e164(mobile)],
                "SmsSdkAppId": self.account.app_id,
                "SignName": self.account.sign_name,
                "TemplateId": self.account.template,
                "TemplateParamSet": [params[name] for name in PARAMS],
                "SessionContext": key[:64],
            },
        )
        status = (answer.get("SendStatusSet") or [{}])[0]
        if status.get("Code") == "Ok":
            return str(status.get("SerialNo", ""))
        code = str(status.get("Code", "no_status"))
        raise OutsideError("tencent_sms", code, permanent=not code.startswith("InternalError"))

    def receipts(self, mobile: str, texts: Sequence[Taken]) -> dict[str, Receipt]:
        """key → what became of the texts to one number, in one call. Raises OutsideError.

        Whether BeginTime means the sending or the arrival is not documented: asked from before the first was sent, and
        without an end, it does not matter. A text without a report is waiting.
        """
        begin = min(text.first_tried_at for text in texts) - EARLIER
        answer = self._call(
            "PullSmsSendStatusByPhoneNumber",
            {
                "BeginTime": int(begin.timestamp()),
                "Offset": 0,
                "Limit": PULLED,
                "PhoneNumber": _e164(mobile),
                "SmsSdkAppId": self.account.app_id,
            },
        )
        rows = [row for row in answer.get("PullSmsSendStatusSet") or [] if isinstance(row, dict)]
        return {
            text.key: outcome(
                _of_tencent(row)
                for row in rows
                if (text.ref and row.get("SerialNo") == text.ref) or row.get("SessionContext") == text.key[:64]
            )
            for text in texts
        }

    def _call(self, action: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """One signed call. Raises OutsideError for an answer that is an error as a whole."""
        now, body, host = self.clock(), json.dumps(asked, ensure_ascii=False).encode(), urlsplit(self.url).netloc
        headers = {
            "Content-Type": "application/json",
            "Host": host,
            "X-TC-Action": action,
            "X-TC-Version": "2021-01-11",
            "X-TC-Region": "ap-guangzhou",
            "X-TC-Timestamp": str(int(now.timestamp())),
            "Authorization": tencent_authorization(
                key_id=self.account.key_id, secret=self.account.key_secret, host=host, body=body, at=now
            ),
        }
        answer: dict[str, Any] = _post(self.http, "tencent", self.url, data=body, headers=headers).get("Response") or {}
        if "Error" in answer:
            code = str(answer["Error"].get("Code", ""))
            raise OutsideError("tencent_sms", code, permanent=not code.startswith(("InternalError", "RequestLimit")))
        return answer


def _e164(mobile: str) -> str:
    return mobile if mobile.startswith("+") else f"+86{mobile}"


def _of_tencent(row: Mapping[str, Any]) -> Receipt:
    status = row.get("ReportStatus")
    if status == "SUCCESS":
        return Receipt(Fate.DELIVERED)
    return Receipt(Fate.FAILED, str(row.get("Description") or "no_code")) if status == "FAIL" else WAITS


def _post(http: requests.Session, system: str, url: str, **kwargs: Any) -> dict[str, Any]:
    try:
        answer = http.post(url, timeout=TIMEOUT_S, allow_redirects=False, **kwargs)
    except requests.exceptions.ReadTimeout as error:
        raise OutsideError(f"{system}_sms", "timeout", permanent=False, unknown=True) from error
    except requests.RequestException as error:
        raise OutsideError(f"{system}_sms", "unreachable", permanent=False) from error
    if answer.status_code >= 500:
        raise OutsideError(f"{system}_sms", f"http_{answer.status_code}", permanent=False)
    try:
        found = answer.json()
    except ValueError as error:
        raise OutsideError(f"{system}_sms", "no_json", permanent=False) from error
    return found if isinstance(found, dict) else {}
