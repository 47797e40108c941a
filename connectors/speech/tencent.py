"""Tencent Cloud 一句话识别 (asr 2019-06-14, SentenceRecognition, TC3-HMAC-SHA256). Takes AMR as it comes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from connectors.errors import OutsideError
from connectors.sms import tencent_authorization
from connectors.speech.audio import Sound, SpeechRefused
from connectors.speech.model import SpeechAccount

URL = "https://asr.tencentcloudapi.com/"
TIMEOUT_S = (3.05, 15)
SYSTEM = "tencent_asr"
MAX_BASE64 = 3 * 1024 * 1024
MAX_HOT_WORDS, MAX_WORD_CHARS, WEIGHT = 128, 10, 10
# how our codec names are called there; amr-wb is not in the provider's list
FORMATS = {
    "amr": "amr",
    "wav": "wav",
    "ogg": "ogg-opus",
    "speex": "speex",
    "silk": "silk",
    "mp3": "mp3",
    "m4a": "m4a",
}
AGAIN = ("InternalError", "RequestLimitExceeded", "FailedOperation.ServiceIsolate", "FailedOperation.ErrorRecognize")


def hot_word_list(words: Sequence[str]) -> str:
    """«罐区|10,P-101A|10»: at most 128 words of 10 characters; longer ones and odd signs are left out."""
    usable = [w for w in dict.fromkeys(words) if 1 < len(w) <= MAX_WORD_CHARS and not set(w) & set("|,,、 \t")]
    return ",".join(f"{word}|{WEIGHT}" for word in usable[:MAX_HOT_WORDS])


class TencentSpeech:
    name = "tencent"

    def __init__(
        self,
        account: SpeechAccount,
        http: requests.Session,
        clock: Callable[[], datetime],
        hot_words: Callable[[], Sequence[str]],
    ) -> None:
        self.account, self.http, self.clock, self.hot_words = account, http, clock, hot_words
        self.url = account.endpoint or URL

    def hear(self, data: bytes, sound: Sound) -> str:
        """The words, "" when there are none. Raises SpeechRefused or OutsideError."""
        encoded = base64.b64encode(data).decode()
        if sound.codec not in FORMATS:
            raise OutsideError(SYSTEM, f"format_{sound.codec}", permanent=True)
        if len(encoded) > MAX_BASE64:
            raise SpeechRefused("too_big", "录音太大,请分成几段,或打字")
        request: dict[str, Any] = {
            "EngSerViceType": self.account.engine or ("8k_zh" if sound.rate_hz == 8000 else "16k_zh"),
            "SourceType": 1,
            "VoiceFormat": FORMATS[sound.codec],
            "Data": encoded,
            "DataLen": len(data),
            "ConvertNumMode": 1,
        }
        words = hot_word_list(self.hot_words())
        if words:
            request["HotwordList"] = words
        answer = self._call(json.dumps(request, ensure_ascii=False).encode())
        if "Error" in answer:
            code = str(answer["Error"].get("Code", ""))
            if "VoiceFormat" in code or "AudioDuration" in code or "VoicedataTooLong" in code:
                raise SpeechRefused("provider", "这段录音识别不了(格式或时长不对),请再录一次,或打字")
            raise OutsideError(SYSTEM, code or "no_code", permanent=not code.startswith(AGAIN))
        return str(answer.get("Result", "")).strip()

    def _call(self, body: bytes) -> dict[str, Any]:
        now, host = self.clock(), urlsplit(self.url).netloc
        headers = {
            "Content-Type": "application/json",
            "Host": host,
            "X-TC-Action": "SentenceRecognition",
            "X-TC-Version": "2019-06-14",
            "X-TC-Timestamp": str(int(now.timestamp())),
            "Authorization": tencent_authorization(
                key_id=self.account.key_id,
                secret=self.account.key_secret,
                host=host,
                body=body,
                at=now,
                service="asr",
            ),
        }
        found = post(self.http, SYSTEM, self.url, data=body, headers=headers)
        answer = found.get("Response")
        if not isinstance(answer, dict):
            raise OutsideError(SYSTEM, "no_response", permanent=False)
        return answer


def post(http: requests.Session, system: str, url: str, **kwargs: Any) -> dict[str, Any]:
    """The JSON object that a POST gives. Raises OutsideError; recognising twice does no harm, so nothing is `unknown`."""
    try:
        answer = http.post(url, timeout=TIMEOUT_S, allow_redirects=False, **kwargs)
    except requests.RequestException as error:
        timeout = isinstance(error, requests.exceptions.Timeout)
        raise OutsideError(system, "timeout" if timeout else "unreachable", permanent=False) from error
    if answer.status_code >= 500:
        raise OutsideError(system, f"http_{answer.status_code}", permanent=False)
    try:
        found = answer.json()
    except ValueError as error:
        raise OutsideError(system, "no_json", permanent=False) from error
    return found if isinstance(found, dict) else {}
