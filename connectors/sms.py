"""SMS by Aliyun (dysmsapi 2017-05-25, RPC signature v1) or Tencent Cloud (sms 2021-01-11, TC3-HMAC-SHA256).

Own signers of twenty lines: the vendors' SDKs bring 29 packages (Aliyun) for one call. Templates are approved texts
with four variables in this order: grade, number, area, time. No names and no links pass through an SMS.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from connectors.errors import OutsideError

PARAMS = ("grade", "number", "area", "time")
ALIYUN_URL = "https://dysmsapi.aliyuncs.com/"
TENCENT_URL = "https://sms.tencentcloudapi.com/"
TIMEOUT_S = (3.05, 8)
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


class AliyunSms:
    def __init__(self, account: SmsAccount, http: requests.Session, clock: Callable[[], datetime]) -> None:
        self.account, self.http, self.clock = account, http, clock
        self.url = account.endpoint or ALIYUN_URL

    def send(self, mobile: str, params: Mapping[str, str], *, key: str) -> str:
        """Send the template with `params` (PARAMS); returns BizId. Raises OutsideError. `key` comes back in receipts."""
        now = self.clock().astimezone(UTC)
        query = {
            "Action": "SendSms",
            "Format": "JSON",
            "Version": "2017-05-25",
            "AccessKeyId": self.account.key_id,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": hashlib.sha256(f"{key}{now.isoformat()}".encode()).hexdigest()[:32],
            "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "PhoneNumbers": mobile,
            "SignName": self.account.sign_name,
            "TemplateCode": self.account.template,
            "TemplateParam": json.dumps({name: params[name] for name in PARAMS}, ensure_ascii=False),
            "OutId": key[:64],
        }
        query["Signature"] = aliyun_signature(query, self.account.key_secret)
        answer = _post(self.http, "aliyun", self.url, data=query)
        code = str(answer.get("Code", ""))
        if code == "OK":
            return str(answer.get("BizId", ""))
        if code == "isv.BUSINESS_LIMIT_CONTROL":
            raise OutsideError("aliyun_sms", code, permanent=True)  # the next channel, not the same number again
        raise OutsideError("aliyun_sms", code or "no_code", permanent=code not in ALIYUN_RETRY)


class TencentSms:
    def __init__(self, account: SmsAccount, http: requests.Session, clock: Callable[[], datetime]) -> None:
        self.account, self.http, self.clock = account, http, clock
        self.url = account.endpoint or TENCENT_URL

    def send(self, mobile: str, params: Mapping[str, str], *, key: str) -> str:
        """Send the template with `params` (PARAMS, in this order); returns SerialNo. Raises OutsideError."""
        now = self.clock()
        body = json.dumps(
            {
                "PhoneNumberSet": [mobile if mobile.startswith("+") else f"+86{mobile}"],
                "SmsSdkAppId": self.account.app_id,
                "SignName": self.account.sign_name,
                "TemplateId": self.account.template,
                "TemplateParamSet": [params[name] for name in PARAMS],
                "SessionContext": key[:64],
            },
            ensure_ascii=False,
        ).encode()
        host = urlsplit(self.url).netloc
        headers = {
            "Content-Type": "application/json",
            "Host": host,
            "X-TC-Action": "SendSms",
            "X-TC-Version": "2021-01-11",
            "X-TC-Region": "ap-guangzhou",
            "X-TC-Timestamp": str(int(now.timestamp())),
            "Authorization": tencent_authorization(
                key_id=self.account.key_id, secret=self.account.key_secret, host=host, body=body, at=now
            ),
        }
        answer = _post(self.http, "tencent", self.url, data=body, headers=headers).get("Response", {})
        if "Error" in answer:
            code = str(answer["Error"].get("Code", ""))
            raise OutsideError("tencent_sms", code, permanent=not code.startswith(("InternalError", "RequestLimit")))
        status = (answer.get("SendStatusSet") or [{}])[0]
        if status.get("Code") == "Ok":
            return str(status.get("SerialNo", ""))
        code = str(status.get("Code", "no_status"))
        raise OutsideError("tencent_sms", code, permanent=not code.startswith("InternalError"))


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
