"""Aliyun NLS 一句话识别 by REST, with its expiring token (CreateToken 2019-02-28, RPC signature v1)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import requests

from connectors.errors import OutsideError
from connectors.sms import aliyun_signature
from connectors.speech.audio import Sound, SpeechRefused
from connectors.speech.model import SpeechAccount
from connectors.speech.tencent import post

URL = "https://nls-gateway-cn-shanghai.aliyuncs.com/stream/v1/asr"
TOKEN_URL = "https://nls-meta.cn-shanghai.aliyuncs.com/"
SYSTEM = "aliyun_nls"
RENEW_BEFORE = timedelta(minutes=10)
OK, BAD_TOKEN, IDLE, TOO_MANY = 20000000, 40000001, 40000004, 40000005
FORMATS = {"amr": "amr", "wav": "wav", "ogg": "opus", "speex": "speex", "mp3": "mp3", "m4a": "aac"}


class AliyunSpeech:
    name = "aliyun"

    def __init__(self, account: SpeechAccount, http: requests.Session, clock: Callable[[], datetime]) -> None:
        self.account, self.http, self.clock = account, http, clock
        self.url, self.token_url = account.endpoint or URL, account.token_endpoint or TOKEN_URL
        self._token, self._until = "", datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def hear(self, data: bytes, sound: Sound) -> str:
        """The words, "" when there are none. Raises SpeechRefused or OutsideError."""
        if sound.codec not in FORMATS:
            raise OutsideError(SYSTEM, f"format_{sound.codec}", permanent=True)
        answer = self._ask(data, sound, self._valid_token())
        if answer.get("status") == BAD_TOKEN:
            answer = self._ask(data, sound, self._valid_token(fresh=True))
        status = answer.get("status")
        if status == OK:
            return str(answer.get("result", "")).strip()
        if status in (40010005, 41010101, 41010104, 41010105):  # silence, sample rate, too long, no valid audio
            raise SpeechRefused("provider", "这段录音识别不了(没有人声、格式或时长不对),请再录一次,或打字")
        again = status in (TOO_MANY, IDLE) or (isinstance(status, int) and status >= 50000000)
        raise OutsideError(SYSTEM, str(status), permanent=not again)

    def _ask(self, data: bytes, sound: Sound, token: str) -> dict:
        query = {
            "appkey": self.account.app_key,
            "format": FORMATS[sound.codec],
            "sample_rate": "8000" if sound.rate_hz == 8000 else "16000",
            "enable_punctuation_prediction": "true",
            "enable_inverse_text_normalization": "true",
        }
        headers = {"X-NLS-Token": token, "Content-Type": "application/octet-stream"}
        return post(self.http, SYSTEM, self.url, params=query, headers=headers, data=data)

    def _valid_token(self, *, fresh: bool = False) -> str:
        with self._lock:
            now = self.clock()
            if fresh or not self._token or now >= self._until - RENEW_BEFORE:
                self._token, self._until = self._new_token(now)
            return self._token

    def _new_token(self, now: datetime) -> tuple[str, datetime]:
        query = {
            "AccessKeyId": self.account.key_id,
            "Action": "CreateToken",
            "Format": "JSON",
            "RegionId": "cn-shanghai",
            "SignatureMethod": "HMAC-SHA1",
            "SignatureNonce": token_hex(16),
            "SignatureVersion": "1.0",
            "Timestamp": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Version": "2019-02-28",
        }
        query["Signature"] = aliyun_signature(query, self.account.key_secret)
        answer = post(self.http, SYSTEM, self.token_url, data=query)
        token = answer.get("Token")
        if not isinstance(token, dict) or not token.get("Id"):
            raise OutsideError(SYSTEM, str(answer.get("Code") or answer.get("ErrCode") or "no_token"), permanent=True)
        return str(token["Id"]), datetime.fromtimestamp(int(token.get("ExpireTime", 0)), UTC)
