"""`POST /` is Tencent's SentenceRecognition (X-TC-Action) or Aliyun's CreateToken; `POST /stream/v1/asr` is Aliyun NLS.

What a recording says is told by `POST /_phone/words` {"sha256": …, "words": …} or `tell(data, words)`; an unknown one is
heard as nothing, as noise would be. `POST /_phone/faults` {"http_500": true, "times": 2} and the like break it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request

from .signing import rpc, tc3

SKEW_S = 300
MAX_BYTES, MAX_BASE64, MAX_SECONDS = 3 * 1024 * 1024, 3 * 1024 * 1024, 60.0
TOKEN_LIVES_S = 36 * 3600
TENCENT_FORMATS = {"wav", "pcm", "ogg-opus", "speex", "silk", "mp3", "m4a", "aac", "amr"}
ALIYUN_FORMATS = {"pcm", "wav", "opus", "speex", "amr", "mp3", "aac"}
ENGINES = re.compile(r"(8k|16k)_(zh|zh_dialect|zh-PY|en|zh_medical|zh_large|yue)")
FAULTS = ("http_500", "limit", "hear_nothing", "expire_token")
_AMR_SIZES = {0: 12, 1: 13, 2: 15, 3: 17, 4: 19, 5: 20, 6: 26, 7: 31, 8: 5, 15: 0}


class Refusal(Exception):
    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code, self.text = code, text


class SpeechEmulator:
    """`settings`: access_key_id, access_key_secret, app_key."""

    def __init__(self, settings: dict[str, Any], *, clock: Callable[[], float] = time.time) -> None:
        self.settings, self.clock = settings, clock
        self.lock = threading.RLock()
        self.words: dict[str, str] = {}
        self.tokens: dict[str, float] = {}
        self.faults: dict[str, int | None] = {}
        self.calls: Counter[str] = Counter()
        self.heard: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.app = self._build()

    def _build(self) -> Flask:
        app = Flask("emulators.speech")
        app.json.ensure_ascii = False  # type: ignore[attr-defined]
        app.add_url_rule("/", "gateway", self.gateway, methods=["POST"])
        app.add_url_rule("/stream/v1/asr", "nls", self.nls, methods=["POST"])
        app.add_url_rule("/_phone/words", "words", self.words_board, methods=["GET", "POST"])
        app.add_url_rule("/_phone/faults", "faults", self.fault_board, methods=["POST"])
        app.add_url_rule("/_phone/calls", "calls", lambda: jsonify(dict(self.calls)))
        app.add_url_rule("/_phone/problems", "problems", lambda: jsonify(self.problems))
        return app

    def tell(self, data: bytes, words: str) -> None:
        """From now on this recording says these words."""
        with self.lock:
            self.words[hashlib.sha256(data).hexdigest()] = words

    def expect_nothing_unexpected(self) -> list[str]:
        return list(self.problems)

    # --- both vendors --------------------------------------------------------------------------------------------
    def gateway(self) -> Any:
        with self.lock:
            if self._strike("http_500"):
                return Response(status=500)
            if "X-TC-Action" in request.headers:
                return self._tencent()
            return self._create_token()

    def _listen(self, data: bytes, facts: dict[str, Any]) -> str:
        words = "" if self._strike("hear_nothing") else self.words.get(hashlib.sha256(data).hexdigest(), "")
        self.heard.append({"bytes": len(data), "words": words, **facts})
        return words

    # --- Tencent -------------------------------------------------------------------------------------------------
    def _tencent(self) -> Response:
        self.calls["tencent:" + request.headers["X-TC-Action"]] += 1
        try:
            self._check_tc3()
            if request.headers["X-TC-Action"] != "SentenceRecognition":
                raise Refusal("InvalidAction", "no such action")
            if self._strike("limit"):
                raise Refusal("RequestLimitExceeded", "too many requests")
            body = self._recognise(request.get_json(force=True))
        except Refusal as refused:
            body = {"Error": {"Code": refused.code, "Message": refused.text}}
        return jsonify(Response={**body, "RequestId": secrets.token_hex(16)})

    def _check_tc3(self) -> None:
        match = re.fullmatch(
            r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/asr/tc3_request, "
            r"SignedHeaders=content-type;host, Signature=([0-9a-f]{64})",
            request.headers.get("Authorization", ""),
        )
        stamp = request.headers.get("X-TC-Timestamp", "")
        if not match or not stamp.isdigit():
            raise Refusal("AuthFailure.InvalidAuthorization", "Authorization is not well formed")
        if abs(self.clock() - int(stamp)) > SKEW_S:
            raise Refusal("AuthFailure.SignatureExpire", "timestamp is more than 5 minutes off")
        if match[1] != self.settings["access_key_id"]:
            raise Refusal("AuthFailure.SecretIdNotFound", "SecretId is not found")
        wanted = tc3(
            secret=self.settings["access_key_secret"],
            host=request.headers.get("Host", ""),
            content_type=request.headers.get("Content-Type", ""),
            timestamp=int(stamp),
            body=request.get_data(),
        )
        if not hmac.compare_digest(wanted, match[3]):
            self.problems.append("tencent: SignatureFailure")
            raise Refusal("AuthFailure.SignatureFailure", "signature does not match")
        if request.headers.get("X-TC-Version") != "2019-06-14":
            raise Refusal("InvalidParameter.InvalidVersion", "X-TC-Version")

    def _recognise(self, body: dict[str, Any]) -> dict[str, Any]:
        if not ENGINES.fullmatch(str(body.get("EngSerViceType", ""))):
            raise Refusal("InvalidParameterValue.ErrorInvalidEngSerViceType", "EngSerViceType")
        if body.get("SourceType") != 1:
            raise Refusal("InvalidParameterValue.ErrorInvalidSourceType", "SourceType")
        if body.get("VoiceFormat") not in TENCENT_FORMATS:
            raise Refusal("InvalidParameterValue.ErrorInvalidVoiceFormat", "VoiceFormat")
        encoded = str(body.get("Data", ""))
        if len(encoded) > MAX_BASE64 or "\n" in encoded:
            raise Refusal("InvalidParameterValue.ErrorVoicedataTooLong", "Data")
        try:
            data = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refusal("InvalidParameterValue.ErrorInvalidVoiceData", "Data") from error
        if len(data) != body.get("DataLen"):
            raise Refusal("InvalidParameterValue.ErrorInvalidVoicedata", "DataLen")
        self._check_hot_words(str(body.get("HotwordList", "")))
        seconds = amr_seconds(data) if body["VoiceFormat"] == "amr" else 1.0
        if seconds is None:
            raise Refusal("InvalidParameterValue.ErrorInvalidVoiceFormat", "not amr")
        if seconds > MAX_SECONDS + 1:
            raise Refusal("InvalidParameterValue.ErrorVoicedataTooLong", "longer than 60 s")
        facts = {"vendor": "tencent", "engine": body["EngSerViceType"], "hot_words": body.get("HotwordList", "")}
        words = self._listen(data, facts)
        listed = [{"Word": char, "StartTime": 0, "EndTime": 0} for char in words] if body.get("WordInfo") else []
        return {
            "Result": words,
            "AudioDuration": round(seconds * 1000),
            "WordSize": len(listed),
            "WordList": listed or None,
        }

    @staticmethod
    def _check_hot_words(listed: str) -> None:
        entries = listed.split(",") if listed else []
        if len(entries) > 128 or not all(re.fullmatch(r"[^|,]{1,30}\|(?:[1-9]|10|11|100)", entry) for entry in entries):
            raise Refusal("InvalidParameterValue", "HotwordList")
        if any(sum(char > "\u2e7f" for char in entry) > 10 for entry in entries):
            raise Refusal("InvalidParameterValue", "HotwordList: more than 10 Chinese characters")

    # --- Aliyun --------------------------------------------------------------------------------------------------
    def _create_token(self) -> Any:
        self.calls["aliyun:" + request.form.get("Action", "")] += 1
        given = request.form.to_dict()
        wanted = rpc(given, secret=self.settings["access_key_secret"])
        if given.get("AccessKeyId") != self.settings["access_key_id"]:
            return jsonify(Code="InvalidAccessKeyId.NotFound", Message="Specified access key is not found."), 404
        if not hmac.compare_digest(wanted, given.get("Signature", "")):
            self.problems.append("aliyun: SignatureDoesNotMatch")
            return jsonify(Code="SignatureDoesNotMatch", Message="signature does not match"), 400
        if given.get("Action") != "CreateToken" or given.get("Version") != "2019-02-28":
            return jsonify(Code="InvalidAction.NotFound", Message="Action or Version"), 404
        token, until = secrets.token_hex(16), self.clock() + TOKEN_LIVES_S
        self.tokens[token] = until
        return jsonify(NlsRequestId=secrets.token_hex(16), Token={"Id": token, "ExpireTime": int(until), "UserId": "1"})

    def nls(self) -> Any:
        with self.lock:
            self.calls["aliyun:asr"] += 1
            if self._strike("http_500"):
                return Response(status=500)
            status, message, result = self._nls()
            return jsonify(task_id=secrets.token_hex(16), status=status, message=message, result=result)

    def _nls(self) -> tuple[int, str, str]:
        if self._strike("expire_token"):
            self.tokens.clear()
        if self.tokens.get(request.headers.get("X-NLS-Token", ""), 0) <= self.clock():
            return 40000001, "Gateway:ACCESS_DENIED:The token is invalid or expired!", ""
        if request.args.get("appkey") != self.settings["app_key"]:
            return 40020105, "Meta:APPKEY_NOT_EXIST:Appkey not exist!", ""
        if self._strike("limit"):
            return 40000005, "Gateway:TOO_MANY_REQUESTS:Too many requests!", ""
        data, form = request.get_data(), request.args.get("format", "pcm")
        if form not in ALIYUN_FORMATS or request.args.get("sample_rate") not in ("8000", "16000"):
            return 40010003, "Gateway:CLIENT_PARAMETER_INVALID:format or sample_rate", ""
        if len(data) > MAX_BYTES or request.headers.get("Content-Type") != "application/octet-stream":
            return 40010003, "Gateway:CLIENT_PARAMETER_INVALID:body", ""
        seconds = amr_seconds(data) if form == "amr" else 1.0
        if seconds is None or seconds > MAX_SECONDS + 1:
            return 41010105, "ASR:no valid audio", ""
        return 20000000, "SUCCESS", self._listen(data, {"vendor": "aliyun", "rate": request.args["sample_rate"]})

    # --- control -------------------------------------------------------------------------------------------------
    def words_board(self) -> Any:
        with self.lock:
            if request.method == "POST":
                wish = request.get_json(force=True)
                self.words[str(wish["sha256"])] = str(wish["words"])
            return jsonify(words=self.words, heard=self.heard[-50:])

    def fault_board(self) -> Any:
        with self.lock:
            wish = request.get_json(force=True)
            times = wish.pop("times", None)
            unknown = sorted(set(wish) - set(FAULTS) - {"clear"})
            if unknown:
                return jsonify(reason=f"unknown switch {unknown}"), 400
            if wish.pop("clear", False):
                self.faults.clear()
            self.faults.update({name: times for name, value in wish.items() if value})
            return jsonify(faults=self.faults, available=list(FAULTS))

    def _strike(self, name: str) -> bool:
        if name not in self.faults:
            return False
        left = self.faults[name]
        if left is not None:
            self.faults[name] = left - 1
            if left <= 1:
                del self.faults[name]
        return True


def amr_seconds(data: bytes) -> float | None:
    """Seconds of an AMR-NB file, None when it is none."""
    if not data.startswith(b"#!AMR\n"):
        return None
    at, count = 6, 0
    while at < len(data):
        size = _AMR_SIZES.get(data[at] >> 3 & 15)
        if size is None or at + 1 + size > len(data):
            return None
        at, count = at + 1 + size, count + 1
    return count * 0.02 if count else None
