"""Files: what the bot uploads, what people send, and the temporary download addresses (protocol notes §2.8)."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, request

from .core import Core
from .errors import ApiError, OldError
from .ids import new_hex
from .routing import Call, Route, Style

MB = 1024 * 1024
UPLOAD_RULES: dict[str, tuple[int, set[str]]] = {
    "image": (20 * MB, {"jpg", "jpeg", "gif", "png", "bmp"}),
    "voice": (2 * MB, {"amr", "mp3", "wav"}),
    "video": (20 * MB, {"mp4"}),
    "file": (20 * MB, {"doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "pdf", "rar"}),
}
PREFIX = {"image": "@lA", "voice": "$iA", "video": "$iB", "file": "@lB"}
MARKDOWN_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Blob:
    id: str
    data: bytes
    name: str
    content_type: str


@dataclass
class DownloadCode:
    blob_id: str
    robot_code: str
    expires_at: float


class Media:
    def __init__(self, core: Core):
        self.core = core
        self.blobs: dict[str, Blob] = {}
        self._media_ids: dict[str, str] = {}
        self._codes: dict[str, DownloadCode] = {}
        self._url_key = new_hex(16).encode()

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/media/upload", self._upload, Style.OLD),
            Route("POST", "/v1.0/robot/messageFiles/download", self._download_url),
        ]

    def bind(self, app: Flask) -> None:
        app.add_url_rule("/_download/<name>", endpoint="_download", view_func=self._serve_download)
        app.add_url_rule("/_phone/media/<blob_id>", endpoint="_phone_media", view_func=self._serve_blob)

    def store(self, data: bytes, *, name: str, content_type: str) -> Blob:
        blob = Blob(new_hex(12), data, name, content_type or "application/octet-stream")
        self.blobs[blob.id] = blob
        return blob

    def blob_url(self, blob_id: str) -> str:
        return f"{self.core.public_url}/_phone/media/{blob_id}"

    def new_code(self, blob: Blob, robot_code: str) -> str:
        code = new_hex(32)
        self._codes[code] = DownloadCode(blob.id, robot_code, self.core.clock() + self.core.limits.download_code_ttl_s)
        return code

    def visible_url(self, url_or_media_id: str) -> str | None:
        """What a client would load: an http(s) URL as it is, a known media id as our address, else None."""
        if url_or_media_id.startswith(("http://", "https://")):
            return url_or_media_id
        blob_id = self._media_ids.get(url_or_media_id)
        if blob_id is None:
            if url_or_media_id:
                self.core.journal.problem("a message shows an unknown media id")
            return None
        return self.blob_url(blob_id)

    def knows(self, media_id: str) -> bool:
        return media_id in self._media_ids

    def visible_markdown(self, text: str) -> str:
        """Markdown whose pictures given by media id are addresses a browser can load."""
        return MARKDOWN_IMAGE.sub(lambda m: f"![{m[1]}]({self.visible_url(m[2]) or m[2]})", text)

    def _upload(self, call: Call) -> dict[str, Any]:
        kind = call.query.get("type") or str(call.body.get("type", ""))
        upload = request.files.get("media")
        if kind not in UPLOAD_RULES:
            raise OldError(40004, "不合法的媒体文件类型")
        if upload is None:
            raise OldError(41005, "缺少媒体文件数据")
        data, (limit, endings) = upload.read(), UPLOAD_RULES[kind]
        name = upload.filename or ""
        if name.rpartition(".")[2].lower() not in endings:
            raise OldError(40005, "不合法的文件类型")
        if not data or len(data) > limit:
            raise OldError(40006, "不合法的文件大小")
        blob = self.store(data, name=name, content_type=upload.mimetype)
        media_id = PREFIX[kind] + "D" + blob.id
        self._media_ids[media_id] = blob.id
        return {"type": kind, "media_id": media_id, "created_at": self.core.now_ms()}

    def _download_url(self, call: Call) -> dict[str, Any]:
        core, body = self.core, call.body
        robot_code, text = str(body.get("robotCode", "")), str(body.get("downloadCode", ""))
        if not robot_code:
            raise ApiError("invalidParameter.robotCode.empty", "robotCode 不能为空")
        if core.directory.apps[call.client_id].robot_code != robot_code:
            raise ApiError("invalidParameter.robotCode.auth", "robotCode 没有权限")
        code = self._codes.get(text)
        refused = core.faults.take("download_code_expired") is not None
        if code is None or refused or code.robot_code != robot_code or code.expires_at <= core.clock():
            raise ApiError("invalidParameter.robotCode.downloadCode", "downloadCode 错误或已过期")
        if core.faults.take("download_code_once"):
            del self._codes[text]
        expires = int(core.clock() + core.limits.download_url_ttl_s)
        signature = self._url_signature(code.blob_id, expires)
        url = f"{core.public_url}/_download/{code.blob_id}.file?Expires={expires}&Signature={signature}"
        return {"downloadUrl": url}

    def _url_signature(self, blob_id: str, expires: int) -> str:
        return hmac.new(self._url_key, f"{blob_id} {expires}".encode(), hashlib.sha256).hexdigest()

    def _serve_download(self, name: str) -> Response:
        blob_id, expires = name.removesuffix(".file"), request.args.get("Expires", "0")
        with self.core.lock:
            self.core.journal.calls["GET /_download"] += 1
            status = self.core.faults.take("download_fails", "/_download")
            blob, now = self.blobs.get(blob_id), self.core.clock()
        if status is not None:
            return _xml_error(500 if status is True else int(status), "InternalError")
        signed = expires.isdigit() and request.args.get("Signature") == self._url_signature(blob_id, int(expires))
        if not signed or int(expires) <= now:
            return _xml_error(403, "AccessDenied")
        if blob is None:
            return _xml_error(404, "NoSuchKey")
        return Response(blob.data, content_type="application/octet-stream")

    def _serve_blob(self, blob_id: str) -> Response:
        with self.core.lock:
            blob = self.blobs.get(blob_id)
        if blob is None:
            return Response("no such file", status=404, content_type="text/plain")
        return Response(blob.data, content_type=blob.content_type, headers={"X-Content-Type-Options": "nosniff"})


def _xml_error(status: int, code: str) -> Response:
    return Response(f"<Error><Code>{code}</Code></Error>", status=status, content_type="application/xml")
