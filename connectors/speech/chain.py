"""The configured providers one after another: the first that answers decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Protocol

import requests
import structlog

from connectors.errors import OutsideError
from connectors.speech.aliyun import AliyunSpeech
from connectors.speech.audio import Sound, SpeechRefused, examine
from connectors.speech.local import LocalSpeech
from connectors.speech.model import Heard, SpeechAccount
from connectors.speech.tencent import TencentSpeech

log = structlog.get_logger()


class Provider(Protocol):
    name: str

    def hear(self, data: bytes, sound: Sound) -> str: ...


class Chain:
    """Providers in the configured order. Empty: nothing is configured."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self.providers = tuple(providers)

    def transcribe(self, data: bytes, *, format: str) -> Heard:
        """The words of a recording. A provider that fails or hears nothing hands on to the next one.

        Raises SpeechRefused (bad recording, with the reason for the person) or OutsideError (all failed).
        """
        sound = examine(data, told=format)
        failed: OutsideError | SpeechRefused | None = None
        silent: Heard | None = None
        for provider in self.providers:
            started = monotonic()
            try:
                text = provider.hear(data, sound)
            except (OutsideError, SpeechRefused) as error:
                code = error.code
                log.warning("speech.failed", provider=provider.name, code=code, codec=sound.codec)
                failed = error
                continue
            took_ms = round((monotonic() - started) * 1000)
            log.info("speech.heard", provider=provider.name, chars=len(text), took_ms=took_ms, seconds=sound.seconds)
            heard = Heard(text, provider.name, took_ms)
            if text:
                return heard
            silent = silent or heard
        if silent is not None:
            return silent
        raise failed or OutsideError("speech", "not_configured", permanent=True)


def build(
    account: SpeechAccount,
    http: requests.Session,
    *,
    clock: Callable[[], datetime],
    hot_words: Callable[[], Sequence[str]],
) -> Chain | None:
    """The chain of the account's providers; None when there are none."""
    makers: dict[str, Callable[[], Provider]] = {
        "tencent": lambda: TencentSpeech(account, http, clock, hot_words),
        "aliyun": lambda: AliyunSpeech(account, http, clock),
        "local": lambda: LocalSpeech(account),
    }
    return Chain([makers[name]() for name in account.providers]) if account.providers else None
