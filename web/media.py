"""Signed links to stored pictures and films: `/m/<token>`. Whoever holds one may see that one, for a week or less."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from flask import Blueprint, Response, abort, request
from itsdangerous import BadSignature, URLSafeSerializer

from storage.models import Media
from web.context import WebContext

Kind = Literal["small", "thumb", "original"]
KINDS: tuple[Kind, ...] = ("small", "thumb", "original")
SALT = "anshao.picture.1"
LIVES_S = 7 * 24 * 3600
STEP_S = 24 * 3600  # links made on one day are equal, so that a phone loads a picture once


def _now() -> datetime:
    return datetime.now(UTC)


def picture_url(
    secret: str, public_url: str, sha: str, kind: Kind = "small", *, clock: Callable[[], datetime] = _now
) -> str:
    """The absolute address of a stored picture, named by the SHA-256 of the file as it was sent.

    `kind`: "thumb", "small" (1280 px, upright, without EXIF) or "original". Lives 7 to 8 days from now.
    """
    ends = (int(clock().timestamp()) // STEP_S + 1) * STEP_S + LIVES_S
    token = URLSafeSerializer(secret, salt=SALT).dumps([sha, kind, ends])
    return f"{public_url.rstrip('/')}/m/{token}"


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("media", __name__)
    tokens = URLSafeSerializer(ctx.secret_key, salt=SALT)

    @pages.get("/m/<token>")
    def picture(token: str) -> Response:
        try:
            sha, kind, ends = tokens.loads(token)
        except (BadSignature, ValueError, TypeError):
            abort(404)
        if not isinstance(sha, str) or not isinstance(ends, int | float):
            abort(404)
        left_s = int(ends - ctx.clock().timestamp())
        if left_s <= 0 or kind not in KINDS:
            abort(404)
        with ctx.new_work(read_only=True) as work:
            row = work.media.get(sha)
        if row is None or not row.mime.startswith(("image/", "video/")):
            abort(404)
        stored, mime = _choose(row, kind)
        data = ctx.pictures.open(stored)
        answer = Response(data, mimetype=mime)
        answer.headers["Cache-Control"] = f"private, max-age={min(left_s, STEP_S)}, immutable"
        answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        if mime.startswith("video/"):  # a phone's player asks for parts, and is itself a small page
            answer.headers["Content-Security-Policy"] = "default-src 'none'; media-src 'self'; sandbox"
            answer.make_conditional(request.environ, accept_ranges=True, complete_length=len(data))
        return answer

    return pages


def _choose(row: Media, kind: Kind) -> tuple[str, str]:
    """The stored file of that size and its type; the original when no smaller copy was made."""
    smaller = {"small": row.small_sha, "thumb": row.thumb_sha or row.small_sha, "original": ""}[kind]
    return (smaller, "image/jpeg") if smaller else (row.sha256, row.mime)
