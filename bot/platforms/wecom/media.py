"""Files to and from WeCom. An uploaded file is remembered for as long as WeCom keeps it, less a day."""

from __future__ import annotations

import hashlib
import json
import mimetypes
from datetime import timedelta
from typing import Any, Literal

import requests
import structlog
from redis.exceptions import RedisError

from bot.message import MediaRef
from bot.platforms.base import Failure, PlatformError
from bot.platforms.http import BodyTooLarge, read_bounded, transport_failure
from bot.platforms.wecom.client import Api
from bot.platforms.wecom.errors import TOKEN_CODES, TOO_BIG_WITHOUT_RANGE, error_of, status_error
from bot.platforms.wecom.text import cut_bytes

KEPT = timedelta(days=2)
CHUNK_BYTES = 20 * 1024 * 1024
MAX_DOWNLOAD_BYTES = 100 * 1024 * 1024
NAME_BYTES = 120

UploadKind = Literal["image", "file"]

log = structlog.get_logger(__name__)


class Media:
    def __init__(self, api: Api, *, redis: Any, prefix: str) -> None:
        self._api, self._redis, self._prefix = api, redis, prefix

    def upload(self, kind: UploadKind, data: bytes, *, name: str, fresh: bool = False) -> str:
        """The media_id of that file, uploaded only once: a repeated message must be the same to the last byte."""
        name = file_name(name, kind)
        key = f"{self._prefix}:media:{hashlib.sha256(f'{kind}|{name}|'.encode() + data).hexdigest()}"
        known = "" if fresh else self._known(key)
        if known:
            return known
        answer = self._api.upload("media/upload", data, name=name, mime=mime_of(name), type=kind)
        media_id = str(answer.get("media_id") or "")
        if not media_id:
            raise PlatformError(Failure.RETRY, "no_media_id")
        try:
            self._redis.set(key, media_id, ex=KEPT)
        except RedisError as error:
            log.warning("wecom.media_not_remembered", error=type(error).__name__)
        return media_id

    def download(self, media: MediaRef) -> bytes:
        """What a person sent. Raises EXPIRED after three days, PERMANENT for a file beyond all limits."""
        if not media.id:
            raise PlatformError(Failure.PERMANENT, "no_media_id")
        try:
            return self._whole(media.id)
        except PlatformError as error:
            if error.code != str(TOO_BIG_WITHOUT_RANGE):
                raise
        return self._in_pieces(media.id)

    def _whole(self, media_id: str) -> bytes:
        return self._fetch(media_id, {})[0]

    def _in_pieces(self, media_id: str) -> bytes:
        data = bytearray()
        while True:
            piece, total = self._fetch(media_id, {"Range": f"bytes={len(data)}-{len(data) + CHUNK_BYTES - 1}"})
            data += piece
            if len(data) > MAX_DOWNLOAD_BYTES:
                raise PlatformError(Failure.PERMANENT, "download_too_large")
            if total is None or len(data) >= total or not piece:
                return bytes(data)

    def _fetch(self, media_id: str, headers: dict[str, str]) -> tuple[bytes, int | None]:
        """(bytes, size of the whole when only a part came). A refused token is replaced once."""
        for last in (False, True):
            token = self._api.token()
            with self._api.open("media/get", headers, media_id=media_id) as answer:
                if answer.status_code >= 300:
                    raise status_error(answer.status_code)
                try:
                    data = read_bounded(answer, MAX_DOWNLOAD_BYTES)
                except BodyTooLarge:
                    raise PlatformError(Failure.PERMANENT, "download_too_large") from None
                except (requests.RequestException, OSError) as error:
                    raise PlatformError(Failure.RETRY, f"download_{transport_failure(error)[1]}") from None
            code = _error_code(answer, data)
            if code is None:
                return data, _total(answer)
            if last or code not in TOKEN_CODES:
                raise error_of(code)
            self._api.forget_token(token)
        raise AssertionError("unreachable")

    def _known(self, key: str) -> str:
        try:
            raw = self._redis.get(key)
        except RedisError:
            return ""
        return raw.decode() if isinstance(raw, bytes) else str(raw or "")


def file_name(name: str, kind: UploadKind) -> str:
    """The name people will see: one line, no path, no quotes, with an ending."""
    name = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable() and c not in '"')
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, ending) if dot and len(ending) <= 8 else (name, "jpg" if kind == "image" else "bin")
    return f"{cut_bytes(stem, NAME_BYTES, end='') or 'file'}.{ending or 'bin'}"


def mime_of(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _error_code(answer: requests.Response, data: bytes) -> int | None:
    """The code of an error: WeCom answers those with HTTP 200 and JSON; a file comes as an attachment."""
    if "attachment" in answer.headers.get("Content-Disposition", "").lower():
        return None
    try:
        body = json.loads(data)
        return int(body["errcode"]) or None
    except (ValueError, KeyError, TypeError):
        pass
    if not data or "html" in answer.headers.get("Content-Type", ""):  # a page of some gateway on the way
        raise PlatformError(Failure.RETRY, "download_not_media")
    return None


def _total(answer: requests.Response) -> int | None:
    total = answer.headers.get("Content-Range", "").rpartition("/")[2]
    return int(total) if answer.status_code == 206 and total.isdigit() else None
