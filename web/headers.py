"""Headers every answer carries, and the size a request may have."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from web.context import WebContext

MAX_BODY_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = 48 * 1024 * 1024  # nine photos of 5 MB and the form around them
# the clients' own bridges open these addresses in a hidden frame
BRIDGE_FRAMES = ("wvjbscheme:", "weixin:", "dingtalk:", "nativeapi:")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def page_policy(ctx: WebContext) -> str:
    """Our own scripts and the platforms' bridges; nothing inline, nothing else."""
    bridges = " ".join(sorted({o for url in ctx.scripts.values() if (o := _origin(url))}))
    framed = " ".join(["'self'", *ctx.frame_ancestors])
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' {bridges}".strip(),
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self'",
            f"connect-src 'self' {bridges}".strip(),
            f"frame-src {' '.join(BRIDGE_FRAMES)}",
            f"frame-ancestors {framed}",
            "form-action 'self'",
            "base-uri 'none'",
        ]
    )


def of_data(ctx: WebContext) -> dict[str, str]:
    """What goes with an answer that is no page."""
    found = {
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if ctx.public_url.startswith("https://"):
        found["Strict-Transport-Security"] = "max-age=31536000"
    return found


def register(app: Flask, ctx: WebContext) -> None:
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    data = of_data(ctx)
    page = data | {
        "Content-Security-Policy": page_policy(ctx),
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-site",
    }

    @app.after_request
    def guard(answer: Response) -> Response:
        wanted = dict(page if answer.mimetype == "text/html" else data)
        if request.path.startswith(("/h5/", "/api/")):
            wanted["Cache-Control"] = "no-store"
        for name, value in wanted.items():
            if name not in answer.headers:  # setdefault would raise and catch a KeyError for each
                answer.headers[name] = value
        return answer
