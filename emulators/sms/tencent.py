"""Tencent Cloud sms 2021-01-11: SendSms with a status per number."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from typing import Any

from flask import jsonify, request

from .signing import tencent_signature
from .texts import URL_LIKE, Refusal, Text, mobile_of

SKEW_TENCENT_S = 300


class TencentGateway:
    """The Tencent half of the emulator. The lock is held."""

    settings: dict[str, Any]
    texts: list[Text]
    problems: list[str]
    clock: Callable[[], float]
    _strike: Callable[[str], Any]
    _vendor_faults: Callable[[], None]
    _day_limit: Callable[[str, str, str], None]
    _put: Callable[[str, str, str, str, str, str], None]

    def _tencent(self, action: str) -> Any:
        number = secrets.token_hex(16)
        try:
            self._check_tencent()
            if action != "SendSms":
                raise Refusal("InvalidAction", "no such action")
            body: dict[str, Any] = {"SendStatusSet": self._send_tencent(request.get_json(force=True))}
        except Refusal as refused:
            body = {"Error": {"Code": refused.code, "Message": refused.text}}
        return jsonify(Response={**body, "RequestId": number})

    def _check_tencent(self) -> None:
        match = re.fullmatch(
            r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/sms/tc3_request, "
            r"SignedHeaders=content-type;host, Signature=([0-9a-f]{64})",
            request.headers.get("Authorization", ""),
        )
        stamp = request.headers.get("X-TC-Timestamp", "")
        if not match or not stamp.isdigit():
            raise Refusal("AuthFailure.InvalidAuthorization", "Authorization is not well formed")
        if abs(self.clock() - int(stamp)) > SKEW_TENCENT_S:
            raise Refusal("AuthFailure.SignatureExpire", "timestamp is more than 5 minutes off")
        if match[1] != self.settings["access_key_id"]:
            raise Refusal("AuthFailure.SecretIdNotFound", "SecretId is not found")
        wanted = tencent_signature(
            secret=self.settings["access_key_secret"],
            host=request.headers.get("Host", ""),
            content_type=request.headers.get("Content-Type", ""),
            timestamp=int(stamp),
            body=request.get_data(),
        )
        if not hmac.compare_digest(wanted, match[3]):
            self.problems.append("tencent: SignatureFailure")
            raise Refusal("AuthFailure.SignatureFailure", "signature does not match")
        if request.headers.get("X-TC-Version") != "2021-01-11":
            raise Refusal("InvalidParameter.InvalidVersion", "X-TC-Version")

    def _send_tencent(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        numbers = body.get("PhoneNumberSet") or []
        if not 1 <= len(numbers) <= 200 or not body.get("SmsSdkAppId"):
            raise Refusal("InvalidParameterValue.ContentLengthLimit", "PhoneNumberSet")
        values = [str(value) for value in body.get("TemplateParamSet") or []]
        if any(URL_LIKE.search(value) for value in values):
            raise Refusal("InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", "url")
        sign, template = str(body.get("SignName", "")), str(body.get("TemplateId", ""))
        if not sign or not template:
            raise Refusal("FailedOperation.TemplateIncorrectOrUnapproved", "TemplateId or SignName")
        return [self._one_tencent(str(number), sign, template, values, body) for number in numbers]

    def _one_tencent(
        self, number: str, sign: str, template: str, values: list[str], body: dict[str, Any]
    ) -> dict[str, Any]:
        serial = f"2433:{secrets.randbelow(10**18):018d}"
        context = str(body.get("SessionContext", ""))
        row: dict[str, Any] = {"SerialNo": serial, "PhoneNumber": number, "Fee": 1, "IsoCode": "CN"}
        row["SessionContext"] = context
        mobile = mobile_of(number)
        try:
            if mobile is None:
                raise Refusal("InvalidParameterValue.IncorrectPhoneNumber", "incorrect phone number")
            self._vendor_faults()
            self._day_limit(mobile, sign, template)
        except Refusal as refused:
            limited = refused.code == "isv.BUSINESS_LIMIT_CONTROL"
            code = "LimitExceeded.PhoneNumberDailyLimit" if limited else refused.code
            return row | {"SerialNo": "", "Fee": 0, "Code": code, "Message": refused.text}
        self._put(mobile, sign, template, " ".join(values), serial, context)
        return row | {"Code": "Ok", "Message": "send success"}
