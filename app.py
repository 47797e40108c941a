"""The one place where Flask apps are made: `gunicorn 'app:create_app()'`, `flask --app app COMMAND`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, render_template

import settings as settings_module
import wiring
from bot.platforms.callbacks import Callbacks
from bot.platforms.dingtalk import stream_board
from cards.card import Card
from jobs import fetch, inbound
from jobs.context import Services
from settings import Settings
from tools import cli
from web import (
    api,
    board,
    errors,
    hazards,
    headers,
    knowledge,
    media,
    metrics,
    micro_actions,
    permit_boxes,
    permit_here,
    permits,
    place,
    policy,
    roll_calls,
    session,
    status,
    todo,
)
from web import budgets as budgets_page
from web.context import WebContext

# clients that show our pages in a frame of their own (desktop DingTalk and WeCom)
CLIENTS = ("https://*.dingtalk.com", "https://*.work.weixin.qq.com", "https://*.weixin.qq.com")


def create_app(settings: Settings | None = None, *, services: Services | None = None) -> Flask:
    """An app for one process. Both arguments are read from the environment when not given.

    Ends the process with a line for each wrong setting when they cannot be used. Opens no database connection.
    """
    if settings is None:
        try:
            settings = settings_module.load()
        except settings_module.SettingsError as error:
            raise SystemExit(str(error)) from None  # a server or command shows these lines and no trace
    services = services or wiring.build(settings)
    app = Flask(__name__, static_folder="web/static", template_folder="web/templates")
    ctx = _context(settings, services)
    _configure(app, settings)
    errors.register(app)
    headers.register(app, ctx)
    streams = settings.has_dingtalk and settings.dingtalk_mode == "stream"
    counted = metrics.register(app, ctx, partial(stream_board.read, services.redis) if streams else None)
    status.register(
        app,
        ctx,
        [
            ("database", partial(status.check_database, services.engine)),
            ("redis", partial(status.check_redis, services.redis)),
            ("media", partial(status.check_media, services.media)),
        ],
        [("stream", lambda: stream_board.complaint(services.redis, services.clock()))] if streams else [],
    )
    _mount_platforms(app, services, headers.of_data(ctx), counted)
    for pages in (
        session,
        place,
        hazards,
        todo,
        knowledge,
        permits,
        permit_here,
        permit_boxes,
        policy,
        roll_calls,
        micro_actions,
        board,
        media,
    ):
        app.register_blueprint(pages.routes(ctx))
    app.register_blueprint(budgets_page.routes(ctx))
    api.register(app, ctx)

    @app.get("/")
    def index() -> str:
        return render_template("index.html", plant=settings.plant_name, phones=settings.phones_url)

    cli.register(app, services)
    return app


def _context(settings: Settings, services: Services) -> WebContext:
    frames = list(CLIENTS)
    if settings.demo:  # the page with the emulated phones shows ours side by side
        frames += sorted({_origin(settings.wecom_oauth_base), _origin(settings.dingtalk_api_base), "'self'"})
    return WebContext(
        engine=services.engine,
        clock=services.clock,
        platforms=services.platforms,
        pictures=services.media,
        keep_photo=partial(fetch.keep_photo, services),
        kick=services.kick,
        zone=services.zone,
        public_url=settings.public_url,
        secret_key=settings.secret_key.get_secret_value(),
        plant_name=settings.plant_name,
        scripts={"wecom": settings.wecom_js_url, "dingtalk": settings.dingtalk_js_url},
        frame_ancestors=tuple(dict.fromkeys(frames)),
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _configure(app: Flask, settings: Settings) -> None:
    app.secret_key = settings.secret_key.get_secret_value()
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config.update(
        SESSION_COOKIE_NAME="anshao",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
    )


def _mount_platforms(
    app: Flask, services: Services, headers: dict[str, str], counted: Callable[[str, int, float], None]
) -> None:
    """The callbacks of every configured platform, before Flask, with the function that stores what they bring."""
    wiring.first_aid("预备")  # reads the lexicon now: the first callback should not wait for it
    accept = inbound.accept_into(services.engine, services.kick, services.clock, wiring.first_aid)
    routes: dict[str, Any] = {}
    for platform in services.platforms.values():
        routes |= platform.callbacks(accept, card_of=partial(_card_of, services))
    wsgi = Callbacks(routes, app.wsgi_app, headers=list(headers.items()), counted=counted)
    app.wsgi_app = wsgi  # type: ignore[method-assign, assignment]


def _card_of(services: Services, ref: str) -> Card | None:
    with services.new_work(read_only=True) as work:
        post = work.cards.post_by_ref(ref)
        return Card.from_json(post.card.content) if post is not None else None
