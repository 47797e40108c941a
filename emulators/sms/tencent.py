"""Tencent Cloud sms 2021-01-11: SendSms with a status per number, and the two interfaces that pull receipts."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from flask import jsonify, request

from .receipts import pulled_from_tencent
from .signing import tencent_signature
from .texts import TENCENT, URL_LIKE, Refusal, Text, mobile_of

SKEW_TENCENT_S = 300
PULLS_A_SECOND = 20  # PullSmsSendStatusByPhoneNumber
PULL_DAYS_S = 7 * 86400


class TencentGateway:
    """The Tencent half of the emulator. The lock is held."""

    settings: dict[str, Any]
    texts: list[Text]
    problems: list[str]
    clock: Callable[[], float]
    _strike: Callable[[str], Any]
    _vendor_faults: Callable[[], None]
    _day_limit: Callable[[str, str, str], None]
    _put: Callable[..., None]
    listed: Callable[[Sequence[Text]], list[Text]]
    _pulls: list[float]

    def _tencent(self, action: str) -> Any:
        number = secrets.token_hex(16)
        try:
            self._check_tencent()
            asked = request.get_json(force=True)
            body: dict[str, Any]
            if action == "SendSms":
                body = {"SendStatusSet": self._send_tencent(asked)}
            elif action == "PullSmsSendStatusByPhoneNumber":
                body = {"PullSmsSendStatusSet": self._pull_number(asked)}
            elif action == "PullSmsSendStatus":
                body = {"PullSmsSendStatusSet": self._pull_all(asked)}
            else:
                raise Refusal("InvalidAction", "no such action")
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
        if not request.headers.get("X-TC-Region"):
            raise Refusal("MissingParameter", "X-TC-Region")

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
        self._put(
            mobile, sign, template, " ".join(values), serial, context, vendor=TENCENT, app_id=str(body["SmsSdkAppId"])
        )
        return row | {"Code": "Ok", "Message": "send success"}

    # --- receipts ------------------------------------------------------------------------------------------------
    def _pull_number(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """`PullSmsSendStatusByPhoneNumber`: the receipts of one number; twenty calls a second."""
        now = self.clock()
        self._pulls[:] = [at for at in self._pulls if at > now - 1]
        if len(self._pulls) >= PULLS_A_SECOND:
            raise Refusal("RequestLimitExceeded", "20 requests a second")
        self._pulls.append(now)
        number, begin = str(body.get("PhoneNumber", "")), body.get("BeginTime")
        if not number.startswith("+") or mobile_of(number) is None:
            raise Refusal("InvalidParameterValue.IncorrectPhoneNumber", "PhoneNumber")
        if type(begin) is not int or begin < now - PULL_DAYS_S or body.get("Offset") != 0:
            raise Refusal("InvalidParameterValue", "BeginTime or Offset")
        end = body.get("EndTime", now)
        receive = self.settings.get("pull_window") == "received"
        rows = [
            text
            for text in self._of_app(body)
            if text.mobile == mobile_of(number) and begin <= (text.receipt_at if receive else text.at) <= end
        ]
        return [pulled_from_tencent(text) for text in self.listed(rows)[: self._limit(body)]]

    def _pull_all(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """`PullSmsSendStatus`: what was not pulled yet, once (that it is given once is unconfirmed)."""
        rows = [text for text in self._of_app(body) if not text.pulled][: self._limit(body)]
        for text in rows:
            text.pulled = True
        return [pulled_from_tencent(text) for text in self.listed(rows)]

    def _of_app(self, body: dict[str, Any]) -> list[Text]:
        return [
            text
            for text in self.texts
            if text.vendor == TENCENT and text.status != 1 and text.app_id == body.get("SmsSdkAppId")
        ]

    @staticmethod
    def _limit(body: dict[str, Any]) -> int:
        limit = body.get("Limit")
        if type(limit) is not int or not 1 <= limit <= 100:
            raise Refusal("InvalidParameterValue", "Limit")
        return limit
