"""Aliyun dysmsapi 2017-05-25: SendSms and QuerySendDetails, RPC style."""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import jsonify, request

from .signing import aliyun_signature
from .texts import ALIYUN, URL_LIKE, Refusal, Text, day_of, mobile_of, stamp

SKEW_ALIYUN_S = 900


class AliyunGateway:
    """The Aliyun half of the emulator. The lock is held."""

    settings: dict[str, Any]
    texts: list[Text]
    problems: list[str]
    clock: Callable[[], float]
    _strike: Callable[[str], Any]
    _vendor_faults: Callable[[], None]
    _day_limit: Callable[[str, str, str], None]
    _nonces: dict[str, float]
    _put: Callable[..., None]
    listed: Callable[[Sequence[Text]], list[Text]]

    def _aliyun(self, action: str) -> Any:
        number = secrets.token_hex(16).upper()
        try:
            params = {key: str(value) for key, value in request.values.items()}
            self._check_aliyun(params)
            if action == "SendSms":
                body = self._send_aliyun(params)
            elif action == "QuerySendDetails":
                body = self._details(params)
            else:
                raise Refusal("InvalidAction.NotFound", "Specified api is not found", 404)
        except Refusal as refused:
            body = {"Code": refused.code, "Message": refused.text}
            return jsonify({**body, "RequestId": number}), refused.status
        return jsonify({"Code": "OK", "Message": "OK", "RequestId": number, **body})

    def _check_aliyun(self, params: dict[str, str]) -> None:
        for name in ("AccessKeyId", "Signature", "SignatureNonce", "Timestamp", "Version", "SignatureMethod"):
            if not params.get(name):
                raise Refusal(f"Missing{name}", f"{name} is mandatory for this action.", 400)
        if params["AccessKeyId"] != self.settings["access_key_id"]:
            raise Refusal("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
        if params["Version"] != "2017-05-25" or params["SignatureMethod"] != "HMAC-SHA1":
            raise Refusal("InvalidVersion", "Specified parameter Version is not valid.", 400)
        wanted = aliyun_signature(params, secret=self.settings["access_key_secret"], method=request.method)
        if not hmac.compare_digest(wanted.encode(), params["Signature"].encode()):
            self.problems.append("aliyun: SignatureDoesNotMatch")
            raise Refusal("SignatureDoesNotMatch", "Specified signature is not matched with our calculation.", 400)
        try:
            sent = datetime.strptime(params["Timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError as error:
            raise Refusal("InvalidTimeStamp.Format", "Specified time stamp is not well formatted.", 400) from error
        now = self.clock()
        if abs(now - sent) > SKEW_ALIYUN_S:
            raise Refusal("InvalidTimeStamp.Expired", "Specified time stamp is expired.", 400)
        self._nonces = {nonce: at for nonce, at in self._nonces.items() if at > now - SKEW_ALIYUN_S}
        if params["SignatureNonce"] in self._nonces:
            raise Refusal("SignatureNonceUsed", "Specified signature nonce was used already.", 400)
        self._nonces[params["SignatureNonce"]] = now

    def _send_aliyun(self, params: dict[str, str]) -> dict[str, Any]:
        numbers = [n for n in params.get("PhoneNumbers", "").split(",") if n]
        if len(numbers) > 1000:
            raise Refusal("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制")
        mobiles = [mobile_of(number) for number in numbers]
        if not mobiles or None in mobiles:
            raise Refusal("isv.MOBILE_NUMBER_ILLEGAL", "非法手机号")
        sign, template = params.get("SignName", ""), params.get("TemplateCode", "")
        values = self._values(params.get("TemplateParam") or "{}")
        self._vendor_faults()
        body = self._render(sign, template, values)
        for mobile in mobiles:
            self._day_limit(str(mobile), sign, template)
        biz_id = f"{secrets.randbelow(10**18):018d}^0"
        for mobile in mobiles:
            self._put(str(mobile), sign, template, body, biz_id, params.get("OutId", ""), vendor=ALIYUN)
        return {"BizId": biz_id}

    def _values(self, raw: str) -> dict[str, str]:
        try:
            values = json.loads(raw)
        except ValueError as error:
            raise Refusal("isv.INVALID_JSON_PARAM", "参数格式错误,请修改为字符串值") from error
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise Refusal("isv.INVALID_JSON_PARAM", "参数格式错误,请修改为字符串值")
        if any(URL_LIKE.search(v) for v in values.values()):
            raise Refusal("isv.PARAM_NOT_SUPPORT_URL", "变量不支持传入URL")
        return values

    def _render(self, sign: str, template: str, values: dict[str, str]) -> str:
        signs = self.settings.get("sign_names")
        if not sign or (signs is not None and sign not in signs):
            raise Refusal("isv.SMS_SIGNATURE_ILLEGAL", "短信签名不合法")
        templates = self.settings.get("templates")
        if templates is None:
            if not re.fullmatch(r"SMS_\d+", template):
                raise Refusal("isv.SMS_TEMPLATE_ILLEGAL", "短信模板不合法")
            body = " ".join(values.values())
        else:
            if template not in templates:
                raise Refusal("isv.SMS_TEMPLATE_ILLEGAL", "短信模板不合法")
            body = templates[template]
            missing = set(re.findall(r"\$\{(\w+)\}", body)) - set(values)
            if missing:
                raise Refusal("isv.TEMPLATE_MISSING_PARAMETERS", f"模版缺少变量 {sorted(missing)[0]}")
            body = re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], body)
        if len(body) > 500:
            raise Refusal("isv.PARAM_LENGTH_LIMIT", "参数超过长度限制")
        return body

    def _details(self, params: dict[str, str]) -> dict[str, Any]:
        """`QuerySendDetails` for one number and day."""
        size, page = min(int(params.get("PageSize", "10")), 50), int(params.get("CurrentPage", "1"))
        if mobile_of(params.get("PhoneNumber", "")) is None:
            raise Refusal("isv.MOBILE_NUMBER_ILLEGAL", "非法手机号")
        if not re.fullmatch(r"\d{8}", params.get("SendDate", "")):
            raise Refusal("isv.INVALID_PARAMETERS", "SendDate")
        rows = self.listed(
            [
                text
                for text in self.texts
                if text.vendor == ALIYUN
                and text.mobile == mobile_of(params["PhoneNumber"])
                and day_of(text.at) == params["SendDate"]
                and params.get("BizId") in (None, "", text.biz_id)
            ]
        )
        shown = [
            {
                "PhoneNum": text.mobile,
                "SendStatus": text.status,
                "ErrCode": {1: "", 2: text.code, 3: "DELIVERED"}[text.status],
                "TemplateCode": text.template,
                "Content": f"【{text.sign}】{text.body}",
                "SendDate": stamp(text.at),
                "ReceiveDate": stamp(text.receipt_at) if text.status == 3 else "",
                "OutId": text.out_id,
            }
            for text in rows[(page - 1) * size : page * size]
        ]
        return {"TotalCount": str(len(rows)), "SmsSendDetailDTOs": {"SmsSendDetailDTO": shown}}
